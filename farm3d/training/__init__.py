"""Layer 6: training a model."""

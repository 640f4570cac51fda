"""Layer 6: using a model on a photograph."""

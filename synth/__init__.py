"""Layer 7: programs that make data."""

"""Layer 8: programs that measure."""

"""Layer 4: what training minimises."""

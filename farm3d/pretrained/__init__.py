"""Layer 4: the only doors to heavy or optional libraries."""

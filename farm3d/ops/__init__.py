"""Layer 1: operators on raw tensors, one contract each."""

"""Layer 4: data sets on disk as batches of tensors."""

"""Layer 3: files in, files out."""

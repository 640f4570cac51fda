"""Layer 4: from meshes, cameras and lights to images."""

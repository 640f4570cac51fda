"""Layer 4: networks that read an image: encoder, viewpoint, articulation, light."""

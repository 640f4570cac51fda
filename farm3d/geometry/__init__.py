"""Layer 2: meshes, skeletons, cameras and the maths on them."""

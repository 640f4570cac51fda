"""farm3d: one photograph of an animal in, a rigged, textured, animatable 3D model out."""

__version__ = "0.1.0"

"""Triangle meshes as values."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from farm3d.shapes import Faces, Vertices


@dataclass(frozen=True)
class Mesh:
    """A triangle mesh, or a batch of meshes that share their faces.

    Faces are counter-clockwise seen from outside. `uvs` are per-vertex texture coordinates in
    [0, 1] with v = 0 at the top row of the texture (glTF's convention).
    """

    vertices: Vertices
    faces: Faces
    uvs: Float[Tensor, "vertices 2"] | None = None

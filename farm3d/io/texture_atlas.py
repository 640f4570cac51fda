"""Texture atlases: unwrapping a mesh (xatlas) and baking a colour function into a texture."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import xatlas
from jaxtyping import Float, Int, UInt8
from scipy import ndimage
from torch import Tensor

from farm3d.errors import InputError
from farm3d.geometry.mesh import Mesh
from farm3d.ops.rasterize import interpolate, rasterize
from farm3d.ops.srgb import linear_to_srgb
from farm3d.shapes import Faces

ColourFn = Callable[[Float[Tensor, "points channels"]], Float[Tensor, "points 3"]]
"""Linear RGB of points of the surface, from what is known of each: its position, say."""

PACKING_RESOLUTION = 1024
"""Texels a side that charts and the gaps between them are measured in while packing."""

PADDING = 6
"""Texels between two charts: neither bilinear lookups nor the first mip levels reach the next chart."""

LARGEST_CHART = 1.0 / 24.0
"""Largest chart as a fraction of the surface: flattening large charts takes most of xatlas's time (on a horse
of 26 k triangles 1.5 s of processor time instead of 6.8 s, with as few seams)."""

POINTS_PER_CHUNK = 1 << 17
"""Texels whose colour is asked for in one call: bounds the memory of a coordinate network."""


@dataclass(frozen=True)
class TextureAtlas:
    """A mesh cut open along seams: atlas vertex k is the mesh's vertex `source_vertices[k]` at `uvs[k]`.

    `faces` index atlas vertices, face by face as in the mesh. `uvs` are in [0, 1], v = 0 at the top row
    (glTF's convention).
    """

    source_vertices: Int[Tensor, " atlas_vertices"]
    faces: Faces
    uvs: Float[Tensor, "atlas_vertices 2"]

    def split(self, attribute: Float[Tensor, "*batch vertices c"]) -> Float[Tensor, "*batch atlas c"]:
        """A per-vertex attribute of the mesh (positions, normals) at the atlas vertices."""
        return attribute[..., self.source_vertices.to(attribute.device), :]

    def cut(self, mesh: Mesh) -> Mesh:
        """The mesh with its seam vertices doubled and its texture coordinates."""
        return Mesh(self.split(mesh.vertices), self.faces, self.uvs)


def unwrap(mesh: Mesh) -> TextureAtlas:
    """Cut an unbatched mesh into charts and pack them into one texture (xatlas).

    Equal meshes give equal atlases.

    Raises:
        InputError: the mesh has no faces.
    """
    if len(mesh.faces) == 0:
        raise InputError("cannot unwrap a mesh without faces")
    vertices, faces = mesh.vertices.detach().cpu().numpy(), mesh.faces.cpu().numpy()
    charts, packing = xatlas.ChartOptions(), xatlas.PackOptions()
    charts.max_chart_area = LARGEST_CHART * _area(vertices, faces)
    packing.resolution, packing.padding = PACKING_RESOLUTION, PADDING
    atlas = xatlas.Atlas()
    atlas.add_mesh(vertices.astype(np.float32), faces.astype(np.uint32))
    atlas.generate(charts, packing)
    source, cut_faces, uvs = atlas[0]
    return TextureAtlas(
        torch.from_numpy(source.astype(np.int64)),
        torch.from_numpy(cut_faces.astype(np.int64)),
        torch.from_numpy(uvs.astype(np.float32)),
    )


def _area(vertices: np.ndarray, faces: np.ndarray) -> float:
    """The area of a surface."""
    first, second, third = (vertices[faces[:, corner]] for corner in range(3))
    return float(0.5 * np.linalg.norm(np.cross(second - first, third - first), axis=1).sum())


@torch.no_grad()
def bake_texture(
    atlas: TextureAtlas,
    attributes: Float[Tensor, "vertices channels"],
    colour_fn: ColourFn,
    *,
    resolution: int = 1024,
) -> UInt8[np.ndarray, "resolution resolution 3"]:
    """The sRGB texture of `colour_fn` (linear RGB) over the surface, row 0 at v = 0.

    `attributes` are of the mesh's own vertices: positions in whatever frame `colour_fn` knows, and what else
    it asks for. Each covered texel is evaluated at the point under its centre, every other takes the nearest
    covered one's colour.
    """
    corners = torch.cat(
        [2.0 * atlas.uvs - 1.0, torch.zeros(len(atlas.uvs), 1), torch.ones(len(atlas.uvs), 1)], 1
    )
    rasterized = rasterize(corners[None], atlas.faces, (resolution, resolution))
    surface = interpolate(atlas.split(attributes.detach().cpu().float())[None], rasterized, atlas.faces)[0]
    covered = rasterized[0, ..., 3] > 0
    chunks = surface[covered].to(attributes.device).split(POINTS_PER_CHUNK)
    linear = torch.cat([colour_fn(chunk).cpu() for chunk in chunks])
    texture = torch.zeros(resolution, resolution, 3)
    texture[covered] = linear_to_srgb(linear).clamp(0.0, 1.0).float()
    return _fill_gutters((texture * 255.0).round().byte().numpy(), covered.numpy())


def _fill_gutters(texture: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Every texel that no triangle covers takes the colour of the nearest covered one."""
    nearest = ndimage.distance_transform_edt(~covered, return_distances=False, return_indices=True)
    return texture[tuple(nearest)]

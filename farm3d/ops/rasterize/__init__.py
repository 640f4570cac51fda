"""Rasterise triangle meshes differentiably: `rasterize`, `interpolate`, `antialias`.

The vocabulary and the images are those of nvdiffrast (Laine et al. 2020, "Modular primitives for
high-performance differentiable rendering", arXiv 2011.03277): N x H x W x C, row 0 at NDC y = -1, pixel
centres at half-integers, clip space as in `farm3d.geometry.camera`. Every backend follows one contract:

- **Coverage**: a pixel is drawn where its centre lies inside a triangle, z/w in [-1, 1] and w > 0. Triangles
  that reach behind the camera are drawn as far as they are in front of it; degenerate ones are ignored.
- **Fill rule**: a centre exactly on an edge counts as moved by an infinitesimal step to the right (and, on a
  horizontal edge, down): of two triangles on either side of an edge exactly one covers it.
- **Depth**: the smallest z/w (in the precision of the result) wins, the lowest triangle index at a tie.
- **Indices**: faces that name vertices that do not exist are refused on the CPU. On a GPU nothing waits for
  the answer: such faces are not drawn, and nothing is interpolated from them.
- **Winding**: nothing is culled unless `cull_back_faces`; front faces are counter-clockwise as seen in the
  image shown with row 0 at the top, which are the outsides of a `Mesh` seen by a `Camera`.

The backends are `numba` (CPU), `nvdiffrast` and `triton` (CUDA) and `reference` (anywhere, any precision,
slow). The tensors' device decides, the argument `backend` or FARM3D_BACKEND overrules. Where nvdiffrast
differs from the contract is said in `nvdiffrast_cuda`.
"""

from jaxtyping import Float
from torch import Tensor

from farm3d.ops.mesh_topology import EdgeTopology, edge_topology
from farm3d.ops.rasterize.backend import Backend, backend_module
from farm3d.ops.rasterize.checks import (
    check_faces,
    check_resolution,
    check_shape,
    check_together,
    check_topology,
)
from farm3d.shapes import ClipPositions, Faces, Images, Rasterized

__all__ = ["Backend", "antialias", "interpolate", "rasterize"]


def rasterize(
    clip_positions: ClipPositions,
    faces: Faces,
    resolution: tuple[int, int],
    *,
    cull_back_faces: bool = False,
    backend: Backend | None = None,
) -> Rasterized:
    """For each pixel centre the nearest triangle: (u, v, z/w, triangle index + 1), 0 where there is none.

    u and v are the perspective-correct barycentrics of the triangle's vertices 0 and 1; the contract is at
    the top of this module. u, v and z/w are differentiable with respect to `clip_positions`; coverage is
    not (see `antialias`). `resolution` is (height, width) in pixels.

    Raises `InputError` for faces or sizes that cannot be drawn, `BackendError` where no backend can.
    """
    check_shape("clip_positions", clip_positions, None, None, 4)
    check_resolution(resolution)
    check_faces(faces, clip_positions)
    module = backend_module(clip_positions, backend)
    return module.rasterize(clip_positions, faces, resolution, cull_back_faces=cull_back_faces)


def interpolate(
    attributes: Float[Tensor, "attribute_images vertices channels"],
    rasterized: Rasterized,
    faces: Faces,
    *,
    backend: Backend | None = None,
) -> Images:
    """u A + v B + (1 - u - v) C of the attributes of each pixel's triangle, 0 where nothing is drawn.

    `attributes` are per image, or shared by all (one image). Differentiable with respect to `attributes`
    and to u and v of `rasterized`.

    Raises `InputError` for arguments that do not fit, `BackendError` where no backend can serve them.
    """
    check_shape("rasterized", rasterized, None, None, None, 4)
    check_shape("attributes", attributes, 1 if len(attributes) == 1 else len(rasterized), None, None)
    check_faces(faces, attributes)
    check_together("attributes", attributes, rasterized)
    return backend_module(attributes, backend).interpolate(attributes, rasterized, faces)


def antialias(
    colors: Images,
    rasterized: Rasterized,
    clip_positions: ClipPositions,
    faces: Faces,
    *,
    topology: EdgeTopology | None = None,
    backend: Backend | None = None,
) -> Images:
    """Blend neighbouring pixels where a silhouette passes between their centres, by where it passes.

    *Source:* Laine et al. 2020, sections 3.5 and 3.6. For two pixels beside or above each other that show
    different triangles, the nearer one is taken to reach as far as the outermost silhouette edge that
    crosses the segment between the centres (mostly vertical edges for pixels beside each other, mostly
    horizontal ones for pixels above each other). Reaching beyond the middle, it is blended into its
    neighbour by the excess; falling short of it, the neighbour is blended in by the gap. A pixel's weights
    are scaled to at most 1 in all, so results stay within the range of `colors`. A silhouette edge has all
    its faces on one side. Other than in the paper, it need not belong to the triangle seen in the pixel,
    so that silhouettes of triangles smaller than a pixel are not lost.

    Differentiable with respect to `colors` and `clip_positions`: this is where gradients of silhouettes
    come from. `topology` is `edge_topology(faces)`, computed here when absent: pass it where the same faces
    are drawn again. For a mesh cut at texture seams, give that of the uncut mesh (vertices merged to one
    representative), so that seams are not taken for borders.

    Raises `InputError` for arguments that do not fit, `BackendError` where no backend can serve them.
    """
    check_shape("rasterized", rasterized, None, None, None, 4)
    check_shape("colors", colors, *rasterized.shape[:3], None)
    check_shape("clip_positions", clip_positions, len(rasterized), None, 4)
    check_faces(faces, clip_positions)
    check_together("colors", colors, rasterized)
    check_together("clip_positions", clip_positions, rasterized)
    module = backend_module(colors, backend)
    edges = edge_topology(faces) if topology is None else topology
    check_topology(edges, faces, clip_positions.shape[1])
    return module.antialias(colors, rasterized, clip_positions, faces, topology=edges)

"""The animal's texture: an atlas of the category's mesh, baked from photograph and albedo; its look-up."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from scipy import sparse
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree
from torch import Tensor

from farm3d.geometry.mesh import Mesh
from farm3d.inference.projection import (
    Photograph,
    PhotographView,
    SeenColours,
    photograph_view,
    seen_colours,
)
from farm3d.io.texture_atlas import TextureAtlas, bake_texture, unwrap
from farm3d.ops.mesh_topology import unique_edges, vertex_normals
from farm3d.ops.srgb import srgb_to_linear
from farm3d.shapes import Faces
from farm3d.types import AlbedoFn, AnimalPrediction

TEXTURE_SIZE = 1024

STIFFNESS = 0.3
"""How much neighbouring vertices' corrections of the albedo hold together, against what is seen for sure."""

DECAY = 0.03
"""How fast corrections fade with the distance from what is seen: by e over sqrt(STIFFNESS / DECAY) edges."""

LEAST_SHARE = 1.0 / 512.0
"""Share of a texel below which the albedo field's colour cannot be told."""


@dataclass(frozen=True)
class BakedTexture:
    """An sRGB texture and the atlas that says where on it a point of the surface is."""

    atlas: TextureAtlas
    pixels: UInt8[np.ndarray, "height width 3"]

    def albedo_fn(self) -> AlbedoFn:
        """Linear albedo at texture coordinates (a third component is ignored), bilinearly interpolated.

        An `AlbedoFn` for meshes whose rest positions are `uv_positions`.
        """
        levels = srgb_to_linear(torch.arange(256) / 255.0)
        linear = levels[torch.from_numpy(self.pixels).long()].permute(2, 0, 1)[None]

        def albedo(
            surface_uvs: Float[Tensor, "points 3"], image_index: Int[Tensor, " points"]
        ) -> Float[Tensor, "points 3"]:
            grid = (2.0 * surface_uvs[:, :2] - 1.0)[None, None]
            return torch.nn.functional.grid_sample(linear, grid, align_corners=False)[0, :, 0].T

        return albedo

    def uv_positions(self) -> Float[Tensor, "vertices 3"]:
        """Texture coordinates with a zero third component, to interpolate in the place of rest positions."""
        return torch.cat([self.atlas.uvs, torch.zeros(len(self.atlas.uvs), 1)], dim=-1)


def category_atlas(prediction: AnimalPrediction) -> TextureAtlas:
    """The atlas that all animals of one model share: textures made on it fit any of them."""
    return unwrap(Mesh(prediction.rest_positions, prediction.rest_mesh.faces))


def bake(
    prediction: AnimalPrediction,
    photograph: Photograph | None = None,
    *,
    atlas: TextureAtlas | None = None,
    resolution: int = TEXTURE_SIZE,
    symmetric: bool = True,
) -> BakedTexture:
    """The texture of a prediction of one image, `resolution` texels a side.

    With the photograph, what it shows goes into the texture at the photograph's own resolution; what it
    shows of the other side alone is mirrored (unless not `symmetric`); the albedo field gives the rest,
    corrected smoothly by what the photograph shows nearby. Own choice. `atlas` is the category's unless
    given.
    """
    if atlas is None:
        atlas = category_atlas(prediction)

    def field(points: Float[Tensor, "points 3"]) -> Float[Tensor, "points 3"]:
        return prediction.albedo_fn(points, torch.zeros(len(points), dtype=torch.long))

    rest = prediction.rest_positions
    if photograph is None:
        return BakedTexture(atlas, bake_texture(atlas, rest, field, resolution=resolution))
    view = photograph_view(prediction, photograph)
    surface = _surface(prediction)
    with torch.no_grad():
        seen = _seen(view, surface, symmetric=symmetric)
        correction = _spread(
            (seen.albedo - field(rest)).clamp(-1.0, 1.0), seen.sureness, prediction.rest_mesh.faces
        )

    def colour(rows: Float[Tensor, "points channels"]) -> Float[Tensor, "points 3"]:
        here = _seen(view, rows[:, 6:], symmetric=symmetric)
        result = here.albedo.clone()
        unsure = 1.0 - here.sureness > LEAST_SHARE
        guessed = (field(rows[unsure, :3]) + rows[unsure, 3:6]).clamp(0.0, 1.0)
        result[unsure] = torch.lerp(guessed, result[unsure], here.sureness[unsure, None])
        return result

    attributes = torch.cat([rest, correction, surface], dim=1)
    return BakedTexture(atlas, bake_texture(atlas, attributes, colour, resolution=resolution))


def _surface(prediction: AnimalPrediction) -> Float[Tensor, "vertices 12"]:
    """Place and normal of each vertex in the photograph's pose, and those of the mirrored vertex."""
    rest, posed = prediction.rest_positions, prediction.posed_mesh.vertices[0]
    flipped = rest * torch.tensor([-1.0, 1.0, 1.0])
    mirror = torch.from_numpy(cKDTree(rest.numpy()).query(flipped.numpy())[1])
    own = torch.cat([posed, vertex_normals(posed, prediction.posed_mesh.faces)], dim=1)
    return torch.cat([own, own[mirror]], dim=1)


def _seen(view: PhotographView, surface: Float[Tensor, "points 12"], *, symmetric: bool) -> SeenColours:
    """What the photograph shows of points, laid over what it shows of the mirrored ones."""
    normals = torch.nn.functional.normalize(surface.unflatten(1, (4, 3))[:, 1::2], dim=-1)
    own = seen_colours(view, surface[:, :3], normals[:, 0])
    if not symmetric:
        return own
    other = seen_colours(view, surface[:, 6:9], normals[:, 1])
    through = (1.0 - own.sureness) * other.sureness
    sureness = own.sureness + through
    total = own.albedo * own.sureness[:, None] + other.albedo * through[:, None]
    return SeenColours(total / sureness.clamp_min(1e-6)[:, None], sureness)


def _spread(
    values: Float[Tensor, "vertices 3"], sureness: Float[Tensor, " vertices"], faces: Faces
) -> Float[Tensor, "vertices 3"]:
    """The smoothest values over a mesh that agree with those known, fading to 0 far from them.

    They minimise `sum sureness (x - value)^2 + STIFFNESS sum_edges (x_i - x_j)^2 + DECAY sum x^2`.
    """
    count, edges = len(values), unique_edges(faces).numpy()
    ones = np.ones(len(edges))
    links = sparse.coo_array((ones, (edges[:, 0], edges[:, 1])), shape=(count, count))
    links = links + links.T
    weights = sureness.double().numpy()
    diagonal = weights + DECAY + STIFFNESS * links.sum(axis=1)
    system = (sparse.diags_array(diagonal) - STIFFNESS * links).tocsc()
    spread = spsolve(system, values.double().numpy() * weights[:, None])
    return torch.from_numpy(spread.astype(np.float32))

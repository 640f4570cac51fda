"""The animal's texture: an atlas of the rest mesh, baked from the albedo field, and its look-up."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from farm3d.geometry.mesh import Mesh
from farm3d.io.texture_atlas import TextureAtlas, bake_texture, unwrap
from farm3d.ops.srgb import srgb_to_linear
from farm3d.types import AlbedoFn, AnimalPrediction

TEXTURE_SIZE = 1024


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


def bake(prediction: AnimalPrediction, resolution: int = TEXTURE_SIZE) -> BakedTexture:
    """The texture of a prediction of one image."""
    atlas = unwrap(Mesh(prediction.rest_mesh.vertices[0], prediction.rest_mesh.faces))

    def color(points: Float[Tensor, "points 3"]) -> Float[Tensor, "points 3"]:
        return prediction.albedo_fn(points, torch.zeros(len(points), dtype=torch.long))

    return BakedTexture(atlas, bake_texture(atlas, prediction.rest_positions, color, resolution=resolution))

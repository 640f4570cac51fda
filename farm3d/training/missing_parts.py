"""What a silhouette lacks, carried back to the animal at rest: where the category's shape should grow.

A render's gradient ends where nothing is drawn, so a leg that is too short, or that points elsewhere, never
learns of pixels that it does not touch. Own choice; vertices alone must not be drawn there, for on a lattice
that costs least as threads one cell wide, whereas the field between the points stays smooth.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.fields.sdf_field import SDFField
from farm3d.geometry.camera import Camera, project_to_clip
from farm3d.types import AnimalPrediction

LEAST_MISSING = 0.25
"""Of a pixel: what is less is a matter of the border, which the mask's own loss sees to."""

Mask = Float[Tensor, "images height width 1"]


@dataclass(frozen=True)
class MissingParts:
    """Pixels of masks that no animal is drawn in.

    `image` is the pixel's, `share` how much of it is missing, `rest_points` where on the animal at rest it
    would be (object units): as far from the nearest vertex, in the picture, as the pixel is, at its depth.
    """

    image: Int[Tensor, " pixels"]
    share: Float[Tensor, " pixels"]
    rest_points: Float[Tensor, "pixels 3"]


@torch.no_grad()
def missing_parts(rendered: Mask, mask: Mask, prediction: AnimalPrediction) -> MissingParts:
    """The missing parts of every image; `rendered` and `mask` are of one size."""
    missing = (mask * (1.0 - rendered))[..., 0]
    image, row, column = torch.nonzero(missing > LEAST_MISSING, as_tuple=True)
    pixels = (2.0 * torch.stack([column, row], dim=-1) + 1.0) / missing.shape[1] - 1.0
    clip = project_to_clip(prediction.camera, prediction.posed_mesh.vertices)
    seen = clip[..., :2] / clip[..., 3:]
    nearest = torch.cat(
        [torch.cdist(pixels[image == number], points).argmin(dim=1) for number, points in enumerate(seen)]
    )
    offset = _at_rest(prediction, image, nearest, (pixels - seen[image, nearest]) * clip[image, nearest, 3:])
    return MissingParts(image, missing[image, row, column], prediction.rest_positions[nearest] + offset)


def growth_loss(field: SDFField, parts: MissingParts, images: int, pixels: int) -> Float[Tensor, " images"]:
    """`sum(missing max(0, s)) / pixels` per image: no signed distance is positive where animal is missing."""
    lack = parts.share * field(parts.rest_points).relu()
    return torch.zeros(images, device=lack.device).index_add(0, parts.image, lack) / pixels


def _at_rest(
    prediction: AnimalPrediction,
    image: Int[Tensor, " pixels"],
    vertex: Int[Tensor, " pixels"],
    offset: Float[Tensor, "pixels 2"],
) -> Float[Tensor, "pixels 3"]:
    """Offsets in the picture (half its side, times depth) as offsets at rest of the given vertices."""
    camera: Camera = prediction.camera
    scale = torch.tan(torch.as_tensor(camera.field_of_view) / 2.0)
    across = torch.cat([offset[:, :1], -offset[:, 1:], torch.zeros_like(offset[:, :1])], dim=-1) * scale
    weights, transforms = prediction.skinning_weights, prediction.bone_transforms
    turns = transforms[image[:, None], weights.indices[vertex]][..., :3, :3]
    blended = (weights.weights[vertex][..., None, None] * turns).sum(dim=1)
    turned = camera.world_to_camera[image, :3, :3] @ blended
    return torch.linalg.solve(turned, across[..., None])[..., 0]

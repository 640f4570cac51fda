"""Cameras that frame an animal as the crops of the data sets do."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import FIELD_OF_VIEW, Camera, project_to_clip
from farm3d.geometry.rotation import rigid_transform
from farm3d.ops.rasterize import rasterize
from farm3d.shapes import Faces, Rotations, Vertices

CROP_MARGIN = 1.1
"""A training crop's side over that of the smallest square about the centroid that holds the mask."""

FITTING_STEPS = 4
PROBE_SIZE = 64
"""Pixels a side of the mask by which a camera is fitted."""

FIRST_DISTANCE = 16.0
"""Where the first probe stands with the model's field of view (object units): it sees all of the animal."""


def fit_cameras(
    vertices: Vertices,
    faces: Faces,
    rotations: Rotations,
    *,
    field_of_view: Float[Tensor, " images"],
    scale: Float[Tensor, " images"],
    shift: Float[Tensor, "images 2"],
) -> Camera:
    """Cameras whose images are the training crops of their animals, to a few percent.

    A crop's side is max(2 sqrt(mask area), 1.1 x the smallest square about the centroid that holds the
    mask). `scale` enlarges the crop, `shift` moves the animal in it (NDC). Moving the camera changes the
    perspective, so the fit is repeated.
    """
    reach = torch.tan(field_of_view / 2.0)
    place = vertices.new_zeros(len(vertices), 3)
    place[:, 2] = -FIRST_DISTANCE * math.tan(FIELD_OF_VIEW / 2.0) / reach
    for _ in range(FITTING_STEPS):
        clip = project_to_clip(Camera(rigid_transform(rotations, place), field_of_view), vertices)
        covered = (rasterize(clip, faces, (PROBE_SIZE, PROBE_SIZE))[..., 3] > 0).to(vertices.dtype)
        centroid, area = _centroid_and_area(covered)
        places = clip[..., :2] / clip[..., 3:]
        half = (places - centroid[:, None]).abs().amax(dim=(1, 2))
        side = torch.maximum(2.0 * area.sqrt(), 2.0 * CROP_MARGIN * half) * scale
        distance = -place[:, 2]
        nearer = distance * side / 2.0
        offset = (-centroid * distance[:, None] + shift * nearer[:, None]) * reach[:, None]
        place = place + torch.stack([offset[:, 0], -offset[:, 1], distance - nearer], dim=1)
    return Camera(rigid_transform(rotations, place), field_of_view)


def _centroid_and_area(
    covered: Float[Tensor, "images size size"],
) -> tuple[Float[Tensor, "images 2"], Float[Tensor, " images"]]:
    """Centroid (NDC) and area (NDC squared: the whole image is 4) of each mask."""
    size = covered.shape[-1]
    axis = (2.0 * torch.arange(size, device=covered.device) + 1.0) / size - 1.0
    count = covered.sum(dim=(1, 2)).clamp_min(1.0)
    x = (covered.sum(dim=1) * axis).sum(1) / count
    y = (covered.sum(dim=2) * axis).sum(1) / count
    return torch.stack([x, y], dim=1), 4.0 * count / size**2

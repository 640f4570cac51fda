"""Where the farm's camera and light stand."""

import math

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import (
    CAMERA_DISTANCE,
    FIELD_OF_VIEW,
    Camera,
    camera_from_rotation,
    project_to_clip,
)
from farm3d.ops.rasterize import rasterize
from farm3d.shapes import Faces, Rotations, Vertices

CROP_MARGIN = 1.1
"""A training crop's side over that of the smallest square about the centroid that holds the mask."""

PROBE_SIZE = 64
"""Pixels a side of the mask by which a camera is fitted."""

FAR_START = 4.0
"""How much farther (object units) than usual the first probe stands, so that it sees all of the animal."""


def random_viewpoint(generator: np.random.Generator) -> tuple[float, float]:
    """Azimuth and elevation (radians): all around, sides preferred; -5 to 40 degrees, mostly low."""
    azimuth = generator.uniform(-math.pi, math.pi)
    if generator.random() < 0.45:
        side = 1.0 if generator.random() < 0.5 else -1.0
        azimuth = side * math.pi / 2 + generator.normal() * math.radians(22.0)
    elevation = math.radians(-5.0 + 45.0 * generator.beta(1.0, 2.6))
    return (azimuth + math.pi) % (2 * math.pi) - math.pi, elevation


def random_light(generator: np.random.Generator) -> tuple[list[float], float, float]:
    """Direction towards the light (unit, camera frame, mostly above), ambient and diffuse strength."""
    direction = generator.normal([0.0, 0.75, 0.45], [0.6, 0.35, 0.5])
    direction[1] = abs(direction[1])
    direction /= np.linalg.norm(direction)
    return direction.tolist(), float(generator.uniform(0.25, 0.7)), float(generator.uniform(0.4, 0.9))


def fit_cameras(
    vertices: Vertices,
    faces: Faces,
    rotations: Rotations,
    *,
    scale: Float[Tensor, " images"],
    shift: Float[Tensor, "images 2"],
) -> Camera:
    """Cameras whose images are the training crops of their animals, to a few percent.

    A crop's side is max(2 sqrt(mask area), 1.1 x the smallest square about the centroid that holds the
    mask). `scale` enlarges the crop, `shift` moves the animal in it (NDC). Moving the camera changes the
    perspective, so the fit is repeated.
    """
    translation = vertices.new_zeros(len(vertices), 3)
    translation[:, 2] = -FAR_START
    reach = math.tan(FIELD_OF_VIEW / 2.0)
    for _ in range(3):
        clip = project_to_clip(camera_from_rotation(rotations, translation), vertices)
        covered = (rasterize(clip, faces, (PROBE_SIZE, PROBE_SIZE))[..., 3] > 0).to(vertices.dtype)
        centroid, area = _centroid_and_area(covered)
        places = clip[..., :2] / clip[..., 3:]
        half = (places - centroid[:, None]).abs().amax(dim=(1, 2))
        side = torch.maximum(2.0 * area.sqrt(), 2.0 * CROP_MARGIN * half) * scale
        distance = CAMERA_DISTANCE - translation[:, 2]
        nearer = distance * side / 2.0
        offset = (-centroid * distance[:, None] + shift * nearer[:, None]) * reach
        change = torch.stack([offset[:, 0], -offset[:, 1], distance - nearer], dim=1)
        translation = translation + change
    return camera_from_rotation(rotations, translation)


def _centroid_and_area(
    covered: Float[Tensor, "images size size"],
) -> tuple[Float[Tensor, "images 2"], Float[Tensor, " images"]]:
    """Centroid (NDC) and area (NDC squared: the whole image is 4) of each mask."""
    size = covered.shape[-1]
    axis = (2.0 * torch.arange(size) + 1.0) / size - 1.0
    count = covered.sum(dim=(1, 2)).clamp_min(1.0)
    x = (covered.sum(dim=1) * axis).sum(1) / count
    y = (covered.sum(dim=2) * axis).sum(1) / count
    return torch.stack([x, y], dim=1), 4.0 * count / size**2


def horizon_row(elevation: float, size: int) -> float:
    """The image row (pixels) of the horizon: the middle for a level camera, higher as it looks down."""
    return size / 2.0 * (1.0 - math.tan(elevation) / math.tan(FIELD_OF_VIEW / 2.0))

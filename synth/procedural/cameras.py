"""Where the farm's camera and light stand."""

import math
from dataclasses import dataclass

import numpy as np
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

FARTHEST = 13.0
"""The distance (object units) with the model's field of view that no fitted camera exceeds."""

FIELDS_OF_VIEW = (math.radians(12.0), math.radians(50.0))
BIRDS_EYE_SHARE = 0.08


@dataclass(frozen=True)
class Viewpoint:
    """Where a picture is taken from and how wide it sees: radians, as docs/conventions.md has them."""

    azimuth: float
    elevation: float
    field_of_view: float


def random_viewpoint(generator: np.random.Generator, *, height: float) -> Viewpoint:
    """All around, sides preferred; from the ground (-5 degrees) to a bird's eye (75), mostly from a standing
    person's; from telephoto (12 degrees) to wide (50), which decides the distance.

    `height` is that of the animal's middle above the ground (object units): the camera stays above it.
    """
    azimuth = generator.uniform(-math.pi, math.pi)
    if generator.random() < 0.45:
        side = 1.0 if generator.random() < 0.5 else -1.0
        azimuth = side * math.pi / 2 + generator.normal() * math.radians(22.0)
    field_of_view = float(np.clip(FIELD_OF_VIEW * np.exp(generator.normal() * 0.4), *FIELDS_OF_VIEW))
    elevation = math.radians(-5.0 + 45.0 * generator.beta(1.0, 2.4))
    if generator.random() < BIRDS_EYE_SHARE:
        elevation = math.radians(20.0 + 55.0 * generator.beta(1.1, 1.5))
    lowest = -math.asin(min(1.0, height / (FARTHEST * _nearness(field_of_view))))
    azimuth = (azimuth + math.pi) % (2 * math.pi) - math.pi
    return Viewpoint(float(azimuth), float(max(elevation, lowest)), field_of_view)


def _nearness(field_of_view: float) -> float:
    """How many times as far as with the model's field of view a camera stands that sees as much."""
    return math.tan(FIELD_OF_VIEW / 2.0) / math.tan(field_of_view / 2.0)


@dataclass(frozen=True)
class Light:
    """Direction towards the light (unit, camera frame) and the strengths of ambient and diffuse light."""

    direction: tuple[float, float, float]
    ambient: float
    diffuse: float


def random_light(viewpoint: Viewpoint, generator: np.random.Generator) -> Light:
    """Sun at many heights and from all sides, the low evening sun, a sky with clouds before the sun, or none.

    The direction is drawn above the ground and then turned into the camera's frame.
    """
    sky = generator.random()
    height = math.radians(generator.uniform(12.0, 75.0))
    ambient, diffuse = generator.uniform(0.22, 0.5), generator.uniform(0.6, 0.95)
    if sky < 0.15:
        height = math.radians(generator.uniform(4.0, 14.0))
        ambient, diffuse = generator.uniform(0.2, 0.4), generator.uniform(0.6, 0.9)
    elif sky < 0.35:
        height = math.radians(generator.uniform(40.0, 88.0))
        ambient, diffuse = generator.uniform(0.6, 0.85), generator.uniform(0.08, 0.3)
    elif sky < 0.55:
        ambient, diffuse = generator.uniform(0.4, 0.65), generator.uniform(0.3, 0.6)
    # Photographers have the sun behind them more often than in their faces.
    side = generator.vonmises(0.0, 0.45)
    level = math.cos(height)
    x, y, z = level * math.sin(side), math.sin(height), level * math.cos(side)
    cosine, sine = math.cos(viewpoint.elevation), math.sin(viewpoint.elevation)
    direction = (x, cosine * y - sine * z, sine * y + cosine * z)
    return Light(direction, float(ambient), float(diffuse))


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
    place = torch.zeros(len(vertices), 3)
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
    axis = (2.0 * torch.arange(size) + 1.0) / size - 1.0
    count = covered.sum(dim=(1, 2)).clamp_min(1.0)
    x = (covered.sum(dim=1) * axis).sum(1) / count
    y = (covered.sum(dim=2) * axis).sum(1) / count
    return torch.stack([x, y], dim=1), 4.0 * count / size**2

"""Where the farm's camera and light stand."""

import math
from dataclasses import dataclass

import numpy as np

from farm3d.geometry.camera import FIELD_OF_VIEW

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

"""Blades of grass about the animal's feet: behind it, and now and then in front of its hooves."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int

from .views import Plane, View, on_ground, project

FRACTION_BITS = 4
SHADES = (0.5, 0.8, 1.15, 1.5)
"""Relative lightness of the four groups into which the blades of a picture fall."""


@dataclass(frozen=True)
class Growth:
    """Blades of one picture: three points each (pixels), which shade each has, and their width (pixels)."""

    points: Float[np.ndarray, "blades 3 2"]
    shades: Int[np.ndarray, " blades"]
    width: int


def random_blades(
    view: View,
    generator: np.random.Generator,
    *,
    count: int,
    behind: tuple[float, float],
    height: float,
) -> Growth:
    """Tufts of blades that bend, on the ground between two distances behind the animal."""
    tufts = max(1, count // 6)
    across = np.repeat(generator.normal(size=tufts) * 2.2, 6)[:count]
    along = np.repeat(generator.uniform(*behind, tufts), 6)[:count]
    across = across + generator.normal(size=len(across)) * 0.07
    along = along + generator.normal(size=len(along)) * 0.05
    feet = on_ground(view, across, along)
    tall = height * generator.uniform(0.4, 1.2, len(feet))
    bend = generator.normal(size=(len(feet), 2)) * 0.4 * tall[:, None]
    middle, tip = feet.copy(), feet.copy()
    middle[:, 1] += 0.6 * tall
    middle[:, [0, 2]] += 0.3 * bend
    tip[:, 1] += tall
    tip[:, [0, 2]] += bend
    order = np.argsort(-along, kind="stable")
    pixels = np.stack([project(view, part[order])[0] for part in (feet, middle, tip)], axis=1)
    width = max(1, round(view.size / 160))
    return Growth(pixels, generator.integers(0, len(SHADES), len(feet)), width)


def blade_cover(growth: Growth, size: int, shade: int) -> Plane:
    """How much of each pixel the blades of one shade cover."""
    canvas = np.zeros((size, size), np.uint8)
    lines = np.rint(growth.points[growth.shades == shade] * 2**FRACTION_BITS - 0.5)
    cv2.polylines(
        canvas, list(lines.astype(np.int32)), False, 255, growth.width, cv2.LINE_AA, shift=FRACTION_BITS
    )
    return canvas.astype(np.float32) / 255.0


def grown(
    image: Float[np.ndarray, "size size 3"],
    growth: Growth,
    color: Float[np.ndarray, "size size 3"],
    *,
    opacity: float,
) -> Float[np.ndarray, "size size 3"]:
    """Blades over a picture; `color` is the light that a middling blade sends from each place."""
    for shade, lightness in enumerate(SHADES):
        cover = opacity * blade_cover(growth, len(image), shade)[..., None]
        image = image + cover * (lightness * color - image)
    return image

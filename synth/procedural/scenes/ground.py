"""The ground in the camera's perspective: grass, straw, earth, sand, snow, floors. Linear albedo."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .colors import Rgb, picked, varied
from .textures import sample_tile
from .views import Plane, View

FARTHEST = 400.0
"""Depth (object units) behind which all ground looks the same."""


@dataclass(frozen=True)
class Material:
    """A kind of ground: its tile, two sRGB colours, the tile's side (object units), how frequent it is."""

    tile: str
    colors: tuple[Rgb, Rgb]
    side: float
    share: float
    blades: float = 0.0


MATERIALS = (
    Material("grass", ((0.38, 0.47, 0.20), (0.26, 0.37, 0.13)), 4.0, 0.22, blades=1.0),
    Material("grass", ((0.54, 0.55, 0.29), (0.38, 0.44, 0.19)), 4.0, 0.16, blades=0.8),
    Material("grass", ((0.66, 0.58, 0.38), (0.52, 0.45, 0.28)), 4.5, 0.10, blades=0.8),
    Material("straw", ((0.78, 0.67, 0.43), (0.60, 0.48, 0.29)), 4.5, 0.06),
    Material("earth", ((0.46, 0.38, 0.30), (0.36, 0.29, 0.22)), 4.5, 0.12),
    Material("earth", ((0.31, 0.27, 0.23), (0.22, 0.19, 0.16)), 4.0, 0.05),
    Material("earth", ((0.60, 0.42, 0.30), (0.50, 0.35, 0.25)), 6.0, 0.03),
    Material("sand", ((0.79, 0.72, 0.60), (0.70, 0.62, 0.50)), 5.0, 0.09),
    Material("gravel", ((0.62, 0.60, 0.56), (0.47, 0.45, 0.42)), 3.5, 0.06),
    Material("even", ((0.64, 0.63, 0.60), (0.54, 0.53, 0.51)), 9.0, 0.05),
    Material("even", ((0.40, 0.40, 0.41), (0.33, 0.33, 0.34)), 9.0, 0.03),
    Material("snow", ((0.92, 0.93, 0.95), (0.84, 0.86, 0.90)), 8.0, 0.05),
)


@dataclass(frozen=True)
class Ground:
    """The ground of a picture: linear albedo a pixel, its mean near the animal, its height of growth."""

    albedo: Float[np.ndarray, "size size 3"]
    near: Float[np.ndarray, "3"]
    blades: float


def ground_places(view: View, directions: Float[np.ndarray, "size size 3"], depth: Plane) -> np.ndarray:
    """The world point on the ground that each pixel shows; far ones where it shows none."""
    reached = np.minimum(depth, FARTHEST)[..., None]
    places = view.centre + reached * directions
    places[..., 1] = np.minimum(places[..., 1], view.centre[1])
    return places


def random_ground(view: View, places: np.ndarray, depth: Plane, *, generator: np.random.Generator) -> Ground:
    """One or two materials; the second in patches, or on the other side of a line."""
    shares = np.array([material.share for material in MATERIALS])
    first, second = generator.choice(len(MATERIALS), size=2, p=shares / shares.sum())
    reached = np.minimum(depth, FARTHEST)
    footprint = (
        2.0 * view.reach * reached / view.size * np.sqrt(np.maximum(reached / view.centre[1] / 4, 1.0))
    )
    flat = _turned(places[..., [0, 2]], generator)
    albedo = _material(MATERIALS[first], flat, footprint, generator=generator)
    blades = MATERIALS[first].blades
    kind = generator.random()
    if kind < 0.55:
        other = _material(MATERIALS[second], flat, footprint, generator=generator)
        cover = (_patches if kind < 0.3 else _beyond_line)(flat, footprint, generator)[..., None]
        albedo = albedo + cover * (other - albedo)
    near = np.abs(places[..., [0, 2]]).max(axis=-1) < 2.5
    mean = albedo[near].mean(axis=0) if near.any() else albedo.mean(axis=(0, 1))
    return Ground(np.clip(albedo, 0.01, 0.93), mean, blades)


def _turned(flat: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Ground coordinates in a frame of the ground's own."""
    turn = generator.uniform(0.0, 2.0 * np.pi)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return flat @ matrix + generator.uniform(0.0, 100.0, 2)


def _material(
    material: Material, flat: np.ndarray, footprint: Plane, *, generator: np.random.Generator
) -> Float[np.ndarray, "size size 3"]:
    """Two shades mixed by broad and by fine patterns under the tile's own lightness."""
    side = material.side * float(np.exp(generator.normal() * 0.25))
    fine = sample_tile(material.tile, flat / side, footprint / side)
    broad = sample_tile("noise 1.2", flat / 31.0, footprint / 31.0)
    share = np.clip(0.4 * fine[..., 1] + 0.3 + generator.uniform(0.1, 0.4) * broad[..., 0], 0.0, 1.0)
    first = varied(material.colors[0], generator)
    second = varied(material.colors[1], generator)
    light = 1.0 + generator.uniform(0.7, 1.3) * fine[..., 0] + generator.uniform(0.02, 0.12) * broad[..., 1]
    return (first + share[..., None] * (second - first)) * np.maximum(light, 0.15)[..., None]


def _patches(flat: np.ndarray, footprint: Plane, generator: np.random.Generator) -> Plane:
    """Cover by patches of a few units with ragged edges."""
    side = generator.uniform(9.0, 30.0)
    read = sample_tile("noise 1.4", flat / side, footprint / side)
    return np.clip((read[..., 0] - generator.uniform(-0.2, 1.2)) / generator.uniform(0.5, 1.5) + 0.5, 0, 1)


def _beyond_line(flat: np.ndarray, footprint: Plane, generator: np.random.Generator) -> Plane:
    """Cover beyond a ragged line across the ground: a path's edge, the end of a yard."""
    middle = flat.reshape(-1, 2)[len(flat) ** 2 // 2 + len(flat) // 2]
    turn = generator.uniform(0.0, 2.0 * np.pi)
    off = (flat - middle) @ np.array([np.cos(turn), np.sin(turn)]) - generator.uniform(0.5, 6.0)
    ragged = sample_tile("noise 1.2", flat / 8.0, footprint / 8.0)[..., 0]
    return np.clip((off + 0.25 * ragged) / np.maximum(0.1, 2.0 * footprint) + 0.5, 0.0, 1.0)


def tree_shade(places: np.ndarray, toward: Float[np.ndarray, "3"], generator: np.random.Generator) -> Plane:
    """The share of the sun that reaches the ground past trees outside the picture, 1 where all does."""
    flat = places[..., [0, 2]] + generator.uniform(0.0, 100.0, 2)
    side = generator.uniform(10.0, 25.0)
    blank = np.zeros(flat.shape[:2])
    broad = sample_tile("noise 1.6", flat / side, blank)[..., 0]
    fine = sample_tile("noise 1.0", flat / 7.0, blank)[..., 1]
    depth = np.clip((broad - generator.uniform(0.2, 1.0)) * 2.0, 0.0, 1.0)
    holes = np.clip((fine - 0.9) * 2.0, 0.0, 1.0)
    return 1.0 - depth * (1.0 - holes) * generator.uniform(0.6, 1.0)


def backdrop_color(generator: np.random.Generator) -> Float[np.ndarray, "3"]:
    """The linear colour of a studio's paper."""
    return picked(
        ((0.9, 0.9, 0.9), (0.6, 0.6, 0.62), (0.25, 0.25, 0.27), (0.5, 0.6, 0.7), (0.7, 0.62, 0.5)), generator
    )

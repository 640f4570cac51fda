"""Upright planes in a scene: fences, walls, barns and hedges in the camera's perspective. Linear light."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..anatomy import GROUND
from .colors import picked
from .lighting import SceneLight
from .textures import sample_tile
from .views import Plane, View

WOODS = ((0.45, 0.36, 0.27), (0.55, 0.50, 0.44), (0.32, 0.24, 0.18), (0.88, 0.87, 0.84), (0.62, 0.46, 0.30))
WALLS = (
    (0.72, 0.66, 0.58), (0.85, 0.83, 0.79), (0.55, 0.30, 0.24), (0.50, 0.26, 0.20), (0.62, 0.60, 0.57),
    (0.48, 0.44, 0.40), (0.60, 0.52, 0.40), (0.40, 0.46, 0.44),
)  # fmt: skip
METALS = ((0.60, 0.62, 0.63), (0.40, 0.41, 0.42), (0.35, 0.42, 0.38), (0.75, 0.75, 0.74))
HEDGES = ((0.20, 0.28, 0.11), (0.28, 0.35, 0.15), (0.16, 0.22, 0.12), (0.34, 0.33, 0.18))


UNSEEN = -1e3
"""The height over the ground of a ray that does not meet a plane: far under what stands there."""


@dataclass(frozen=True)
class Upright:
    """Where each pixel's ray meets an upright plane: along it and over the ground (object units), the depth,
    and the side of the pixel there."""

    along: Plane
    height: Plane
    depth: Plane
    pixel: Plane

    def band(self, values: Plane, low: Plane | float, high: Plane | float) -> Plane:
        """The share of each pixel in which `values` lie between two bounds."""
        width = np.maximum(self.pixel, 1e-4)
        inside = np.minimum(values + width / 2, high) - np.maximum(values - width / 2, low)
        return np.clip(inside / width, 0.0, 1.0)

    def bars(self, values: Plane, period: float, thickness: float) -> Plane:
        """The share of each pixel that bars cover: `thickness` of every `period`, a mean in large ones."""
        sharp = self.band(np.mod(values, period), 0.0, thickness)
        blend = np.clip(self.pixel / period * 2.0 - 0.5, 0.0, 1.0)
        return sharp + blend * (thickness / period - sharp)

    def tile(self, kind: str, side: float, *, stretch: float = 1.0) -> Float[np.ndarray, "size size 2"]:
        """A texture's tiles, `side` high and `stretch` times as wide (object units)."""
        places = np.dstack([self.along / (side * stretch), self.height / side])
        return sample_tile(kind, places, self.pixel / side)


Painter = Callable[[Upright, np.random.Generator], tuple[Float[np.ndarray, "size size 3"], Plane]]


def upright_at(
    view: View, directions: Float[np.ndarray, "size size 3"], *, behind: float, yaw: float
) -> Upright:
    """The plane that stands `behind` the animal (object units), turned by `yaw` from facing the camera."""
    turned = np.array([[np.cos(yaw), np.sin(yaw)], [-np.sin(yaw), np.cos(yaw)]]) @ np.stack(
        [view.right, view.forward]
    )
    across, normal = turned[0], turned[1]
    start = behind * view.forward - view.centre[[0, 2]]
    speed = directions[..., [0, 2]] @ normal
    depth = np.where(speed > 1e-3, (start @ normal) / np.maximum(speed, 1e-3), np.inf)
    depth = np.where((depth > 0.3) & (depth < 300.0), depth, np.inf)
    reached = np.where(np.isfinite(depth), depth, 300.0)
    along = reached * (directions[..., [0, 2]] @ across) - start @ across
    height = np.where(np.isfinite(depth), view.centre[1] + reached * directions[..., 1] - GROUND, UNSEEN)
    return Upright(along, height, reached, 2.0 * view.reach * reached / view.size)


def lit(color: Float[np.ndarray, "size size 3"], light: SceneLight) -> Float[np.ndarray, "size size 3"]:
    """An upright surface's light under the scene's."""
    return color * light.upright()


def _grain(upright: Upright, stretch: float, amount: float) -> Plane:
    """Streaks along a surface, relative lightness."""
    read = upright.tile("noise 0.7", 3.0, stretch=stretch)
    return 1.0 + amount * read[..., 0]


def rail_fence(upright: Upright, generator: np.random.Generator) -> tuple[np.ndarray, Plane]:
    """Posts and two to four rails of wood."""
    height, rails = generator.uniform(1.2, 2.2), int(generator.integers(2, 5))
    thick = generator.uniform(0.06, 0.16)
    posts = upright.bars(upright.along, generator.uniform(2.0, 4.5), thick * 1.4)
    cover = posts * upright.band(upright.height, 0.0, height + 0.1)
    for rail in range(rails):
        level = height * (rail + 1) / rails - thick / 2 + generator.normal() * 0.02
        cover = np.maximum(cover, upright.band(upright.height, level - thick, level))
    color = picked(WOODS, generator) * _grain(upright, 4.0, 0.15)[..., None]
    return color, cover


def wire_fence(upright: Upright, generator: np.random.Generator) -> tuple[np.ndarray, Plane]:
    """Thin posts and wires, or a mesh."""
    height = generator.uniform(1.0, 1.9)
    thin = generator.uniform(0.012, 0.03)
    inside = upright.band(upright.height, 0.0, height)
    posts = upright.bars(upright.along, generator.uniform(2.5, 6.0), generator.uniform(0.06, 0.13))
    wires = upright.bars(upright.height, height / int(generator.integers(3, 7)) + 1e-3, thin)
    if generator.random() < 0.4:
        wires = np.maximum(wires, upright.bars(upright.along, generator.uniform(0.15, 0.4), thin))
    cover = np.maximum(posts, 0.9 * wires) * inside
    return picked(METALS + WOODS[:3], generator) * np.ones((*cover.shape, 1)), cover


def boards(upright: Upright, generator: np.random.Generator) -> tuple[np.ndarray, Plane]:
    """A fence or wall of boards, upright or lying, each with its own shade."""
    height = generator.uniform(1.4, 6.0)
    standing = generator.random() < 0.6
    across, width = (upright.along if standing else upright.height), generator.uniform(0.15, 0.45)
    shades = 1.0 + generator.uniform(0.04, 0.18) * generator.normal(size=64)
    shade = shades[np.mod(np.floor(across / width), 64).astype(int)]
    dark = upright.bars(across, width, width * 0.08)
    light = shade * (1.0 - 0.6 * dark)
    color = picked(WOODS, generator) * light[..., None] * _grain(upright, 1.0, 0.10)[..., None]
    return color, upright.band(upright.height, 0.0, height)


def masonry(upright: Upright, generator: np.random.Generator) -> tuple[np.ndarray, Plane]:
    """Bricks, blocks or plaster."""
    height = generator.uniform(1.2, 7.0)
    tall = generator.choice([0.09, 0.2, 0.35]) * generator.uniform(0.8, 1.3)
    row = np.floor(upright.height / tall)
    column = np.floor(upright.along / (2.4 * tall) + 0.5 * np.mod(row, 2.0))
    shades = 1.0 + generator.uniform(0.0, 0.15) * generator.normal(size=257)
    shade = shades[np.mod(row * 31 + column * 17, 257).astype(int)]
    fade = np.clip(upright.pixel / tall - 0.3, 0.0, 1.0)
    joints = np.maximum(
        upright.bars(upright.height, tall, 0.12 * tall),
        upright.bars(upright.along + 1.2 * tall * np.mod(row, 2.0), 2.4 * tall, 0.12 * tall),
    )
    strength = generator.choice([0.0, 0.25, -0.3])
    light = (shade + fade * (1.0 - shade)) * (1.0 + strength * joints)
    stains = upright.tile("noise 1.3", 7.0)[..., 0]
    color = picked(WALLS, generator) * (light * (1.0 + 0.08 * stains) * _grain(upright, 1.0, 0.05))[..., None]
    return color, upright.band(upright.height, 0.0, height)


def barn(upright: Upright, generator: np.random.Generator) -> tuple[np.ndarray, Plane]:
    """A building: a wall with dark openings, and a roof of sheet metal or tiles above it."""
    color, _ = (boards if generator.random() < 0.5 else masonry)(upright, generator)
    eaves, ridge = generator.uniform(2.5, 5.0), generator.uniform(1.0, 3.5)
    left = generator.uniform(-9.0, 0.0)
    right = left + generator.uniform(6.0, 25.0)
    bay, opening = generator.uniform(2.5, 6.0), generator.uniform(0.25, 0.7)
    top, bottom = generator.uniform(0.5, 0.8) * eaves, generator.choice([0.0, 0.35]) * eaves
    holes = upright.bars(upright.along, bay, bay * opening)
    holes = holes * upright.band(upright.height, bottom, top)
    color = color * (1.0 - generator.uniform(0.7, 0.97) * holes[..., None])
    roof = upright.band(upright.height, eaves, eaves + ridge)
    ribs = 1.0 - 0.3 * upright.bars(upright.along, 0.5, 0.12)
    color = color + roof[..., None] * (picked(METALS + WALLS, generator) * ribs[..., None] - color)
    shadow = upright.band(upright.height, eaves - 0.5, eaves)
    color = color * (1.0 - 0.5 * shadow[..., None])
    inside = upright.band(upright.height, 0.0, eaves + ridge)
    return color, inside * upright.band(upright.along, left, right)


def hedge(upright: Upright, generator: np.random.Generator) -> tuple[np.ndarray, Plane]:
    """Leaves from the ground up, ragged at the top: a hedge, or a wood's edge."""
    height = float(np.exp(generator.uniform(np.log(0.6), np.log(9.0))))
    side = max(2.5, height)
    flat = np.dstack([upright.along / (3.0 * side), np.zeros_like(upright.along)])
    broad = sample_tile("noise 1.2", flat, upright.pixel / side)
    leaves = upright.tile("grass", side)[..., 0]
    clumps = upright.tile("noise 1.0", 2.0 * side)
    ragged = height * (1.0 + 0.14 * broad[..., 0] + 0.05 * leaves + 0.08 * clumps[..., 1])
    cover = upright.band(upright.height, -0.2, ragged)
    light = np.clip(0.75 + 0.9 * leaves + 0.30 * clumps[..., 0], 0.12, 2.2)
    light = light * np.clip(0.55 + 0.5 * upright.height / height, 0.3, 1.1)
    return picked(HEDGES, generator) * light[..., None], cover

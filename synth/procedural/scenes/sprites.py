"""Things that stand about in a scene as pictures with normals: trees, conifers, bushes, people, vehicles.

Made once a process from a fixed seed; a scene tints, turns, lights and sizes them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from jaxtyping import Float

from .textures import TILE, fractal_tile

SIDE = 128
"""Pixels a side. A thing stands on the lower edge's middle and fills the height."""

_SEED = 20261122


@dataclass(frozen=True)
class Sprite:
    """`parts` is the cover of up to four parts of different colours, `relief` normals (camera frame) and
    relative lightness, both times the whole cover."""

    parts: Float[np.ndarray, "height width 4"]
    relief: Float[np.ndarray, "height width 4"]


class _Canvas:
    """Balls and flat shapes drawn over one another, the nearest one seen."""

    def __init__(self) -> None:
        self.depth = np.full((SIDE, SIDE), -np.inf, np.float32)
        self.part = np.full((SIDE, SIDE), -1, np.int8)
        self.relief = np.zeros((SIDE, SIDE, 4), np.float32)
        axis = (np.arange(SIDE) + 0.5) / SIDE
        self.x, self.y = np.meshgrid(axis - 0.5, 1.0 - axis)

    def ball(
        self, centre: Float[np.ndarray, "3"], radius: tuple[float, float], part: int, *, light: float = 1.0
    ) -> None:
        """A ball, flattened where its two radii (across, up) differ."""
        u, v = (self.x - centre[0]) / radius[0], (self.y - centre[1]) / radius[1]
        bulge = np.sqrt(np.maximum(1.0 - u**2 - v**2, 0.0))
        depth = centre[2] + bulge * radius[0]
        self._put(u**2 + v**2 < 1.0, depth, part=part, relief=(u, v, bulge, light))

    def polygon(
        self, corners: Float[np.ndarray, "corners 2"], part: int, *, depth: float, light: float = 1.0
    ) -> None:
        """A flat shape that faces the camera."""
        pixels = np.stack([(corners[:, 0] + 0.5) * SIDE, (1.0 - corners[:, 1]) * SIDE], axis=1)
        mask = np.zeros((SIDE, SIDE), np.uint8)
        cv2.fillPoly(mask, [np.rint(pixels * 16).astype(np.int32)], 255, shift=4)
        relief = (0.0, 0.25, 0.97, light)
        self._put(mask > 0, np.full_like(self.depth, depth), part=part, relief=relief)

    def _put(self, inside: np.ndarray, depth: np.ndarray, *, part: int, relief: tuple[object, ...]) -> None:
        seen = inside & (depth > self.depth)
        self.depth[seen] = depth[seen]
        self.part[seen] = part
        for k, value in enumerate(relief):
            self.relief[seen, k] = np.broadcast_to(np.asarray(value), seen.shape)[seen]

    def sprite(self, ragged: Float[np.ndarray, "side side"] | None = None) -> Sprite:
        """What was drawn; `ragged` displaces it by so many pixels, for edges of leaves."""
        parts = np.stack([self.part == k for k in range(4)], axis=-1).astype(np.float32)
        relief = self.relief * (self.part >= 0)[..., None]
        if ragged is not None:
            rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
            shift_x, shift_y = ragged, np.roll(ragged, 37, axis=(0, 1))
            fixed = np.clip(self.y * 6.0, 0.0, 1.0).astype(np.float32)
            at = columns + shift_x * fixed, rows + shift_y * fixed
            parts, relief = (
                np.asarray(cv2.remap(image, *at, cv2.INTER_NEAREST), np.float32) for image in (parts, relief)
            )
        return Sprite(*(np.asarray(cv2.GaussianBlur(image, (0, 0), 0.6)) for image in (parts, relief)))


def _leafy(generator: np.random.Generator, strength: float) -> Float[np.ndarray, "side side"]:
    corner = generator.integers(0, TILE - SIDE, 2)
    return strength * fractal_tile(0.5, 21)[corner[0] : corner[0] + SIDE, corner[1] : corner[1] + SIDE]


def _speckled(sprite: Sprite, generator: np.random.Generator, amount: float) -> Sprite:
    """Leaves: light and dark specks."""
    specks = np.clip(1.0 + _leafy(generator, amount), 0.15, 2.2)
    relief = sprite.relief.copy()
    relief[..., 3] *= 1.0 + (specks - 1.0) * sprite.parts[..., 0]
    return Sprite(sprite.parts, relief)


def broadleaf(generator: np.random.Generator) -> Sprite:
    """A trunk that forks under a crown of puffs, darker inside and below."""
    canvas = _Canvas()
    base, wide = generator.uniform(0.12, 0.35), generator.uniform(0.28, 0.44)
    trunk = generator.uniform(0.012, 0.03)
    for lean in generator.uniform(-0.6, 0.6, 4) * wide:
        fork = base * generator.uniform(0.6, 1.1)
        end = generator.uniform(0.6, 0.85)
        corners = [(-trunk, fork), (lean, end), (lean + 0.01, end), (trunk, fork)]
        canvas.polygon(np.array(corners), 1, depth=-0.2)
    corners = [(-1.6 * trunk, 0), (-trunk, 0.3 + base), (trunk, 0.3 + base), (1.6 * trunk, 0)]
    canvas.polygon(np.array(corners), 1, depth=-0.1)
    for _ in range(int(generator.integers(25, 60))):
        turn, out = generator.uniform(0, 2 * np.pi), np.sqrt(generator.random())
        height = base + (1.0 - base) * (0.5 + 0.42 * out * np.sin(turn))
        size = wide * generator.uniform(0.16, 0.42)
        centre = np.array(
            [wide * 0.75 * out * np.cos(turn), min(height, 1 - size), generator.normal() * 0.15]
        )
        light = 0.55 + 0.6 * (height - base) / (1 - base) + 0.6 * centre[2]
        canvas.ball(
            centre, (size, size * generator.uniform(0.6, 0.9)), 0, light=float(np.clip(light, 0.3, 1.3))
        )
    return _speckled(canvas.sprite(_leafy(generator, 2.2)), generator, 0.32)


def conifer(generator: np.random.Generator) -> Sprite:
    """A narrow cone of drooping branches."""
    canvas = _Canvas()
    wide = generator.uniform(0.12, 0.26)
    canvas.polygon(np.array([(-0.012, 0), (-0.006, 0.9), (0.006, 0.9), (0.012, 0)]), 1, depth=-0.3)
    for level in np.linspace(generator.uniform(0.04, 0.2), 0.98, 26):
        reach = wide * (1.02 - level) + 0.008
        for _ in range(5):
            x = generator.uniform(-1, 1) * reach
            centre = np.array(
                [x, level - 0.25 * abs(x), generator.normal() * 0.05 + 0.1 * (1 - abs(x) / reach)]
            )
            size = 0.35 * reach + 0.01
            canvas.ball(centre, (size, 0.4 * size + 0.01), 0, light=float(generator.uniform(0.5, 1.2)))
    return _speckled(canvas.sprite(_leafy(generator, 1.8)), generator, 0.3)


def bush(generator: np.random.Generator) -> Sprite:
    """A heap of leaves, as wide as high or wider."""
    canvas = _Canvas()
    for _ in range(int(generator.integers(14, 40))):
        x = generator.normal() * 0.17
        height = generator.uniform(0.0, 0.85 - 1.2 * abs(x))
        size = generator.uniform(0.07, 0.18)
        centre = np.array([np.clip(x, -0.4, 0.4), max(height, 0.02), generator.normal() * 0.12])
        canvas.ball(centre, (size, size), 0, light=float(np.clip(0.6 + 0.5 * height + centre[2], 0.35, 1.3)))
    return _speckled(canvas.sprite(_leafy(generator, 2.5)), generator, 0.35)


def bare_tree(generator: np.random.Generator) -> Sprite:
    """A leafless tree: a trunk that forks six times."""
    canvas = _Canvas()

    def grow(foot: np.ndarray, turn: float, *, length: float, thick: float, forks: int) -> None:
        tip = foot + length * np.array([np.sin(turn), np.cos(turn)])
        side = thick * np.array([np.cos(turn), -np.sin(turn)])
        corners = np.array([foot - side, tip - 0.7 * side, tip + 0.7 * side, foot + side])
        canvas.polygon(corners, 1, depth=-0.1 * forks)
        if forks:
            for change in generator.normal(size=int(generator.integers(2, 4))) * 0.5:
                shorter = length * generator.uniform(0.6, 0.85)
                grow(tip, 0.85 * turn + change, length=shorter, thick=0.62 * thick, forks=forks - 1)

    grow(np.array([0.0, 0.0]), generator.normal() * 0.1, length=0.24, thick=0.028, forks=6)
    return canvas.sprite()


def person(generator: np.random.Generator) -> Sprite:
    """Somebody who stands or walks: parts are shirt, trousers, skin and hair."""
    canvas = _Canvas()
    stride, swing = generator.uniform(0.0, 0.10), generator.uniform(0.03, 0.13)
    for side in (-1.0, 1.0):
        hip, foot = side * 0.035, side * (0.035 + stride)
        leg = [(hip - 0.04, 0.5), (foot - 0.03, 0.02), (foot + 0.035, 0.02), (hip + 0.04, 0.5)]
        canvas.polygon(np.array(leg), 1, depth=0.0, light=1.0 - 0.15 * (side > 0))
        arm = [
            (side * 0.075, 0.81),
            (side * (0.09 + swing), 0.47),
            (side * (0.045 + swing), 0.47),
            (side * 0.04, 0.8),
        ]
        canvas.polygon(np.array(arm), 0, depth=0.02 * side, light=0.9)
        canvas.ball(np.array([side * (0.065 + swing), 0.455, 0.0]), (0.022, 0.026), 2)
    chest = [(-0.1, 0.82), (-0.075, 0.46), (0.075, 0.46), (0.1, 0.82), (0.03, 0.86), (-0.03, 0.86)]
    canvas.polygon(np.array(chest), 0, depth=0.01)
    canvas.ball(np.array([0.0, 0.925, 0.1]), (0.048, 0.064), 2)
    canvas.ball(np.array([generator.normal() * 0.01, 0.955, 0.12]), (0.05, 0.045), 3)
    return canvas.sprite()


def vehicle(generator: np.random.Generator) -> Sprite:
    """A car, van or tractor from its side: parts are body, wheels, glass and trim."""
    canvas = _Canvas()
    length, roof = generator.uniform(0.42, 0.49), generator.uniform(0.34, 0.5)
    waist = roof * generator.uniform(0.5, 0.65)
    front, back = generator.uniform(0.15, 0.45) * length, generator.uniform(0.05, 0.35) * length
    body = [(-length, 0.1), (-length, waist), (-length + front, waist), (-length + 1.5 * front, roof)]
    body += [(length - 1.5 * back, roof), (length - back, waist), (length, 0.95 * waist), (length, 0.1)]
    canvas.polygon(np.array(body), 0, depth=0.0)
    glass = [(-length + 1.1 * front, waist), (-length + 1.55 * front, roof - 0.02)]
    glass += [(length - 1.55 * back, roof - 0.02), (length - 1.1 * back, waist)]
    canvas.polygon(np.array(glass), 2, depth=0.01)
    for x in (-0.6 * length, 0.6 * length):
        canvas.ball(np.array([x, 0.09, 0.1]), (0.09, 0.09), 1)
        canvas.ball(np.array([x, 0.09, 0.2]), (0.045, 0.045), 3)
    return canvas.sprite()


def bale(generator: np.random.Generator) -> Sprite:
    """A stack of bales, a heap, stones: a few low lumps."""
    canvas = _Canvas()
    for x in generator.uniform(-0.25, 0.25, int(generator.integers(1, 5))):
        high = generator.uniform(0.12, 0.26)
        wide = generator.uniform(0.12, 0.24)
        canvas.ball(np.array([x, 0.8 * high, generator.normal() * 0.1]), (wide, high), 0)
    return _speckled(canvas.sprite(_leafy(generator, 1.6)), generator, 0.3)


MAKERS: dict[Callable[[np.random.Generator], Sprite], int] = {
    broadleaf: 8, conifer: 4, bush: 6, bare_tree: 3, person: 5, vehicle: 4, bale: 3
}  # fmt: skip
"""How many of each kind there are."""


@cache
def sprites(maker: Callable[[np.random.Generator], Sprite]) -> tuple[Sprite, ...]:
    """All things of one kind."""
    order = list(MAKERS).index(maker)
    return tuple(maker(np.random.default_rng([_SEED, order, number])) for number in range(MAKERS[maker]))

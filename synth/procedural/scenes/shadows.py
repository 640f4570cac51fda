"""Shadows: what of a body is seen from the light, from every part of the sky, and from under the ground.

Depth maps (Williams 1978, "Casting curved shadows on curved surfaces") drawn by the farm's own rasteriser.
Penumbras follow the distance from the thing that throws the shadow (Fernando 2005, "Percentage-closer soft
shadows").
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.ops.rasterize import rasterize
from farm3d.shapes import Faces

from ..anatomy import GROUND
from .kernels import count_lit, sum_open_sky

SUN_RESOLUTION, SKY_RESOLUTION, BELOW_RESOLUTION = 160, 32, 112
SKY_DIRECTIONS = 10
TAPS = 9
"""Places of the shadow map that are compared for each point."""

BELOW_MARGIN = 1.5
"""How much farther than the body the map from below reaches: as far as the body darkens the ground."""

CONTACTS = ((0.15, 0.07, 0.95), (0.5, 0.20, 0.6), (1.5, 0.55, 0.55))
"""Heights (object units) under which a body darkens the ground, how widely and how much."""


@dataclass(frozen=True)
class DepthMap:
    """A body seen by parallel rays: `heights` along `axes[2]` of the surface nearest to where they come
    from (-inf beside it), over a square of half side `half` about `middle` on the other two axes."""

    axes: Float[np.ndarray, "3 3"]
    middle: Float[np.ndarray, "2"]
    half: float
    heights: Float[np.ndarray, "side side"]

    def texels(self, points: Float[np.ndarray, "*points 3"]) -> Float[np.ndarray, "*points 2"]:
        """Where points lie on the map: column and row, the first texel's centre being (0, 0)."""
        side = len(self.heights)
        return ((points @ self.axes[:2].T - self.middle) / self.half + 1.0) * (side / 2.0) - 0.5


@dataclass(frozen=True)
class Shade:
    """The shares of the sun's and of the sky's light that reach the ground, a pixel."""

    sun: Float[np.ndarray, "size size"]
    sky: Float[np.ndarray, "size size"]

    def under(self, other: "Shade") -> "Shade":
        """What is left where two bodies shade the ground."""
        return Shade(np.minimum(self.sun, other.sun), self.sky * other.sky)


def depth_map(
    vertices: Float[Tensor, "vertices 3"],
    faces: Faces,
    toward: Float[np.ndarray, "3"],
    *,
    resolution: int,
    margin: float = 1.0,
) -> DepthMap:
    """The body as seen from the direction `toward` (a unit vector); the map reaches `margin` times as far."""
    middle, radius = _bounds(vertices)
    half = margin * radius
    axes = _frame(toward)
    turn = torch.tensor(axes * [[1.0], [1.0], [-1.0]] / half, dtype=vertices.dtype)
    offset = -(turn @ torch.tensor(middle, dtype=vertices.dtype))
    clip = vertices.new_ones(1, len(vertices), 4)
    torch.addmm(offset, vertices, turn.T, out=clip[0, :, :3])
    drawn = rasterize(clip, faces, (resolution, resolution))[0].numpy()
    centre = axes @ middle
    heights = np.where(drawn[..., 3] > 0, centre[2] - half * drawn[..., 2], -np.inf)
    return DepthMap(axes, centre[:2], half, heights.astype(np.float32))


def _frame(direction: Float[np.ndarray, "3"]) -> Float[np.ndarray, "3 3"]:
    """Rows: two axes across a unit vector, and itself."""
    helper = np.array([0.0, 0.0, 1.0]) if abs(direction[1]) > 0.8 else np.array([0.0, 1.0, 0.0])
    across = np.cross(helper, direction)
    across /= np.linalg.norm(across)
    return np.stack([across, np.cross(direction, across), direction])


def sun_on_surface(
    seen: DepthMap,
    points: Float[np.ndarray, "points 3"],
    *,
    facing: Float[np.ndarray, " points"],
    spread: float,
) -> Float[np.ndarray, " points"]:
    """The share of the light that reaches surface points: 0 in the body's own shadow.

    `facing` is the cosine between normal and light; `spread` (object units) how soft the edges are.
    """
    texel = 2.0 * seen.half / len(seen.heights)
    slope = np.sqrt(np.maximum(1.0 - facing**2, 0.0)) / np.maximum(facing, 0.15)
    allowed = points @ seen.axes[2] + np.minimum(0.05 + (spread + texel / 2.0) * slope, 0.3)
    radius = np.sqrt((np.arange(TAPS) + 0.5) / TAPS) * spread / texel
    turn = 2.399963 * np.arange(TAPS)
    offsets = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
    lit = np.zeros(len(points), np.float32)
    count_lit(seen.texels(points), seen.heights, allowed, offsets, lit)
    return lit


def sky_on_surface(
    vertices: Float[Tensor, "vertices 3"], normals: Float[Tensor, "vertices 3"]
) -> Float[np.ndarray, " vertices"]:
    """The light of an even sky on each vertex, past the rest of the body; 1 for an open level surface."""
    toward = sky_directions(SKY_DIRECTIONS)
    middle, half = _bounds(vertices)
    axes = np.stack([_frame(direction) for direction in toward]).astype(np.float32)
    heights = np.full((SKY_DIRECTIONS, SKY_RESOLUTION, SKY_RESOLUTION), -np.inf, np.float32)
    total = np.zeros(len(vertices), np.float32)
    points = np.ascontiguousarray(vertices.numpy())
    sum_open_sky(points, normals.numpy(), axes, middle.astype(np.float32), np.float32(half), heights, total)
    return total / float(np.maximum(toward[:, 1], 0.0).sum())


def _bounds(vertices: Float[Tensor, "vertices 3"]) -> tuple[Float[np.ndarray, "3"], float]:
    """The middle of a ball that holds the body, and a little more than its radius."""
    middle = (vertices.amin(0) + vertices.amax(0)) / 2.0
    return middle.double().numpy(), 1.06 * float((vertices - middle).norm(dim=1).amax())


def sky_directions(count: int) -> Float[np.ndarray, "directions 3"]:
    """Unit vectors spread evenly over the upper half of the sphere (a Fibonacci lattice)."""
    height = (np.arange(count) + 0.5) / count
    turn = 2.399963 * np.arange(count)
    radius = np.sqrt(1.0 - height**2)
    return np.stack([radius * np.cos(turn), height, radius * np.sin(turn)], axis=1)


def sun_on_ground(
    seen: DepthMap, places: Float[np.ndarray, "height width 3"], spread: float
) -> Float[np.ndarray, "height width"]:
    """The share of the light that reaches points of the ground past the body.

    `spread` is the penumbra's width over the distance from what throws the shadow.
    """
    texel = 2.0 * seen.half / len(seen.heights)
    cover = np.isfinite(seen.heights).astype(np.float32)
    near = cv2.GaussianBlur(np.where(cover > 0, seen.heights, 0.0).astype(np.float32), (0, 0), 4.0)
    share = cv2.GaussianBlur(cover, (0, 0), 4.0)
    sigmas = (0.7, 2.2, 7.0)
    soft = [cv2.GaussianBlur(cover, (0, 0), sigma) for sigma in sigmas]
    maps = np.dstack([*soft, near / np.maximum(share, 1e-4)])
    texels = seen.texels(places).astype(np.float32)
    read = cv2.remap(maps, texels[..., 0], texels[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    distance = np.maximum(read[..., 3] - places @ seen.axes[2], 0.0)
    wanted = np.log(np.clip(spread * distance / texel, sigmas[0], sigmas[2]))
    level = np.interp(wanted, np.log(sigmas), [0.0, 1.0, 2.0])
    weights = [np.maximum(1.0 - np.abs(level - k), 0.0) for k in range(3)]
    return 1.0 - sum(weight * read[..., k] for k, weight in enumerate(weights))


def sky_on_ground(
    beneath: DepthMap, places: Float[np.ndarray, "height width 3"]
) -> Float[np.ndarray, "height width"]:
    """The share of the sky's light that reaches the ground under and beside the body.

    `beneath` is the body as seen from below. Parts near the ground darken it sharply (feet), parts high
    above it faintly and widely (the belly).
    """
    texel = 2.0 * beneath.half / len(beneath.heights)
    height = np.where(np.isfinite(beneath.heights), -beneath.heights - GROUND, np.inf)
    open_share = np.ones(height.shape, np.float32)
    for limit, width, strength in CONTACTS:
        close = np.clip(1.5 - height / limit, 0.0, 1.0).astype(np.float32)
        open_share *= 1.0 - strength * cv2.GaussianBlur(close, (0, 0), max(width / texel, 0.5))
    texels = beneath.texels(places).astype(np.float32)
    return cv2.remap(
        open_share,
        texels[..., 0],
        texels[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=1.0,
    )

"""What coats are painted on: the samples of one individual's surface, and where on the animal each lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int

from ..mesh_colors import SampleGrid
from ..noise import smooth_noise

LEGS = ("foreleg", "hindleg")
_LEG_LEVELS = {
    "foreleg": ("fore_toe", "fore_fetlock", "carpus", "elbow"),
    "hindleg": ("hind_toe", "hind_fetlock", "hock", "stifle"),
}
COARSE = 2.6
"""Cycles an object unit up to which noise is evaluated at the vertices and is linear between them."""

PALEST = 0.9
"""A varied colour's brightest channel: paler ones would turn yellow where the light clips them."""

SLICES = 24
"""Of the body and of the head, in each of which the lowest and the highest sample are looked for."""

Values = Float[np.ndarray, " samples"]
Colors = Float[np.ndarray, "samples 3"]
Color = tuple[float, float, float]


@dataclass(frozen=True)
class FacePlace:
    """A place on the head's side: share of the way from poll to muzzle, height over that line, radius.

    Height and radius are in lengths of the head.
    """

    along: float
    over: float
    radius: float


@dataclass(frozen=True, eq=False)
class Canvas:
    """The samples of an individual's surface: places on the mean animal, body parts, and randomness.

    `points` and `normals` are those of the mean animal (object units), as `landmarks` are; `parts` are the
    shares of each body part in each sample.
    """

    grid: SampleGrid
    faces: Int[np.ndarray, "faces 3"]
    points: Float[np.ndarray, "samples 3"]
    normals: Float[np.ndarray, "samples 3"]
    parts: Mapping[str, Values]
    landmarks: Mapping[str, Float[np.ndarray, "3"]]
    eye: FacePlace
    nostril: FacePlace
    generator: np.random.Generator

    def part(self, *names: str) -> Values:
        """The share of these body parts in each sample."""
        none = np.zeros(len(self.points), dtype=self.points.dtype)
        return sum((self.parts[name] for name in names if name in self.parts), none)

    def noise(self, frequency: float, *, stretch: Color = (1.0, 1.0, 1.0), waves: int = 24) -> Values:
        """Smooth noise of unit variance with so many cycles an object unit, more along stretched axes."""
        coarse = frequency * max(stretch) <= COARSE
        places = self.points[: self.vertex_count] if coarse else self.points
        places = places * np.array(stretch, dtype=self.points.dtype)
        values = smooth_noise(places, frequency, self.generator, waves=waves)
        return self.grid.spread(values[:, None])[:, 0] if coarse else values

    def noise_at(self, points: Colors, frequency: float, *, waves: int = 24) -> Values:
        """Smooth noise at other places than the samples' own, one for each sample."""
        return smooth_noise(points, frequency, self.generator, waves=waves)

    def chance(self, share: float) -> bool:
        return bool(self.generator.random() < share)

    def vary(self, color: Color, amount: float = 0.12) -> Float[np.ndarray, "3"]:
        """A colour of the same kind: a little lighter or darker, a little warmer or colder."""
        change = self.generator.normal() * amount + self.generator.normal(size=3) * amount / 12
        varied = np.array(color) * np.exp(change)
        return varied * min(1.0, PALEST / float(varied.max()))

    @cached_property
    def side(self) -> Values:
        """-1 on the right, 1 on the left, smooth across the midline."""
        return np.clip(self.points[:, 0] / 0.03, -1.0, 1.0)

    @cached_property
    def head_length(self) -> float:
        return float(np.linalg.norm(self.landmarks["muzzle"] - self.landmarks["poll"]))

    @cached_property
    def along_head(self) -> Values:
        """0 at the poll, 1 at the tip of the muzzle."""
        axis = self.landmarks["muzzle"] - self.landmarks["poll"]
        return _single((self.points - self.landmarks["poll"]) @ axis / np.sum(axis**2))

    @cached_property
    def over_head(self) -> Values:
        """Height over the line from poll to muzzle, towards the forehead, in lengths of the head."""
        axis = (self.landmarks["muzzle"] - self.landmarks["poll"]) / self.head_length
        up = np.array([0.0, axis[2], -axis[1]])
        return _single((self.points - self.landmarks["poll"]) @ up / self.head_length)

    @cached_property
    def across_head(self) -> Values:
        """Distance from the midline in lengths of the head."""
        return np.abs(self.points[:, 0]) / self.head_length

    def face_distance(self, place: FacePlace) -> Values:
        """How far each sample lies from a place on the head, seen from the side, in lengths of the head."""
        return np.hypot(self.along_head - place.along, self.over_head - place.over)

    def leg_level(self, part: str) -> Values:
        """Height on a leg: 0 at the toe, 1 at the fetlock, 2 at carpus or hock, 3 at elbow or stifle."""
        heights = [float(self.landmarks[name][1]) for name in _LEG_LEVELS[part]]
        return _single(np.interp(self.points[:, 1], heights, range(4)))

    @cached_property
    def along_body(self) -> Values:
        """0 at the rump, 1 at the breast."""
        rear, front = (float(self.landmarks[name][2]) for name in ("rump", "breast"))
        return (self.points[:, 2] - rear) / (front - rear)

    @cached_property
    def girth(self) -> Values:
        """-1 at the belly and under the throat, 1 on the back and the neck's crest."""
        return _between(self.points[:, 2], self.points[:, 1], self.part("trunk", "neck") > 0.5)

    @cached_property
    def cheek(self) -> Values:
        """-1 under the jaw, 1 on the forehead and the bridge of the nose."""
        return _between(self.along_head, self.over_head, self.part("head") > 0.5)

    @cached_property
    def vertex_count(self) -> int:
        return int(self.faces.max()) + 1


def _between(place: Values, height: Values, chosen: Bool[np.ndarray, " samples"]) -> Values:
    """Heights as shares between the lowest (-1) and the highest (1) chosen sample at the same place."""
    edges = np.linspace(place[chosen].min(), place[chosen].max() + 1e-6, SLICES + 1)
    slices = np.digitize(place[chosen], edges) - 1
    low, high = np.full(SLICES, np.inf), np.full(SLICES, -np.inf)
    np.minimum.at(low, slices, height[chosen])
    np.maximum.at(high, slices, height[chosen])
    middles, filled = (edges[1:] + edges[:-1]) / 2, np.isfinite(low)
    low, high = (np.interp(place, middles[filled], bound[filled]) for bound in (low, high))
    return _single(np.clip(2.0 * (height - low) / np.maximum(high - low, 1e-3) - 1.0, -1.5, 1.5))


def _single(values: np.ndarray) -> Values:
    return values.astype(np.float32)


def blend(color: Colors, other: Color | np.ndarray, share: Values) -> Colors:
    """`color` where the share is 0, `other` where it is 1."""
    return color + np.clip(share, 0.0, 1.0)[:, None] * (np.asarray(other, dtype=np.float32) - color)


def soft(value: Values, edge: float | Values, width: float) -> Values:
    """0 where `value` is below `edge`, 1 above, over `width`."""
    return np.clip((value - edge) / width + 0.5, 0.0, 1.0)

"""Patterns that repeat: spots, dapples, roan, merle, brindle, zebras' stripes and giraffes' patches."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..noise import cells, scattered_seeds
from .canvas import LEGS, Canvas, Color, Colors, Values, blend, soft
from .stripes import smoothed_over_surface, stripe_wave


@dataclass(frozen=True)
class Spots:
    """Round spots; radii (object units) between the two given, `spacing` their distance in radii."""

    color: Color
    radii: tuple[float, float]
    spacing: float = 3.0
    ragged: float = 0.2
    strength: float = 1.0

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        generator, count = canvas.generator, canvas.vertex_count
        apart = np.full(count, self.spacing * float(np.mean(self.radii)))
        apart *= generator.uniform(0.7, 1.4, count)
        seeds = scattered_seeds(canvas.points[:count], apart, generator)
        places = cells(canvas.points, canvas.points[seeds])
        radius = generator.uniform(*self.radii, len(seeds))[places.seed].astype(np.float32)
        edge = radius * (1.0 + self.ragged * canvas.noise(0.35 / self.radii[0])) - places.centre
        cover = soft(edge, 0.0, 0.018)
        return blend(color, canvas.vary(self.color, 0.06), self.strength * cover)


@dataclass(frozen=True)
class Dapples:
    """Light rings in a darker net, on the barrel and the hindquarters, as greys have."""

    strength: float = 0.3
    spacing: float = 0.09

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        generator, count = canvas.generator, canvas.vertex_count
        apart = np.full(count, self.spacing) * generator.uniform(0.75, 1.3, count)
        seeds = scattered_seeds(canvas.points[:count], apart, generator)
        places = cells(canvas.points, canvas.points[seeds])
        inside = soft(places.border / self.spacing + 0.1 * canvas.noise(9.0), 0.24, 0.42)
        where = canvas.part("trunk", *LEGS, "neck") * soft(canvas.points[:, 1], -0.45, 0.5)
        where = where * soft(canvas.noise(0.8), -0.2, 1.2)
        strength = self.strength * generator.uniform(0.6, 1.2)
        return color * (1.0 + strength * (inside - 0.55) * where)[:, None]


@dataclass(frozen=True)
class Roan:
    """Hairs of another colour mixed in, less on head and lower legs, in fine flecks."""

    color: Color
    amount: float = 0.5
    flecks: float = 0.14
    points: bool = True

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        spared = canvas.part("head", "mane", "tail", "ear") if self.points else canvas.part("mane", "tail")
        for leg in LEGS if self.points else ():
            spared = spared + canvas.part(leg) * soft(2.1 - canvas.leg_level(leg), 0.0, 0.6)
        amount = self.amount * canvas.generator.uniform(0.6, 1.3)
        share = amount * (1.0 + 0.2 * canvas.noise(1.2)) + self.flecks * canvas.noise(28.0, waves=40)
        return blend(color, canvas.vary(self.color, 0.05), share * (1.0 - np.clip(spared, 0.0, 1.0)))


@dataclass(frozen=True)
class Merle:
    """The coat diluted to a pale marbled colour, with torn patches of the full colour left."""

    color: Color
    amount: float = 0.85

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        torn = canvas.noise(1.8) + 0.6 * canvas.noise(5.0) + 0.35 * canvas.noise(12.0)
        marbled = 0.2 * canvas.noise(6.0) + 0.15 * canvas.noise(14.0)
        pale = canvas.vary(self.color).astype(np.float32) * (1.0 + 0.5 * marbled)[:, None]
        return blend(color, pale, self.amount * soft(torn, canvas.generator.normal(-0.3, 0.3), 0.25))


@dataclass(frozen=True)
class Brindle:
    """Thin irregular dark streaks that run down the body."""

    color: Color
    strength: float = 0.55

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        slant = canvas.points @ np.array([[1, 0, 0], [0, 0.3, 0.3], [0, 0.3, 1.0]], dtype=np.float32)
        bent = slant + 0.02 * canvas.noise(1.5)[:, None]
        value = canvas.noise_at(bent, 13.0, waves=40) + 0.5 * canvas.noise(16.0) + 0.6 * canvas.noise(1.2)
        return blend(color, canvas.vary(self.color), self.strength * soft(value, 0.4, 1.6))


@dataclass(frozen=True)
class Stripes:
    """A zebra's stripes: cycles an object unit on trunk, rump, neck, head and legs.

    Upright on the trunk, fanning out about the flank to lie level on thigh and legs, across the neck and
    into the mane, fine on the cheeks and lengthwise on the forehead. `dark_share` is the dark part of a
    stripe's width, `belly` the girth up to which the belly stays white, `pale_legs` the leg's level under
    which the stripes fade, `shadow` the strength of the pale stripes between the dark ones on the rump.
    """

    color: Color
    trunk: float
    rump: float
    neck: float
    head: float
    legs: float
    dark_share: float = 0.55
    belly: float = -0.9
    pale_legs: float = -1.0
    shadow: float = 0.0
    shadow_color: Color = (0.55, 0.45, 0.36)

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        count, generator = canvas.vertex_count, canvas.generator
        warp = 0.9 * canvas.noise(0.9)[:count] + 0.35 * canvas.noise(2.5)[:count]
        wave = stripe_wave(
            canvas.grid, canvas.faces, canvas.points[:count], field=self._field(canvas), warp=warp
        )
        head = canvas.part("head")
        belly = canvas.part("trunk") * soft(self.belly - canvas.girth, -0.15, 0.3)
        edge = np.cos(np.pi * self.dark_share) + 0.22 * canvas.noise(1.6) + 0.1 * canvas.noise(5.0)
        edge = edge + 1.6 * belly
        for leg in LEGS:
            edge = edge + 1.2 * canvas.part(leg) * soft(self.pale_legs - canvas.leg_level(leg), 0.0, 0.8)
            inner = canvas.normals[:, 0] * canvas.side < -0.2
            edge = edge + 0.5 * canvas.part(leg) * inner
        cover = soft(wave, edge, 0.45)
        rear = canvas.part("trunk", "hindleg") * soft(0.55 - canvas.along_body, 0.0, 0.3)
        between = soft(-wave, 0.72, 0.3) * rear * (1.0 - belly) * soft(canvas.girth, -0.6, 0.4)
        color = blend(color, canvas.vary(self.shadow_color), self.shadow * between)
        dark = canvas.vary(self.color, 0.08)
        color = blend(color, dark, cover * (1.0 - head * soft(canvas.along_head, 0.86, 0.06)))
        dorsal = soft(0.022 - np.abs(canvas.points[:, 0]), 0.0, 0.015) * (canvas.normals[:, 1] > 0.5)
        ears = canvas.part("ear") * soft(canvas.points[:, 1] - canvas.landmarks["ear_base"][1], 0.16, 0.05)
        tuft = canvas.part("tail") * soft(
            canvas.landmarks["tail_2"][1] - 0.15 - canvas.points[:, 1], 0.0, 0.2
        )
        return blend(
            color, dark, canvas.part("trunk") * dorsal + 0.9 * ears * (generator.random() < 0.8) + tuft
        )

    def _field(self, canvas: Canvas) -> Float[np.ndarray, "vertices 3"]:
        """Cycles an object unit across the stripes at the vertices, smoothed over the surface."""
        count = canvas.vertex_count
        normals = canvas.normals[:count].astype(float)
        directions, pitches = self._directions(canvas), self._pitches(canvas)
        total = np.zeros((count, 4))
        for name, share in canvas.parts.items():
            direction = directions.get(name, np.array([0.0, -1.0, 0.0]))
            pitch = np.broadcast_to(pitches.get(name, self.legs), count)[:, None]
            rows = np.concatenate([np.broadcast_to(direction, (count, 3)), pitch], axis=1)
            total += share[:count, None] * rows
        total = smoothed_over_surface(canvas.faces, total, rounds=12)
        along = total[:, :3] - (total[:, :3] * normals).sum(1, keepdims=True) * normals
        # Where the surface faces along the field, or fields meet head on, stripes widen but do not vanish.
        along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 0.45)
        return float(np.exp(0.08 * canvas.generator.normal())) * total[:, 3:] * along

    def _directions(self, canvas: Canvas) -> dict[str, np.ndarray]:
        """Of each body part unit vectors across its stripes, at the vertices; other parts' point down."""
        count = canvas.vertex_count
        points, down = canvas.points[:count].astype(float), np.array([0.0, -1.0, 0.0])
        neck = _unit(canvas.landmarks["neck_base"] - canvas.landmarks["poll"])
        cheek = _unit(canvas.landmarks["poll"] - canvas.landmarks["muzzle"])
        front = soft(canvas.cheek[:count], 0.55, 0.3)[:, None]
        forehead = np.array([1.0, 0.0, 0.0]) * np.tanh(points[:, :1] / 0.02)
        high = soft(canvas.leg_level("hindleg")[:count], 2.6, 0.8)[:, None]
        fan = _fan(canvas, points)
        return {
            "trunk": fan,
            "neck": neck,
            "mane": neck,
            "head": cheek * (1.0 - front) + forehead * front,
            "hindleg": fan * high + down * (1.0 - high),
        }

    def _pitches(self, canvas: Canvas) -> dict[str, np.ndarray | float]:
        """Of each body part how many stripes an object unit has, at the vertices; other parts are as legs."""
        count = canvas.vertex_count
        rear = soft(0.5 - canvas.along_body[:count], 0.0, 0.5)
        high = soft(canvas.leg_level("hindleg")[:count], 2.6, 0.8)
        return {
            "trunk": self.trunk + (self.rump - self.trunk) * rear,
            "neck": self.neck,
            "mane": self.neck,
            "head": self.head,
            "ear": 0.5 * self.head,
            "hindleg": self.legs + (self.rump - self.legs) * high,
        }


def _fan(canvas: Canvas, points: np.ndarray) -> np.ndarray:
    """Unit directions across the trunk's stripes: backward, and about the flank turning downward."""
    stifle = canvas.landmarks["stifle"]
    height = np.maximum(points[:, 1] - stifle[1] + 0.05, 0.02)
    behind = np.minimum(points[:, 2] - stifle[2] - 0.30, 0.0)
    return _unit(np.stack([np.zeros(len(points)), behind, -height], axis=1))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


@dataclass(frozen=True)
class Reticulation:
    """A giraffe's patches: cells of random seeds with pale lines between, smaller on neck, legs and head.

    `spacing` is the distance of seeds on the trunk (object units), `line` the width of the lines as a share
    of it, `jagged` how much the patches' borders wander.
    """

    color: Color
    spacing: float = 0.22
    line: float = 0.08
    jagged: float = 0.03

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        spacing = self._spacing(canvas)
        count, generator = canvas.vertex_count, canvas.generator
        seeds = scattered_seeds(canvas.points[:count], spacing[:count].astype(float), generator)
        wander = np.stack([canvas.noise(0.8 / self.spacing) for _ in range(3)], axis=1)
        fine = np.stack([canvas.noise(2.2 / self.spacing) for _ in range(3)], axis=1)
        bent = canvas.points + self.jagged * spacing[:, None] * (wander + 0.7 * fine)
        places = cells(bent, canvas.points[seeds])
        width = self.line * float(np.exp(0.2 * generator.normal()))
        patch = soft(places.border / spacing, width + self._bare(canvas), 0.05)
        shade = np.exp(0.09 * generator.normal(size=len(seeds)))[places.seed].astype(np.float32)
        heart = 1.0 - 0.12 * soft(places.border / spacing, 0.3, 0.3)
        dark = canvas.vary(self.color).astype(np.float32) * (shade * heart)[:, None]
        return blend(color, dark, patch)

    def _spacing(self, canvas: Canvas) -> Values:
        """Smaller from the trunk along neck and legs to the head."""
        neck = canvas.part("neck", "mane") * soft(
            canvas.points[:, 1], float(canvas.landmarks["neck_1"][1]), 0.4
        )
        small = 1.0 - 0.28 * neck - 0.55 * canvas.part("head", "ear", "horn")
        for leg in LEGS:
            small = small - 0.5 * canvas.part(leg) * soft(2.9 - canvas.leg_level(leg), 0.0, 0.8)
        return np.maximum(self.spacing * small, 0.3 * self.spacing)

    def _bare(self, canvas: Canvas) -> Values:
        """Added to the lines' width: where patches shrink and vanish."""
        bare = 0.9 * canvas.part("head") * soft(canvas.along_head, 0.35, 0.5) + canvas.part("horn", "tail")
        bare = bare + 0.25 * canvas.part("trunk") * soft(-canvas.girth, 0.9, 0.3)
        for leg in LEGS:
            bare = bare + 0.8 * canvas.part(leg) * soft(1.9 - canvas.leg_level(leg), 0.0, 0.9)
        return bare.astype(np.float32)

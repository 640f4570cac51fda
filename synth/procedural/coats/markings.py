"""Markings: ground colours, points, patches and white; every one is painted over those before it."""

from dataclasses import dataclass

import numpy as np

from .canvas import LEGS, Canvas, Color, Colors, Values, blend, soft
from .coat import WHITE, Marking


@dataclass(frozen=True)
class Ground:
    """The body's colour, `shading` lighter (or, negative, darker) from the back to the belly."""

    color: Color
    shading: float = 0.1
    mottle: float = 0.06
    vary: float = 0.12

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        base = np.tile(canvas.vary(self.color, self.vary).astype(np.float32), (len(canvas.points), 1))
        shading = canvas.generator.normal(self.shading, 0.05)
        below = np.clip(-canvas.normals[:, 1], -1.0, 1.0) * canvas.part("trunk", "neck", "udder", "dewlap")
        light = (
            1.0 + shading * below + self.mottle * canvas.noise(0.7) + 0.4 * self.mottle * canvas.noise(4.0)
        )
        return base * light[:, None]


@dataclass(frozen=True)
class Sometimes:
    """Another marking, with a chance."""

    share: float
    marking: Marking

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        return self.marking.paint(canvas, color) if canvas.chance(self.share) else color


@dataclass(frozen=True)
class Points:
    """Lower legs up to about a level (2 is carpus and hock), ears and muzzle in another colour."""

    color: Color
    top: float = 2.0
    spread: float = 0.25
    face: float = 0.7
    ears: float = 0.8

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        points = canvas.vary(self.color)
        top = canvas.generator.normal(self.top, self.spread)
        for leg in LEGS:
            color = blend(color, points, canvas.part(leg) * soft(top - canvas.leg_level(leg), 0.0, 0.8))
        color = blend(color, points, self.ears * canvas.part("ear"))
        return blend(color, points, self.face * canvas.part("head") * soft(canvas.along_head, 0.8, 0.3))


@dataclass(frozen=True)
class LongHair:
    """Mane and tail, a forelock, and the side of the neck on which the mane falls."""

    color: Color
    falls: bool = True
    tuft: float | None = None

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        hair = canvas.vary(self.color)
        streaks = 1.0 + 0.16 * canvas.noise(6.0, stretch=(1.0, 0.25, 1.0))
        cover = canvas.part("mane") + canvas.part("tail")
        if self.tuft is not None:
            cover = canvas.part("mane") + canvas.part("tail") * soft(-canvas.points[:, 1], self.tuft, 0.2)
        if self.falls and "mane" in canvas.parts:
            cover = np.maximum(cover, self._fallen(canvas))
        return blend(color, hair.astype(np.float32) * streaks[:, None], cover)

    def _fallen(self, canvas: Canvas) -> Values:
        side = 1.0 if canvas.chance(0.5) else -1.0
        length = canvas.generator.uniform(0.0, 0.30)
        ragged = 0.05 * canvas.noise(5.0, stretch=(1.0, 0.3, 1.0))
        fallen = soft(length + ragged - _crest_distance(canvas), 0.0, 0.04)
        fallen = fallen * soft(side * canvas.points[:, 0], 0.02, 0.03) * canvas.part("neck", "mane")
        forelock = soft(0.30 - canvas.along_head, 0.0, 0.1) * soft(canvas.cheek, 0.75 + 2.0 * ragged, 0.15)
        narrow = soft(0.09 - canvas.across_head, 0.0, 0.03)
        return np.maximum(fallen, forelock * narrow * canvas.part("head"))


def _crest_distance(canvas: Canvas) -> Values:
    """Distance (object units) below the mean animal's crest, within the sagittal plane."""
    crest = canvas.points[canvas.part("mane") > 0.6]
    along = crest[np.argsort(crest[:, 2])][:, [2, 1]]
    start, end = along[0], along[-1]
    direction = (end - start) / np.linalg.norm(end - start)
    offset = canvas.points[:, [2, 1]] - start
    return np.maximum(0.0, -(direction[0] * offset[:, 1] - direction[1] * offset[:, 0]))


@dataclass(frozen=True)
class Patches:
    """Large patches with sharp borders where a noise is over `level` (0: half of the animal).

    `upright` stretches them in height, `lean` lets them favour the back (positive) or the belly.
    """

    color: Color
    level: float = 0.3
    spread: float = 0.35
    scales: tuple[float, ...] = (0.7, 1.3)
    upright: float = 0.8
    lean: float = 0.0

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        generator = canvas.generator
        scale = float(generator.choice(self.scales)) * generator.uniform(0.75, 1.15)
        value = canvas.noise(scale, stretch=(1.0, self.upright, 1.0))
        value = value + 0.22 * canvas.noise(3.0) + 0.05 * canvas.noise(11.0) + self.lean * canvas.girth
        cover = soft(value, generator.normal(self.level, self.spread), 0.06)
        keep = canvas.part("tail", "mane") * float(canvas.chance(0.5))
        return blend(color, canvas.vary(self.color, 0.05), cover * (1.0 - keep))


@dataclass(frozen=True)
class Underside:
    """Belly, chest and inner legs in another colour up to a girth (-1 the belly, 1 the back)."""

    color: Color
    top: float = -0.55
    spread: float = 0.12
    strength: float = 1.0
    width: float = 0.4

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        top = canvas.generator.normal(self.top, self.spread)
        ragged = 0.08 * canvas.noise(2.5)
        body = canvas.part("trunk", "neck", "udder", "dewlap") * soft(
            top + ragged - canvas.girth, 0.0, self.width
        )
        inner = canvas.part(*LEGS) * soft(-canvas.normals[:, 0] * canvas.side, 0.3, 0.4)
        return blend(color, canvas.vary(self.color, 0.05), self.strength * np.maximum(body, inner))


@dataclass(frozen=True)
class Socks:
    """White feet and stockings, each leg by its own chance; `tops` are levels of the leg (2: the knee)."""

    share: float
    color: Color = WHITE
    tops: tuple[float, ...] = (0.75, 1.15, 1.6, 2.1)

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        white = canvas.vary(self.color, 0.04)
        inclined = canvas.chance(0.65)
        ragged = 0.12 * canvas.noise(4.0)
        for part in LEGS:
            for side in (1.0, -1.0):
                if inclined and canvas.chance(self.share):
                    top = float(canvas.generator.choice(self.tops)) + ragged
                    leg = canvas.part(part) * (side * canvas.points[:, 0] > 0)
                    color = blend(color, white, leg * soft(top - canvas.leg_level(part), 0.0, 0.15))
        return color


@dataclass(frozen=True)
class FaceWhite:
    """A star, a stripe, a blaze or a white face; `kinds` are their chances."""

    share: float
    kinds: tuple[float, float, float, float] = (0.35, 0.3, 0.35, 0.0)
    color: Color = WHITE

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        generator = canvas.generator
        if not canvas.chance(self.share):
            return color
        along, head = canvas.along_head, canvas.part("head")
        start, end, width = ((0.12, 0.32, 0.06), (0.1, 0.85, 0.035), (0.02, 1.1, 0.085), (-0.3, 1.2, 9.0))[
            int(generator.choice(4, p=self.kinds))
        ]
        front = head if width > 1.0 else head * soft(canvas.cheek, 0.25, 0.15)
        ragged = 0.02 * canvas.noise(4.0) + generator.normal() * 0.012
        width *= float(np.exp(generator.normal() * 0.25))
        cover = front * soft(width + ragged - canvas.across_head, 0.0, 0.025)
        cover = cover * soft(along, start, 0.05) * soft(end - along, 0.0, 0.05)
        return blend(color, canvas.vary(self.color, 0.04), cover)


@dataclass(frozen=True)
class Belt:
    """A band around the body between two places along it (0 the rump, 1 the breast)."""

    color: Color
    start: float
    end: float
    legs: bool = False

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        ragged = 0.03 * canvas.noise(1.5) + 0.01 * canvas.noise(6.0)
        shift = canvas.generator.normal() * 0.02
        wide = canvas.generator.normal() * 0.03
        along = canvas.along_body + ragged + shift
        cover = soft(along, self.start - wide, 0.02) * soft(self.end + wide - along, 0.0, 0.02)
        where = canvas.part("trunk", "neck", "dewlap", "udder", *(LEGS if self.legs else ()))
        if not self.legs:
            where = where + canvas.part("foreleg") * soft(canvas.leg_level("foreleg"), 2.9, 0.2)
        return blend(color, canvas.vary(self.color, 0.05), cover * where)


@dataclass(frozen=True)
class DorsalStripe:
    """A dark line along the back, as duns have."""

    color: Color
    width: float = 0.03

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        line = soft(self.width - np.abs(canvas.points[:, 0]), 0.0, 0.02) * soft(
            canvas.normals[:, 1], 0.5, 0.3
        )
        return blend(color, canvas.vary(self.color), 0.8 * line * canvas.part("trunk"))


@dataclass(frozen=True)
class HeadAndLegs:
    """Head (from a share of its length on), ears and legs up to a level in another colour."""

    color: Color
    start: float = 0.05
    top: float = 2.3
    vary: float = 0.1

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        other = canvas.vary(self.color, self.vary)
        ragged = 0.05 * canvas.noise(5.0)
        cover = canvas.part("head") * soft(canvas.along_head + ragged, self.start, 0.06)
        cover = cover + canvas.part("ear")
        for leg in LEGS:
            cover = cover + canvas.part(leg) * soft(self.top + ragged - canvas.leg_level(leg), 0.0, 0.15)
        return blend(color, other, cover)


@dataclass(frozen=True)
class MuzzleRing:
    """A pale ring about the head before the dark muzzle, as brown cattle have."""

    color: Color
    start: float = 0.74
    end: float = 0.87

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        along = canvas.along_head + 0.015 * canvas.noise(3.0)
        ring = soft(along, self.start, 0.1) * soft(self.end - along, 0.0, 0.05)
        return blend(color, canvas.vary(self.color, 0.05), 0.85 * ring * canvas.part("head"))


@dataclass(frozen=True)
class Dirt:
    """Mud splashed up from the feet; `reach` is how high it gets (object units over the toes)."""

    color: Color = (0.34, 0.27, 0.21)
    reach: float = 0.7
    strength: float = 0.8

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        height = canvas.points[:, 1] - float(canvas.landmarks["fore_toe"][1])
        top = self.reach * canvas.generator.uniform(0.3, 1.2)
        splash = canvas.noise(2.5) + 0.8 * canvas.noise(8.0) + 0.4 * canvas.noise(18.0)
        cover = soft(top - height + 0.32 * top * splash, 0.0, 0.35)
        return blend(color, canvas.vary(self.color), self.strength * cover)

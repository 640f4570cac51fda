"""Markings of dogs and sheep: saddles, tan points, masks, white trim, fleece."""

from dataclasses import dataclass

import numpy as np

from .canvas import LEGS, Canvas, Color, Colors, Values, blend, soft
from .coat import WHITE


@dataclass(frozen=True)
class Saddle:
    """A dark back that reaches down to a girth (-1 the belly, 1 the back), over tail and neck."""

    color: Color
    girth: float = 0.1
    neck: float = 1.0
    head: float = 0.0

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        dark = canvas.vary(self.color, 0.08)
        low = canvas.generator.normal(self.girth, 0.15)
        ragged = 0.12 * canvas.noise(2.0) + 0.05 * canvas.noise(8.0)
        over = soft(canvas.girth + ragged, low, 0.25)
        cover = over * (canvas.part("trunk") + self.neck * canvas.part("neck"))
        cover = cover + 0.85 * canvas.part("tail") * soft(
            canvas.normals[:, 1] + canvas.points[:, 1], -0.2, 0.6
        )
        for leg in LEGS:
            cover = cover + canvas.part(leg) * over * soft(canvas.leg_level(leg), 3.0, 0.3)
        cap = canvas.part("head", "ear") * soft(canvas.cheek + ragged, 0.2, 0.4)
        cover = cover + self.head * cap * soft(0.55 - canvas.along_head, 0.0, 0.3)
        return blend(color, dark, cover)


@dataclass(frozen=True)
class TanPoints:
    """Tan on lower legs, muzzle, cheeks, brows, chest and under the tail."""

    color: Color
    top: float = 2.0

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        tan = canvas.vary(self.color, 0.1)
        ragged = 0.1 * canvas.noise(5.0)
        along, head = canvas.along_head, canvas.part("head")
        brow = canvas.eye.along + 0.01, canvas.eye.over + 0.08
        brows = soft(0.03 - np.hypot(along - brow[0], canvas.over_head - brow[1]), 0.0, 0.03)
        muzzle = soft(along, 0.55, 0.1) * soft(0.35 + ragged - canvas.cheek, 0.0, 0.2)
        cheek = soft(along, 0.15, 0.1) * soft(-0.25 + ragged - canvas.cheek, 0.0, 0.2)
        cover = head * np.maximum(np.maximum(brows, muzzle), cheek)
        for leg in LEGS:
            top = canvas.generator.normal(self.top, 0.2) + 2.0 * ragged
            level = canvas.leg_level(leg)
            inner = soft(-canvas.normals[:, 0] * canvas.side, 0.2, 0.3)
            cover = cover + canvas.part(leg) * np.maximum(soft(top - level, 0.0, 0.4), inner)
        chest = soft(canvas.along_body, 0.88, 0.1) * soft(-0.1 + ragged - canvas.girth, 0.0, 0.2)
        chest = chest * soft(np.abs(canvas.points[:, 0]), 0.03, 0.03)
        return blend(color, tan, cover + canvas.part("trunk", "neck") * chest)


@dataclass(frozen=True)
class Mask:
    """A dark muzzle that reaches towards the eyes."""

    color: Color
    start: float = 0.55
    ears: float = 0.6

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        start = canvas.generator.normal(self.start, 0.08)
        ragged = 0.04 * canvas.noise(5.0)
        cover = canvas.part("head") * soft(canvas.along_head + ragged, start, 0.25)
        return blend(color, canvas.vary(self.color, 0.05), 0.9 * cover + self.ears * canvas.part("ear"))


@dataclass(frozen=True)
class WhiteTrim:
    """The white of collies and hounds: blaze and muzzle, collar, chest, feet and the tail's tip.

    `amount` 0 leaves a trace of it, 1 makes the whole foreparts white.
    """

    amount: float = 0.4
    color: Color = WHITE

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        generator = canvas.generator
        amount = float(np.clip(generator.normal(self.amount, 0.15), 0.0, 1.0))
        ragged = 0.06 * canvas.noise(2.5) + 0.02 * canvas.noise(8.0)
        cover = self._face(canvas, amount, ragged) + self._body(canvas, amount, ragged)
        for leg in LEGS:
            for side in (1.0, -1.0):
                top = generator.uniform(0.5, 1.2) + 2.2 * amount + (0.5 if leg == "foreleg" else -0.1)
                on_side = side * canvas.points[:, 0] > 0
                level = canvas.leg_level(leg)
                cover = cover + canvas.part(leg) * on_side * soft(top + 3.0 * ragged - level, 0.0, 0.2)
        return blend(color, canvas.vary(self.color, 0.04), cover)

    def _face(self, canvas: Canvas, amount: float, ragged: Values) -> Values:
        wide = 0.02 + 0.11 * amount * canvas.generator.uniform(0.5, 1.3)
        blaze = soft(wide + 0.5 * ragged - canvas.across_head, 0.0, 0.03) * soft(canvas.cheek, 0.1, 0.2)
        start = canvas.generator.uniform(0.72, 0.95) - 0.3 * amount
        muzzle = soft(canvas.along_head + ragged, start, 0.06)
        return canvas.part("head") * np.maximum(blaze * float(canvas.chance(0.4 + amount)), muzzle)

    def _body(self, canvas: Canvas, amount: float, ragged: Values) -> Values:
        below = soft(-0.75 + 1.1 * amount + 2.0 * ragged - canvas.girth, 0.0, 0.2)
        chest = below * soft(canvas.along_body + ragged, 0.75 - 0.5 * amount, 0.15)
        neck = canvas.landmarks["neck_1"] - canvas.landmarks["neck_base"]
        along = (canvas.points - canvas.landmarks["neck_base"]) @ neck / np.sum(neck**2)
        collar = soft(0.25 + 0.5 * amount - np.abs(along - 0.7 + ragged), 0.0, 0.1) * float(amount > 0.4)
        tip = soft(canvas.noise(0.5) * 0.05 + _along_tail(canvas), 3.2 - 1.5 * amount, 0.3)
        body = canvas.part("trunk", "neck") * np.maximum(chest, collar)
        return body + canvas.part("tail") * tip


def _along_tail(canvas: Canvas) -> Values:
    """0 at the tail's root, 4 at its tip: the number of the nearest landmark, shares between two."""
    names = ("tail_base", "tail_1", "tail_2", "tail_3", "tail_4")
    joints = np.stack([canvas.landmarks[name] for name in names]).astype(np.float32)
    distance = np.linalg.norm(canvas.points[:, None] - joints, axis=2)
    weight = np.exp(-((distance / 0.15) ** 2)) + 1e-9
    return (weight @ np.arange(5, dtype=np.float32)) / weight.sum(axis=1)


def fleece_cover(canvas: Canvas) -> Values:
    """Where a sheep has wool: trunk, neck, tail, upper legs and the crown of the head."""
    cover = canvas.part("trunk", "neck", "tail", "dewlap", "udder")
    for leg in LEGS:
        cover = cover + canvas.part(leg) * soft(canvas.leg_level(leg), 2.35, 0.2)
    return cover + canvas.part("head") * soft(0.08 - canvas.along_head, 0.0, 0.06)


@dataclass(frozen=True)
class Fleece:
    """Wool: its colour, darker in the creases, dirty below."""

    color: Color
    dirt: float = 0.12

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        generator = canvas.generator
        wool = canvas.vary(self.color, 0.06).astype(np.float32)
        dirt = generator.uniform(0.3, 1.5) * self.dirt
        light = 1.0 - dirt * soft(-canvas.girth, -0.3, 1.2) + 0.35 * dirt * canvas.noise(2.0)
        light = light + 0.025 * canvas.noise(12.0)
        stained = wool * np.stack([light**k for k in (0.85, 1.0, 1.35)], axis=1).astype(np.float32)
        return blend(color, np.maximum(stained, 0.0), fleece_cover(canvas))

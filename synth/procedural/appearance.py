"""Coats: linear albedo for every vertex from smooth functions of its place on the mean animal."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.ops.srgb import srgb_to_linear

from .anatomy import CoatPalette, Species
from .quadruped import Individual, body_parts

LEGS = ("foreleg", "hindleg")
WHITE = (0.86, 0.83, 0.77)
PINK = (0.74, 0.56, 0.50)
EYE = (0.035, 0.025, 0.02)
HOOVES = ((0.13, 0.11, 0.10), (0.46, 0.39, 0.30))
COVER_SCALES = (0.8, 1.7)
"""Frequencies (cycles per object unit) of the noise that draws patches: one size of patch each."""


@dataclass(frozen=True)
class CoatContext:
    """What the painters of one individual share: places, body parts and a source of randomness."""

    species: Species
    points: Float[np.ndarray, "vertices 3"]
    normals: Float[np.ndarray, "vertices 3"]
    membership: Float[np.ndarray, "vertices parts"]
    generator: np.random.Generator

    def part(self, *names: str) -> Float[np.ndarray, " vertices"]:
        """The share of these body parts in each vertex."""
        parts = body_parts(self.species)
        return self.membership[:, [parts.index(name) for name in names if name in parts]].sum(axis=1)


def smooth_noise(
    points: Float[np.ndarray, "points 3"],
    frequency: float,
    generator: np.random.Generator,
    *,
    waves: int = 24,
) -> Float[np.ndarray, " points"]:
    """A random function of place with unit variance: a sum of plane waves about one frequency."""
    directions = generator.normal(size=(3, waves))
    directions *= frequency * generator.uniform(0.6, 1.4, waves) / np.linalg.norm(directions, axis=0)
    phases = generator.uniform(0, 2 * np.pi, waves)
    return np.sqrt(2.0 / waves) * np.cos(2 * np.pi * points @ directions + phases).sum(axis=1)


def random_coat(
    species: Species,
    individual: Individual,
    *,
    normals: Float[Tensor, "vertices 3"],
    generator: np.random.Generator,
) -> Float[Tensor, "vertices 3"]:
    """Linear RGB albedo for every vertex of an individual, drawn from its species' coats."""
    shares = np.array([palette.share for palette in species.coats])
    palette = species.coats[int(generator.choice(len(shares), p=shares / shares.sum()))]
    context = CoatContext(
        species,
        individual.canonical.numpy().astype(float),
        normals.numpy().astype(float),
        individual.membership.numpy().astype(float),
        generator,
    )
    color = _ground_color(context, palette)
    color = _points(context, palette, color)
    color = _patches(context, palette, color)
    color = _spots(context, palette, color)
    color = _white_legs(context, palette, color)
    color = _white_face(context, palette, color)
    color = _bare_skin(context, palette, color)
    color *= 1.0 + 0.05 * smooth_noise(context.points, 2.5, generator)[:, None]
    return srgb_to_linear(torch.tensor(np.clip(color, 0.02, 0.92), dtype=torch.float32))


def _blend(color: np.ndarray, other: tuple[float, ...] | np.ndarray, share: np.ndarray) -> np.ndarray:
    return color + np.clip(share, 0.0, 1.0)[:, None] * (np.asarray(other) - color)


def _soft(value: np.ndarray, edge: float, width: float) -> np.ndarray:
    """0 where `value` is below `edge`, 1 above, over `width`."""
    return np.clip((value - edge) / width + 0.5, 0.0, 1.0)


def _varied(
    color: tuple[float, float, float], generator: np.random.Generator, amount: float = 0.12
) -> np.ndarray:
    """A colour of the same kind: a little lighter or darker, a little warmer or colder."""
    return np.array(color) * np.exp(generator.normal() * amount + generator.normal(size=3) * amount / 8)


def _ground_color(context: CoatContext, palette: CoatPalette) -> np.ndarray:
    """The body's colour, shaded from back to belly."""
    generator = context.generator
    color = np.tile(_varied(palette.body, generator), (len(context.points), 1))
    shading = generator.normal(palette.countershading, 0.06)
    below = np.clip(-context.normals[:, 1], -1.0, 1.0) * context.part("trunk", "neck", "udder", "dewlap")
    color *= 1.0 + shading * below[:, None]
    return color * (1.0 + 0.08 * smooth_noise(context.points, 0.7, generator)[:, None])


def _points(context: CoatContext, palette: CoatPalette, color: np.ndarray) -> np.ndarray:
    """Mane, tail, lower legs and ear tips in their own colours."""
    generator = context.generator
    height = context.points[:, 1]
    if palette.points is not None:
        points = _varied(palette.points, generator)
        top = generator.normal(-0.62, 0.12)
        color = _blend(color, points, context.part(*LEGS) * _soft(-height, -top, 0.35))
        color = _blend(color, points, 0.8 * context.part("ear"))
        color = _blend(color, points, 0.7 * context.part("head") * _soft(_along_head(context), 0.8, 0.3))
    if palette.hair is not None:
        hair = _varied(palette.hair, generator)
        streaks = 1.0 + 0.12 * smooth_noise(context.points * [3.0, 0.6, 3.0], 1.5, generator)
        color = _blend(color, hair * streaks[:, None], _hair_cover(context))
    return color


def _hair_cover(context: CoatContext) -> np.ndarray:
    """Where long hair lies: mane, tail, a forelock, and the side of the neck on which the mane falls."""
    generator = context.generator
    cover = context.part("mane") + context.part("tail")
    if "mane" not in body_parts(context.species):
        return context.part("tail") * _soft(-context.points[:, 1], context.species.tuft_height, 0.2)
    side = 1.0 if generator.random() < 0.5 else -1.0
    length = generator.uniform(0.0, 0.30)
    crest = _crest_distance(context)
    ragged = 0.05 * smooth_noise(context.points, 3.0, generator)
    fallen = _soft(length + ragged - crest, 0.0, 0.05) * _soft(side * context.points[:, 0], 0.02, 0.03)
    return np.maximum(cover, fallen * context.part("neck", "mane"))


def _crest_distance(context: CoatContext) -> np.ndarray:
    """Distance (object units) below the mean animal's crest, within the sagittal plane."""
    crest = context.points[context.part("mane") > 0.6]
    order = np.argsort(crest[:, 2])
    along = np.stack([crest[order, 2], crest[order, 1]])
    start, end = along[:, 0], along[:, -1]
    direction = (end - start) / np.linalg.norm(end - start)
    offset = context.points[:, [2, 1]] - start
    return np.maximum(0.0, -(direction[0] * offset[:, 1] - direction[1] * offset[:, 0]))


def _patches(context: CoatContext, palette: CoatPalette, color: np.ndarray) -> np.ndarray:
    """Large patches with sharp borders, more of them on the flanks."""
    generator = context.generator
    if generator.random() >= palette.patch_share:
        return color
    scale = float(generator.choice(COVER_SCALES))
    value = smooth_noise(context.points * [1.0, 0.8, 1.0], scale * generator.uniform(0.6, 1.1), generator)
    value += 0.25 * smooth_noise(context.points, 3.0, generator)
    cover = _soft(value, generator.normal(palette.patch_level, 0.35), 0.12)
    keep = context.part("tail", "mane") * float(generator.random() < 0.5)
    patched = _blend(color, _varied(palette.patch, generator, 0.04), cover * (1.0 - keep))
    if palette.white_below:
        patched = _blend(
            patched, _varied(palette.patch, generator, 0.04), _soft(-context.points[:, 1], 0.45, 0.3)
        )
    return patched


def _spots(context: CoatContext, palette: CoatPalette, color: np.ndarray) -> np.ndarray:
    """Dapples or small spots."""
    generator = context.generator
    if generator.random() >= palette.spot_share:
        return color
    value = smooth_noise(context.points, generator.uniform(1.8, 3.0), generator, waves=40)
    strength = generator.uniform(0.1, 0.35)
    where = context.part("trunk", "hindleg", "foreleg", "neck") * _soft(context.points[:, 1], -0.5, 0.4)
    light = 1.0 + strength * (2.0 * _soft(value, 0.4, 0.8) - 0.6) * where
    return color * light[:, None]


def _white_legs(context: CoatContext, palette: CoatPalette, color: np.ndarray) -> np.ndarray:
    """Socks and stockings, each leg by its own chance; then the hooves."""
    generator, height = context.generator, context.points[:, 1]
    white = _varied(WHITE, generator, 0.04)
    pale_hoof = np.zeros(len(height))
    inclined = generator.random() < 0.6
    for part in LEGS:
        for side in (1.0, -1.0):
            leg = context.part(part) * (side * context.points[:, 0] > 0)
            if inclined and generator.random() < palette.sock_share:
                top = float(generator.choice([-1.28, -1.1, -0.85, -0.7], p=[0.3, 0.35, 0.25, 0.1]))
                color = _blend(color, white, leg * _soft(top - height, 0.0, 0.08))
                pale_hoof += leg
    hoof = _soft(-1.385 - height, 0.0, 0.03) * context.part(*LEGS)
    color = _blend(color, HOOVES[0], hoof)
    return _blend(color, HOOVES[1], hoof * pale_hoof)


def _along_head(context: CoatContext) -> np.ndarray:
    """0 at the poll, 1 at the tip of the muzzle."""
    poll, muzzle = (np.array(context.species.landmarks[name]) for name in ("poll", "muzzle"))
    return (context.points - poll) @ (muzzle - poll) / np.sum((muzzle - poll) ** 2)


def _forehead(context: CoatContext) -> np.ndarray:
    """Height (object units) over the line from poll to muzzle, towards the forehead."""
    poll, muzzle = (np.array(context.species.landmarks[name]) for name in ("poll", "muzzle"))
    forward = (muzzle - poll) / np.linalg.norm(muzzle - poll)
    return (context.points - poll) @ np.array([0.0, forward[2], -forward[1]])


def _white_face(context: CoatContext, palette: CoatPalette, color: np.ndarray) -> np.ndarray:
    """A star, a stripe, a blaze or a white face."""
    generator = context.generator
    if generator.random() >= palette.face_share:
        return color
    along, lateral = _along_head(context), np.abs(context.points[:, 0])
    front = _soft(_forehead(context), 0.0, 0.04) * context.part("head")
    start, end, width = {
        0: (0.12, 0.32, 0.05),
        1: (0.1, 0.85, 0.03),
        2: (0.08, 1.1, 0.065),
        3: (-0.3, 1.2, 0.3),
    }[int(generator.choice(4, p=palette.face_kinds))]
    if width > 0.2:
        front = context.part("head") + 0.0 * front
    width *= float(np.exp(generator.normal() * 0.2))
    cover = (
        front * _soft(width - lateral, 0.0, 0.03) * _soft(along, start, 0.05) * _soft(end - along, 0.0, 0.05)
    )
    return _blend(color, _varied(WHITE, generator, 0.04), cover)


def _bare_skin(context: CoatContext, palette: CoatPalette, color: np.ndarray) -> np.ndarray:
    """Muzzle, nostrils, eyes, horns and udder."""
    generator = context.generator
    along, height, lateral = _along_head(context), _forehead(context), np.abs(context.points[:, 0])
    head = context.part("head")
    pink = generator.random() < palette.pink_share
    muzzle = np.array(PINK if pink else palette.muzzle)
    color = _blend(color, muzzle, 0.75 * head * _soft(along, palette.muzzle_start, 0.08))
    marks = context.species.face_marks
    for (at, up), radius, shade in ((marks.nostril, 0.04, muzzle * 0.35), (marks.eye, 0.045, np.array(EYE))):
        length = np.linalg.norm(
            np.array(context.species.landmarks["muzzle"]) - np.array(context.species.landmarks["poll"])
        )
        distance = np.hypot((along - at) * length, height - up)
        color = _blend(color, shade, head * _soft(radius - distance, 0.0, 0.02) * _soft(lateral, 0.05, 0.03))
    color = _blend(color, _varied(palette.horn, generator), context.part("horn"))
    return _blend(color, PINK, 0.8 * context.part("udder"))

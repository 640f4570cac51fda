"""What every animal has: eyes, nostrils, a mouth, hooves or claws, ears, horns; as colour and as relief."""

import numpy as np

from .canvas import LEGS, Canvas, Colors, FacePlace, Values, blend, soft
from .coat import PINK, Skin

LID = 1.45
"""The lid's radius in radii of the eye."""

HIGHLIGHT = (0.95, 0.95, 0.93)
HOOF_TOP = 0.36
"""The leg's level at the hoof's upper edge."""


def paint_details(canvas: Canvas, skin: Skin, color: Colors) -> Colors:
    """Muzzle, mouth, nostrils, eyes, inner ears, hooves, horns and udder over a coat."""
    muzzle = np.array(PINK if canvas.chance(skin.pink_share) else skin.muzzle)
    color = _muzzle(canvas, skin, color, muzzle=muzzle)
    color = _eyes(canvas, skin, color)
    inside = canvas.part("ear") * soft(canvas.normals[:, 2], 0.35, 0.4)
    color = blend(color, skin.inner_ear, 0.45 * inside)
    color = _feet(canvas, skin, color)
    horn = canvas.part("horn")
    base = canvas.landmarks.get("horn_base")
    if base is not None:
        far = np.linalg.norm(canvas.points - base.astype(np.float32), axis=1)
        tip = np.linalg.norm(canvas.landmarks["horn_tip"] - base)
        color = blend(color, canvas.vary(skin.horn), horn)
        color = blend(color, canvas.vary(skin.horn_tip), horn * soft(far / tip, 0.85, 0.4))
    return blend(color, canvas.vary(skin.udder, 0.06), 0.8 * canvas.part("udder"))


def face_cover(canvas: Canvas) -> Values:
    """The head, up to where the neck, the ears and the horns take over."""
    return soft(canvas.part("head"), 0.45, 0.3)


def detail_height(canvas: Canvas, skin: Skin) -> Values:
    """Relief (object units): domed eyes in sunken lids, pits for nostrils, a groove for the mouth."""
    head, length = face_cover(canvas), canvas.head_length
    eye = canvas.face_distance(canvas.eye) / canvas.eye.radius
    height = 0.4 * canvas.eye.radius * np.sqrt(np.clip(1.0 - eye**2, 0.0, None))
    height = height - 0.12 * canvas.eye.radius * np.exp(-(((eye - LID) / 0.35) ** 2))
    height = height - 0.5 * canvas.nostril.radius * soft(1.2 - _nostril(canvas, skin), 0.0, 0.8)
    return (head * length * (height - 0.006 * _mouth(canvas))).astype(np.float32)


def _muzzle(canvas: Canvas, skin: Skin, color: Colors, *, muzzle: np.ndarray) -> Colors:
    along, head = canvas.along_head, face_cover(canvas)
    color = blend(color, muzzle, skin.muzzle_strength * head * soft(along, skin.muzzle_start, 0.08))
    color = blend(color, muzzle * 0.35, 0.75 * head * _mouth(canvas))
    if skin.nose is not None:
        pad = soft(along, 0.955, 0.025) * soft(canvas.cheek, 0.05, 0.2)
        color = blend(color, np.array(skin.nose), head * pad)
        shine = soft(0.03 - np.hypot(along - 0.985, canvas.across_head - 0.02), 0.0, 0.015) * soft(
            canvas.cheek, 0.6, 0.2
        )
        color = blend(color, (0.55, 0.55, 0.56), 0.6 * head * shine)
        muzzle = np.array(skin.nose)
    return blend(color, muzzle * 0.3, head * soft(1.0 - _nostril(canvas, skin), 0.0, 0.35))


def _nostril(canvas: Canvas, skin: Skin) -> Values:
    """Distance from the nostrils in their radii, on the muzzle's sides or, of a snout, in its front."""
    front = canvas.points[(canvas.along_head > 0.9) & (canvas.part("head") > 0.5), 0]
    half = float(np.abs(front).max()) / canvas.head_length if len(front) else 0.1
    if skin.snout:
        place = np.hypot(canvas.across_head - 0.36 * half, 0.7 * (canvas.over_head - canvas.nostril.over))
        behind = np.maximum(0.97 - canvas.along_head, 0.0)
    else:
        place = canvas.face_distance(canvas.nostril)
        behind = 3.0 * np.maximum(0.4 * half - canvas.across_head, 0.0)
    return np.hypot(place, behind) / canvas.nostril.radius


def _mouth(canvas: Canvas) -> Values:
    """A line from the corner of the mouth around the muzzle, a third of its depth above the chin."""
    along = canvas.along_head
    line = np.exp(-(((canvas.cheek + 0.42 + 0.25 * soft(0.9 - along, 0.0, 0.3)) / 0.085) ** 2))
    return line * soft(along, 0.73, 0.06) * face_cover(canvas)


def _eyes(canvas: Canvas, skin: Skin, color: Colors) -> Colors:
    head, place = face_cover(canvas), canvas.eye
    distance = canvas.face_distance(place) / place.radius
    lid = np.array([0.10, 0.085, 0.08])
    color = blend(color, lid, 0.6 * head * soft(LID - distance, 0.0, 0.5))
    color = blend(color, canvas.vary(skin.eye), head * soft(1.0 - distance, 0.0, 0.3))
    color = blend(color, (0.03, 0.025, 0.025), head * soft(0.55 - distance, 0.0, 0.2))
    spark = FacePlace(place.along - 0.15 * place.radius, place.over + 0.4 * place.radius, 0.34 * place.radius)
    spot = soft(1.0 - canvas.face_distance(spark) / spark.radius, 0.0, 0.6)
    return blend(color, HIGHLIGHT, 0.9 * head * spot)


def _feet(canvas: Canvas, skin: Skin, color: Colors) -> Colors:
    """Hooves, pale ones under white feet; claws at the toes of animals without."""
    for leg in LEGS:
        level, share = canvas.leg_level(leg), canvas.part(leg)
        if skin.hooves is None:
            toe = canvas.landmarks["fore_toe" if leg == "foreleg" else "hind_toe"]
            front = soft(canvas.points[:, 2], float(toe[2]) + 0.03, 0.02)
            claws = soft(np.cos(2 * np.pi * 4.0 * (np.abs(canvas.points[:, 0]) - toe[0]) / 0.16), 0.3, 0.5)
            color = blend(
                color, (0.12, 0.10, 0.09), 0.8 * share * front * claws * soft(0.45 - level, 0.0, 0.2)
            )
            continue
        band = share * soft(HOOF_TOP + 0.25 - level, 0.0, 0.15) * soft(level, HOOF_TOP, 0.05)
        pale = float((color.mean(axis=1) * band).sum() / max(float(band.sum()), 1e-6)) > 0.6
        shade = np.array(skin.hooves) if not pale else np.array([0.46, 0.39, 0.30])
        rings = 1.0 + 0.08 * np.cos(2 * np.pi * 9.0 * level)
        hoof = share * soft(HOOF_TOP - level, 0.0, 0.12)
        color = blend(color, shade.astype(np.float32) * rings[:, None], hoof)
    return color

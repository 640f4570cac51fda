"""Gaits: when each foot touches down and lifts, and what trunk, legs and neck do meanwhile.

Footfall and duty factors after Hildebrand, "Symmetrical gaits of horses", Science 150 (1965), "Analysis of
tetrapod gaits" (1976) and "Analysis of asymmetrical gaits", J. Mammalogy 58 (1977), and Muybridge, "Animals
in Motion" (1899). Walks are lateral sequences: the fore foot follows the hind foot of its side by about a
quarter of the stride, by less in giraffes (Dagg & de Vos 1968; Basu, Wilson & Hutchinson 2019), whose walk
comes near a pace. Which species gallop with opposed leads: Biancardi & Minetti, J. Exp. Biol. 215 (2012).
"""

import math
from dataclasses import dataclass

from .anatomy import Manners
from .footing import LEGS, Angles, Footing, Plan, leg_height
from .rig import Rig


@dataclass(frozen=True)
class Gait:
    """A stride; times are shares of it.

    `touchdowns` follow LEGS; `duty` is how long a foot stands. `step` is how far the body passes over a
    standing foot, `clearance` how high feet rise (lengths of the leg). `folds` (radians) are how far carpus
    and hock bend in the air. `beats` a stride the trunk rises by `bounce` (lengths of the leg), `pitch`
    (radians) rocks it, `back` bends it; `leap` is when it is highest.
    """

    touchdowns: tuple[float, float, float, float]
    duty: float
    step: float
    clearance: tuple[float, float]
    folds: tuple[float, float]
    beats: int = 2
    bounce: float = 0.01
    leap: float = 0.0
    pitch: float = 0.0
    back: float = 0.0


def walk(manners: Manners) -> Gait:
    """The lateral-sequence walk: left hind, left fore, right hind, right fore; two or three feet stand."""
    lag = manners.walk_lag
    touchdowns = (lag, (lag + 0.5) % 1.0, 0.0, 0.5)
    return Gait(touchdowns, 0.63, 0.66, (0.075, 0.06), (0.85, 0.5), bounce=0.008, leap=0.2)


def trot(manners: Manners) -> Gait:
    """The running trot: diagonal feet together, the animal off the ground between them."""
    return Gait(
        (0.5, 0.0, 0.0, 0.5), 0.42, 0.70, (0.16, 0.13), (1.35, 0.9), bounce=0.022, leap=0.46, pitch=0.0
    )


def canter(manners: Manners) -> Gait:
    """The canter on the right lead: left hind, right hind with left fore, right fore, and off the ground."""
    return Gait(
        (0.29, 0.55, 0.0, 0.27), 0.36, 0.74, (0.22, 0.16), (1.5, 1.0), beats=1, bounce=0.025,
        leap=0.95, pitch=0.08, back=0.7 * manners.back,
    )  # fmt: skip


def gallop(manners: Manners) -> Gait:
    """The gallop: hind feet, fore feet, and off the ground gathered.

    Transverse on the right lead (left hind, right hind, left fore, right fore), or rotary, with the leads of
    fore and hind feet opposed.
    """
    fore = (0.53, 0.42) if manners.rotary else (0.36, 0.50)
    return Gait(
        (*fore, 0.0, 0.12), manners.gallop_duty, 0.82, (0.30, 0.22), (1.8, 1.2), beats=1, bounce=0.03,
        leap=0.5 * (max(fore) + manners.gallop_duty + 1.0), pitch=0.10, back=manners.back,
    )  # fmt: skip


def stride(rig: Rig, gait: Gait, moment: float, *, energy: float = 1.0, nod: float = 0.0) -> Plan:
    """The plan at a moment (shares of the stride) of a gait; `energy` scales how far and high feet go.

    Standing feet move back with the ground, at one speed from touchdown to lift-off.
    """
    size = leg_height(rig)
    feet = [
        _foot(gait, LEGS[k], moment - touchdown, size=size, energy=energy)
        for k, touchdown in enumerate(gait.touchdowns)
    ]
    rise = gait.bounce * math.cos(2.0 * math.pi * gait.beats * (moment - gait.leap))
    angles = _trunk(gait, moment, energy) | _neck(gait, moment, nod * energy)
    return Plan(tuple(feet), angles, sink=size * (0.025 * gait.step - rise * energy))


def stands(gait: Gait, leg: str, moment: float) -> bool:
    """Whether a foot is on the ground."""
    return (moment - gait.touchdowns[LEGS.index(leg)]) % 1.0 < gait.duty


def _foot(gait: Gait, leg: str, since: float, *, size: float, energy: float) -> Footing:
    """A foot some time after it touched down."""
    at, step = since % 1.0, gait.step * energy * size
    fore = leg.endswith("fore")
    middle = (0.04 if fore else 0.02) * size
    if at < gait.duty:
        passed = at / gait.duty
        heel = 0.6 * max(0.0, (passed - 0.75) / 0.25) ** 2
        return Footing(middle + step * (0.5 - passed), tilt=heel * min(1.0, gait.step))
    air = (at - gait.duty) / (1.0 - gait.duty)
    clearance, fold = (gait.clearance[0], gait.folds[0]) if fore else (gait.clearance[1], gait.folds[1])
    bent = math.sin(math.pi * air ** (0.8 if fore else 0.85))
    # Feet are carried a little too far forward and come back to meet the ground.
    way = 0.5 - 0.5 * math.cos(math.pi * min(1.0, 1.12 * air)) + 0.06 * math.sin(math.pi * air) ** 3
    tilt = 0.6 * min(1.0, gait.step) * max(0.0, 1.0 - 3.0 * air) + 0.9 * fold * bent * (1.0 - 0.8 * air)
    return Footing(
        middle + step * (way - 0.5),
        height=clearance * energy * size * bent**1.4,
        tilt=tilt,
        flexions=_fore_fold(fold * energy * bent) if fore else _hind_fold(fold * energy * bent),
        bears=False,
    )


def _fore_fold(fold: float) -> tuple[float, ...]:
    """The posture that a lifted fore leg likes: the elbow raises the forearm, the carpus folds."""
    return (-0.1 * fold, 0.1 * fold, -0.45 * fold, fold, 0.4 * fold)


def _hind_fold(fold: float) -> tuple[float, ...]:
    """The posture that a lifted hind leg likes: stifle and hock fold together, as a horse's must."""
    return (-0.45 * fold, 0.8 * fold, -0.9 * fold, 0.5 * fold)


def _trunk(gait: Gait, moment: float, energy: float) -> Angles:
    """The forehand is high and the back rounded as the hind feet touch down."""
    hind = 0.5 * (gait.touchdowns[2] + gait.touchdowns[3]) if gait.beats == 1 else 0.0
    wave = math.cos(2.0 * math.pi * (moment - hind + 0.04)) * energy
    rock, bend = gait.pitch * wave, gait.back * wave
    # A walk bends the trunk to the side of the hind foot that stands back.
    sway = 0.05 * math.cos(2.0 * math.pi * (moment - gait.touchdowns[2])) if gait.beats == 2 else 0.0
    return {
        "thorax": (-rock + 0.5 * bend, 0.0, 0.0),
        "chest": (0.4 * rock, 0.0, 0.0),
        "loin": (-0.9 * bend + 0.3 * rock, 0.5 * sway, 0.0),
        "pelvis": (-0.9 * bend + 0.3 * rock, sway, 0.0),
    }


def _neck(gait: Gait, moment: float, nod: float) -> Angles:
    """The neck falls as the fore feet bear and is raised against the forehand's rocking."""
    fore = 0.5 * (gait.touchdowns[0] + gait.touchdowns[1]) if gait.beats == 1 else gait.touchdowns[0]
    down = nod * math.cos(2.0 * math.pi * gait.beats * (moment - fore - 0.5 * gait.duty))
    return {"neck_1": (down, 0.0, 0.0), "neck_2": (0.5 * down, 0.0, 0.0), "head": (-0.8 * down, 0.0, 0.0)}

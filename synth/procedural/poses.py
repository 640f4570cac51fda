"""Poses of quadrupeds: gait cycles, standing, grazing, and the small differences between any two moments.

Footfalls and phases after Hildebrand, "The Quadrupedal Gaits of Vertebrates" (1989), and Muybridge,
"Animals in Motion" (1899). All angles are radians about the lateral axis: positive turns a bone's free
end down and back (neck down, tail up, leg back), so that a carpus bends with positive angles, an elbow
and a hock with negative ones.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.skeleton import Skeleton

from .anatomy import Species

Angles = dict[str, tuple[float, float, float]]
LEGS = ("left_fore", "right_fore", "left_hind", "right_hind")


@dataclass(frozen=True)
class Pose:
    """Joint angles (radians) of the farm's skeleton.

    `lift` is how high (object units) the lowest foot is over the ground, `height` how high the middle of the
    body.
    """

    gait: str
    joint_angles: Float[Tensor, "bones 3"]
    lift: float
    height: float


@dataclass(frozen=True)
class Gait:
    """A stride: when each leg touches down, how far it swings and how much its joints fold.

    `phases` follow LEGS, in strides; `duty` is the share of the stride that a foot spends on the
    ground; swings and folds are in radians.
    """

    phases: tuple[float, float, float, float]
    duty: float
    fore_swing: float
    hind_swing: float
    fore_fold: float
    hind_fold: float
    pitch: float = 0.0


WALK = Gait((0.25, 0.75, 0.0, 0.5), 0.62, 0.30, 0.30, 0.75, 0.5)
TROT = Gait((0.5, 0.0, 0.0, 0.5), 0.42, 0.42, 0.42, 1.2, 0.85)
CANTER = Gait((0.45, 0.7, 0.25, 0.05), 0.33, 0.55, 0.55, 1.4, 0.95, pitch=0.07)
GALLOP = Gait((0.5, 0.62, 0.12, 0.0), 0.24, 0.72, 0.72, 1.7, 1.1, pitch=0.09)


def random_pose(species: Species, skeleton: Skeleton, generator: np.random.Generator) -> Pose:
    """A pose as photographs show them: mostly on the move or standing alert, some grazing."""
    makers: dict[str, Callable[[], Angles]] = {
        "stand": lambda: _stand(generator),
        "walk": lambda: _stride(WALK, generator),
        "trot": lambda: _stride(TROT, generator),
        "canter": lambda: _stride(CANTER, generator),
        "gallop": lambda: _stride(GALLOP, generator),
        "graze": lambda: _graze(species, generator),
    }
    shares = [species.manners.gaits[name] for name in makers]
    name = list(makers)[int(generator.choice(len(shares), p=shares))]
    angles = makers[name]()
    lively = name in ("trot", "canter", "gallop")
    if name != "graze":
        _carry_head(angles, generator, lively=lively)
    _swing_tail(angles, generator, raised_chance=species.manners.raised_tail[0 if lively else 1])
    lift = float(generator.uniform(0.0, 0.15)) if name in ("canter", "gallop") else 0.0
    return Pose(name, _within_limits(skeleton, angles, generator), lift, 1.2)


def _stride(gait: Gait, generator: np.random.Generator) -> Angles:
    """A gait at a random moment of its cycle, with a random length of stride."""
    moment = float(generator.random())
    energy = float(generator.uniform(0.7, 1.15))
    angles: Angles = {}
    for leg, phase in zip(LEGS, gait.phases, strict=True):
        at = (moment - phase + float(generator.normal()) * 0.02) % 1.0
        if leg.endswith("fore"):
            _fore_leg(angles, leg.removesuffix("fore"), gait, at=at, energy=energy)
        else:
            _hind_leg(angles, leg.removesuffix("hind"), gait, at=at, energy=energy)
    rock = gait.pitch * math.sin(2 * math.pi * moment) * energy
    gather = gait.pitch * math.cos(2 * math.pi * moment) * 1.4 * energy
    angles["thorax"] = (rock, 0.0, 0.0)
    angles["loin"] = (gather, 0.0, 0.0)
    angles["pelvis"] = (gather, 0.0, 0.0)
    return angles


def _leg_cycle(at: float, duty: float) -> tuple[float, float]:
    """Swing in [-1 (forward), 1 (back)] and fold in [0, 1] of a leg at a moment of its own cycle.

    The foot touches down in front at 0, moves back until `duty`, and returns through the air.
    """
    if at < duty:
        return -math.cos(math.pi * at / duty), 0.0
    air = (at - duty) / (1.0 - duty)
    return math.cos(math.pi * air), math.sin(math.pi * min(1.0, air * 1.12)) ** 1.2


def _fore_leg(angles: Angles, side: str, gait: Gait, *, at: float, energy: float) -> None:
    swing, fold = _leg_cycle(at, gait.duty)
    swing = (swing - 0.1) * gait.fore_swing * energy
    fold *= gait.fore_fold * energy
    stance = 1.0 if at < gait.duty else 0.0
    angles[side + "scapula"] = (0.3 * swing, 0.0, 0.0)
    angles[side + "upper_arm"] = (0.45 * swing, 0.0, 0.0)
    angles[side + "forearm"] = (0.35 * swing - 0.5 * fold, 0.0, 0.0)
    angles[side + "fore_cannon"] = (1.05 * fold, 0.0, 0.0)
    angles[side + "fore_pastern"] = (0.7 * fold - 0.15 * stance + 0.25 * max(0.0, swing), 0.0, 0.0)


def _hind_leg(angles: Angles, side: str, gait: Gait, *, at: float, energy: float) -> None:
    swing, fold = _leg_cycle(at, gait.duty)
    swing = (swing + 0.05) * gait.hind_swing * energy
    fold *= gait.hind_fold * energy
    stance = 1.0 if at < gait.duty else 0.0
    angles[side + "thigh"] = (0.85 * swing - 0.55 * fold, 0.0, 0.0)
    # Stifle and hock fold together: the horse's reciprocal apparatus.
    angles[side + "gaskin"] = (0.15 * swing + 0.85 * fold, 0.0, 0.0)
    angles[side + "hind_cannon"] = (0.15 * max(0.0, swing) - 0.95 * fold, 0.0, 0.0)
    angles[side + "hind_pastern"] = (0.9 * fold - 0.15 * stance, 0.0, 0.0)


def _stand(generator: np.random.Generator) -> Angles:
    """Standing square, camped, with legs apart, or resting a hind leg."""
    angles: Angles = {}
    for side in ("left_", "right_"):
        step = float(generator.normal()) * 0.10
        angles[side + "scapula"] = (0.2 * step, 0.0, 0.0)
        angles[side + "upper_arm"] = (0.3 * step, 0.0, 0.0)
        angles[side + "forearm"] = (0.5 * step, 0.0, 0.0)
        step = float(generator.normal()) * 0.13
        angles[side + "thigh"] = (step, 0.0, 0.0)
        angles[side + "gaskin"] = (0.1 * step, 0.0, 0.0)
    if generator.random() < 0.25:
        side = "left_" if generator.random() < 0.5 else "right_"
        angles[side + "thigh"] = (-0.2, 0.0, 0.0)
        angles[side + "gaskin"] = (0.33, 0.0, 0.0)
        angles[side + "hind_cannon"] = (-0.3, 0.0, 0.0)
        angles[side + "hind_pastern"] = (0.65, 0.0, 0.0)
    return angles


def _graze(species: Species, generator: np.random.Generator) -> Angles:
    """Head to the ground (or half-way), one foreleg stepped forward."""
    angles = _stand(generator)
    reach = float(generator.uniform(0.75, 1.0))
    for bone, angle in zip(("chest", "neck_1", "neck_2", "neck_3", "head"), species.graze, strict=True):
        angles[bone] = (angle * reach, float(generator.normal()) * 0.06, 0.0)
    stepping, other = ("left_", "right_") if generator.random() < 0.5 else ("right_", "left_")
    stride = float(generator.uniform(0.1, 0.4))
    for side, sign in ((stepping, -1.0), (other, 0.7)):
        angles[side + "scapula"] = (0.3 * sign * stride, 0.0, 0.0)
        angles[side + "upper_arm"] = (0.4 * sign * stride, 0.0, 0.0)
        angles[side + "forearm"] = (0.5 * sign * stride, 0.0, 0.0)
    angles["thorax"] = (0.06 * reach, 0.0, 0.0)
    return angles


def _carry_head(angles: Angles, generator: np.random.Generator, *, lively: bool) -> None:
    """Neck and head between lowered and raised, turned a little to either side, now and then a lot."""
    lift = float(generator.normal(0.08 if lively else 0.0, 0.16))
    if not lively and generator.random() < 0.15:
        lift -= float(generator.uniform(0.3, 0.7))
    turn = float(generator.normal()) * (0.28 if generator.random() < 0.25 else 0.06)
    nod = float(generator.normal()) * 0.14
    for bone, share in (("neck_1", 1.0), ("neck_2", 0.8), ("neck_3", 0.4)):
        angles[bone] = (-lift * share, turn * share, 0.0)
    angles["head"] = (lift * 1.4 + nod, turn * 0.8, 0.0)


def _swing_tail(angles: Angles, generator: np.random.Generator, *, raised_chance: float) -> None:
    """A hanging tail, or one that is carried high and streams behind."""
    raised = generator.random() < raised_chance
    lift = float(generator.uniform(0.4, 1.15) if raised else generator.normal(-0.1, 0.1))
    side = float(generator.normal()) * 0.14
    angles["tail_1"] = (lift, side, 0.0)
    for bone, share in (("tail_2", 0.15), ("tail_3", -0.2), ("tail_4", -0.35)):
        bend = lift * share if raised else lift * 0.3
        angles[bone] = (bend + float(generator.normal()) * 0.08, side, 0.0)


def _within_limits(skeleton: Skeleton, angles: Angles, generator: np.random.Generator) -> Tensor:
    """The angles with a little noise in every joint, held within the skeleton's limits."""
    noise = generator.normal(size=(len(skeleton.names), 3)) * np.array([0.03, 0.015, 0.015])
    table = np.array([angles.get(name, (0.0, 0.0, 0.0)) for name in skeleton.names]) + noise
    limits = skeleton.angle_limits
    return torch.minimum(torch.maximum(torch.tensor(table, dtype=torch.float32), -limits), limits)

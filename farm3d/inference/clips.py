"""Looping clips for the estimated quadruped skeleton: a walk and an idle stand.

Feet follow paths over the ground and the legs reach for them by inverse kinematics, so the clips fit an
animal of any proportions. Source of the gait: Hildebrand 1965, "Symmetrical gaits of horses" (lateral
sequence walk); own derivation of the leg's inverse kinematics, docstring of `_leg_flexion`.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.errors import InputError
from farm3d.geometry.clip import Clip
from farm3d.geometry.skeleton import Skeleton, bone_frames
from farm3d.geometry.skeleton_estimation import LEG_NAMES

KEYS_PER_SECOND = 30
WALK_SECONDS = 1.1
IDLE_SECONDS = 4.0

DUTY_FACTOR = 0.65
"""Fraction of the cycle that a foot is on the ground."""

TOUCHDOWN = {"hind_left": 0.0, "fore_left": 0.25, "hind_right": 0.5, "fore_right": 0.75}
"""When in the cycle each foot lands: the lateral sequence, hind foot before the fore foot of its side."""

STANCE_REACH = 0.25
"""How far before and behind its rest place a foot is on the ground, as a fraction of the shortest leg."""

LIFT = {"fore": 0.07, "hind": 0.06}
"""Height of the swing's arc as a fraction of the leg."""

FOLD = 0.25
"""In mid-swing, how far the leg folds at the foot bone (1) rather than above it (0)."""

STRAIGHTEST = 0.997
"""The greatest reach as a fraction of the leg's length: fully stretched legs would snap."""

Keys = Float[Tensor, " keys"]


@dataclass(frozen=True)
class _Leg:
    """A leg's three bones from the body to the foot, straight at rest, and the plane that they flex in.

    `plane` has the y and z of the leg's direction in its first column, of its forward axis in the second.
    """

    name: str
    bones: tuple[int, int, int]
    lengths: tuple[float, float, float]
    plane: Float[Tensor, "2 2"]

    @property
    def length(self) -> float:
        """Distance from the pivot to the foot at rest."""
        return sum(self.lengths)

    @property
    def is_fore(self) -> bool:
        """Whether the elbow points back; a hind leg's stifle points forward."""
        return self.name.startswith("fore")


@dataclass(frozen=True)
class _Footpath:
    """Where a foot is at the keys: forward of and above its rest place; `folding` is 1 in mid-swing."""

    forward: Keys
    lift: Keys
    folding: Keys


CLIP_NAMES = ("walk", "idle")
"""The clips of `standard_clips`, in its order."""


def standard_clips(skeleton: Skeleton) -> tuple[Clip, Clip]:
    """The clips that every result carries: walk and idle."""
    return walk_clip(skeleton), idle_clip(skeleton)


def walk_clip(skeleton: Skeleton) -> Clip:
    """One stride of a lateral-sequence walk on the spot: in stance the feet move back at one speed.

    Raises:
        InputError: the skeleton has not the bones of `estimate_skeleton`.
    """
    legs = _legs(skeleton)
    phase = _phases(WALK_SECONDS)
    size = min(leg.length for leg in legs)
    reach = STANCE_REACH * size
    bob = 0.004 * size * (1.0 + torch.cos(4.0 * math.pi * phase))
    offsets = torch.zeros(len(phase), 3, dtype=torch.float64)
    offsets[:, 1] = -_least_drop(legs, reach) - bob
    paths = {leg.name: _stride(leg, phase, reach) for leg in legs}
    swing = {
        "head": (_degrees(-2.0 * torch.sin(4.0 * math.pi * phase + 0.9)), 0),
        "neck": (_degrees(4.0 * torch.sin(4.0 * math.pi * phase)), 0),
        "tail": (_degrees(9.0 * torch.sin(2.0 * math.pi * phase - 0.8)), 1),
        "croup": (_degrees(4.0 * torch.sin(2.0 * math.pi * phase)), 1),
    }
    return _assemble("walk", skeleton, legs, paths=paths, offsets=offsets, swing=swing, seconds=WALK_SECONDS)


def idle_clip(skeleton: Skeleton) -> Clip:
    """Four seconds of standing: breath and a shift of weight over planted feet, head and tail astir.

    Raises:
        InputError: the skeleton has not the bones of `estimate_skeleton`.
    """
    legs = _legs(skeleton)
    phase = _phases(IDLE_SECONDS)
    size = min(leg.length for leg in legs)
    turn = 2.0 * math.pi * phase
    offsets = torch.zeros(len(phase), 3, dtype=torch.float64)
    offsets[:, 1] = -size * (0.012 + 0.004 * torch.cos(2.0 * turn))
    offsets[:, 2] = size * 0.015 * torch.sin(turn)
    planted = _Footpath(*(torch.zeros_like(phase) for _ in range(3)))
    swish = torch.sin(3.0 * turn) * torch.sin(turn / 2.0).square()
    swing = {
        "head": (_degrees(7.0 * torch.sin(turn + 0.4)), 1),
        "neck": (_degrees(5.0 * torch.sin(turn) + 2.0 * torch.sin(2.0 * turn)), 0),
        "tail": (_degrees(10.0 * swish), 1),
        "croup": (_degrees(5.0 * swish), 1),
    }
    paths = {leg.name: planted for leg in legs}
    return _assemble("idle", skeleton, legs, paths=paths, offsets=offsets, swing=swing, seconds=IDLE_SECONDS)


def _phases(seconds: float) -> Keys:
    """The keys' places in the cycle; the last is the first again."""
    count = round(seconds * KEYS_PER_SECOND)
    return torch.arange(count + 1, dtype=torch.float64) % count / count


def _degrees(angles_degrees: Keys) -> Keys:
    return torch.deg2rad(angles_degrees)


def _legs(skeleton: Skeleton) -> list[_Leg]:
    """The four legs of the skeleton, found by their bones' names."""
    frames = bone_frames(skeleton.rest_joints.detach().cpu().double())
    joints = skeleton.rest_joints.detach().cpu().double()
    legs = []
    for name in LEG_NAMES:
        wanted = [f"{name}_{part}" for part in ("upper", "lower", "foot")]
        if not set(wanted) <= set(skeleton.names):
            raise InputError(
                f"the skeleton has no leg named {name}: walk and idle need a quadruped's skeleton"
            )
        upper, lower, foot = (skeleton.names.index(bone) for bone in wanted)
        lengths = [float((joints[bone, 1] - joints[bone, 0]).norm()) for bone in (upper, lower, foot)]
        plane = frames[upper][1:3, [2, 1]]
        legs.append(_Leg(name, (upper, lower, foot), (lengths[0], lengths[1], lengths[2]), plane))
    return legs


def _least_drop(legs: list[_Leg], reach: float) -> float:
    """How far the body must sink so that every leg, stretched, reaches `reach` forward and back."""
    drops = []
    for leg in legs:
        steepness = abs(float(leg.plane[0, 0]))
        stretched = math.sqrt((STRAIGHTEST * leg.length) ** 2 - reach**2)
        drops.append(steepness * (leg.length - stretched))
    return max(drops)


def _stride(leg: _Leg, phase: Keys, reach: float) -> _Footpath:
    """Back over the ground at a constant speed, forward in an arc that begins and ends with that speed."""
    place = (phase - TOUCHDOWN[leg.name]) % 1.0
    stance = place < DUTY_FACTOR
    along = ((place - DUTY_FACTOR) / (1.0 - DUTY_FACTOR)).clamp_min(0.0)
    slope = -2.0 * reach * (1.0 - DUTY_FACTOR) / DUTY_FACTOR
    # The cubic from -reach to reach whose slope at both ends is the stance's speed.
    hermite = reach * (6.0 * along**2 - 4.0 * along**3 - 1.0) + slope * (
        2.0 * along**3 - 3.0 * along**2 + along
    )
    forward = torch.where(stance, reach * (1.0 - 2.0 * place / DUTY_FACTOR), hermite)
    arc = 16.0 * along.square() * (1.0 - along).square()
    height = LIFT["fore" if leg.is_fore else "hind"] * leg.length
    return _Footpath(forward, height * arc, arc)


def _leg_flexion(leg: _Leg, path: _Footpath, offsets: Float[Tensor, "keys 3"]) -> Float[Tensor, "keys 3"]:
    """Flexion (radians) of the upper, lower and foot bone that puts the foot on its path.

    In the leg's plane the foot lies at distance r from the pivot. The upper two bones act as one of length
    R between r - foot (the foot bone continues the line: stance) and nearly their sum (the leg folds at
    the foot bone instead: swing). Two triangles then give the angles: (R, foot, r) and (upper, lower, R).
    The elbow of a fore leg points back, the stifle of a hind leg forward; feet fold back.
    """
    upper, lower, foot = leg.lengths
    moved = torch.stack([path.lift - offsets[:, 1], path.forward - offsets[:, 2]], dim=-1)
    rest = leg.plane[:, 0] * leg.length
    down, ahead = torch.linalg.solve(leg.plane, (rest + moved).T)
    distance = torch.hypot(down, ahead).clamp_max(STRAIGHTEST * leg.length)
    line = torch.atan2(-ahead, down)
    straight = distance - foot
    folded = torch.minimum(torch.full_like(distance, STRAIGHTEST * (upper + lower)), distance + foot)
    pair = straight + FOLD * path.folding * (folded - straight)
    back = 1.0 if leg.is_fore else -1.0
    pair_line = line - _corner(pair, distance, foot)
    upper_pitch = pair_line + back * _corner(torch.full_like(pair, upper), pair, lower)
    lower_pitch = pair_line - back * _corner(torch.full_like(pair, lower), pair, upper)
    foot_pitch = line + _corner(torch.full_like(pair, foot), distance, pair)
    return torch.stack([upper_pitch, lower_pitch - upper_pitch, foot_pitch - lower_pitch], dim=-1)


def _corner(side: Keys, other: Keys, opposite: Keys | float) -> Keys:
    """The angle of a triangle between two sides (law of cosines)."""
    cosine = (side.square() + other.square() - torch.as_tensor(opposite) ** 2) / (2.0 * side * other)
    return torch.acos(cosine.clamp(-1.0, 1.0))


def _carriers(skeleton: Skeleton, legs: list[_Leg]) -> set[int]:
    """The bones that legs hang from, directly or not: turning one would move planted feet."""
    found: set[int] = set()
    for leg in legs:
        bone = skeleton.parents[leg.bones[0]]
        while bone >= 0:
            found.add(bone)
            bone = skeleton.parents[bone]
    return found


def _assemble(
    name: str,
    skeleton: Skeleton,
    legs: list[_Leg],
    *,
    paths: dict[str, _Footpath],
    offsets: Float[Tensor, "keys 3"],
    swing: dict[str, tuple[Keys, int]],
    seconds: float,
) -> Clip:
    """The clip of the legs on their paths; `swing` gives bones an angle about an axis where legs allow it."""
    angles = torch.zeros(len(offsets), len(skeleton.parents), 3, dtype=torch.float64)
    for leg in legs:
        angles[:, list(leg.bones), 0] = _leg_flexion(leg, paths[leg.name], offsets)
    carriers = _carriers(skeleton, legs)
    for bone_name, (angle, axis) in swing.items():
        bone = skeleton.names.index(bone_name)
        if bone not in carriers:
            angles[:, bone, axis] = angle
    limits = skeleton.angle_limits.detach().cpu().double()
    angles = torch.minimum(torch.maximum(angles, -limits), limits)
    times = torch.linspace(0.0, seconds, len(offsets))
    return Clip(name, times, angles.float(), offsets.float())

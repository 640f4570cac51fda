"""Feet put where a clip wants them: the legs of an animal, their inverse kinematics, the soles' contact.

Sources: own derivation of the inverse kinematics, docstring of `_leg_angles`; that stifle and hock of a hind
leg flex together is the reciprocal apparatus of ungulates (Dyce, Sack & Wensing, "Textbook of Veterinary
Anatomy").
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.errors import InputError
from farm3d.geometry.rotation import rigid_inverse
from farm3d.geometry.skeleton import Skeleton, bone_frames, bone_transforms
from farm3d.geometry.skeleton_estimation import LEG_NAMES
from farm3d.geometry.skinning import SkinningWeights, skin

STRAIGHTEST = 0.997
"""The greatest reach as a fraction of the leg's length: fully stretched legs would snap."""

SOLE = 0.02
"""Height (of the withers') over a leg's lowest vertex within which its vertices are the sole."""

ROUNDS = 4
"""How often the soles' places are corrected: the skin does not follow the foot's bone exactly."""

HINGES = math.radians(80.0), math.radians(95.0)
"""How far elbow and stifle, carpus and hock may bend in a clip where the skeleton's limits are less: those
are for poses fitted to photographs, and a galloping horse's carpus passes 90 degrees."""

Keys = Float[Tensor, " keys"]
Places = Float[Tensor, "keys 3"]
Angles = Float[Tensor, "keys bones 3"]


@dataclass(frozen=True)
class Leg:
    """A leg's bones from the body to the foot, straight at rest, and the vertices that it stands on.

    `carrier` is the bone that the leg hangs from, `frame` the rest frame of its upper bone, `end` the foot
    bone's end, `foot` the vertices that mostly follow the foot's bone and `sole` the lowest of them, whose
    mean place, with the lowest one's height, is `stand`.
    """

    name: str
    bones: tuple[int, int, int]
    carrier: int
    lengths: tuple[float, float, float]
    frame: Float[Tensor, "4 4"]
    end: Float[Tensor, "3"]
    foot: Int[Tensor, " foot"]
    sole: Int[Tensor, " sole"]
    stand: Float[Tensor, "3"]

    @property
    def length(self) -> float:
        """Distance from the pivot to the foot at rest."""
        return sum(self.lengths)

    @property
    def is_fore(self) -> bool:
        """Whether the elbow points back; a hind leg's stifle points forward."""
        return self.name.startswith("fore")

    @property
    def pivot(self) -> Float[Tensor, "3"]:
        """Where the leg hangs, at rest."""
        return self.frame[:3, 3]


@dataclass(frozen=True)
class Body:
    """An animal at rest in double precision: what clips are made for.

    `limits` (radians) are the skeleton's with those of HINGES; `height` is that of the withers.
    """

    skeleton: Skeleton
    vertices: Float[Tensor, "vertices 3"]
    weights: SkinningWeights
    legs: tuple[Leg, ...]
    limits: Float[Tensor, "bones 3"]
    ground: float
    height: float

    def bone(self, name: str) -> int:
        """The place of a bone by its name."""
        return self.skeleton.names.index(name)


@dataclass(frozen=True)
class Footpath:
    """Where a foot is at the keys: forward of its rest place, above the ground, and how far it folds.

    `fold` (radians) is what a lifted fore foot's carpus bends; a hind leg folds as its length demands.
    """

    forward: Keys
    lift: Keys
    fold: Keys


def body_of(
    skeleton: Skeleton, vertices: Float[Tensor, "vertices 3"], weights: SkinningWeights, *, height: float
) -> Body:
    """The animal with its legs, found by their bones' names; `height` (object units) is the withers'.

    Raises:
        InputError: the skeleton has not the bones of `estimate_skeleton`, or no vertex follows a foot.
    """
    skeleton = replace(
        skeleton,
        rest_joints=skeleton.rest_joints.detach().cpu().double(),
        angle_limits=skeleton.angle_limits.detach().cpu().double(),
    )
    vertices = vertices.detach().cpu().double()
    weights = SkinningWeights(weights.indices.cpu(), weights.weights.detach().cpu().double())
    influence = weights.dense(len(skeleton.parents))
    legs = tuple(_leg(name, skeleton, vertices, influence=influence, height=height) for name in LEG_NAMES)
    limits = skeleton.angle_limits.clone()
    for leg in legs:
        bones = list(leg.bones[1:])
        limits[bones, 0] = limits[bones, 0].maximum(limits.new_tensor(HINGES))
    return Body(skeleton, vertices, weights, legs, limits, float(vertices[:, 1].min()), height)


def _leg(
    name: str,
    skeleton: Skeleton,
    vertices: Float[Tensor, "vertices 3"],
    *,
    influence: Float[Tensor, "vertices bones"],
    height: float,
) -> Leg:
    wanted = [f"{name}_{part}" for part in ("upper", "lower", "foot")]
    if not set(wanted) <= set(skeleton.names):
        raise InputError(f"the skeleton has no leg named {name}: clips need a quadruped's skeleton")
    upper, lower, foot = (skeleton.names.index(bone) for bone in wanted)
    joints = skeleton.rest_joints
    lengths = [float((joints[bone, 1] - joints[bone, 0]).norm()) for bone in (upper, lower, foot)]
    members = torch.nonzero(influence[:, foot] > 0.5).squeeze(1)
    if len(members) == 0:
        raise InputError(f"the shape has no {name.replace('_', ' ')} foot to put on the ground")
    heights = vertices[members, 1]
    sole = members[heights <= heights.min() + SOLE * height]
    stand = vertices[sole].mean(dim=0)
    stand[1] = heights.min()
    return Leg(
        name,
        (upper, lower, foot),
        skeleton.parents[upper],
        (lengths[0], lengths[1], lengths[2]),
        bone_frames(joints)[upper],
        joints[foot, 1],
        members,
        sole,
        stand,
    )


def place_feet(body: Body, angles: Angles, offsets: Places, *, paths: dict[str, Footpath]) -> Angles:
    """The angles of a whole clip: those given for the body, and legs that put the soles on their paths.

    Angles are cut to the body's limits. The lowest vertex of each foot is as high over the ground as
    its path says, as far as the leg reaches.
    """
    limits = body.limits
    angles = torch.minimum(torch.maximum(angles, -limits), limits)
    wanted = {leg.name: _on_path(body, leg, paths[leg.name]) for leg in body.legs}
    goals = {leg.name: wanted[leg.name] + (leg.end - leg.stand) for leg in body.legs}
    carried = bone_transforms(body.skeleton, angles)
    for _ in range(ROUNDS):
        for leg in body.legs:
            seen = _seen_from(carried[:, leg.carrier] @ leg.frame, goals[leg.name] - offsets)
            bones, fold = list(leg.bones), paths[leg.name].fold
            turned = _leg_angles(leg, seen, fold, most=limits[bones, 0])
            angles[:, bones] = torch.minimum(torch.maximum(turned, -limits[bones]), limits[bones])
        soles = sole_places(body, angles, offsets)
        for leg in body.legs:
            goals[leg.name] = goals[leg.name] + wanted[leg.name] - soles[leg.name]
    return angles


def sole_places(body: Body, angles: Angles, offsets: Places) -> dict[str, Places]:
    """Where each leg's sole is on average, and how high its foot's lowest vertex is (object frame)."""
    feet = torch.cat([leg.foot for leg in body.legs])
    moved = skinned_places(body, feet, angles=angles, offsets=offsets)
    places = {}
    for leg, foot in zip(body.legs, moved.split([len(leg.foot) for leg in body.legs], dim=1), strict=True):
        sole = foot[:, torch.isin(leg.foot, leg.sole)].mean(dim=1)
        places[leg.name] = torch.stack([sole[:, 0], foot[..., 1].amin(dim=1), sole[:, 2]], dim=-1)
    return places


def pivot_places(body: Body, angles: Angles, offsets: Places) -> dict[str, Places]:
    """Where each leg hangs (object frame)."""
    transforms = bone_transforms(body.skeleton, angles)
    return {
        leg.name: transforms[:, leg.carrier, :3, :3] @ leg.pivot + transforms[:, leg.carrier, :3, 3] + offsets
        for leg in body.legs
    }


def skinned_places(
    body: Body, vertices: Int[Tensor, " some"], *, angles: Angles, offsets: Places
) -> Float[Tensor, "keys some 3"]:
    """Where a clip's keys move some vertices (object frame)."""
    weights = SkinningWeights(body.weights.indices[vertices], body.weights.weights[vertices])
    rest = body.vertices[vertices].expand(len(angles), -1, -1)
    return skin(rest, bone_transforms(body.skeleton, angles), weights) + offsets[:, None]


def _on_path(body: Body, leg: Leg, path: Footpath) -> Places:
    """The sole's places: its path from where it stands at rest, the ground under it."""
    side = leg.stand[0].expand_as(path.forward)
    return torch.stack([side, body.ground + path.lift, leg.stand[2] + path.forward], dim=-1)


def _seen_from(frames: Float[Tensor, "keys 4 4"], places: Places) -> Places:
    inverse = rigid_inverse(frames)
    return (inverse[:, :3, :3] @ places[..., None]).squeeze(-1) + inverse[:, :3, 3]


def _leg_angles(
    leg: Leg, places: Places, fold: Keys, *, most: Float[Tensor, "3"]
) -> Float[Tensor, "keys 3 3"]:
    """Angles (radians) of the upper, lower and foot bone that put the foot's end at `places`.

    Places are in the upper bone's frame: x right, y ahead, z down the leg. With lengths U, L, F and flexions
    counted from the line of the bone above, the end lies in the leg's plane at U + e^(ie) (L + F e^(ic)),
    the real axis down the leg, angles growing backwards. A fore leg's carpus bends back by the given c: the
    bones under the elbow are as one of fixed length, and a triangle gives the elbow's e < 0. A hind leg's
    hock bends as its stifle does, c = -e: upper and foot bone stay parallel, and the triangle (U + F, L, r)
    gives e > 0. The upper bone then bends sideways by b with f sin b = x, f being the plane's real part,
    and flexes by what is left.
    """
    upper, lower, foot = leg.lengths
    distance = places.norm(dim=-1).clamp_max(STRAIGHTEST * leg.length)
    if leg.is_fore:
        least = (distance / STRAIGHTEST - upper).clamp_min(abs(lower - foot) + 1e-6)
        carpus = torch.minimum(fold.clamp_max(float(most[2])), _bend(lower, foot, least))
        below = torch.polar(torch.full_like(carpus, foot), carpus) + lower
        elbow = -below.angle() - _bend(upper, below.abs(), distance)
        flexions = elbow.clamp_min(-float(most[1])), carpus
    else:
        stifle = _bend(upper + foot, lower, distance).clamp_max(float(most[1:].min()))
        below = torch.polar(torch.full_like(stifle, foot), -stifle) + lower
        flexions = stifle, -stifle
    plane = torch.polar(below.abs(), flexions[0] + below.angle()) + upper
    sideways = torch.asin((places[:, 0] / plane.real).clamp(-1.0, 1.0))
    line = torch.atan2(-places[:, 1], places[:, 2])
    flexion = line - torch.atan2(plane.imag, plane.real * sideways.cos())
    angles = places.new_zeros(len(places), 3, 3)
    angles[:, 0, 0], angles[:, 0, 1] = flexion, sideways
    angles[:, 1, 0], angles[:, 2, 0] = flexions
    return angles


def _bend(first: Keys | float, second: Keys | float, distance: Keys) -> Keys:
    """By how much two bones in a row are bent where their ends are so far apart (law of cosines)."""
    a, b = torch.as_tensor(first), torch.as_tensor(second)
    return torch.acos(((distance.square() - a**2 - b**2) / (2.0 * a * b)).clamp(-1.0, 1.0))


def straight_height(leg: Leg, forward: Keys, share: float) -> Keys:
    """How high over its foot the pivot of a leg is that is stretched to a share of its length."""
    aside = float(leg.stand[0] - leg.pivot[0])
    return ((share * leg.length) ** 2 - aside**2 - forward.square()).clamp_min(0.0).sqrt()


def folded_length(leg: Leg, most: Float[Tensor, "bones 3"]) -> float:
    """The least distance between pivot and foot: the lower bone bent as far as it goes, the others parallel.

    A hind leg folds so, and a fore leg's carpus can take the cannon no further.
    """
    upper, lower, foot = leg.lengths
    bend = float(most[list(leg.bones[1:]), 0].min())
    return float(((upper + foot) ** 2 + lower**2 + 2.0 * (upper + foot) * lower * math.cos(bend)) ** 0.5)


def pivot_height(body: Body, leg: Leg) -> float:
    """How high over the ground a leg hangs at rest."""
    return float(leg.pivot[1]) - body.ground

"""The clips that every result has: standing, three gaits, grazing, looking around, the photograph's pose.

Feet follow paths over the ground and legs reach for them by inverse kinematics on the animal's own skeleton
and skin, so the clips fit an animal of any proportions.
"""

import math
from collections.abc import Callable, Mapping

import torch

from farm3d.geometry.clip import Clip
from farm3d.inference.gaits import (
    GALLOP,
    TROT,
    WALK,
    Gait,
    carry_trunk,
    ground_speed,
    highest_stand,
    phases,
    shortest_leg,
    stride,
    wave,
)
from farm3d.inference.legs import (
    Angles,
    Body,
    Footpath,
    Keys,
    Places,
    body_of,
    place_feet,
    skinned_places,
)
from farm3d.inference.rig import single_skeleton, standing_rise
from farm3d.inference.withers import top_of_withers
from farm3d.types import AnimalPrediction

CLIP_NAMES = ("idle", "walk", "trot", "gallop", "graze", "look_around", "photograph")
"""The clips of `standard_clips`, in its order."""

HORSE_METRES = 1.55
"""Height at the withers of the animal whose strides take as long as the gaits say."""

GAIT_KEYS = 48
KEYS_PER_SECOND = 10
IDLE_SECONDS, GRAZE_SECONDS, LOOK_SECONDS = 6.0, 6.0, 8.0
PHOTOGRAPH_SECONDS = 1.0

MUZZLE_CLEARANCE = 0.02
"""How high a grazing muzzle is over the ground (heights of the withers)."""

HALVINGS = 12

GRAZING: dict[str, tuple[float, float, float]] = {
    "spine_front": (10.0, 0.0, 0.0),
    "withers": (52.0, 0.0, 0.0),
    "neck": (60.0, 0.0, 0.0),
    "head": (-52.0, 0.0, 0.0),
}
"""How trunk, neck and head bow (degrees) to put the muzzle on the ground; taken in part by long necks."""

GRAZING_BOW, STOOPING_BOW = 0.09, 0.10
"""How far the withers come down with it, and how much further where the neck is too short (lengths of the
leg)."""

GRAZING_STEP = {"fore_left": 0.2, "fore_right": -0.18}
STOOPING_STEP = {"fore_left": 0.2, "fore_right": -0.17}
"""How far ahead the fore feet stand, and how much further apart where the neck is too short (lengths of the
leg): foals and giraffes stand so, too."""

Swing = dict[str, tuple[Keys | float, Keys | float, Keys | float]]
"""Flexion, side bending and twist of bones in degrees."""


def standard_clips(prediction: AnimalPrediction, metres_per_unit: float) -> tuple[Clip, ...]:
    """The clips of CLIP_NAMES for a prediction of one image; smaller animals take quicker steps.

    Raises:
        InputError: the skeleton has not the bones of `estimate_skeleton`.
    """
    body = prediction_body(prediction)
    pace = math.sqrt(body.height * metres_per_unit / HORSE_METRES)
    return (*body_clips(body, pace=pace), photograph_clip(prediction))


def body_clips(body: Body, *, pace: float = 1.0) -> tuple[Clip, ...]:
    """The clips that loop, of an animal whose strides take `pace` times as long as the gaits say."""
    return (
        idle_clip(body),
        *(gait_clip(body, gait, pace=pace) for gait in (WALK, TROT, GALLOP)),
        graze_clip(body),
        look_around_clip(body),
    )


def prediction_body(prediction: AnimalPrediction) -> Body:
    """The animal of a prediction of one image, at rest."""
    vertices, skeleton = prediction.rest_mesh.vertices[0], single_skeleton(prediction)
    height = top_of_withers(vertices, prediction.rest_mesh.faces, skeleton) - float(vertices[:, 1].min())
    return body_of(skeleton, vertices, prediction.skinning_weights, height=height)


def photograph_clip(prediction: AnimalPrediction) -> Clip:
    """The photograph's pose, held, with its lowest vertex on the ground that the rest shape stands on."""
    angles = prediction.joint_angles[0].detach().cpu().expand(2, -1, -1)
    offsets = torch.zeros(2, 3)
    offsets[:, 1] = standing_rise(prediction)
    return Clip("photograph", torch.tensor([0.0, PHOTOGRAPH_SECONDS]), angles, offsets)


def gait_clip(body: Body, gait: Gait, *, pace: float = 1.0) -> Clip:
    """One stride on the spot; `pace` makes it longer. The ground's speed is the clip's."""
    phase = phases(GAIT_KEYS)
    paths, (fore_rise, hind_rise) = stride(body, gait, phase)
    swung = _swung(body, len(phase), _SWINGS[gait.name](phase))
    angles, offsets = carry_trunk(body, swung, fore_rise=fore_rise, hind_rise=hind_rise)
    seconds = gait.seconds * pace
    angles = place_feet(body, angles, offsets, paths=paths)
    return _clip(gait.name, angles, offsets, seconds=seconds, speed=ground_speed(body, gait, seconds))


def idle_clip(body: Body) -> Clip:
    """Standing: breath and a shift of weight over planted feet, head and tail astir."""
    phase = phases(round(IDLE_SECONDS * KEYS_PER_SECOND))
    swish = wave(phase, 3.0) * wave(phase, 0.5, 0.5).square()
    swing: Swing = {
        "head": (2.0 * wave(phase, 1.0, 0.4), 6.0 * wave(phase, 1.0, 0.35), 0.0),
        "neck": (2.5 * wave(phase, 1.0, 0.2) + wave(phase, 2.0), 5.0 * wave(phase, 1.0, 0.25), 0.0),
        "croup": (0.0, 6.0 * swish, 0.0),
        "tail": (0.0, 12.0 * swish, 0.0),
    }
    return _standing(body, "idle", phase=phase, swing=swing, seconds=IDLE_SECONDS)


def look_around_clip(body: Body) -> Clip:
    """The head raised, then turned far to the left and to the right with a rest at each side."""
    phase = phases(round(LOOK_SECONDS * KEYS_PER_SECOND))
    # A sine whose crests are flat: the head stays where it looks.
    turn = torch.tanh(2.2 * wave(phase, 1.0, 0.25)) / math.tanh(2.2)
    late = torch.tanh(2.2 * wave(phase, 1.0, 0.28)) / math.tanh(2.2)
    alert = 0.75 + 0.25 * wave(phase, 2.0, 0.25)
    swing: Swing = {
        "withers": (-2.0 * alert, 6.0 * late, 0.0),
        "neck": (-10.0 * alert, 24.0 * late, 0.0),
        "head": (4.0 * alert, 34.0 * turn, -4.0 * turn),
        "tail": (0.0, 7.0 * wave(phase, 2.0), 0.0),
        "croup": (0.0, 3.0 * wave(phase, 2.0), 0.0),
    }
    return _standing(body, "look_around", phase=phase, swing=swing, seconds=LOOK_SECONDS)


def graze_clip(body: Body) -> Clip:
    """The muzzle on the ground, one fore foot ahead: it crops from side to side and tears.

    Where the neck is too short the fore feet stand further apart, and the muzzle is as low as that allows.
    """
    phase = phases(round(GRAZE_SECONDS * KEYS_PER_SECOND))
    tear = wave(phase, 4.0).clamp_min(0.0).square()
    side = wave(phase, 1.0, 0.25)
    moving: Swing = {
        "neck": (-2.5 * tear, 7.0 * side, 0.0),
        "head": (3.0 * tear, 9.0 * side, 3.0 * side),
        "croup": (0.0, 5.0 * wave(phase, 2.0), 0.0),
        "tail": (0.0, 10.0 * wave(phase, 2.0, 0.1), 0.0),
    }
    size = shortest_leg(body)

    def feet(stoop: float) -> dict[str, Footpath]:
        steps = {leg: size * (step + stoop * STOOPING_STEP[leg]) for leg, step in GRAZING_STEP.items()}
        return _planted(body, phase, steps)

    def bowed(share: float, stoop: float) -> tuple[Angles, Places]:
        angles = share * _swung(body, len(phase), GRAZING) + _swung(body, len(phase), moving)
        bow = size * (share * GRAZING_BOW + stoop * STOOPING_BOW)
        return _carried(body, angles, feet(stoop), bow=bow)

    least, stoop = MUZZLE_CLEARANCE * body.height, 0.0
    share = _most_above(least, lambda share: _muzzle_height(body, *bowed(share, 0.0)))
    if share == 1.0:
        stoop = _most_above(least, lambda stoop: _muzzle_height(body, *bowed(1.0, stoop)))
    angles, offsets = bowed(share, stoop)
    angles = place_feet(body, angles, offsets, paths=feet(stoop))
    return _clip("graze", angles, offsets, seconds=GRAZE_SECONDS)


def _most_above(least: float, height: Callable[[float], float]) -> float:
    """The largest share (0 to 1) at which a falling height is no less than `least`."""
    low, high = 0.0, 1.0
    if height(high) >= least:
        return high
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if height(middle) >= least else (low, middle)
    return low


def _muzzle_height(body: Body, angles: Angles, offsets: Places) -> float:
    """How high over the ground the lowest vertex of the head comes."""
    members = torch.nonzero(body.weights.dense(len(body.skeleton.parents))[:, body.bone("head")] > 0.5)
    moved = skinned_places(body, members.squeeze(1), angles=angles, offsets=offsets)
    return float(moved[..., 1].min()) - body.ground if len(members) else math.inf


def _standing(body: Body, name: str, *, phase: Keys, swing: Swing, seconds: float) -> Clip:
    """A clip over planted feet."""
    paths = _planted(body, phase, {})
    breath = 0.006 * shortest_leg(body) * (1.0 - wave(phase, 2.0))
    angles, offsets = _carried(body, _swung(body, len(phase), swing), paths, bow=breath)
    offsets[:, 0] = 0.006 * body.height * wave(phase, 1.0, 0.3)
    return _clip(name, place_feet(body, angles, offsets, paths=paths), offsets, seconds=seconds)


def _carried(
    body: Body, angles: Angles, paths: dict[str, Footpath], *, bow: Keys | float
) -> tuple[Angles, Places]:
    """The trunk as high as standing legs allow, its withers lower by `bow` (object units)."""
    still = angles.new_zeros(len(angles))
    fore, hind = (highest_stand(body, paths, still, fore=fore) for fore in (True, False))
    return carry_trunk(body, angles, fore_rise=fore - bow, hind_rise=hind)


def _planted(body: Body, phase: Keys, ahead: dict[str, float]) -> dict[str, Footpath]:
    """All feet on the ground, some `ahead` of their rest places (object units)."""
    still = torch.zeros_like(phase)
    return {leg.name: Footpath(still + ahead.get(leg.name, 0.0), still, still) for leg in body.legs}


def _swung(
    body: Body, keys: int, swing: Mapping[str, tuple[Keys | float, Keys | float, Keys | float]]
) -> Angles:
    """The angles (radians) of bones that swing, the others at rest."""
    angles = torch.zeros(keys, len(body.skeleton.parents), 3, dtype=torch.float64)
    for bone, turns in swing.items():
        for axis, degrees in enumerate(turns):
            angles[:, body.bone(bone), axis] = torch.deg2rad(torch.as_tensor(degrees, dtype=torch.float64))
    return angles


def _walking(phase: Keys) -> Swing:
    """The croup sways towards the hind foot that stands back; the head nods as the fore feet bear."""
    sway = wave(phase, 1.0, 0.57)
    return {
        "spine_rear": (0.0, -1.5 * sway, 1.2 * sway),
        "spine_front": (0.0, -1.0 * sway, 0.0),
        "neck": (3.0 * wave(phase, 2.0, 0.1), 1.5 * sway, 0.0),
        "head": (-1.8 * wave(phase, 2.0, 0.14), 0.0, 0.0),
        "croup": (0.0, 4.0 * wave(phase, 1.0, 0.3), 0.0),
        "tail": (0.0, 9.0 * wave(phase, 1.0, 0.42), 0.0),
    }


def _trotting(phase: Keys) -> Swing:
    """The neck is steady; only the bounce moves head and tail."""
    bounce = wave(phase, 2.0, 0.5)
    return {
        "neck": (-5.0 + 0.8 * bounce, 0.0, 0.0),
        "head": (-2.0 - 1.0 * bounce, 0.0, 0.0),
        "croup": (7.0, 2.0 * wave(phase, 1.0, 0.25), 0.0),
        "tail": (6.0 + 3.0 * wave(phase, 2.0, 0.1), 5.0 * wave(phase, 1.0, 0.35), 0.0),
    }


def _galloping(phase: Keys) -> Swing:
    """The back is rounded as the hind feet come forward and long as the fore feet reach; the neck swings."""
    gathered = wave(phase, 1.0, 0.93)
    return {
        "spine_front": (4.0 * gathered, 0.0, 0.0),
        "spine_rear": (-5.0 * gathered, 0.0, 0.0),
        "loin": (-4.0 * gathered, 0.0, 0.0),
        "neck": (14.0 + 6.0 * wave(phase, 1.0, 0.52), 0.0, 0.0),
        "head": (-20.0 - 4.0 * wave(phase, 1.0, 0.55), 0.0, 0.0),
        "croup": (18.0 + 4.0 * wave(phase, 1.0, 0.4), 0.0, 0.0),
        "tail": (20.0 + 8.0 * wave(phase, 1.0, 0.6), 3.0 * wave(phase, 1.0, 0.1), 0.0),
    }


_SWINGS: dict[str, Callable[[Keys], Swing]] = {
    WALK.name: _walking,
    TROT.name: _trotting,
    GALLOP.name: _galloping,
}


def _clip(name: str, angles: Angles, offsets: Places, *, seconds: float, speed: float = 0.0) -> Clip:
    times = torch.linspace(0.0, seconds, len(offsets))
    return Clip(name, times, angles.float(), offsets.float(), speed)

"""Gaits on the spot: when each foot lands and lifts, how far it goes, and what the trunk does meanwhile.

Footfall and duty factors after Hildebrand, "Symmetrical gaits of horses", Science 150 (1965), and "Analysis
of asymmetrical gaits", J. Mammalogy 58 (1977); that the trunk is highest over a standing leg in a walk and
lowest in a trot: Cavagna, Heglund & Taylor, Am. J. Physiol. 233 (1977). Strides are those of a horse; other
sizes take the square root of their height's ratio as long (Alexander & Jayes, J. Zool. 201, 1983).
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.inference.legs import (
    Angles,
    Body,
    Footpath,
    Keys,
    Leg,
    Places,
    folded_length,
    pivot_height,
    pivot_places,
    straight_height,
)

STRETCHED = 0.992
"""The most that a clip asks of a leg, as a fraction of its length: knees stay a little soft."""

CARRYING_ROUNDS = 3
"""How often the trunk's height and pitch are corrected: bending it moves shoulders and hips, too."""


@dataclass(frozen=True)
class Gait:
    """A stride; times are fractions of it, lengths fractions of the shortest leg.

    `touchdown` is when each foot lands, `duty` how long it stands. `reach` is how far before and behind its
    rest place a foot stands, `lift` how high fore and hind feet rise, `fold` (radians) how far the carpus
    bends. Withers and croup are highest at `highest` and go up and down `beats` times by `bounce`.
    """

    name: str
    seconds: float
    touchdown: dict[str, float]
    duty: float
    reach: float
    lift: tuple[float, float]
    fold: float
    beats: int
    bounce: tuple[float, float]
    highest: tuple[float, float]


WALK = Gait(
    "walk",
    1.1,
    {"hind_left": 0.0, "fore_left": 0.25, "hind_right": 0.5, "fore_right": 0.75},
    duty=0.625,
    reach=0.28,
    lift=(0.09, 0.08),
    fold=0.9,
    beats=2,
    bounce=(0.016, 0.018),
    highest=(0.0625, 0.3125),
)
"""The lateral-sequence walk: each fore foot a quarter of the stride after the hind foot of its side."""

TROT = Gait(
    "trot",
    0.72,
    {"hind_left": 0.0, "fore_right": 0.0, "hind_right": 0.5, "fore_left": 0.5},
    duty=5.0 / 12.0,
    reach=0.28,
    lift=(0.155, 0.13),
    fold=1.4,
    beats=2,
    bounce=(0.022, 0.022),
    highest=(0.46, 0.46),
)
"""The trot: diagonal pairs, and all feet off the ground between them."""

GALLOP = Gait(
    "gallop",
    0.5,
    {"hind_left": 0.0, "hind_right": 0.125, "fore_left": 0.375, "fore_right": 0.50},
    duty=0.25,
    reach=0.31,
    lift=(0.26, 0.22),
    fold=1.6,
    beats=1,
    bounce=(0.03, 0.03),
    highest=(0.02, 0.58),
)
"""The transverse gallop on the right lead: hind feet, fore feet, and off the ground gathered."""

KICK_FADES = 0.05
"""Share of the air time in which the speed over LARGEST_KICK falls to a third."""

FOLDING = 0.8
"""How much of the room that a leg has to fold a gait takes at most."""

LARGEST_KICK = 1.5
"""Speed (reaches an air time) that a foot keeps for long as it leaves and meets the ground."""


def phases(keys: int) -> Keys:
    """The keys' places in the cycle; the last is the first again."""
    return torch.arange(keys + 1, dtype=torch.float64) % keys / keys


def wave(phase: Keys, cycles: int | float = 1, start: float = 0.0) -> Keys:
    """A cosine of 1 where `phase` is `start`."""
    return torch.cos(2.0 * math.pi * cycles * (phase - start))


def shortest_leg(body: Body) -> float:
    """The measure of strides (object units)."""
    return min(leg.length for leg in body.legs)


def stride(body: Body, gait: Gait, phase: Keys) -> tuple[dict[str, Footpath], tuple[Keys, Keys]]:
    """The feet's paths, and how far withers and croup rise over their rest.

    Feet go back with the ground at one speed and forward in an arc, as high as the legs can fold; the
    girdles bounce as the gait does, as high as the legs can stretch.
    """
    size = shortest_leg(body)
    sliding = {leg.name: _foot(leg, gait, phase, size=size, lift=0.0) for leg in body.legs}
    rises = [
        highest_stand(body, sliding, bounce * size * wave(phase, gait.beats, highest), fore=fore)
        for fore, bounce, highest in zip((True, False), gait.bounce, gait.highest, strict=True)
    ]
    paths = {}
    for leg in body.legs:
        rise, lift = (rises[0], gait.lift[0]) if leg.is_fore else (rises[1], gait.lift[1])
        raised = _foot(leg, gait, phase, size=size, lift=lift * size)
        aloft = raised.lift > 0.7 * raised.lift.max()
        room = pivot_height(body, leg) + float(rise[aloft].min()) - folded_length(leg, body.limits)
        share = min(1.0, FOLDING * room / float(raised.lift.max()))
        paths[leg.name] = replace(raised, lift=share * raised.lift)
    return paths, (rises[0], rises[1])


def ground_speed(body: Body, gait: Gait, seconds: float) -> float:
    """Object units a second that the ground passes under standing feet."""
    return 2.0 * gait.reach * shortest_leg(body) / (gait.duty * seconds)


def _foot(leg: Leg, gait: Gait, phase: Keys, *, size: float, lift: float) -> Footpath:
    """The path of a foot that rises by `lift` (object units)."""
    reach = gait.reach * size
    place = (phase - gait.touchdown[leg.name]) % 1.0
    stance = place < gait.duty
    along = ((place - gait.duty) / (1.0 - gait.duty)).clamp_min(0.0)
    speed = -2.0 * reach * (1.0 - gait.duty) / gait.duty
    kick = max(speed, -LARGEST_KICK * reach)
    # The cubic from -reach to reach with the slope `kick` at both ends, where the rest of the ground's speed
    # soon dies away.
    cubic = reach * (6.0 * along**2 - 4.0 * along**3 - 1.0) + kick * (2.0 * along**3 - 3.0 * along**2 + along)
    for since in (along, along - 1.0):
        cubic = cubic + (speed - kick) * since * torch.exp(-since.abs() / KICK_FADES)
    forward = torch.where(stance, reach * (1.0 - 2.0 * place / gait.duty), cubic)
    arc = torch.sin(math.pi * along).clamp_min(0.0)
    # The foot folds up early and is stretched forward before it lands.
    early = torch.sin(math.pi * along**0.8).square()
    return Footpath(forward, lift * arc, gait.fold * early)


def highest_stand(body: Body, paths: dict[str, Footpath], bounce: Keys, *, fore: bool) -> Keys:
    """A girdle's rise over its rest with that bounce, such that its legs reach their feet at all keys."""
    allowed = [
        straight_height(leg, paths[leg.name].forward, STRETCHED)
        + paths[leg.name].lift
        - pivot_height(body, leg)
        for leg in body.legs
        if leg.is_fore == fore
    ]
    return bounce + (torch.stack(allowed) - bounce).min()


def carry_trunk(body: Body, angles: Angles, *, fore_rise: Keys, hind_rise: Keys) -> tuple[Angles, Places]:
    """The trunk raised and pitched as a whole so that shoulders and hips rise by so much on average.

    Returns the angles with the two roots' flexion changed alike, which turns the animal about mid-body,
    and the root's offsets.
    """
    skeleton = body.skeleton
    roots = [bone for bone, parent in enumerate(skeleton.parents) if parent < 0]
    still = angles.new_zeros(1, *angles.shape[1:])
    rest = _girdles(body, still, still[:, 0])
    middle = float(skeleton.rest_joints[roots, 0, 2].mean())
    angles, offsets = angles.clone(), angles.new_zeros(len(angles), 3)
    for _ in range(CARRYING_ROUNDS):
        now = _girdles(body, angles, offsets)
        fore, hind = (rest[k, :, 1] + rise - now[k, :, 1] for k, rise in enumerate((fore_rise, hind_rise)))
        pitch = (hind - fore) / (now[0, :, 2] - now[1, :, 2])
        angles[:, roots, 0] += pitch[:, None]
        offsets[:, 1] += fore + pitch * (now[0, :, 2] - middle)
    return angles, offsets


def _girdles(body: Body, angles: Angles, offsets: Places) -> Float[Tensor, "2 keys 3"]:
    """The mean places of the fore and of the hind legs' pivots."""
    pivots = pivot_places(body, angles, offsets)
    return torch.stack(
        [
            torch.stack([pivots[leg.name] for leg in body.legs if leg.is_fore == fore]).mean(dim=0)
            for fore in (True, False)
        ]
    )

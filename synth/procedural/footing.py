"""Feet, muzzle and tail put where a pose wants them: the trunk is given, the rest is solved."""

from dataclasses import dataclass, field, replace

import numpy as np

from .anatomy import GROUND
from .rig import Goal, Rig, Table, aim, frames_of, reach, rest_pitch, tip_of

Angles = dict[str, tuple[float, float, float]]

LEGS = ("left_fore", "right_fore", "left_hind", "right_hind")
BONES_OF = {
    "fore": ("scapula", "upper_arm", "forearm", "fore_cannon", "fore_pastern"),
    "hind": ("thigh", "gaskin", "hind_cannon", "hind_pastern"),
}
NECK = ("chest", "neck_1", "neck_2", "neck_3", "head")
TAIL = ("tail_1", "tail_2", "tail_3", "tail_4")

STANDING_EASE = {"fore": (0.25, 0.6, 0.6, 0.02, 1.0), "hind": (0.7, 0.6, 0.5, 1.0)}
"""How readily each joint bends in a leg that bears weight: a carpus stays straight, stifle and hock share."""

SWINGING_EASE = {"fore": (0.15, 0.5, 0.6, 0.6, 1.0), "hind": (0.6, 0.6, 0.6, 1.0)}
NECK_EASE = (0.1, 1.0, 0.8, 0.5, 1.0)

REACHED = 0.004
"""Distance (object units) within which a foot counts as where it should be."""

KNEES_DOWN = 8
"""How often the trunk is lowered at most until legs that are too short reach the ground."""

SUNK = 0.04
"""How far (object units) the lowest vertex may be under the ground: about a hoof's height."""

LARGEST_SINK = 0.05
TIP_ROLL = 0.3
"""How far the end of the hoof's bone rises, in its length, when the heel does: it rolls over its tip."""

NEAR_ENOUGH = 0.03
"""Distance (object units) to its place that does not show in a muzzle."""

LEAST_BEND, MOST_BEND, HALVINGS = 0.2, 1.5, 7
"""How much of a species' own bend the neck of a feeding animal takes, and how finely that is found."""

BOW: Angles = {"thorax": (0.07, 0.0, 0.0), "loin": (-0.03, 0.0, 0.0), "pelvis": (-0.03, 0.0, 0.0)}
DEEPEST_BOW = 4
"""How the trunk bows where a neck is too short to reach the ground, and how often at most."""

MUZZLE_RADIUS = 0.17
"""How far the end of the head's bone is from the skin under it, in lengths of the head."""


@dataclass(frozen=True)
class Footing:
    """Where a foot is: `forward` of its rest (object units), `height` over the ground, `tilt` of its sole.

    A positive tilt (radians) lifts the heel. `spread` turns the leg outwards at its top. `flexions` are what
    its joints like best, in the order of BONES_OF. A foot that does not bear need not reach its place.
    """

    forward: float = 0.0
    height: float = 0.0
    tilt: float = 0.0
    spread: float = 0.0
    flexions: tuple[float, ...] | None = None
    bears: bool = True


@dataclass(frozen=True)
class Fold:
    """A leg folded on the ground: the joint that rests there, and the bones beyond it.

    The joint is that at whose end `flexions` (of the bones above) stop: `forward` of its rest and `height`
    over the ground (object units). `pitches` (radians under the horizontal, forward being 0) are those of the
    bones beyond, the first of which is bent by about `bent`. `spread` turns the leg outwards at its top.
    """

    flexions: tuple[float, ...]
    pitches: tuple[float, ...]
    bent: float
    height: float
    forward: float | None = None
    spread: float = 0.0


@dataclass(frozen=True)
class Plan:
    """A pose before its legs are solved.

    `angles` are those of trunk, neck, ears and tail, `feet` follow LEGS, `sink` is how far the trunk is
    lowered (object units). `muzzle` is how high the head's end is over the ground where that matters,
    otherwise at least `chin`; `gaze` is the head's pitch (radians) then. `tail` is how far the tail's bones
    stay over the ground.
    """

    feet: tuple[Footing | Fold, ...] = (Footing(), Footing(), Footing(), Footing())
    angles: Angles = field(default_factory=dict)
    sink: float = 0.0
    muzzle: float | None = None
    chin: float = 0.0
    gaze: float = 1.2
    tail: float = 0.05


def added(*tables: Angles) -> Angles:
    """The sum of the angles of each bone."""
    total: Angles = {}
    for table in tables:
        for bone, (flexion, bend, twist) in table.items():
            before = total.get(bone, (0.0, 0.0, 0.0))
            total[bone] = (before[0] + flexion, before[1] + bend, before[2] + twist)
    return total


def leg_height(rig: Rig) -> float:
    """The mean height (object units) of shoulders and hips over the feet: the measure of strides."""
    tops = [rig.rest[rig.names.index(f"left_{BONES_OF[kind][0]}"), 0, 1] for kind in BONES_OF]
    toes = [rig.rest[rig.names.index(f"left_{BONES_OF[kind][-1]}"), 1, 1] for kind in BONES_OF]
    return float(np.mean(tops) - np.mean(toes))


def planted(rig: Rig, plan: Plan) -> tuple[Table, float]:
    """All angles of a plan, and how far the trunk had to be lowered for the feet that bear it to reach."""
    table, sink = _standing(rig, plan)
    if plan.muzzle is None:
        table = _chin_up(rig, plan, table, ground=GROUND + sink)
    else:
        table, above = _bowed(rig, plan, table, ground=GROUND + sink)
        for _ in range(DEEPEST_BOW):
            if above < NEAR_ENOUGH:
                break
            plan = replace(plan, angles=added(plan.angles, BOW))
            table, sink = _standing(rig, plan)
            table, above = _bowed(rig, plan, table, ground=GROUND + sink)
    return _tail_above(rig, table, GROUND + sink + plan.tail), sink


def _standing(rig: Rig, plan: Plan) -> tuple[Table, float]:
    """The angles with all legs solved, and how far the trunk had to be lowered for that."""
    sink = plan.sink
    table, short = _with_legs(rig, plan, sink)
    for _ in range(KNEES_DOWN):
        if short < REACHED:
            break
        lower = sink + float(np.clip(short, 2.0 * REACHED, LARGEST_SINK))
        other, left = _with_legs(rig, plan, lower)
        if left >= short:
            break
        table, short, sink = other, left, lower
    return table, sink


def _chin_up(rig: Rig, plan: Plan, table: Table, *, ground: float) -> Table:
    """The table with a head that is not under the ground."""
    chain = rig.chain(*NECK)
    height = float(ground + plan.chin + MUZZLE_RADIUS * rig.lengths[chain[-1]])
    if tip_of(rig, frames_of(rig, table), chain[-1])[1] >= height:
        return table
    preferred = tuple(float(flexion) for flexion in table[list(chain), 0])
    return reach(rig, table, chain, goal=Goal(preferred, NECK_EASE, height=height))[0]


def _bowed(rig: Rig, plan: Plan, table: Table, *, ground: float) -> tuple[Table, float]:
    """The table with the neck bent, as the plan has it but more or less, until the muzzle is in its place.

    The head keeps the pitch `gaze`. Returns how far above its place the muzzle is left.
    """
    assert plan.muzzle is not None
    chain = rig.chain(*NECK)
    neck, head = list(chain[:-1]), chain[-1]
    height = ground + plan.muzzle + MUZZLE_RADIUS * rig.lengths[head]
    pattern, limits = table[neck, 0], rig.limits[neck, 0]
    low, high = LEAST_BEND, MOST_BEND
    for _ in range(HALVINGS):
        bend = 0.5 * (low + high)
        table = table.copy()
        table[neck, 0] = np.clip(bend * pattern, -limits, limits)
        table = aim(rig, table, head, pitch=plan.gaze)
        above = float(tip_of(rig, frames_of(rig, table), head)[1] - height)
        low, high = (bend, high) if above > 0.0 else (low, bend)
    return table, above


def _with_legs(rig: Rig, plan: Plan, sink: float) -> tuple[Table, float]:
    """The angles with the trunk lowered by `sink`, and the farthest that a bearing foot is from its place."""
    table, worst = rig.table(plan.angles), 0.0
    for leg, foot in zip(LEGS, plan.feet, strict=True):
        side, kind = leg.split("_")
        chain = rig.chain(*(f"{side}_{bone}" for bone in BONES_OF[kind]))
        # Shoulder blades do not turn outwards, upper arms and thighs do.
        table[chain[len(chain) - 4], 1] += foot.spread if side == "left" else -foot.spread
        if isinstance(foot, Fold):
            table = _folded(rig, table, chain, foot=foot, ground=GROUND + sink)
        else:
            table, missing = reach(rig, table, chain, goal=_goal(rig, chain, foot, kind=kind, sink=sink))
            worst = max(worst, missing if foot.bears else 0.0)
    return table, worst


def _goal(rig: Rig, chain: tuple[int, ...], foot: Footing, *, kind: str, sink: float) -> Goal:
    """What the solver is asked for: the ground under a trunk lowered by `sink` is higher by as much."""
    toe = rig.rest[chain[-1], 1]
    rolled = TIP_ROLL * rig.lengths[chain[-1]] * np.sin(np.clip(foot.tilt, 0.0, np.pi / 2))
    return Goal(
        foot.flexions or (0.0,) * len(chain),
        (STANDING_EASE if foot.bears else SWINGING_EASE)[kind],
        height=float(toe[1] + foot.height + rolled + sink),
        forward=float(toe[2] + foot.forward),
        pitch=rest_pitch(rig, chain[-1]) + foot.tilt,
    )


def _folded(rig: Rig, table: Table, chain: tuple[int, ...], *, foot: Fold, ground: float) -> Table:
    """The table with a folded leg on the ground."""
    upper, lower = chain[: len(foot.flexions)], chain[len(foot.flexions) :]
    rest = rig.rest[upper[-1], 1]
    forward = None if foot.forward is None else float(rest[2] + foot.forward)
    goal = Goal(foot.flexions, (1.0,) * len(upper), height=ground + foot.height, forward=forward)
    table, _ = reach(rig, table, upper, goal=goal)
    # Of the two ways to turn a bone, through the joint or through the flesh.
    table[lower[0], 0] = foot.bent
    for bone, pitch in zip(lower, foot.pitches, strict=True):
        table = aim(rig, table, bone, pitch=pitch)
    return table


def _tail_above(rig: Rig, table: Table, ground: float) -> Table:
    """The table with a tail that lies on the ground where it would hang through it."""
    for bone in rig.chain(*TAIL):
        frame = frames_of(rig, table)[bone]
        start, end = frame[1, 3], frame[1, 3] + rig.lengths[bone] * frame[1, 2]
        if end < ground:
            steep = np.clip((start - ground) / rig.lengths[bone], -1.0, 1.0)
            table = aim(rig, table, bone, pitch=float(np.pi - np.arcsin(steep)))
    return table


def mirrored(plan: Plan) -> Plan:
    """The plan with left and right exchanged."""
    swap = {"left": "right", "right": "left"}
    angles = {}
    for name, (flexion, bend, twist) in plan.angles.items():
        first, _, rest = name.partition("_")
        angles[f"{swap[first]}_{rest}" if first in swap else name] = (flexion, -bend, -twist)
    left_fore, right_fore, left_hind, right_hind = plan.feet
    return replace(plan, angles=angles, feet=(right_fore, left_fore, right_hind, left_hind))

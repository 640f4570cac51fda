"""Standing, feeding, lying and sitting: the plans of an animal that goes nowhere.

Lying is the sternal recumbency of cattle and horses (legs folded under, the hips rolled to one side) and the
sphinx's of dogs; after Muybridge, "Animals in Motion" (1899), and Ellenberger, Dittrich & Baum, "An Atlas of
Animal Anatomy for Artists" (1901).
"""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float

from .anatomy import GROUND, Species
from .carriage import NECK_SHARES
from .footing import BONES_OF, LEGS, SUNK, TAIL, Angles, Fold, Footing, Plan, added, leg_height, planted
from .quadruped import Individual, posed_vertices
from .rig import Rig, Table, frames_of

HALVINGS = 12
"""Steps of the bisection for the steepness of a sitting trunk: a thousandth of a radian."""

SETTLINGS = 3
HIGHEST_JOINT = 0.14
"""How high a folded joint may lie over the ground, in lengths of the leg: on a limb or in a thick coat."""

TRUNK = ("thorax", "chest", "loin", "pelvis")
ELBOWS = ("left_upper_arm", "right_upper_arm")


def stand(rig: Rig, generator: np.random.Generator) -> Plan:
    """Standing square, camped, with legs apart, or resting a hind leg on the tip of its hoof."""
    size = leg_height(rig)
    feet = [
        Footing(float(generator.normal()) * scale * size, spread=float(generator.normal()) * 0.02)
        for scale in (0.05, 0.05, 0.075, 0.075)
    ]
    angles: Angles = {}
    if generator.random() < 0.2:
        rested = int(generator.integers(2, 4))
        feet[rested] = Footing(
            0.07 * size,
            tilt=float(generator.uniform(0.45, 0.8)),
            flexions=(-0.2, 0.3, -0.25, 0.4),
            bears=False,
        )
        angles["pelvis"] = (0.0, 0.0, 0.05 if rested == 2 else -0.05)
    return Plan(tuple(feet), angles)


def graze(species: Species, rig: Rig, generator: np.random.Generator) -> Plan:
    """Muzzle at the ground or a little over it, one foreleg stepped forward."""
    size, stood = leg_height(rig), stand(rig, generator)
    stride = float(generator.uniform(0.03, 0.16)) * size
    fore = [Footing(stride), Footing(-0.7 * stride)]
    if generator.random() < 0.5:
        fore.reverse()
    stepped = Plan((*fore, *stood.feet[2:]), added(stood.angles, {"thorax": (0.05, 0.0, 0.0)}))
    return nose_down(species, rig, stepped, generator=generator)


def nose_down(species: Species, rig: Rig, plan: Plan, *, generator: np.random.Generator) -> Plan:
    """The plan with the muzzle at the ground or a little over it."""
    turn = float(np.clip(generator.normal(), -1.5, 1.5)) * 0.12
    bends = dict(zip(("chest", "neck_1", "neck_2", "neck_3", "head"), species.graze, strict=True))
    angles = {bone: (bend, NECK_SHARES.get(bone, 0.5) * turn, 0.0) for bone, bend in bends.items()}
    low, high = species.manners.head_down
    length = rig.lengths[rig.names.index("head")]
    return replace(
        plan,
        angles=added(plan.angles, angles),
        muzzle=float(generator.uniform(low, high) * generator.random() * length),
        gaze=float(generator.uniform(1.0, 1.5)),
    )


def browse(rig: Rig, generator: np.random.Generator) -> Plan:
    """Head stretched up to leaves, the neck raised a little or lowered to a bush."""
    lift = float(generator.uniform(-0.7, 0.25))
    turn = float(generator.normal()) * 0.15
    angles = {bone: (-lift * share, turn * share, 0.0) for bone, share in NECK_SHARES.items()}
    angles["head"] = (float(generator.uniform(-0.5, 0.2)) + 0.9 * lift, turn, 0.0)
    stood = stand(rig, generator)
    return Plan(stood.feet, added(stood.angles, angles))


def drink(species: Species, rig: Rig, generator: np.random.Generator) -> Plan:
    """A giraffe at the water: forelegs far apart, so that its muzzle comes down."""
    size, spread = leg_height(rig), float(generator.uniform(0.36, 0.44))
    ahead = float(generator.uniform(0.1, 0.3)) * size
    bends = dict(zip(("chest", "neck_1", "neck_2", "neck_3", "head"), species.graze, strict=True))
    angles = {bone: (bend, 0.0, 0.0) for bone, bend in bends.items()}
    fore = Footing(ahead, spread=spread)
    stood = stand(rig, generator)
    return Plan(
        (fore, fore, *stood.feet[2:]),
        added(angles, {"thorax": (0.05, 0.0, 0.0)}),
        sink=0.05 * size,
        muzzle=float(generator.uniform(0.0, 0.2)) * rig.lengths[rig.names.index("head")],
    )


def lie(species: Species, individual: Individual, rig: Rig, *, generator: np.random.Generator) -> Plan:
    """Lying on the breastbone."""
    sink = underside(individual) - GROUND
    roll = float(generator.uniform(0.05, 0.16)) * (1.0 if generator.random() < 0.5 else -1.0)
    hind = [_hind_fold(rig, outside=outside) for outside in (roll < 0, roll > 0)]
    fore = [_fore_fold(rig, generator) for _ in range(2)]
    if species.manners.lies_on_forearms:
        fore = [_forearm_flat(rig, generator) for _ in range(2)]
    angles: Angles = {
        "thorax": (0.0, 0.0, 0.3 * roll),
        "loin": (-0.03, 0.4 * roll, roll),
        "pelvis": (-0.08, 0.6 * roll, roll),
    }
    curl = float(generator.normal()) * 0.4
    angles |= dict.fromkeys(TAIL, (0.0, curl, 0.0))
    return Plan((*fore, *hind), angles, sink=sink)


def settled(individual: Individual, rig: Rig, plan: Plan) -> tuple[Table, float]:
    """All angles of a plan of lying or sitting, and its sink, so that the skin rests on the ground.

    How thick an individual is where joints are folded shows only when it is posed: a few times what is found
    under the ground, or hovering over it, corrects the plan.
    """
    thickest = individual.skinning.weights.argmax(dim=1, keepdim=True)
    bones = individual.skinning.indices.gather(1, thickest)[:, 0].numpy()
    table, sink = planted(rig, plan)
    for _ in range(SETTLINGS):
        posed = posed_vertices(individual, torch.tensor(table, dtype=torch.float32), torch.zeros(3))
        lowest = np.full(len(rig.names), np.inf)
        np.minimum.at(lowest, bones, posed[:, 1].double().numpy())
        plan = _corrected(rig, plan, lowest, ground=GROUND + sink)
        table, sink = planted(rig, plan)
    return table, sink


def _corrected(rig: Rig, plan: Plan, lowest: Float[np.ndarray, " bones"], *, ground: float) -> Plan:
    """The plan with what is too low raised, and the reverse; `lowest` are the heights of the bones' skins."""

    def under(*names: str) -> float:
        return ground - SUNK / 2.0 - float(lowest[list(rig.chain(*names))].min())

    # Only a trunk between folded legs is carried by the ground.
    carried = all(isinstance(foot, Fold) for foot in plan.feet)
    raised = under(*TRUNK, *ELBOWS) if carried else 0.0
    highest = HIGHEST_JOINT * leg_height(rig)
    feet = [
        replace(
            foot,
            height=float(np.clip(foot.height + under(*_folded_bones(leg, foot)) - raised, 0.02, highest)),
        )
        if isinstance(foot, Fold)
        else foot
        for leg, foot in zip(LEGS, plan.feet, strict=True)
    ]
    return replace(
        plan,
        feet=tuple(feet),
        sink=plan.sink - raised,
        chin=max(0.0, plan.chin + under("head")),
        tail=max(0.0, plan.tail + max(0.0, under(*TAIL))),
    )


def _folded_bones(leg: str, foot: Fold) -> tuple[str, ...]:
    """The bones that meet in the joint on which a folded leg rests, and those beyond it."""
    side, kind = leg.split("_")
    return tuple(f"{side}_{bone}" for bone in BONES_OF[kind][len(foot.flexions) - 1 :])


def _fore_fold(rig: Rig, generator: np.random.Generator) -> Fold:
    """Elbow bent, the cannon folded back under the forearm."""
    radius = 0.045 * leg_height(rig)
    back = np.pi + 0.02
    return Fold(
        (0.0, 0.45, -1.65), (back, back - 0.15), 2.0, height=radius, spread=float(generator.uniform(0.0, 0.1))
    )


def _forearm_flat(rig: Rig, generator: np.random.Generator) -> Fold:
    """The elbow on the ground, the forearm and the paw before it."""
    radius = 0.07 * leg_height(rig)
    return Fold(
        (0.1, 0.5), (0.1, 0.02, 0.12), -1.2, height=radius, spread=float(generator.uniform(-0.02, 0.1))
    )


def _hind_fold(rig: Rig, *, outside: bool) -> Fold:
    """Stifle forward, the hock on the ground, the cannon along it."""
    radius = 0.05 * leg_height(rig)
    return Fold((-0.8, 0.7), (0.03, 0.1), -1.5, height=radius, spread=0.3 if outside else 0.12)


def underside(individual: Individual) -> float:
    """The height (object units) of the breastbone at rest: of the lowest midline point between the elbows."""
    names = individual.skeleton.names
    elbow = float(individual.skeleton.rest_joints[names.index("left_forearm"), 0, 2])
    x, z = individual.vertices[:, 0].abs(), individual.vertices[:, 2]
    middle = (x < 0.03) & (z > elbow - 0.35) & (z < elbow + 0.1)
    return float(individual.vertices[middle, 1].amin())


def sit(rig: Rig, generator: np.random.Generator) -> Plan:
    """A dog on its haunches: forelegs straight, hocks on the ground, the trunk as steep as that needs."""
    size = leg_height(rig)
    seat = float(generator.uniform(0.26, 0.34)) * size
    low, high = 0.0, 1.1
    for _ in range(HALVINGS):
        steep = 0.5 * (low + high)
        sink, hip = _on_forelegs(rig, _upright(steep))
        low, high = (steep, high) if hip > seat else (low, steep)
    fore = [Footing(float(generator.normal(0.0, 0.03)) * size) for _ in range(2)]
    hind = Fold((-0.6, 0.9), (0.0, 0.0), -1.5, height=0.06 * size, spread=0.25)
    neck: Angles = {"neck_1": (0.35 * steep, 0.0, 0.0), "head": (0.4 * steep, 0.0, 0.0)}
    return Plan((*fore, hind, hind), added(_upright(steep), neck), sink=sink)


def _upright(steep: float) -> Angles:
    """The trunk of a dog that sits up by an angle (radians)."""
    return {
        "thorax": (-0.8 * steep, 0.0, 0.0),
        "loin": (-0.15 * steep, 0.0, 0.0),
        "pelvis": (-0.15 * steep, 0.0, 0.0),
    }


def _on_forelegs(rig: Rig, angles: Angles) -> tuple[float, float]:
    """How far a trunk sinks that stands on forelegs as long as at rest, and how high its hips are then."""
    frames = frames_of(rig, rig.table(angles))
    shoulder, hip = (rig.names.index(f"left_{bone}") for bone in ("upper_arm", "thigh"))
    sink = frames[shoulder, 1, 3] - rig.rest[shoulder, 0, 1]
    return float(sink), float(frames[hip, 1, 3] - GROUND - sink)

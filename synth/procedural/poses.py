"""Poses of quadrupeds: gaits, standing, feeding, lying, sitting, and the differences between two moments.

All angles are radians about the lateral axis: positive turns a bone's free end down and back (neck down, tail
up, leg back), so that a carpus bends with positive angles, an elbow and a hock with negative ones.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from . import carriage, gaits, resting
from .anatomy import GROUND, Species
from .footing import Plan, added, mirrored, planted
from .quadruped import Individual
from .rig import Rig, rig_of

LIVELY = ("trot", "canter", "gallop")
HEAD_BUSY = ("graze", "sniff", "browse", "drink")


@dataclass(frozen=True)
class Pose:
    """Joint angles (radians) of the farm's skeleton, and where they put it.

    `rise` (object units) moves the animal up so that its feet are where the pose has them: on the ground, or
    over it in the moment of suspension. `height` is that of the middle of the body over the ground.
    """

    gait: str
    joint_angles: Float[Tensor, "bones 3"]
    rise: float
    height: float


def random_pose(species: Species, individual: Individual, generator: np.random.Generator) -> Pose:
    """A pose as photographs show them: mostly standing or on the move, some feeding, lying or sitting."""
    shares = species.manners.gaits
    name = list(shares)[int(generator.choice(len(shares), p=list(shares.values())))]
    return pose_of(name, species, individual, generator=generator)


def pose_of(name: str, species: Species, individual: Individual, *, generator: np.random.Generator) -> Pose:
    """A random pose of the kind `name`, one of those in `Manners.gaits`."""
    rig, manners = rig_of(individual.skeleton), species.manners
    makers: dict[str, Callable[[], Plan]] = {
        "stand": lambda: resting.stand(rig, generator),
        "walk": lambda: _stride(gaits.walk, species, rig, generator=generator),
        "trot": lambda: _stride(gaits.trot, species, rig, generator=generator),
        "canter": lambda: _stride(gaits.canter, species, rig, generator=generator),
        "gallop": lambda: _stride(gaits.gallop, species, rig, generator=generator),
        "graze": lambda: resting.graze(species, rig, generator),
        "sniff": lambda: _sniff(species, rig, generator=generator),
        "browse": lambda: resting.browse(rig, generator),
        "drink": lambda: resting.drink(species, rig, generator),
        "lie": lambda: resting.lie(species, individual, rig, generator=generator),
        "sit": lambda: resting.sit(rig, generator),
    }
    plan, lively = makers[name](), name in LIVELY
    if name not in HEAD_BUSY:
        plan = replace(plan, angles=added(plan.angles, carriage.head(generator, lively=lively)))
    habits = carriage.ears(generator, lively=lively), carriage.tail(manners, generator, lively=lively)
    plan = replace(plan, angles=added(plan.angles, *habits, _restlessness(rig, generator)))
    table, sink = resting.settled(individual, rig, plan) if name in ("lie", "sit") else planted(rig, plan)
    angles = torch.tensor(np.clip(table, -rig.limits, rig.limits), dtype=torch.float32)
    back = rig.rest[rig.names.index("thorax"), 0, 1] - GROUND - sink
    return Pose(name, angles, rise=-sink, height=0.62 * float(back))


def _sniff(species: Species, rig: Rig, *, generator: np.random.Generator) -> Plan:
    """A walk with the nose at the ground, as dogs follow a track."""
    walking = _stride(gaits.walk, species, rig, generator=generator)
    return resting.nose_down(species, rig, walking, generator=generator)


def _stride(
    gait: Callable[..., gaits.Gait], species: Species, rig: Rig, *, generator: np.random.Generator
) -> Plan:
    """A gait at a random moment, on either lead, with a random length of stride."""
    moment, energy = float(generator.random()), float(generator.uniform(0.7, 1.1))
    plan = gaits.stride(rig, gait(species.manners), moment, energy=energy, nod=species.manners.nod)
    return mirrored(plan) if generator.random() < 0.5 else plan


def _restlessness(rig: Rig, generator: np.random.Generator) -> dict[str, tuple[float, float, float]]:
    """A little noise in every joint; that of the legs' flexions gives way to where the feet are."""
    noise = generator.normal(size=(len(rig.names), 3)) * np.array([0.03, 0.015, 0.015])
    return {name: (float(a), float(b), float(c)) for name, (a, b, c) in zip(rig.names, noise, strict=True)}

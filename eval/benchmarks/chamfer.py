"""What Animodel's Chamfer distance costs: fast, and literally with trimesh and SciPy; by step and in all.

A repeat is another pair, so that median and quartiles are those of pairs. Both contenders get the same
pairs and random numbers in turn. Neither uses a second thread, and a pair takes the literal one half a
minute: what counts is the processor's time, which other programs do not lengthen.
"""

import importlib.util
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import torch
import trimesh
from trimesh.registration import icp

from ..chamfer import literal
from ..chamfer.alignment import align_points
from ..chamfer.point_tree import nearest_distances, point_tree
from ..chamfer.protocol import ChamferProtocol, Distances, RandomStream, random_stream
from ..chamfer.sampling import Cloud, sample_evenly
from ..chamfer.score import chamfer_score, filled_voxels, remesh
from ..chamfer.voxels import Triangles
from .chamfer_pairs import PAIRS, AnimalPair, pair_triangles
from .harness import Call, Effort, measure_in_turn
from .records import Case

FAST, LITERAL = "farm3d", "literal (trimesh, SciPy)"
WHOLE = "a pair, all steps"


@dataclass(frozen=True)
class Plan:
    """Which pairs are measured whole, how many of them step by step, and with what numbers."""

    pairs: tuple[AnimalPair, ...]
    stepwise: int
    protocol: ChamferProtocol


PLAN = Plan(PAIRS, 2, ChamferProtocol())
QUICK_PLAN = Plan(
    PAIRS[:2], 1, ChamferProtocol(cubes=16, align_points=300, align_iterations=20, chamfer_points=1000)
)


@dataclass(frozen=True)
class _Input:
    """A pair in both forms and its random numbers, and points of both to align and to measure between."""

    triangles: tuple[Triangles, Triangles]
    meshes: tuple[trimesh.Trimesh, trimesh.Trimesh]
    random: RandomStream
    align_clouds: tuple[Cloud, Cloud]
    chamfer_clouds: tuple[Cloud, Cloud]


def measure_chamfer(plan: Plan, *, seed: int, progress: Callable[[str], None]) -> list[Case]:
    """A case for each contender, for every step and for whole pairs."""
    logging.getLogger("trimesh").setLevel(logging.ERROR)  # it warns of every drawing of too few points
    inputs = [_input(pair, plan.protocol, seed=seed) for pair in plan.pairs]
    cases = []
    for task, ways in _steps(plan.protocol).items():
        progress(f"chamfer: {task}")
        prepared = inputs if task == WHOLE else inputs[: plan.stepwise]
        cases += _cases(task, ways, prepared, plan=plan)
    return cases


def _input(pair: AnimalPair, protocol: ChamferProtocol, *, seed: int) -> _Input:
    triangles, random = pair_triangles(pair), random_stream(seed, str(pair))
    meshes = [
        trimesh.Trimesh(surface.reshape(-1, 3), np.arange(surface.size // 3).reshape(-1, 3))
        for surface in triangles
    ]
    clouds = [
        _clouds(*triangles, count=count, random=random)
        for count in (protocol.align_points, protocol.chamfer_points)
    ]
    return _Input(triangles, (meshes[0], meshes[1]), random, clouds[0], clouds[1])


def _clouds(ours: Triangles, theirs: Triangles, *, count: int, random: RandomStream) -> tuple[Cloud, Cloud]:
    """Points of both surfaces: of the reconstruction in the target's size, as the protocol brings it."""
    scale = np.ptp(theirs.reshape(-1, 3), axis=0).max() / np.ptp(ours.reshape(-1, 3), axis=0).max()
    return sample_evenly(scale * ours, count, random("ours")), sample_evenly(theirs, count, random("theirs"))


Step = Callable[[_Input], object]


def _steps(protocol: ChamferProtocol) -> dict[str, dict[str, Step]]:
    """What each contender does in a step; that it needs an earlier step's result is not counted."""
    count = protocol.chamfer_points
    return {
        "filled voxels of the target": {
            FAST: lambda given: filled_voxels(given.triangles[1], protocol),
            LITERAL: lambda given: literal.voxelize(given.meshes[1], protocol),
        },
        "remeshing the target": {
            FAST: lambda given: remesh(given.triangles[1], protocol),
            LITERAL: lambda given: literal.remesh(given.meshes[1], protocol),
        },
        f"{count:,} even points of the target": {
            FAST: lambda given: sample_evenly(given.triangles[1], count, given.random("points")),
            LITERAL: lambda given: literal.sample(given.meshes[1], count, given.random("points")),
        },
        f"aligning {protocol.align_points:,} points": {
            FAST: lambda given: _align(given, protocol),
            LITERAL: lambda given: _align_literally(given, protocol),
        },
        f"distances of {count:,} points, both ways": {
            FAST: _distances,
            LITERAL: lambda given: literal.nearest(*given.chamfer_clouds),
        },
        WHOLE: {
            FAST: lambda given: chamfer_score(*given.triangles, protocol=protocol, random=given.random),
            LITERAL: lambda given: literal.literal_chamfer(
                *given.meshes, protocol=protocol, random=given.random
            ),
        },
    }


def _align(given: _Input, protocol: ChamferProtocol) -> object:
    source, target = (point_tree(cloud) for cloud in given.align_clouds)
    return align_points(source.points, target, protocol.align_iterations)


def _align_literally(given: _Input, protocol: ChamferProtocol) -> object:
    steps = protocol.align_iterations
    return icp(*given.align_clouds, threshold=0.0, max_iterations=steps, reflection=False, scale=False)


def _distances(given: _Input) -> Distances:
    ours, theirs = (point_tree(cloud) for cloud in given.chamfer_clouds)
    return Distances(
        to_reconstruction=float(nearest_distances(ours, theirs.points).mean()),
        to_target=float(nearest_distances(theirs, ours.points).mean()),
    )


def _cases(task: str, ways: Mapping[str, Step], inputs: Sequence[_Input], *, plan: Plan) -> list[Case]:
    """Both contenders, or the fast one alone where the literal one has not what it needs."""
    faces = min(len(given.triangles[1]) for given in inputs)
    setting = f"{len(inputs)} pair{'s' if len(inputs) > 1 else ''}, {faces:,} faces or more"
    used = {FAST: ways[FAST]}
    cases = []
    if importlib.util.find_spec("skimage"):
        used[LITERAL] = ways[LITERAL]
    else:
        missing = "it needs scikit-image (pip install scikit-image)"
        cases.append(Case(contender=LITERAL, task=task, setting=setting, missing=missing))
    for given in inputs:
        used[FAST](given)  # compiles, and brings memory and caches to where they stay
    calls = {name: _in_turn(step, inputs) for name, step in used.items()}
    once_each = Effort(seconds=math.inf, least=len(inputs), most=len(inputs), warm_up=0, patience=math.inf)
    timings = measure_in_turn(calls, device=torch.device("cpu"), effort=once_each, clock=time.process_time)
    for name in used:
        numbers = {"times_faster": timings[LITERAL].median / timings[name].median} if LITERAL in used else {}
        cases.append(Case(contender=name, task=task, setting=setting, timing=timings[name], numbers=numbers))
    return cases


def _in_turn(step: Step, inputs: Sequence[_Input]) -> Call:
    """A call that does the step for the next input each time."""
    following = cycle(inputs)
    return lambda: step(next(following))

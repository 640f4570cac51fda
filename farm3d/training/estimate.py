"""What a run will take: real steps of every kind that it has, timed on this machine."""

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median

import torch

from farm3d.config import plain_values
from farm3d.data.image_folder import ImageDataSet
from farm3d.training.config import TrainConfig
from farm3d.training.plan import planned_changes, settled
from farm3d.training.ranks import CPU, Ranks
from farm3d.training.trainer import Progress, train

FEWEST, MOST, ENOUGH_SECONDS = 2, 30, 3.0
"""Steps that are timed after the first, which is not: so many, or until they have taken long enough."""


@dataclass(frozen=True)
class Stage:
    """Steps `first` to `end` (exclusive), which cost alike: they do the same `work`."""

    first: int
    end: int
    work: str
    config: TrainConfig


@dataclass(frozen=True)
class Estimate:
    """Seconds a step of each stage, and the peak memory of the process and of the accelerator (bytes)."""

    stages: tuple[tuple[Stage, float], ...]
    host_bytes: int
    device_bytes: int | None

    @property
    def seconds(self) -> float:
        """Of all steps."""
        return sum((stage.end - stage.first) * seconds for stage, seconds in self.stages)

    def table(self) -> str:
        """A line a stage, then the sums."""
        lines = [
            f"steps {stage.first} to {stage.end}: {_duration(seconds)} a step, {stage.work}"
            for stage, seconds in self.stages
        ]
        memory = f"{self.host_bytes / 1e9:.1f} GB of memory"
        if self.device_bytes is not None:
            memory += f", {self.device_bytes / 1e9:.1f} GB on the accelerator"
        total = f"estimate: {_duration(self.seconds)}, without pictures and checkpoints; {memory}"
        return "\n".join([*lines, total])


def estimate(
    config: TrainConfig,
    data: ImageDataSet,
    *,
    device: torch.device = CPU,
    report: Callable[[str], None] = lambda work: None,
) -> Estimate:
    """Run a few steps of every stage on a new model, in one process and a temporary folder.

    A stage is measured at its last step, where its lattice is finest. What the shape will grow into is not
    known: it is the initial one.
    """
    measured: dict[str, float] = {}
    stages = list(stages_of(config))
    for stage in stages:
        if stage.work not in measured:
            report(stage.work)
            measured[stage.work] = _seconds_per_step(stage.config, data, Ranks(device=device))
    return Estimate(
        tuple((stage, measured[stage.work]) for stage in stages),
        _peak_host_bytes(),
        _peak_device_bytes(device),
    )


def stages_of(config: TrainConfig) -> Iterator[Stage]:
    """The parts of a run between which the work of a step changes."""
    changes = planned_changes(config)
    bounds = {0, config.steps, *(c.step for c in changes), *(c.until or 0 for c in changes)}
    inside = sorted(bound for bound in bounds if 0 <= bound <= config.steps)
    first = 0
    for work, ends in groupby(inside[1:], key=lambda end: _work(config, end - 1)):
        *_, end = ends
        yield Stage(first, end, work, settled(config, end - 1))
        first = end


def _work(config: TrainConfig, step: int) -> str:
    """What a step does, as far as it costs."""
    if config.supervision == "truth":
        if step < config.prior_steps:
            return "the category's shape alone"
        if step < config.joints_from:
            return "images with truth"
        return "joint maps" if step < config.looks_from else "second looks"
    plan = config.images
    words = [f"lattice {round(plan.grid_resolution.value(step))}"]
    words += ["articulated"] * (step >= plan.articulation_from) + ["deformed"] * (
        step >= plan.deformation_from
    )
    if config.guidance.source != "none" and config.weights.distillation.value(step) > 0.0:
        words.append("virtual views")
    return ", ".join(words)


def _seconds_per_step(config: TrainConfig, data: ImageDataSet, ranks: Ranks) -> float:
    """The median time of a step of a run that does not change."""
    ends: list[float] = []

    def enough() -> bool:
        timed = len(ends) - 1
        return timed >= FEWEST and (timed >= MOST or ends[-1] - ends[0] > ENOUGH_SECONDS)

    def note(progress: Progress) -> None:
        ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory(prefix="farm3d-estimate-") as folder:
        metadata = {"config": plain_values(config), "category": config.category}
        train(config, data, Path(folder), metadata=metadata, should_stop=enough, report=note, ranks=ranks)
    return median(after - before for before, after in pairwise(ends))


def _peak_host_bytes() -> int:
    """The most memory that the process had until now; Linux counts kilobytes, macOS bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _peak_device_bytes(device: torch.device) -> int | None:
    """The same on the accelerator; `None` on the CPU, and where an accelerator does not count."""
    if device.type == "cpu":
        return None
    counted = getattr(torch.get_device_module(device), "max_memory_allocated", None)
    return None if counted is None else int(counted(device))


def _duration(seconds: float) -> str:
    if seconds < 1.0:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120.0:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60.0)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"

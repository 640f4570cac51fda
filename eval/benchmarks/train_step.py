"""What a step of training from images costs, part by part, on pictures of the farm at a preset's sizes.

The steps are training's own, which names its parts to PyTorch's profiler. They are such as the run's last
one: everything is switched on and the lattice is at its finest; the networks are new and the shape is the
initial one. Where pictures guide the preset, they are the farm's. Loading is not among the parts: threads do
it while the step before is computed.
"""

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from time import perf_counter

import torch
from farm3d.synth.dataset import FarmSettings, write_farm
from torch.profiler import ProfilerActivity, profile

from farm3d.data.image_folder import open_data_set
from farm3d.errors import ConfigError
from farm3d.training.config import TrainConfig
from farm3d.training.curricula import terms_by_step
from farm3d.training.learner import new_learner, take_step
from farm3d.training.plan import settled
from farm3d.training.ranks import Ranks

from .harness import QUICK, Effort, synchronize, timing
from .records import Case

PARTS = (
    "iso-surface",
    "encoder",
    "deformation and skinning",
    "render",
    "losses",
    "scores of all hypotheses",
    "guidance",
    "backward",
    "optimiser",
)
WHOLE = "all parts"

GUIDING_PICTURES, INDIVIDUALS = 1500, 16

PLAN = Effort(seconds=15.0, least=10, warm_up=2)
QUICK_PLAN = QUICK


@dataclass(frozen=True)
class Laps:
    """The seconds of a whole step, and of each of its parts that it has."""

    whole: float
    parts: Mapping[str, float]


def measure_train_step(
    config: TrainConfig,
    effort: Effort,
    *,
    device: torch.device,
    name: str,
    progress: Callable[[str], None],
    pictures: int = GUIDING_PICTURES,
) -> list[Case]:
    """One case a part, and one for all of them; `name` is the preset's.

    Batches come from `pictures` pictures, and so does guidance where it is by pictures. Raises ConfigError
    for a config that trains from the farm's truth.
    """
    if config.supervision != "images":
        raise ConfigError(f"{name}: trains from the farm's truth; train-step measures training from images")
    with tempfile.TemporaryDirectory() as folder:
        farm, size = Path(folder) / "farm", config.model.image_size
        progress(f"train-step: drawing {pictures} pictures")
        write_farm(
            FarmSettings(config.category, count=pictures, size=size, seed=0, individuals=INDIVIDUALS),
            farm,
            lambda done: None,
        )
        progress("train-step: steps")
        steps = _timed_steps(_last_for_ever(config, farm), farm, effort, device=device)
    sizes = f"{config.batch_size} images of {size}, drawn at {config.render_size}"
    whole = timing([step.whole for step in steps])
    cases = []
    for part in PARTS:
        if part in steps[0].parts:
            seconds = [step.parts[part] for step in steps]
            shares = {"percent": 100.0 * fmean(seconds) / fmean(step.whole for step in steps)}
            cases.append(
                Case(
                    contender="farm3d",
                    task=part,
                    setting=f"{name}, {sizes}",
                    timing=timing(seconds),
                    numbers=shares,
                )
            )
    return [*cases, Case(contender="farm3d", task=WHOLE, setting=f"{name}, {sizes}", timing=whole)]


def _last_for_ever(config: TrainConfig, farm: Path) -> TrainConfig:
    """Steps such as the last one of `config`, without its pictures, guided by the pictures of `farm`."""
    config = settled(config, config.steps - 1)
    guidance = config.guidance
    if guidance.source == "pictures":
        guidance = guidance.model_copy(update={"pictures": str(farm)})
    return config.model_copy(update={"picture_every": config.steps, "guidance": guidance})


def _timed_steps(config: TrainConfig, farm: Path, effort: Effort, *, device: torch.device) -> list[Laps]:
    _quiet_profiler()
    learner, ranks, steps = new_learner(config, device), Ranks(device=device), list[Laps]()
    stream = terms_by_step(config, open_data_set(farm), learner.model, run=farm, first=1, ranks=ranks)
    with closing(stream):
        for step in range(1, 1 + effort.warm_up + effort.most):
            laps = _timed(partial(take_step, config, learner, stream, step=step, ranks=ranks), device)
            if step > effort.warm_up:
                steps.append(laps)
            if len(steps) >= effort.least and sum(laps.whole for laps in steps) >= effort.seconds:
                break
    return steps


def _quiet_profiler() -> None:
    """Keep PyTorch's profiler from writing about GPUs that are not there, once for the process."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")


def _timed(take: Callable[[], object], device: torch.device) -> Laps:
    """The time of a call and of the parts that it names; an accelerator's own, where there is one."""
    on_device = device.type != "cpu"
    with profile(activities=[ProfilerActivity.CUDA if on_device else ProfilerActivity.CPU]) as profiler:
        synchronize(device)
        started = perf_counter()
        take()
        synchronize(device)
        whole = perf_counter() - started
    events = {event.key: event for event in profiler.key_averages()}
    microseconds = "device_time_total" if on_device else "cpu_time_total"
    return Laps(whole, {part: getattr(events[part], microseconds) / 1e6 for part in PARTS if part in events})

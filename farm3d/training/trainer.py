"""The training loop: the only place that knows the step number."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from farm3d.config import dump_config
from farm3d.data.image_folder import ImageDataSet, canonical_joints
from farm3d.errors import ConfigError, NonFiniteError, TrainingError
from farm3d.io.atomic import write_bytes_atomically
from farm3d.seeding import deterministic_algorithms
from farm3d.training.batches import check_parts
from farm3d.training.checkpointing import (
    checkpoint_folder,
    clear_leftovers,
    prune_checkpoints,
    restore_training,
    save_training,
    write_finished,
)
from farm3d.training.config import TrainConfig
from farm3d.training.curricula import terms_by_step
from farm3d.training.head_check import check_head, view_words_begin
from farm3d.training.learner import Learner, StepLoss, new_learner, place_joints, take_step
from farm3d.training.metrics import cut_log, log_step
from farm3d.training.nonfinite import save_batch
from farm3d.training.ranks import ALONE, Ranks

CONFIG_FILE = "config.yaml"


@dataclass(frozen=True)
class Progress:
    """What a command shows while training runs."""

    step: int
    loss: float
    terms: Mapping[str, float]


def train(
    config: TrainConfig,
    data: ImageDataSet,
    run: Path,
    *,
    metadata: Mapping[str, Any],
    should_stop: Callable[[], bool] = lambda: False,
    report: Callable[[Progress], None] = lambda progress: None,
    notice: Callable[[str], None] = lambda line: None,
    ranks: Ranks = ALONE,
) -> Path:
    """Train, or go on training, until `config.steps` or until `should_stop`; returns the last checkpoint.

    Every random draw is keyed by the seed and the step, so an interrupted and resumed run equals an
    uninterrupted one bit for bit on a CPU. Of several `ranks` the first writes, and all stop together.
    `notice` is told what goes wrong and is mended. Raises ConfigError for settings that do not go together,
    TrainingError on a loss or gradient that is not finite, with the step's batch saved to `run`, where the
    shape's surface is lost for good, and where head and tail have changed places (`check_head`).
    """
    check_parts(config, ranks)
    _check_joints(config)
    _check_looks(config)
    with _repeatable(ranks.device):
        learner = new_learner(config, ranks.device)
        first = restore_training(run, config=config, learner=learner)
        if config.model.joint_maps:
            place_joints(learner, canonical_joints(data))
        ranks.agree(first, what="found checkpoints of the steps")
        if ranks.writes:
            _prepare(config, run, first)
        stream = terms_by_step(config, data, learner.model, run=run, first=first, notice=notice, ranks=ranks)
        done = first
        with closing(stream):
            for step in range(first, config.steps):
                if ranks.any(should_stop()):
                    break
                if view_words_begin(config, step):
                    check_head(config, data, learner.model, run=run, step=step, notice=notice, ranks=ranks)
                started = time.perf_counter()
                try:
                    losses = take_step(config, learner, stream, step=step, ranks=ranks)
                except NonFiniteError as error:
                    where = save_batch(config, data, run, step=step) if ranks.writes else "see process 0"
                    raise TrainingError(f"{error}; {where}") from None
                report(Progress(step, losses.loss, losses.terms))
                if ranks.writes and step % config.log_every == 0:
                    _log(run, step, losses, seconds=time.perf_counter() - started)
                done = step + 1
                if done % config.checkpoint_every == 0:
                    _save(config, learner, run, step=done, metadata=metadata, ranks=ranks)
        _save(config, learner, run, step=done, metadata=metadata, ranks=ranks)
        if done >= config.steps and ranks.writes:
            write_finished(run / f"{config.category}.safetensors", learner, metadata)
        ranks.wait()
    return checkpoint_folder(run, done)


def _check_joints(config: TrainConfig) -> None:
    """Raise ConfigError where joints are to be learned by what cannot."""
    if config.model.joint_maps and (config.supervision != "truth" or config.model.backbone != "small"):
        raise ConfigError(
            "model.joint_maps: the small backbone learns joints from the farm's truth;"
            " set model.joint_maps=false, or model.backbone=small and supervision=truth"
        )
    if config.joint_steps and not config.model.joint_maps:
        raise ConfigError("joint_steps: this model looks for no joints; set model.joint_maps=true")


def _check_looks(config: TrainConfig) -> None:
    """Raise ConfigError where second looks are to be learned without truth, by no network, or at no step."""
    if config.look_steps and config.supervision != "truth":
        raise ConfigError("look_steps: second looks learn from the farm's truth; set look_steps=0")
    most = max(config.steps - config.prior_steps, 0)
    if min(config.joint_steps, config.look_steps) < 0 or config.joint_steps + config.look_steps > most:
        raise ConfigError(
            f"joint_steps, look_steps: together not from 0 to the {most} steps after those of the shape"
            f" (prior_steps): {config.joint_steps}, {config.look_steps}; set others, or other steps"
        )
    if config.look_steps and not config.model.second_looks:
        raise ConfigError("look_steps: this model takes no second looks; set model.second_looks=2")


def _prepare(config: TrainConfig, run: Path, first: int) -> None:
    """Make the run's folder what it was before step `first`."""
    # Written only now: a run that was made with other settings keeps its own file.
    write_bytes_atomically(run / CONFIG_FILE, dump_config(config).encode())
    clear_leftovers(run)
    cut_log(run, first)


def _repeatable(device: torch.device) -> AbstractContextManager[None]:
    """Bit for bit on the CPU; accelerators have operators with no such algorithm."""
    return deterministic_algorithms() if device.type == "cpu" else nullcontext()


def _save(
    config: TrainConfig,
    learner: Learner,
    run: Path,
    *,
    step: int,
    metadata: Mapping[str, Any],
    ranks: Ranks,
) -> None:
    """A checkpoint by the process that writes, unless this step has one."""
    if ranks.writes and not checkpoint_folder(run, step).exists():
        save_training(run, step=step, learner=learner, metadata=metadata)
        prune_checkpoints(run, keep_every=config.keep_every)


def _log(run: Path, step: int, losses: StepLoss, *, seconds: float) -> None:
    log_step(run, step, {"loss": losses.loss, **losses.terms}, seconds=seconds)

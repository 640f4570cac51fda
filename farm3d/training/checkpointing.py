"""Checkpoints of a run: a folder a step, written aside and renamed, with all that resuming needs."""

import json
import shutil
from collections.abc import Mapping
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from farm3d.config import parse_config, plain_values
from farm3d.errors import CheckpointError, ConfigError
from farm3d.io.atomic import replacing_folder
from farm3d.io.checkpoint import in_half_precision, load_into, read_checkpoint, write_checkpoint
from farm3d.models.animal_model import AnimalModel
from farm3d.models.build import (
    AVERAGE_FILE,
    MODEL_FILE,
    checkpoints_of,
    fill_backbone,
    load_trained,
    read_average,
    shipped_categories,
    shipped_checkpoint,
)
from farm3d.training.config import TrainConfig
from farm3d.training.learner import Learner

OPTIMIZER_FILE = "optimizer.safetensors"
STATE_FILE = "state.json"

FREE_TO_CHANGE = ("steps", "dino_weights", "load_workers", "cache_gigabytes", "guidance.head_check")
"""Settings with which a run goes on as it began."""


def checkpoint_folder(run: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return run / f"step_{step:06d}"


def save_training(run: Path, *, step: int, learner: Learner, metadata: Mapping[str, Any]) -> None:
    """Write the learner and its step to the step's folder; nothing else is random (seeds are by step)."""
    model, optimizer = learner.model, learner.optimizer
    names = {id(p): name for name, p in model.named_parameters()}
    moments = {
        f"{names[id(p)]}/{key}": value for p, state in optimizer.state.items() for key, value in state.items()
    }
    state = {"step": step} | ({"scaler": learner.scaler.state_dict()} if learner.scaler.is_enabled() else {})
    with replacing_folder(checkpoint_folder(run, step)) as aside:
        write_checkpoint(aside / MODEL_FILE, model.state_dict(), metadata)
        if learner.average is not None:
            write_checkpoint(aside / AVERAGE_FILE, _averaged(learner.average, model), metadata)
        write_checkpoint(aside / OPTIMIZER_FILE, moments, {"step": step})
        (aside / STATE_FILE).write_text(json.dumps(state) + "\n", encoding="utf-8")


def _averaged(average: AnimalModel, model: AnimalModel) -> dict[str, Tensor]:
    """What averaging changed: a frozen backbone is stored once, with the model."""
    last = model.state_dict()
    return {name: mean for name, mean in average.state_dict().items() if not torch.equal(mean, last[name])}


def write_finished(path: Path, learner: Learner, metadata: Mapping[str, Any]) -> None:
    """The trained model, averaged if it was, alone in half precision: the file to share."""
    model = learner.model if learner.average is None else learner.average
    write_checkpoint(path, in_half_precision(model.state_dict()), metadata)


def restore_training(run: Path, *, config: TrainConfig, learner: Learner) -> int:
    """Load the newest complete checkpoint of `run` and return the step to go on from.

    Where there is none the parameters of `config.initial_checkpoint`, or the weights of a frozen backbone,
    are loaded instead. Raises CheckpointError where the run was made with another configuration (but for
    `FREE_TO_CHANGE`), or where that checkpoint does not fit, and what `fill_backbone` raises.
    """
    complete = checkpoints_of(run)
    if not complete:
        if config.initial_checkpoint is None:
            fill_backbone(learner.model, config.dino_weights)
        else:
            start = _start_of(config.initial_checkpoint)
            tensors = load_trained(start).model.state_dict()
            # Second looks are learned last: a start may well have none yet.
            new = {k: v for k, v in learner.model.state_dict().items() if k.startswith("second_look.")}
            load_into(learner.model, {**new, **tensors}, source=start)
        if learner.average is not None:
            learner.average.load_state_dict(learner.model.state_dict())
        return 0
    folder = complete[-1]
    checkpoint = read_checkpoint(folder / MODEL_FILE)
    _refuse_other_config(folder, checkpoint.metadata["config"], config)
    load_into(learner.model, checkpoint.tensors, source=folder / MODEL_FILE)
    if learner.average is not None:
        average = read_average(folder / AVERAGE_FILE)
        load_into(learner.average, average.tensors, source=folder / AVERAGE_FILE)
    _restore_moments(learner.optimizer, learner.model, read_checkpoint(folder / OPTIMIZER_FILE).tensors)
    state = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
    if learner.scaler.is_enabled():
        learner.scaler.load_state_dict(state["scaler"])
    return int(state["step"])


def _start_of(name: str) -> Path:
    """The shipped checkpoint of a category, else a file or a run."""
    return shipped_checkpoint(name) if name in shipped_categories() else Path(name)


def prune_checkpoints(run: Path, *, keep_every: int) -> None:
    """Remove checkpoints other than the last two and every `keep_every`-th step."""
    for folder in checkpoints_of(run)[:-2]:
        if int(folder.name.removeprefix("step_")) % keep_every:
            # Renamed first, so that a kill in between leaves no folder that looks complete.
            shutil.rmtree(folder.rename(folder.with_name(f".{folder.name}.old")))


def clear_leftovers(run: Path) -> None:
    """Remove what a killed run left half written or half removed."""
    for suffix in ("part", "old"):
        for path in run.glob(f".*.{suffix}"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _refuse_other_config(folder: Path, old: Mapping[str, Any], config: TrainConfig) -> None:
    """Settings that the checkpoint does not know had their default."""
    try:
        before = _settings(parse_config(TrainConfig, old, source=str(folder)))
    except ConfigError as error:
        raise CheckpointError(f"{error}; this run needs another version of farm3d") from None
    new = _settings(config)
    changed = [key for key in new if before[key] != new[key]]
    if changed:
        raise CheckpointError(
            f"{folder}: made with other settings ({', '.join(changed)}); give another --out or the same ones"
        )


def _settings(config: TrainConfig) -> dict[str, Any]:
    """Those with which a run has to go on."""
    values = plain_values(config)
    for key in FREE_TO_CHANGE:
        *rooms, name = key.split(".")
        reduce(getitem, rooms, values).pop(name)
    return values


def _restore_moments(
    optimizer: torch.optim.Optimizer, model: AnimalModel, tensors: Mapping[str, Tensor]
) -> None:
    """Adam's moments back to their parameters; parameters without moments have not been stepped yet."""
    parameters = dict(model.named_parameters())
    for name, value in tensors.items():
        parameter, key = name.rsplit("/", 1)
        # Adam counts its steps on the CPU wherever the parameters are.
        device = value.device if key == "step" else parameters[parameter].device
        optimizer.state[parameters[parameter]][key] = value.to(device)

"""Checkpoints of a run: a folder a step, written aside and renamed, with all that resuming needs."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from farm3d.config import plain_values
from farm3d.errors import CheckpointError
from farm3d.io.atomic import replacing_folder
from farm3d.io.checkpoint import in_half_precision, load_into, read_checkpoint, write_checkpoint
from farm3d.models.animal_model import AnimalModel
from farm3d.models.build import MODEL_FILE, checkpoints_of
from farm3d.training.config import TrainConfig

OPTIMIZER_FILE = "optimizer.safetensors"
STATE_FILE = "state.json"


def save_training(
    run: Path, *, step: int, model: AnimalModel, optimizer: torch.optim.Optimizer, metadata: Mapping[str, Any]
) -> Path:
    """Write `run/step_<step>` with model, optimizer and step; nothing else is random (seeds are by step)."""
    folder = run / f"step_{step:06d}"
    names = {id(p): name for name, p in model.named_parameters()}
    moments = {
        f"{names[id(p)]}/{key}": value for p, state in optimizer.state.items() for key, value in state.items()
    }
    with replacing_folder(folder) as aside:
        write_checkpoint(aside / MODEL_FILE, model.state_dict(), metadata)
        write_checkpoint(aside / OPTIMIZER_FILE, moments, {"step": step})
        (aside / STATE_FILE).write_text(json.dumps({"step": step}) + "\n", encoding="utf-8")
    return folder


def write_finished(path: Path, model: AnimalModel, metadata: Mapping[str, Any]) -> None:
    """The trained model alone in half precision: the file to share."""
    write_checkpoint(path, in_half_precision(model.state_dict()), metadata)


def restore_training(
    run: Path, *, config: TrainConfig, model: AnimalModel, optimizer: torch.optim.Optimizer
) -> int:
    """Load the newest complete checkpoint of `run`, if any, and return the step to go on from.

    Raises CheckpointError where it was made with another configuration (but for `steps`).
    """
    complete = checkpoints_of(run)
    if not complete:
        return 0
    folder = complete[-1]
    checkpoint = read_checkpoint(folder / MODEL_FILE)
    _refuse_other_config(folder, checkpoint.metadata["config"], plain_values(config))
    load_into(model, checkpoint.tensors, source=folder / MODEL_FILE)
    _restore_moments(optimizer, model, read_checkpoint(folder / OPTIMIZER_FILE).tensors)
    return int(json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))["step"])


def prune_checkpoints(run: Path, *, keep_every: int) -> None:
    """Remove checkpoints other than the last two and every `keep_every`-th step."""
    for folder in checkpoints_of(run)[:-2]:
        if int(folder.name.removeprefix("step_")) % keep_every:
            shutil.rmtree(folder)


def _refuse_other_config(folder: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    changed = [key for key in new if key != "steps" and old.get(key) != new[key]]
    if changed:
        raise CheckpointError(
            f"{folder}: made with other settings ({', '.join(changed)}); give another --out or the same ones"
        )


def _restore_moments(
    optimizer: torch.optim.Optimizer, model: AnimalModel, tensors: Mapping[str, Tensor]
) -> None:
    """Adam's moments back to their parameters; parameters without moments have not been stepped yet."""
    parameters = dict(model.named_parameters())
    for name, value in tensors.items():
        parameter, key = name.rsplit("/", 1)
        optimizer.state[parameters[parameter]][key] = value

"""Models and the checkpoints they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

import torch

from farm3d.config import parse_config
from farm3d.errors import CheckpointError, ConfigError
from farm3d.io.checkpoint import Checkpoint, load_into, read_checkpoint
from farm3d.models import species
from farm3d.models.animal_model import AnimalModel
from farm3d.models.config import ModelConfig
from farm3d.predictors.dino_encoder import DinoEncoder
from farm3d.pretrained import animal_pixels
from farm3d.pretrained.dino import load_dino

STEP_FOLDER = "step_*"
MODEL_FILE = "model.safetensors"
AVERAGE_FILE = "ema.safetensors"
"""Beside it where training averages the parameters: those that averaging changed; they are used then."""


@dataclass(frozen=True)
class TrainedModel:
    """A model in evaluation mode and where it came from."""

    model: AnimalModel
    category: str
    shoulder_height_metres: float
    metadata: Mapping[str, Any]
    sha256: str


def load_trained(path: Path) -> TrainedModel:
    """The model of a checkpoint file, of a folder with one, or of a training run's newest checkpoint.

    Raises CheckpointError where there is none or where it is not a farm3d model.
    """
    file = path
    if path.is_dir():
        file = _file_to_use(path if (path / MODEL_FILE).is_file() else newest_checkpoint(path))
    checkpoint = read_average(file) if file.name == AVERAGE_FILE else read_checkpoint(file)
    try:
        config = checkpoint.metadata["config"]
        sizes = parse_config(ModelConfig, config["model"], source=str(file))
        category, height = str(config["category"]), float(config["shoulder_height_metres"])
    except (KeyError, TypeError, ValueError):
        raise CheckpointError(f"{file}: its metadata do not describe a model") from None
    except ConfigError as error:
        raise CheckpointError(f"{error}; this checkpoint needs another version of farm3d") from None
    model = AnimalModel(sizes)
    load_into(model, checkpoint.tensors, source=file)
    return TrainedModel(model.eval(), category, height, checkpoint.metadata, checkpoint.sha256)


def read_average(file: Path) -> Checkpoint:
    """The averaged parameters, with those that averaging left alone from the model's file beside them.

    Raises CheckpointError where one is missing or damaged.
    """
    average, last = read_checkpoint(file), file.with_name(MODEL_FILE)
    rest = read_checkpoint(last).tensors if last.is_file() else {}
    return replace(average, tensors={**rest, **average.tensors})


def _file_to_use(folder: Path) -> Path:
    average = folder / AVERAGE_FILE
    return average if average.is_file() else folder / MODEL_FILE


def fill_backbone(model: AnimalModel, weights: str | None) -> None:
    """Give a new model's frozen DINO the weights of a file or of a repository of the hub.

    Raises MissingDependencyError where it needs weights and none are given, ConfigError where it needs
    none, CheckpointError for weights that cannot be had or do not fit.
    """
    if isinstance(model.encoder, DinoEncoder):
        dino = load_dino(weights, torch.device("cpu"), image_size=model.config.image_size)
        load_into(model.encoder.backbone, dino.backbone.state_dict(), source=Path(str(weights)))
    elif weights is not None:
        raise ConfigError(f"dino_weights {weights}: no DINO here that needs them; set model.backbone=dino")


def newest_checkpoint(run: Path) -> Path:
    """The newest complete checkpoint folder of a run; raises CheckpointError where there is none."""
    complete = checkpoints_of(run)
    if not complete:
        raise CheckpointError(f"{run}: no checkpoint in this folder; farm3d-train --out {run} makes one")
    return complete[-1]


def checkpoints_of(run: Path) -> list[Path]:
    """The complete checkpoint folders of a run, oldest first; they are renamed into place when complete."""
    return sorted(folder for folder in run.glob(STEP_FOLDER) if (folder / MODEL_FILE).is_file())


def shipped_categories() -> list[str]:
    """The categories whose checkpoint comes with the package."""
    files = [f.name for f in resources.files("farm3d.checkpoints").iterdir()]
    return sorted(name.removesuffix(".safetensors") for name in files if _is_model(name))


def shipped_checkpoint(category: str | None) -> Path:
    """The shipped checkpoint of a category; raises ConfigError where none ships, or no category is given."""
    known = shipped_categories()
    if category is None:
        raise ConfigError(f"give --category (shipped: {', '.join(known) or 'none'}) or --checkpoint")
    if category not in known:
        raise ConfigError(
            f"no checkpoint ships for the category {category!r} (shipped: {', '.join(known) or 'none'});"
            f" train one with farm3d-train --category {category} and give --checkpoint"
        )
    # The package is installed as files, never zipped, so the resource is a path.
    return Path(str(resources.files("farm3d.checkpoints") / f"{category}.safetensors"))


def _is_model(name: str) -> bool:
    return name.endswith(".safetensors") and name not in (species.SHIPPED_FILE, animal_pixels.SHIPPED_FILE)

"""Which model a command uses: --category and --checkpoint, the same in all commands."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from farm3d.errors import ConfigError

AUTO = "auto"

if TYPE_CHECKING:
    from farm3d.inference.any_species import AnySpecies
    from farm3d.inference.reconstructor import Reconstructor
    from farm3d.models.build import TrainedModel


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add --category and --checkpoint."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--category", metavar="NAME", help="which shipped checkpoint (default: auto, by the picture)"
    )
    group.add_argument(
        "--checkpoint",
        metavar="FILE|RUN|HUB_ID",
        help="a checkpoint file, a run's folder or a hub repository",
    )


def chosen_model(arguments: argparse.Namespace, otherwise: str | None = None) -> "tuple[Path, TrainedModel]":
    """The model that the options name, and its file or folder.

    Where they name none it is the shipped one of the category `otherwise`. Raises CheckpointError where there
    is none, ConfigError for a category that does not ship, for a checkpoint of another category than the one
    asked for, and where neither is known.
    """
    from farm3d.inference.reconstructor import find_checkpoint
    from farm3d.models.build import load_trained

    category = None if arguments.category == AUTO else arguments.category
    path = find_checkpoint(arguments.checkpoint, category or otherwise)
    trained = load_trained(path)
    if category not in (None, trained.category):
        raise ConfigError(
            f"{arguments.checkpoint} is a model of the category {trained.category!r}, not {category!r}"
        )
    return path, trained


def chosen_reconstructor(
    arguments: argparse.Namespace, otherwise: str | None = None
) -> "Reconstructor | AnySpecies":
    """The model that the options name, that of the category `otherwise`, or all that ship.

    Raises what `chosen_model` raises.
    """
    from farm3d.inference.any_species import AnySpecies
    from farm3d.inference.reconstructor import Reconstructor

    unnamed = arguments.checkpoint is None and arguments.category in (None, AUTO)
    if unnamed and (otherwise is None or arguments.category == AUTO):
        return AnySpecies()
    return Reconstructor(chosen_model(arguments, otherwise)[1])

"""Which model a command uses: --category and --checkpoint, the same in all commands."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from farm3d.errors import ConfigError

if TYPE_CHECKING:
    from farm3d.models.build import TrainedModel


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add --category and --checkpoint."""
    group = parser.add_argument_group("model")
    group.add_argument("--category", metavar="NAME", help="which shipped checkpoint (default: the only one)")
    group.add_argument(
        "--checkpoint",
        metavar="FILE|RUN|HUB_ID",
        help="a checkpoint file, a run's folder or a hub repository",
    )


def chosen_model(arguments: argparse.Namespace, otherwise: str | None = None) -> "tuple[Path, TrainedModel]":
    """The model that the options name, and its file or folder.

    Where they name none it is the shipped one of the category `otherwise`, or the only one that ships.
    Raises CheckpointError where there is none, ConfigError for a category that does not ship and for a
    checkpoint of another category than the one asked for.
    """
    from farm3d.inference.reconstructor import find_checkpoint
    from farm3d.models.build import load_trained

    path = find_checkpoint(arguments.checkpoint, arguments.category or otherwise)
    trained = load_trained(path)
    if arguments.category not in (None, trained.category):
        raise ConfigError(
            f"{arguments.checkpoint} is a model of the category {trained.category!r},"
            f" not {arguments.category!r}"
        )
    return path, trained

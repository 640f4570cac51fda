"""A data set's folder while it is made: whose it is, which shards are there, and when it is finished.

dataset.yaml is written first, with the settings, and claims the folder; when everything is there it is
written once more, with the results. What a killed run left aside goes when its shard is made again.
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from farm3d.errors import ConfigError, InputError
from farm3d.io.atomic import write_bytes_atomically
from farm3d.yaml_text import dump_yaml, parse_yaml

from .processes import Team, wait_until

FORMAT_VERSION = 2
DESCRIPTION_FILE = "dataset.yaml"
RESULTS = "results"
DRAFTS = "drafts"
"""What is made before shards can be; gone when the set is finished."""

SHARD_SIZE = 256
"""Pictures (drawn, not kept) of a shard."""

Description = Mapping[str, object]


def shard_name(number: int) -> str:
    """The folder of shard `number`."""
    return f"shard_{number:05d}"


def shard_numbers(count: int, shard_size: int) -> range:
    """The shards that `count` pictures fill."""
    return range(-(-count // shard_size))


def shard_pictures(shard: int, count: int, shard_size: int) -> range:
    """The numbers of the pictures of a shard."""
    return range(shard * shard_size, min(count, (shard + 1) * shard_size))


def claim(out: Path, description: Description, team: Team) -> bool:
    """Make `out` a data set with this description, or check that it is one; whether it is finished.

    Rank 0 writes, the others wait for it. Raises ConfigError where `out` holds a data set with other
    settings, InputError where it is or holds something else.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; --out must be a folder")
    file = out / DESCRIPTION_FILE
    if not file.is_file():
        if out.is_dir() and any(not is_aside(path) for path in out.iterdir()) and not file.is_file():
            raise InputError(f"{out} is not empty and holds no {DESCRIPTION_FILE}; give another --out")
        if team.rank == 0:
            write_bytes_atomically(file, dump_yaml(dict(description)).encode())
            return False
        wait_until(file.is_file)
    return _check_claim(out, description)


def _check_claim(out: Path, description: Description) -> bool:
    try:
        found = parse_yaml((out / DESCRIPTION_FILE).read_text(encoding="utf-8"), source="")
    except (ConfigError, UnicodeDecodeError):
        raise ConfigError(
            f"{out / DESCRIPTION_FILE} is not valid YAML; give another --out or remove it"
        ) from None
    known = found if isinstance(found, dict) else {}
    other = [key for key, value in description.items() if known.get(key) != value]
    if other:
        raise ConfigError(
            f"{out} already holds a data set with {other[0]} {known.get(other[0])}, not"
            f" {description[other[0]]}; give another --out or remove it"
        )
    return RESULTS in known


def finish(out: Path, description: Description, results: Mapping[str, Any]) -> None:
    """Write dataset.yaml once more, with the results: the data set is complete."""
    complete = {**description, RESULTS: dict(results)}
    write_bytes_atomically(out / DESCRIPTION_FILE, dump_yaml(complete).encode())


def is_finished(out: Path) -> bool:
    """Whether dataset.yaml has its results."""
    return f"\n{RESULTS}:\n" in (out / DESCRIPTION_FILE).read_text(encoding="utf-8")


def is_aside(path: Path) -> bool:
    """Whether farm3d.io.atomic gave this file or folder its name until it is complete."""
    return path.name.startswith(".") and path.suffix in (".part", ".old")


def remove_leftovers(target: Path) -> None:
    """Remove what a killed run wrote aside for `target`; whoever makes the target calls this, nobody else."""
    for leftover in target.parent.glob(f".{target.name}.*"):
        if not is_aside(leftover):
            continue
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def link_or_copy(file: Path, target: Path) -> None:
    """Give a file that nobody will change a second name, or a copy where the file system knows no links."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)

"""Clips that a user writes: JSON key frames (docs/results.md)."""

import json
from pathlib import Path
from typing import Any

import torch

from farm3d.config import StrictConfig, parse_config
from farm3d.errors import ConfigError, InputError
from farm3d.geometry.clip import Clip
from farm3d.geometry.skeleton_estimation import BONE_NAMES
from farm3d.inference.clips import CLIP_NAMES

SHORTEST, LONGEST = 0.1, 30.0
"""Seconds that a clip may last: the video holds whole loops of it, and all its frames are posed at once."""


class ClipFile(StrictConfig):
    """Key times in seconds, and for each bone that moves its three angles in degrees at every key."""

    name: str
    times: tuple[float, ...]
    joint_angles_degrees: dict[str, tuple[tuple[float, float, float], ...]]


def resolve_clip(name_or_file: str) -> str | Clip:
    """A standard clip's name as it is, a .json file as the clip in it.

    Raises ConfigError for an unknown name, InputError for a file that is no clip.
    """
    if not name_or_file.endswith(".json"):
        if name_or_file not in CLIP_NAMES:
            raise ConfigError(
                f"--clip {name_or_file}: not known; there are {', '.join(CLIP_NAMES)}, or give a .json file"
            )
        return name_or_file
    path = Path(name_or_file)
    return _clip(parse_config(ClipFile, _read(path), source=str(path)), path)


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except ValueError:
        raise InputError(f"{path}: not JSON") from None
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected an object with name, times and joint_angles_degrees")
    return values


def _clip(file: ClipFile, path: Path) -> Clip:
    keys = len(file.times)
    if (
        keys < 2
        or file.times[0] != 0.0
        or any(b <= a for a, b in zip(file.times, file.times[1:], strict=False))
    ):
        raise InputError(f"{path}: times must start at 0 and rise, with at least two keys")
    if not SHORTEST <= file.times[-1] <= LONGEST:
        raise InputError(
            f"{path}: the clip lasts {file.times[-1]:g} s; it must last {SHORTEST:g} to {LONGEST:g} s"
        )
    if file.name in CLIP_NAMES:
        raise InputError(f"{path}: every result has a clip called {file.name!r}; choose another name")
    angles = torch.zeros(keys, len(BONE_NAMES), 3)
    for bone, rows in file.joint_angles_degrees.items():
        if bone not in BONE_NAMES:
            raise InputError(f"{path}: no bone is called {bone!r}; the bones are {', '.join(BONE_NAMES)}")
        if len(rows) != keys:
            raise InputError(f"{path}: {bone} has {len(rows)} keys, not {keys}")
        angles[:, BONE_NAMES.index(bone)] = torch.deg2rad(torch.tensor(rows))
    return Clip(file.name, torch.tensor(file.times), angles, torch.zeros(keys, 3))

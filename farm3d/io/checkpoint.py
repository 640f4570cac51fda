"""Checkpoints: safetensors with one metadata key, `farm3d`, that holds sorted JSON."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from farm3d.errors import CheckpointError
from farm3d.io.atomic import write_bytes_atomically

METADATA_KEY = "farm3d"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """Named tensors, what they were made from, and the SHA-256 of the file."""

    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, Any]
    sha256: str


def write_checkpoint(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors and metadata under `path` when complete; equal contents are equal bytes.

    Raises InputError where the file cannot be written.
    """
    # One key of sorted JSON: several metadata keys would come out in random order.
    text = json.dumps({"format_version": FORMAT_VERSION, **metadata}, sort_keys=True)
    contiguous = {name: tensors[name].detach().cpu().contiguous() for name in sorted(tensors)}
    write_bytes_atomically(path, save(contiguous, metadata={METADATA_KEY: text}))


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint that farm3d wrote.

    Raises CheckpointError, naming the file, where it is missing, damaged or another program's.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a complete safetensors file ({error})") from None
    if text is None:
        raise CheckpointError(f"{path}: not a farm3d checkpoint; farm3d-train writes those")
    try:
        metadata = json.loads(text)
    except json.JSONDecodeError:
        metadata = None
    if not isinstance(metadata, dict):
        raise CheckpointError(f"{path}: its farm3d metadata are damaged")
    version = metadata.get("format_version")
    if version != FORMAT_VERSION:
        raise CheckpointError(f"{path}: format version {version}; this farm3d reads version {FORMAT_VERSION}")
    return Checkpoint(tensors, metadata, hashlib.sha256(path.read_bytes()).hexdigest())


def load_into(module: nn.Module, tensors: Mapping[str, Tensor], *, source: Path) -> None:
    """Copy tensors into a module's parameters, half precision widened to the module's own.

    Raises CheckpointError naming the keys or shapes that do not fit.
    """
    wanted = module.state_dict()
    missing, foreign = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    wrong = [
        f"{name} is {tuple(tensors[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in sorted(wanted.keys() & tensors.keys())
        if tensors[name].shape != wanted[name].shape
    ]
    problems = [f"missing {name}" for name in missing] + [f"unknown {name}" for name in foreign] + wrong
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise CheckpointError(f"{source}: does not fit the model: {'; '.join(problems[:3])}{more}")
    module.load_state_dict({name: tensors[name].to(wanted[name].dtype) for name in wanted})


def in_half_precision(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors with floating-point ones as float16, for a checkpoint that ships."""
    return {name: t.half() if t.dtype == torch.float32 else t for name, t in tensors.items()}

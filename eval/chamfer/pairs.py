"""Which reconstruction belongs to which target: files of one name in two folders, and what is in them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from farm3d.errors import InputError
from farm3d.io.mesh_files import READABLE_SUFFIXES, read_mesh

from .voxels import Triangles

SHOWN = 10
"""So many unmatched files are named in an error, the others counted."""


@dataclass(frozen=True)
class Pair:
    """A reconstruction and its target; `name` is the stem of both files."""

    name: str
    reconstruction: Path
    target: Path


def find_pairs(reconstructions: Path, targets: Path) -> list[Pair]:
    """The meshes of two folders, paired by their names without suffix, in the order of the names.

    Raises InputError for a folder that is missing or holds no mesh, for two meshes of one name in a folder,
    and for meshes without partner, which it lists.
    """
    ours, theirs = _meshes(reconstructions), _meshes(targets)
    unmatched = [
        f"{folder}: {_listed(names)}"
        for folder, names in (
            (reconstructions, [ours[name].name for name in sorted(ours.keys() - theirs.keys())]),
            (targets, [theirs[name].name for name in sorted(theirs.keys() - ours.keys())]),
        )
        if names
    ]
    if unmatched:
        raise InputError(
            f"meshes without a partner of the same name in the other folder: in {'; in '.join(unmatched)}"
        )
    return [Pair(name, ours[name], theirs[name]) for name in sorted(ours)]


def load_triangles(path: Path) -> Triangles:
    """The corners of a mesh file's triangles, in double precision; raises InputError as `read_mesh` does."""
    mesh = read_mesh(path, dtype=torch.float64)
    return np.ascontiguousarray(mesh.vertices.numpy()[mesh.faces.numpy()])


def fingerprint(pair: Pair) -> str:
    """What both files hold, in a few letters: of other contents the fingerprint is another."""
    digest = hashlib.blake2b(digest_size=12)
    for path in (pair.reconstruction, pair.target):
        content = path.read_bytes() if path.is_file() else b""
        digest.update(f"{path.suffix.lower()} {len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _meshes(folder: Path) -> dict[str, Path]:
    """The mesh files of a folder by their stems."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in READABLE_SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            raise InputError(f"{folder}: both {found[path.stem].name} and {path.name}; keep one of them")
        found[path.stem] = path
    if not found:
        raise InputError(f"{folder}: no mesh in it ({', '.join(READABLE_SUFFIXES)})")
    return found

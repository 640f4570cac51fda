"""What tests share: threads, Triton's interpreter, and a small data set made once a session."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from filelock import FileLock

if "PYTEST_XDIST_WORKER" in os.environ:
    # As many workers as cores: more threads, theirs or those of commands they start, would only wait.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)

if not torch.cuda.is_available():
    # Without a GPU Triton's kernels are interpreted: it reads this when it is imported, after this file.
    os.environ.setdefault("TRITON_INTERPRET", "1")


@pytest.fixture(scope="session")
def farm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 pictures of three horses at 64 pixels a side, in two shards, as farm3d-synth writes them."""
    from farm3d.synth.dataset import FarmSettings, write_farm

    settings = FarmSettings("horse", count=24, size=64, seed=7, individuals=3, shard_size=16)

    def make(folder: Path) -> Path:
        write_farm(settings, folder, lambda done: None)
        return folder

    return _made_once(tmp_path_factory, "farm/horse", make)


@pytest.fixture(scope="session")
def tiny_diffusion_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Stable Diffusion model that draws cows of 64 pixels a side; see tests/synth/tiny_diffusion.py.

    It takes a minute to train.
    """
    from .synth.tiny_diffusion import make_tiny_diffusion

    return _made_once(tmp_path_factory, "tiny_diffusion", make_tiny_diffusion)


def _made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Path]) -> Path:
    """A folder that parallel workers share: the first that asks makes it, and nobody changes it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.parent.mkdir(exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            make(folder.with_suffix(".part")).rename(folder)
    return folder

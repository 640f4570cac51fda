"""Killed again and again, also while a checkpoint is being written, a run ends as if nothing had been."""

import json
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import pytest
import torch

from farm3d.config import load_config, plain_values
from farm3d.data.image_folder import ImageDataSet, open_data_set
from farm3d.errors import InputError
from farm3d.training.config import TrainConfig
from farm3d.training.trainer import train

KILLS, STEPS = 10, 48
SECONDS = 60.0
CHANGES = (
    "supervision=images",
    f"steps={STEPS}",
    "batch_size=2",
    "log_every=1",
    "picture_every=1000",
    "checkpoint_every=2",
    "keep_every=10",
    "ema_decay=0.9",
    "render_size=16",
    "model.grid_resolution=32",
    "model.feature_channels=16",
    "images.grid_resolution=24",
    "images.articulation_from=4",
    "images.deformation_from=8",
    "images.eikonal_points=64",
)


def run_training(data: ImageDataSet, run: Path, steps: int = STEPS) -> Path:
    config = load_config(TrainConfig, preset_or_file="tiny", overrides=[*CHANGES, f"steps={steps}"])
    return train(config, data, run, metadata={"config": plain_values(config), "category": "horse"})


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Children inherit it: a fork has none of its parent's other threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def contents(run: Path) -> dict[str, bytes]:
    """All files by name, but for the timings."""
    found = {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file()}
    lines = [json.loads(line) for line in found.pop("metrics.jsonl").splitlines()]
    terms = [{key: value for key, value in line.items() if key != "seconds"} for line in lines]
    return found | {"metrics": json.dumps(terms).encode()}


def wait_for(condition: Callable[[], bool], child: BaseProcess) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert child.is_alive() and time.monotonic() < deadline
        time.sleep(0.0005)


def checkpoints(run: Path) -> int:
    """The step of the newest."""
    return max((int(folder.name.removeprefix("step_")) for folder in run.glob("step_*")), default=0)


def half_written(run: Path) -> set[Path]:
    return set(run.glob(".step_*.part"))


def kill_at_a_random_moment(child: BaseProcess, run: Path, random: Random, *, while_writing: bool) -> bool:
    """After a checkpoint or two more, and then when one is half written or whenever; says if one was."""
    wanted, left_before = checkpoints(run) + random.choice([0, 2]), half_written(run)
    wait_for(lambda: checkpoints(run) >= wanted, child)
    if while_writing:
        wait_for(lambda: bool(half_written(run) - left_before), child)
    else:
        time.sleep(random.uniform(0.0, 0.1))
    assert child.pid is not None and child.is_alive()
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    return bool(half_written(run) - left_before)


def run_where_no_large_file_fits(data: ImageDataSet, run: Path) -> None:
    """The system refuses a checkpoint in the middle of it, as a full disk does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
    with pytest.raises(InputError, match=rf"^cannot write {run}/step_000004/\w+\.\w+: File too large$"):
        run_training(data, run)


def test_what_a_full_disk_stops_goes_on_from_the_checkpoint_before(farm_folder: Path, tmp_path: Path) -> None:
    data, run = open_data_set(farm_folder), tmp_path / "run"
    first = run_training(data, run, steps=2)
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    child = multiprocessing.get_context("fork").Process(target=run_where_no_large_file_fits, args=(data, run))
    child.start()
    child.join(SECONDS)
    assert child.exitcode == 0
    assert [folder.name for folder in run.glob("*step_*")] == [first.name]
    assert {path.name: path.read_bytes() for path in first.iterdir()} == before
    assert run_training(data, run, steps=4).name == "step_000004"


def test_killed_ten_times_a_run_ends_with_the_same_bits(farm_folder: Path, tmp_path: Path) -> None:
    data, random = open_data_set(farm_folder), Random(0)
    whole = run_training(data, tmp_path / "whole")
    run, context = tmp_path / "killed", multiprocessing.get_context("fork")
    in_the_middle = 0
    for number in range(KILLS):
        child = context.Process(target=run_training, args=(data, run))
        child.start()
        in_the_middle += kill_at_a_random_moment(child, run, random, while_writing=number % 2 == 0)
    child = context.Process(target=run_training, args=(data, run))
    child.start()
    child.join(SECONDS)
    assert child.exitcode == 0
    assert in_the_middle > 0, "no kill fell into the writing of a checkpoint"
    assert whole.name == f"step_{STEPS:06d}" and contents(run) == contents(tmp_path / "whole")

"""Killed again and again, also while a checkpoint is being written, a run ends as if nothing had been."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random

import torch

from farm3d.config import load_config, plain_values
from farm3d.data.image_folder import ImageDataSet, open_data_set
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


def run_training(data: ImageDataSet, run: Path) -> Path:
    torch.set_num_threads(1)
    config = load_config(TrainConfig, preset_or_file="tiny", overrides=CHANGES)
    return train(config, data, run, metadata={"config": plain_values(config), "category": "horse"})


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


def test_killed_ten_times_a_run_ends_with_the_same_bits(farm_folder: Path, tmp_path: Path) -> None:
    data, random = open_data_set(farm_folder), Random(0)
    threads = torch.get_num_threads()
    try:
        whole = run_training(data, tmp_path / "whole")
    finally:
        torch.set_num_threads(threads)
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

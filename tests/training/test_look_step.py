"""The last steps of a run teach second looks, and nothing else."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from farm3d.config import load_config
from farm3d.data.image_folder import ImageDataSet, load_batch, open_data_set
from farm3d.errors import ConfigError
from farm3d.models.animal_model import InstancePose
from farm3d.models.build import load_trained
from farm3d.models.second_look import look_again
from farm3d.training.config import TrainConfig
from farm3d.training.estimate import stages_of
from farm3d.training.look_step import look_terms
from farm3d.training.plan import FOR_EVER, planned_changes, settled
from farm3d.training.train_step import StepSettings
from tests.training.test_trainer import FILES, after, mean, metrics, run_training

MAIN, LOOKS = 4, 4
CHANGES = (
    "prior_steps=0",
    f"steps={MAIN + LOOKS}",
    f"look_steps={LOOKS}",
    "batch_size=4",
    "log_every=1",
    f"checkpoint_every={MAIN}",
    "model.grid_resolution=48",
    "model.second_looks=2",
)


def config(*changes: str) -> TrainConfig:
    return load_config(TrainConfig, preset_or_file="tiny", overrides=[*CHANGES, *changes])


@pytest.fixture(scope="module")
def data(farm_folder: Path) -> ImageDataSet:
    return open_data_set(farm_folder)


@pytest.fixture(scope="module")
def start(data: ImageDataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose shape has legs, and whose model takes no looks."""
    run = tmp_path_factory.mktemp("start") / "run"
    plain = config("model.second_looks=0", "look_steps=0", "prior_steps=150", "steps=154")
    run_training(plain, data, run)
    return run


@pytest.fixture(scope="module")
def finished(start: Path, data: ImageDataSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("looks") / "run"
    run_training(config(f"initial_checkpoint={start}"), data, run)
    return run


def test_only_the_network_that_looks_learns(finished: Path) -> None:
    first = load_trained(finished / f"step_{MAIN:06d}").model.state_dict()
    last = load_trained(finished / f"step_{MAIN + LOOKS:06d}").model.state_dict()
    changed = {name for name in first if not torch.equal(first[name], last[name])}
    assert changed == {name for name in first if name.startswith("second_look.")}


def test_the_log_has_the_terms_of_looks_from_their_first_step(finished: Path) -> None:
    lines = metrics(finished)
    assert all(("smoothness" in line) == (line["step"] >= MAIN) for line in lines)
    assert all("hypothesis" not in line for line in lines[MAIN:])


def test_interrupted_among_the_looks_and_resumed_is_uninterrupted(
    finished: Path, start: Path, data: ImageDataSet, tmp_path: Path
) -> None:
    run, looks_begin = tmp_path / "interrupted", f"step_{MAIN:06d}"
    shutil.copytree(finished / looks_begin, run / looks_begin)
    settings = config(f"initial_checkpoint={start}")
    run_training(settings, data, run, should_stop=after(2))
    last = run_training(settings, data, run)
    for file in FILES:
        assert (last / file).read_bytes() == (finished / last.name / file).read_bytes(), file


def test_looks_hold_the_drawing_against_the_true_mask(
    finished: Path, data: ImageDataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The networks behind are shown distorted masks; looks and their terms have the same, undistorted one."""
    model, shown = load_trained(finished).model, []

    def look(*args: Any, **kwargs: Any) -> InstancePose:
        shown.append(args[2])
        return look_again(*args, **kwargs)

    monkeypatch.setattr("farm3d.models.read_pose.look_again", look)
    size = model.config.image_size
    rngs = [np.random.default_rng(0), np.random.default_rng(1)]
    batch = load_batch(data, [0, 1], image_size=size, rngs=rngs, truth_points=32)
    nothing = torch.zeros_like(batch.masks)
    settings = StepSettings(render_images=2, render_size=size)
    with torch.no_grad():
        prior = model.prior()
    look_terms(model, prior, batch, inputs=(batch.images, nothing), settings=settings)
    assert len(shown) == model.config.second_looks == 2
    assert all(torch.equal(masks, batch.masks) for masks in shown)


def test_looks_at_a_few_images_are_learned_by_heart(start: Path, data: ImageDataSet, tmp_path: Path) -> None:
    four = ImageDataSet(data.folder, data.description, data.samples[:4])
    more = ("steps=80", "look_steps=80", "learning_rate=0.003", "render_images=4")
    run_training(config(*more, f"initial_checkpoint={start}"), four, tmp_path / "heart")
    lines = metrics(tmp_path / "heart")
    for name, share in (("mask", 0.7), ("projection", 0.7), ("posed_points", 0.9)):
        first, last = (mean([line[name] for line in part]) for part in (lines[:10], lines[-10:]))
        assert last < share * first, f"{name}: {first:.4f} -> {last:.4f}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("supervision=images", "model.second_looks=2"), "set look_steps=0"),
        (("model.second_looks=0",), "set model.second_looks=2"),
        (("look_steps=-1",), "look_steps: together not from 0 to the 8 steps"),
        (("prior_steps=5",), "look_steps: together not from 0 to the 3 steps .*: 0, 4"),
        (("joint_steps=5", "model.joint_maps=true"), "look_steps: together not from .*: 5, 4"),
    ],
)
def test_looks_need_truth_and_a_model_that_takes_them(
    data: ImageDataSet, tmp_path: Path, settings: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_training(config(*settings), data, tmp_path / "run")


def test_the_plan_tells_of_looks() -> None:
    stages = [(stage.first, stage.end, stage.work) for stage in stages_of(config())]
    end = MAIN + LOOKS
    assert stages == [(0, MAIN, "images with truth"), (MAIN, end, "second looks")]
    assert (MAIN, "only second looks learn") in [(c.step, c.what) for c in planned_changes(config())]
    assert settled(config(), MAIN).look_steps == FOR_EVER
    assert settled(config(), MAIN - 1).look_steps == 0

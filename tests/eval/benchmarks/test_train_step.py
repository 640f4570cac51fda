"""The parts of a timed step are those of a step of training, and the whole is their sum."""

import pytest
import torch
from farm3d.eval.benchmarks.harness import Effort
from farm3d.eval.benchmarks.train_step import PARTS, WHOLE, load_subject, measure_train_step, timed_step

from farm3d.config import load_config
from farm3d.errors import ConfigError
from farm3d.training.config import TrainConfig

CPU = torch.device("cpu")
SETTINGS = (
    "supervision=images",
    "batch_size=4",
    "model.feature_channels=16",
    "model.grid_resolution=32",
    "images.grid_resolution=32",
    "images.eikonal_points=100",
    "images.score_size=16",
)
GUIDED = (
    "weights.distillation=0.1",
    "guidance.source=pictures",
    "guidance.background=0.5",
    "guidance.picture_size=8",
    "guidance.size=16",
)


def tiny(*overrides: str) -> TrainConfig:
    return load_config(TrainConfig, preset_or_file="tiny", overrides=overrides)


def test_the_parts_add_up_and_guidance_is_one_of_them() -> None:
    config, effort = tiny(*SETTINGS, *GUIDED), Effort(seconds=0.0, least=2, warm_up=0)
    cases = measure_train_step(config, effort, device=CPU, name="tiny", progress=lambda line: None)
    assert [case.task for case in cases] == [*PARTS, WHOLE]
    medians = [case.timing.median for case in cases if case.timing is not None]
    assert len(medians) == len(cases)
    assert sum(medians[:-1]) == pytest.approx(medians[-1], rel=0.25)
    assert sum(case.numbers["percent"] for case in cases[:-1]) == pytest.approx(100.0, abs=25.0)
    assert all(case.setting.startswith("tiny, 4 images of 64, drawn at 32, ") for case in cases)


def test_every_network_learns_from_a_timed_step() -> None:
    subject = load_subject(tiny(*SETTINGS), CPU)
    model = subject.learner.model
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    laps = timed_step(subject)
    assert set(laps.seconds) == set(PARTS) - {"guidance"}
    moved = {name.split(".")[0] for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert moved == {name.split(".")[0] for name in before}


def test_training_from_truth_is_another_thing() -> None:
    with pytest.raises(ConfigError, match="tiny: trains from the farm's truth"):
        measure_train_step(tiny(), Effort(seconds=0.0), device=CPU, name="tiny", progress=lambda line: None)

"""The parts of a timed step are those of a step of training, and the whole is their sum."""

import pytest
import torch
from farm3d.eval.benchmarks.harness import Effort
from farm3d.eval.benchmarks.train_step import PARTS, WHOLE, measure_train_step

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
    cases = measure_train_step(
        config, effort, device=CPU, name="tiny", progress=lambda line: None, pictures=32
    )
    assert [case.task for case in cases] == [*PARTS, WHOLE]
    medians = [case.timing.median for case in cases if case.timing is not None]
    assert len(medians) == len(cases)
    assert 0.7 * medians[-1] < sum(medians[:-1]) < 1.1 * medians[-1]
    assert 70.0 < sum(case.numbers["percent"] for case in cases[:-1]) <= 100.0
    assert all(case.setting == ("tiny, 4 images of 64, drawn at 32") for case in cases)


def test_training_from_truth_is_another_thing() -> None:
    with pytest.raises(ConfigError, match="tiny: trains from the farm's truth"):
        measure_train_step(tiny(), Effort(seconds=0.0), device=CPU, name="tiny", progress=lambda line: None)

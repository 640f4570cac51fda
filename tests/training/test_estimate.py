"""A dry run: real steps of every stage, told in a table, and nothing left behind."""

from pathlib import Path

import pytest
import yaml

from farm3d.cli.train import main
from farm3d.config import load_config
from farm3d.data.image_folder import open_data_set
from farm3d.training.config import TrainConfig
from farm3d.training.estimate import Estimate, Stage, estimate, stages_of

IMAGES = (
    "supervision=images",
    "steps=1000",
    "batch_size=2",
    "images.grid_resolution={steps: [[0, 24.0], [500, 32.0]]}",
    "images.articulation_from=200",
    "images.deformation_from=200",
    "images.eikonal_points=64",
)


def config(*changes: str) -> TrainConfig:
    return load_config(TrainConfig, preset_or_file="tiny", overrides=list(changes))


def spans(config: TrainConfig) -> list[tuple[int, int, str]]:
    return [(stage.first, stage.end, stage.work) for stage in stages_of(config)]


def test_stages_end_where_the_work_changes_and_cover_the_run() -> None:
    assert spans(config(*IMAGES)) == [
        (0, 200, "lattice 24"),
        (200, 500, "lattice 24, articulated, deformed"),
        (500, 1000, "lattice 32, articulated, deformed"),
    ]
    assert spans(config("steps=100", "prior_steps=40")) == [
        (0, 40, "the category's shape alone"),
        (40, 100, "images with truth"),
    ]
    assert spans(config("steps=30", "prior_steps=40")) == [(0, 30, "the category's shape alone")]


def test_virtual_views_are_work_once_they_have_a_weight() -> None:
    weight = "weights.distillation={from: 0, to: 1, start: 600, end: 700}"
    found = spans(config(*IMAGES, "guidance.source=pictures", weight))
    assert found[-2:] == [
        (500, 600, "lattice 32, articulated, deformed"),
        (600, 1000, "lattice 32, articulated, deformed, virtual views"),
    ]


def test_the_sum_counts_every_step_and_durations_have_units() -> None:
    stages = ((Stage(0, 100, "little", config()), 0.05), (Stage(100, 7300, "much", config()), 1.5))
    found = Estimate(stages, host_bytes=2_500_000_000, device_bytes=None)
    assert found.seconds == pytest.approx(10805.0)
    assert found.table().splitlines() == [
        "steps 0 to 100: 50 ms a step, little",
        "steps 100 to 7300: 1.5 s a step, much",
        "estimate: 3.0 h, without pictures and checkpoints; 2.5 GB of memory",
    ]


def test_runs_of_a_single_step_can_be_estimated(farm_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farm3d.training.estimate.ENOUGH_SECONDS", 0.0)
    (stage, seconds), *more = estimate(config(*IMAGES, "steps=1"), open_data_set(farm_folder)).stages
    assert (stage.first, stage.end, more) == (0, 1, []) and seconds > 0.0


def test_a_dry_run_prints_config_plan_and_estimate_and_leaves_nothing(
    farm_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("farm3d.training.estimate.ENOUGH_SECONDS", 0.0)
    temporary, out = tmp_path / "temporary", tmp_path / "run"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    command = ["--config", "tiny", "--data", str(farm_folder), "--out", str(out), "--dry-run", *IMAGES]
    assert main(command) == 0
    printed = capsys.readouterr()
    resolved, _, rest = printed.out.partition("\n\n")
    assert yaml.safe_load(resolved)["images"]["articulation_from"] == 200
    assert " 200  articulation begins" in rest
    assert "steps 500 to 1000: " in rest and "estimate: " in rest
    assert printed.err.splitlines() == [
        "measuring: lattice 24",
        "measuring: lattice 24, articulated, deformed",
        "measuring: lattice 32, articulated, deformed",
    ]
    assert not out.exists() and not list(temporary.iterdir())

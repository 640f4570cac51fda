"""`farm3d-bench ablation` from end to end with networks of toy size, twice."""

import json
from pathlib import Path

import pytest
from farm3d.eval import procedural_sets

from farm3d.cli import bench_ablation, train
from farm3d.cli.bench import main

SETTINGS = (
    "supervision=images",
    "model.feature_channels=16",
    "model.grid_resolution=32",
    "images.grid_resolution=32",
    "images.eikonal_points=100",
    "log_every=1",
)


@pytest.fixture
def command(farm_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two test pictures instead of a hundred."""
    monkeypatch.setattr(procedural_sets, "PICTURES", 2)
    monkeypatch.setattr(procedural_sets, "INDIVIDUALS", 1)
    monkeypatch.setattr(bench_ablation, "ALIGNED_ON", 3)
    options = ["--data", str(farm_folder), "--out", str(tmp_path), "--config", "tiny", "--device", "cpu"]
    return ["ablation", *options, "--quiet", "--steps", "2", "--seeds", "3", "4", "--set", *SETTINGS]


def test_rows_are_trained_measured_and_not_done_again(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ["--rows", "no-articulation", "mean-shape"]
    assert main([*command, *rows]) == 0
    first = capsys.readouterr().out
    assert "without articulation" in first and "mean shape at rest" in first
    assert {path.name for path in tmp_path.iterdir()} == {
        "no-articulation-3", "scores", "table.md", "table.json", "curves.png",
    }  # fmt: skip
    (row, mean) = json.loads((tmp_path / "table.json").read_text())["rows"]
    assert row["seeds"] == [3]
    assert "images.articulation_from" in row["commands"][0]
    assert 0.3 < row["figures"]["iou"][0] < 1.0
    assert mean["less_mean_shape"]["share"] == 0.0
    monkeypatch.setattr(train, "main", lambda arguments: pytest.fail("trained again"))
    assert main([*command, *rows]) == 0
    assert capsys.readouterr().out.endswith(first[first.index("| row") :])
    assert main(["ablation", "--table", "--out", str(tmp_path)]) == 0
    assert first.endswith(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--rows", "no-legs"], "--rows no-legs: no such row; there are full, no-sds"),
        (["--table"], "no row of the ablation is measured here yet"),
        (["--rows", "full", "--set", "model.wings=2"], "unknown key 'model.wings'"),
    ],
)
def test_a_mistake_is_one_line(
    command: list[str], change: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, *change]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1


def test_data_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ablation"]) == 2
    assert "give --data" in capsys.readouterr().err

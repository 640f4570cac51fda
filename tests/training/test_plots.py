"""The curves of a run: read as they were logged, smoothed without bias, drawn with the plan's changes."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from farm3d.cli.train import main
from farm3d.config import dump_config, load_config
from farm3d.errors import InputError
from farm3d.training.config import TrainConfig
from farm3d.training.plots import plot_metrics, read_metrics, smoothed

PLAN = (
    "supervision=images",
    "steps=400",
    "images.articulation_from=200",
    "images.best_share={from: 0, to: 0.8, start: 0, end: 100}",
)


@pytest.fixture()
def run(tmp_path: Path) -> Path:
    """A run of 20 logged steps, in the second half of which one more term is there."""
    config = load_config(TrainConfig, preset_or_file="tiny", overrides=list(PLAN))
    (tmp_path / "config.yaml").write_text(dump_config(config), encoding="utf-8")
    rows = [
        {"step": 20 * k, "loss": 100.0 * 0.7**k, "mask": 0.3 - 0.01 * k, "seconds": 0.1}
        | ({"articulation": 0.01} if k >= 10 else {})
        for k in range(20)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "metrics.jsonl").write_text(text + '{"step": 400, "lo', encoding="utf-8")
    return tmp_path


def test_curves_are_what_was_logged_and_nan_where_nothing_was(run: Path) -> None:
    curves = read_metrics(run)
    assert list(curves) == ["step", "loss", "mask", "seconds", "articulation"]
    assert curves["step"].tolist() == list(range(0, 400, 20))
    assert math.isnan(curves["articulation"][9]) and curves["articulation"][10] == 0.01


def test_smoothing_keeps_lines_and_removes_a_spike() -> None:
    line = np.arange(101.0)
    assert np.array_equal(smoothed(line)[10:-10], line[10:-10])
    line[50] = 1e6
    assert smoothed(line).max() <= 101.0


def test_the_plot_is_a_picture_with_a_panel_a_term(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--plot", str(run)]) == 0
    assert capsys.readouterr().out == f"drawn: {run}/metrics.png\n"
    with Image.open(run / "metrics.png") as picture:
        assert picture.width > 1000 and picture.height > 700
        assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 10


def test_equal_metrics_are_drawn_with_equal_bytes(run: Path) -> None:
    first = plot_metrics(run).read_bytes()
    assert plot_metrics(run).read_bytes() == first


@pytest.mark.parametrize(
    ("text", "message"),
    [(None, "no metrics.jsonl here"), ("", "no steps have been logged"), ('{"loss": 1}\n', "not a line")],
)
def test_a_folder_that_is_no_run_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "metrics.jsonl").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        plot_metrics(tmp_path)

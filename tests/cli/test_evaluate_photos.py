"""`farm3d-eval photos` from end to end on two drawn pictures, and its mistakes."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from farm3d.cli.evaluate import main

from .made_up_benchmarks import drawn_horses, write_photographs


@dataclass(frozen=True)
class Run:
    """What the command left and said."""

    report: Path
    out: Path
    stdout: str
    photographs: Path

    def metrics(self) -> dict[str, Any]:
        return json.loads((self.report / "metrics.json").read_text())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("photos")
    write_photographs(folder / "photographs", drawn_horses(folder / "farm", 2))
    report, out = folder / "report", folder / "figures.json"
    arguments = ["photos", str(folder / "photographs"), "--refine", "12", "--quiet"]
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("farm3d.cli.main.Messages.result", lambda self, text: said.append(text))
        assert main([*arguments, "--report", str(report), "--out", str(out)]) == 0
    return Run(report, out, "\n".join(said), folder / "photographs")


def test_the_table_has_a_row_a_photograph_with_dashes_where_nothing_is_said(run: Run) -> None:
    header, first, second, *rest = run.stdout.splitlines()
    columns = (
        "photograph model IoU refined head said deform folded legs asym. seconds"
        " bound F refined keyp. refined"
    )
    assert " ".join(header.split()) == columns
    assert first.split()[0] == "photo_0" and "-" not in first.split()
    assert second.split()[0] == "photo_1"
    assert second.split()[5] == "-" and second.split()[-2:] == ["-", "-"]
    assert rest[0].startswith("mean of 2: IoU ")


def test_metrics_and_out_hold_the_same_figures_with_their_origin(run: Run) -> None:
    metrics = run.metrics()
    assert run.out.read_text() == (run.report / "metrics.json").read_text()
    assert (metrics["schema_version"], metrics["benchmark"]) == (1, "photos")
    assert metrics["config"]["refinement_steps"] == 12
    assert metrics["command"].startswith("farm3d-eval photos ")
    assert metrics["config"]["category"] == "auto"
    assert re.fullmatch("[0-9a-f]{64}", metrics["config"]["checkpoints"]["horse"])
    assert {"farm3d", "python", "torch", "numpy"} <= metrics["versions"].keys()
    assert [row["name"] for row in metrics["rows"]] == ["photo_0", "photo_1"]
    assert metrics["metrics"]["head"]["left"]["of"] + metrics["metrics"]["head"]["right"]["of"] == 1


def test_the_farm_s_own_keypoints_are_found_where_they_are(run: Run) -> None:
    """Names, sides and places all fit: with the head at the other end the median would be about 0.4."""
    keypoints = run.metrics()["rows"][0]["keypoints"]
    assert len(keypoints) == 17
    assert np.median([keypoint["refined_error"] for keypoint in keypoints]) < 0.12
    for name in ("Nose", "TailBase", "Withers"):
        (error,) = [keypoint["refined_error"] for keypoint in keypoints if keypoint["name"] == name]
        assert error < 0.2
    assert run.metrics()["metrics"]["keypoints"]["mean_error"]["refined"] == pytest.approx(
        np.mean([keypoint["refined_error"] for keypoint in keypoints])
    )


def test_masks_are_scored_before_and_after_refinement(run: Run) -> None:
    for row in run.metrics()["rows"]:
        # A few steps of refinement, from the shape before second looks, do not yet reach these.
        assert 0.75 < row["predicted"]["iou"] <= 1.0 and 0.75 < row["refined"]["iou"] <= 1.0
        assert 0.0 < row["refined"]["boundary_f"] <= 1.0
        assert row["legs"]["four_legs"] and row["folded_faces"] == 0
        assert row["asymmetry"] < 1e-3


def test_the_report_shows_every_photograph(run: Run) -> None:
    page = (run.report / "report.html").read_text()
    assert page.count("data:image/jpeg") == 2
    assert "annotated keypoints as blue dots" in page
    assert sorted(path.name for path in (run.report / "figures").iterdir()) == [
        "iou.png",
        "keypoint_errors.png",
        "pck.png",
    ]


def test_a_bad_photograph_does_not_stop_the_others(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photographs"
    shutil.copytree(run.photographs, folder)
    Image.fromarray(np.zeros((128, 128), dtype=np.uint8)).save(folder / "photo_0_mask.png")
    assert main(["photos", str(folder), "--refine", "0", "--out", str(tmp_path / "out.json")]) == 2
    said = capsys.readouterr()
    assert "photo_0_mask.png: the mask is empty" in said.err
    assert "mean of 1: " in said.out
    failed = json.loads((tmp_path / "out.json").read_text())["metrics"]["failed"]
    assert [entry["name"] for entry in failed] == ["photo_0"]


def test_without_a_mask_the_silhouette_has_no_score(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(run.photographs / "photo_1.jpg", tmp_path / "bare.jpg")
    assert main(["photos", str(tmp_path), "--refine", "0"]) == 2
    assert "no *.jpg with a mask beside it" in capsys.readouterr().err
    assert main(["photos", str(tmp_path), "--refine", "0", "--segmenter", "auto", "--quiet"]) == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert [row[0], *row[2:4]] == ["bare", "-", "-"]


@pytest.mark.parametrize(
    ("annotations", "said"),
    [
        ("[]", "annotations.json: not a mapping of photographs' names"),
        ('{"photo_0": {"head": "up"}}', "photo_0: head: 'up', not left or right"),
        ('{"photo_0": {"keypoints": {"Nose": [1]}}}', "photo_0: Nose: not two numbers x, y in pixels"),
        ('{"photo_0": {"keypoints": [1]}}', "photo_0: keypoints: not a mapping of names to x, y"),
        ('{"photo_0": 3}', "photo_0: not a mapping of head and keypoints"),
    ],
)
def test_wrong_annotations_are_one_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], annotations: str, said: str
) -> None:
    folder = tmp_path / "photographs"
    shutil.copytree(run.photographs, folder)
    (folder / "annotations.json").write_text(annotations)
    assert main(["photos", str(folder)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_what_cannot_be_written_is_told_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    for option, said in (
        (("--report", str(tmp_path / "other")), "a folder with other things in it"),
        (("--report", str(tmp_path / "other" / "notes.txt")), "a file; give a folder"),
        (("--out", str(tmp_path / "other")), "a folder; give a file"),
    ):
        assert main(["photos", str(tmp_path / "missing"), *option]) == 2
        error = capsys.readouterr().err
        assert said in error and error.count("\n") == 1
    assert (tmp_path / "other" / "notes.txt").read_text() == "mine"

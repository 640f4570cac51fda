"""`farm3d-eval keypoint-transfer` and `procedural`: tables, JSON files, and one line a mistake."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from farm3d.eval.procedural_truth import true_animal
from farm3d.eval.projected_vertices import project_mesh

from farm3d.cli.evaluate import main
from farm3d.data.image_folder import open_data_set


@pytest.fixture(scope="module")
def predictions(farm_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The truth as anybody's predictions."""
    folder = tmp_path_factory.mktemp("predictions")
    data = open_data_set(farm_folder)
    for index, path in enumerate(data.samples):
        animal = true_animal(data, index)
        projected = project_mesh(animal.mesh, animal.camera)
        np.savez(folder / f"{path.stem}.npz", vertices_2d=projected.positions, visible=projected.visible)
    return folder


def test_predictions_of_anybody(
    farm_folder: Path, predictions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pck.json"
    command = ["keypoint-transfer", str(farm_folder), "--predictions", str(predictions)]
    assert main([*command, "--pad", "0.05", "--pairs", "2000", "--seed", "3", "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 22
    assert "PCK@0.1" in lines[0]
    assert lines[-1].startswith("mean over keypoints: PCK@0.1 ")
    assert lines[-1].endswith("pad 0.05, 2000 pairs of 24 animals, target visibility not checked")
    written = json.loads(out.read_text())
    assert (written["schema_version"], written["benchmark"]) == (1, "keypoint-transfer")
    config = written["config"]
    assert (config["pad"], config["seed"], config["check_target_visibility"]) == (0.05, 3, False)
    figures = written["metrics"]
    assert figures["pck"] >= 0.99
    assert {"name", "transfers", "pck", "pck_interval"} == set(figures["keypoints"][0])
    assert [point["threshold"] for point in figures["curve"]] == [round(0.01 * k, 2) for k in range(1, 31)]
    assert sum(row["as_source"]["transfers"] for row in written["rows"]) == sum(
        keypoint["transfers"] for keypoint in figures["keypoints"]
    )


def test_the_same_seed_gives_the_same_file(farm_folder: Path, predictions: Path, tmp_path: Path) -> None:
    command = ["keypoint-transfer", str(farm_folder), "--predictions", str(predictions), "--pairs", "200"]
    out, found = tmp_path / "pck.json", []
    for seed in ("1", "1", "2"):
        assert main([*command, "--seed", seed, "--out", str(out)]) == 0
        found.append(out.read_bytes())
    assert found[0] == found[1] != found[2]


def test_a_checkpoint_is_run_on_the_pictures(
    farm_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pck.json"
    assert main(["keypoint-transfer", str(farm_folder), "--quiet", "--out", str(out)]) == 0
    written = json.loads(out.read_text())
    figures = written["metrics"]
    assert 0.4 < figures["pck"] < 1.0
    low, high = figures["pck_interval"]
    assert low < figures["pck"] < high
    assert written["config"]["refinement_steps"] == 0
    assert len(written["checkpoint"]["sha256"]) == 64
    assert capsys.readouterr().err == ""


def test_the_report_shows_pairs_from_best_to_worst(
    farm_folder: Path, predictions: Path, tmp_path: Path
) -> None:
    command = ["keypoint-transfer", str(farm_folder), "--predictions", str(predictions), "--pairs", "200"]
    assert main([*command, "--report", str(tmp_path / "report")]) == 0
    page = (tmp_path / "report" / "report.html").read_text()
    assert all(f"The {kind} pairs" in page for kind in ("best", "median", "worst"))
    assert {path.name for path in (tmp_path / "report" / "figures").iterdir()} == {"pck.png", "errors.png"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--predictions", "PREDICTIONS", "--refine", "5"], "--refine are for a model of farm3d"),
        (["--predictions", "PREDICTIONS", "--checkpoint", "runs/a"], "--checkpoint and --refine are for"),
        (["--checkpoint", "horse", "--category", "zebra"], "category 'horse', not 'zebra'"),
        (["--predictions", "nowhere"], "nowhere: no such folder of predictions"),
        (["--pairs", "0"], "0 is too small"),
        (["--pad", "-0.1"], "-0.1 is not a share"),
        (["--pad", "much"], "'much' is not a number"),
        (["--annotations", "nowhere.json"], "nowhere.json: No such file"),
        (["--checkpoint", "runs/horse/nowhere"], "runs/horse/nowhere: no such file or folder"),
    ],
)
def test_a_mistake_is_one_line(
    options: list[str],
    said: str,
    farm_folder: Path,
    predictions: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    filled = [str(predictions) if option == "PREDICTIONS" else option for option in options]
    assert main(["keypoint-transfer", str(farm_folder), *filled]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_no_data_set_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keypoint-transfer", str(tmp_path)]) == 2
    assert "no data set here" in capsys.readouterr().err


def test_procedural_shows_raw_and_aligned(
    farm_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, few = tmp_path / "procedural.json", tmp_path / "few"
    shutil.copytree(farm_folder, few, ignore=shutil.ignore_patterns("shard_00000", "horse_00002*"))
    folder = str(few)
    outputs = ["--out", str(out), "--report", str(tmp_path / "report")]
    assert main(["procedural", folder, "--align-on", folder, "--refine", "0", "--quiet", *outputs]) == 0
    table = capsys.readouterr().out
    assert "4 pictures of seed 7, 0 steps of refinement; aligned by one rotation" in table
    assert table.count("aligned viewpoint") == 3
    written = json.loads(out.read_text())
    assert (written["benchmark"], written["config"]["seed"]) == ("procedural", 7)
    figures = written["metrics"]
    assert figures["predicted"] == figures["refined"]
    assert max(figures["predicted"][name] for name in ("aligned_size_error", "size_error")) < 0.15
    assert figures["predicted"]["keypoint_transfer"]["pck"] > 0.4
    assert {"iou", "boundary_f", "viewpoint_error_degrees"} <= set(written["rows"][0]["predicted"])
    page = (tmp_path / "report" / "report.html").read_text()
    assert "The worst pictures by refined IoU" in page

"""farm3d-infer from end to end on the picture that ships."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from farm3d.geometry.skeleton_estimation import BONE_NAMES
from farm3d.inference.clips import CLIP_NAMES

from .infer_runs import SECRETS, Run, gps_bytes

VIDEOS = ["turntable.mp4", "relight.mp4", "animate.mp4"]
FILES = [
    "animal.glb",
    "mask.png",
    "coat.mtl",
    "coat.png",
    "overlay.png",
    "posed.obj",
    "posed.ply",
    "rest.obj",
    "prediction.json",
    "report.html",
    "silhouette.png",
    "timings.json",
    "turntable.mp4",
]


def test_the_run_succeeds_and_its_last_line_counts(run: Run) -> None:
    assert run.code == 0
    assert run.stdout == f"1 animal in {run.out}\n"
    assert run.stderr.count("\n") == 1 and "mask from file" in run.stderr


def test_all_files_are_there_and_no_other(run: Run) -> None:
    assert sorted(path.name for path in run.out.iterdir()) == ["horse", "index.html"]
    written = sorted(path.name for path in (run.out / "horse").iterdir())
    assert written == sorted([*FILES, "relight.mp4", "relight.png", "animate.mp4"])
    assert all(path.stat().st_size > 0 for path in (run.out / "horse").iterdir())
    assert 'href="./horse/report.html"' in (run.out / "index.html").read_text()


def shape(values: Any) -> tuple[int, ...]:
    return np.asarray(values, dtype=np.float64).shape


def test_prediction_json_has_its_schema(run: Run) -> None:
    prediction = run.prediction()
    assert prediction.keys() == {
        *("schema_version", "farm3d_version", "category", "checkpoint_sha256", "segmenter", "crop_box"),
        *("world_to_camera", "field_of_view_degrees", "azimuth_degrees", "elevation_degrees", "hypotheses"),
        *("joints", "light", "metres_per_unit", "ground_height", "measurements", "clips", "edits", "film"),
        *("mask_confidence", "mask_iou", "refinement", "warnings"),
    }
    assert (prediction["edits"], prediction["film"], prediction["measurements"]["known"]) == ({}, None, None)
    assert (prediction["schema_version"], prediction["category"]) == (1, "horse")
    assert re.fullmatch("[0-9a-f]{64}", prediction["checkpoint_sha256"])
    assert (prediction["segmenter"], prediction["mask_confidence"]) == ("file", 1.0)
    assert shape(prediction["crop_box"]) == (4,)
    assert shape(prediction["world_to_camera"]) == (4, 4)
    assert tuple(prediction["clips"]) == CLIP_NAMES
    assert tuple(prediction["joints"]["names"]) == BONE_NAMES
    assert shape(prediction["joints"]["rest_joints"]) == (20, 2, 3)
    assert shape(prediction["joints"]["angles_degrees"]) == (20, 3)
    assert shape(prediction["joints"]["parents"]) == (20,)
    hypotheses = prediction["hypotheses"]
    assert sum(hypotheses["probabilities"]) == pytest.approx(1.0, abs=1e-4)
    # Refinement tries all of them and need not take the most probable.
    assert hypotheses["chosen"] in range(len(hypotheses["probabilities"]))
    assert np.linalg.norm(prediction["light"]["direction"]) == pytest.approx(1.0, abs=1e-4)


def test_prediction_json_holds_no_path_and_no_date(run: Run) -> None:
    text = run.file("prediction.json").read_text()
    assert "/" not in text and "\\" not in text
    assert not re.search(r"\d{4}-\d\d-\d\d|\d\d:\d\d", text)


def test_the_reports_name_no_absolute_path(run: Run, photograph: Path) -> None:
    for page in (run.out / "index.html", run.file("report.html")):
        assert str(photograph.parent) not in page.read_text()
        assert str(run.out) not in page.read_text()


def test_nothing_of_the_exif_block_travels(run: Run) -> None:
    for path in run.out.rglob("*.*"):
        data = path.read_bytes()
        embedded = re.findall(rb"data:[\w/+.-]+;base64,([\w+/=]+)", data)
        for part in (data, *map(base64.b64decode, embedded)):
            assert not any(secret.encode() in part for secret in SECRETS), path.name
            assert b"Exif\0" not in part and b"eXIf" not in part, path.name
            assert not gps_bytes(part), path.name


def test_timings_are_seconds_of_named_stages(run: Run) -> None:
    timings = json.loads(run.file("timings.json").read_text())
    assert timings.keys() >= {"load", "read", "segment", "reconstruct", "texture", "rig", *VIDEOS}
    assert all(0.0 <= seconds < 600.0 for seconds in timings.values())


def test_the_same_input_gives_the_same_bytes(run: Run, second_run: Run) -> None:
    for name in FILES:
        if name not in ("timings.json", "report.html"):
            assert second_run.file(name).read_bytes() == run.file(name).read_bytes(), name


def test_an_animal_does_not_depend_on_those_before_it(second_run: Run) -> None:
    for name in ("animal.glb", "prediction.json", "silhouette.png"):
        first, second = (second_run.file(name, folder).read_bytes() for folder in ("horse", "horse-2"))
        assert first == second, name


def test_a_bad_image_among_good_ones_is_told_and_the_others_are_done(second_run: Run) -> None:
    assert second_run.code == 2
    assert second_run.stdout.splitlines()[-1] == f"2 animals in {second_run.out}, 1 image could not be used"
    (line,) = [line for line in second_run.stderr.splitlines() if "farm3d-infer:" in line]
    assert "bad.jpg: not an image" in line
    folders = sorted(path.name for path in second_run.out.iterdir())
    assert folders == ["horse", "horse-2", "index.html"]
    assert sorted(path.name for path in (second_run.out / "horse").iterdir()) == sorted(FILES)


def test_the_second_of_one_name_is_numbered_and_says_so(second_run: Run) -> None:
    (line,) = [line for line in second_run.stderr.splitlines() if "written as" in line]
    assert "other/horse.jpg: written as horse-2" in line
    index = (second_run.out / "index.html").read_text()
    assert 'href="./horse/report.html"' in index and 'href="./horse-2/report.html"' in index

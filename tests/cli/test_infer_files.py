"""The meshes, pictures and videos of a result agree with each other and with the photograph."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.spatial import cKDTree

from farm3d.geometry.skeleton_estimation import BONE_NAMES
from farm3d.inference.clips import CLIP_NAMES

from ..io.gltf_reader import Glb, node_properties, parse, rest_properties, skinned_positions
from .infer_runs import PICTURES, Run, infer

VALIDATE = """
const validator = require('gltf-validator');
const data = new Uint8Array(require('fs').readFileSync(0));
validator.validateBytes(data).then(report => console.log(JSON.stringify(report.issues)));
"""


@pytest.fixture(scope="module")
def glb(run: Run) -> Glb:
    return parse(run.file("animal.glb").read_bytes())


@pytest.fixture(scope="module")
def posed(run: Run) -> np.ndarray:
    """The vertices of posed.obj."""
    lines = run.file("posed.obj").read_text().splitlines()
    return np.array([line.split()[1:] for line in lines if line.startswith("v ")], dtype=np.float64)


def body_length(points: np.ndarray) -> float:
    return float(np.ptp(points[:, 2]))


def farthest(points: np.ndarray, others: np.ndarray) -> float:
    """The largest distance from a point of either set to the other set (Hausdorff)."""
    there, back = cKDTree(others).query(points)[0], cKDTree(points).query(others)[0]
    return float(max(there.max(), back.max()))


def plane(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        assert picture.mode == "L"
        pixels = np.array(picture)
    assert set(np.unique(pixels)) <= {0, 255}
    return pixels > 127


def frames(path: Path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    decoded = []
    while True:
        there, frame = video.read()
        if not there:
            return decoded
        decoded.append(frame)


def test_masks_have_the_photographs_pixels(run: Run, photograph: Path) -> None:
    with Image.open(photograph) as picture:
        width, height = picture.size
    assert plane(run.file("mask.png")).shape == plane(run.file("silhouette.png")).shape == (height, width)
    given = cv2.imread(str(PICTURES / "horse_mask.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(plane(run.file("mask.png")), given > 127)
    with Image.open(run.file("overlay.png")) as overlay:
        assert overlay.size == (width, height)


def test_the_iou_is_that_of_the_pictures(run: Run) -> None:
    mask, silhouette = plane(run.file("mask.png")), plane(run.file("silhouette.png"))
    iou = run.prediction()["mask_iou"]
    assert iou["refined"] == pytest.approx((mask & silhouette).sum() / (mask | silhouette).sum(), abs=1e-4)
    assert iou["refined"] > 0.8 and iou["predicted"] > 0.8


def test_the_posed_mesh_projects_onto_the_silhouette(run: Run, posed: np.ndarray) -> None:
    """By docs/results.md alone: prediction.json's camera and crop box put posed.obj into the photograph."""
    prediction = run.prediction()
    matrix = np.array(prediction["world_to_camera"])
    seen = posed @ matrix[:3, :3].T + matrix[:3, 3]
    scale = 1.0 / np.tan(np.radians(prediction["field_of_view_degrees"]) / 2.0)
    ndc = scale * np.stack([seen[:, 0], -seen[:, 1]], axis=1) / -seen[:, 2:]
    x, y, width, height = prediction["crop_box"]
    columns, rows = x + (ndc[:, 0] + 1.0) / 2.0 * width, y + (ndc[:, 1] + 1.0) / 2.0 * height
    silhouette = plane(run.file("silhouette.png"))
    drawn_rows, drawn_columns = np.nonzero(silhouette)
    inside = (columns >= 0) & (columns < silhouette.shape[1]) & (rows >= 0) & (rows < silhouette.shape[0])
    assert inside.mean() > 0.9
    assert columns[inside].min() == pytest.approx(drawn_columns.min(), abs=2.5)
    assert columns[inside].max() == pytest.approx(drawn_columns.max() + 1, abs=2.5)
    assert rows[inside].min() == pytest.approx(drawn_rows.min(), abs=2.5)
    near = cv2.dilate(silhouette.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert near[rows[inside].astype(int), columns[inside].astype(int)].mean() > 0.99


def test_the_glb_skinned_by_its_own_numbers_is_the_posed_mesh(run: Run, glb: Glb, posed: np.ndarray) -> None:
    prediction = run.prediction()
    skinned = skinned_positions(glb, node_properties(glb)) / prediction["metres_per_unit"]
    # In the file the animal stands on the ground, in the photograph's frame it need not.
    assert skinned[:, 1].min() == pytest.approx(0.0, abs=1e-3)
    skinned[:, 1] += posed[:, 1].min()
    assert farthest(skinned, posed) < 1e-4 * body_length(posed)


def test_the_rest_mesh_is_mirror_symmetric_and_stands_on_the_ground(glb: Glb) -> None:
    rest = skinned_positions(glb, rest_properties(glb))
    assert farthest(rest, rest * [-1.0, 1.0, 1.0]) < 1e-4 * body_length(rest)
    assert rest[:, 1].min() == pytest.approx(0.0, abs=1e-4)
    assert 1.2 < rest[:, 1].max() < 3.0


def test_the_model_carries_its_clips_joints_and_a_dull_coat(glb: Glb) -> None:
    document = glb.document
    assert tuple(clip["name"] for clip in document["animations"]) == CLIP_NAMES
    assert {document["nodes"][joint]["name"] for joint in document["skins"][0]["joints"]} == {
        "root",
        *BONE_NAMES,
    }
    assert document["materials"][0]["pbrMetallicRoughness"]["metallicFactor"] == 0.0


def test_the_khronos_validator_has_nothing_to_say(run: Run) -> None:
    folder = os.environ.get("FARM3D_GLTF_VALIDATOR")
    if shutil.which("node") is None or folder is None:
        pytest.skip("FARM3D_GLTF_VALIDATOR does not name a folder with node_modules/gltf-validator")
    data = run.file("animal.glb").read_bytes()
    report = subprocess.run(["node", "-e", VALIDATE], input=data, cwd=folder, capture_output=True, check=True)
    issues = json.loads(report.stdout)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"][:5]


def test_videos_play_for_four_seconds_and_move(run: Run, glb: Glb) -> None:
    walk = next(clip for clip in glb.document["animations"] if clip["name"] == "walk")
    duration = float(glb.accessor(walk["samplers"][0]["input"]).max())
    loops = max(1, round(4.0 / duration))
    expected = {"turntable.mp4": 96, "relight.mp4": 96, "animate.mp4": round(duration * 24) * loops}
    for name, count in expected.items():
        decoded = frames(run.file(name))
        assert len(decoded) == count, name
        assert decoded[0].shape == (512, 512, 3)
        change = np.abs(decoded[0].astype(int) - decoded[count // 3].astype(int)).mean()
        assert change > 0.1, name


def test_a_clip_of_ones_own_is_played_and_travels_in_the_model(photograph: Path, tmp_path: Path) -> None:
    clip = tmp_path / "nod.json"
    keys = {"name": "nod", "times": [0.0, 0.5, 1.0]}
    clip.write_text(
        json.dumps({**keys, "joint_angles_degrees": {"neck": [[0, 0, 0], [25, 0, 0], [0, 0, 0]]}})
    )
    played = infer(tmp_path / "out", photograph, "--animate", "--clip", clip, "--refine", "0", "--quiet")
    assert (played.code, played.stderr) == (0, "")
    assert played.prediction()["clips"] == [*CLIP_NAMES, "nod"]
    animations = parse(played.file("animal.glb").read_bytes()).document["animations"]
    assert [animation["name"] for animation in animations] == [*CLIP_NAMES, "nod"]
    decoded = frames(played.file("animate.mp4"))
    assert len(decoded) == 96
    assert np.abs(decoded[0].astype(int) - decoded[12].astype(int)).mean() > 0.3
    iou = played.prediction()["mask_iou"]
    assert iou["predicted"] == iou["refined"]

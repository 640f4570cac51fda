"""farm3d-infer from end to end on the picture that ships, and everything that it refuses."""

import base64
import contextlib
import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from scipy.spatial import cKDTree

from farm3d.cli.infer import main
from farm3d.geometry.skeleton_estimation import BONE_NAMES

from ..io.gltf_reader import Glb, node_properties, parse, rest_properties, skinned_positions

PICTURES = Path(__file__).parents[2] / "docs/images"
STEPS = "10"
VIDEOS = ["turntable.mp4", "relight.mp4", "animate.mp4"]
FILES = [
    "animal.glb",
    "mask.png",
    "overlay.png",
    "posed.obj",
    "prediction.json",
    "report.html",
    "silhouette.png",
    "timings.json",
    "turntable.mp4",
]
SECRETS = ("SECRET CAMERA", "SECRET PLACE", "2011:03:04")
SECRET_LATITUDE = (51, 1987, 4321)
VALIDATE = """
const validator = require('gltf-validator');
const data = new Uint8Array(require('fs').readFileSync(0));
validator.validateBytes(data).then(report => console.log(JSON.stringify(report.issues)));
"""


@dataclass(frozen=True)
class Run:
    """A finished command: its exit code, what it said, and its folder of results."""

    code: int
    stdout: str
    stderr: str
    out: Path

    def file(self, name: str, folder: str = "horse") -> Path:
        return self.out / folder / name

    def prediction(self, folder: str = "horse") -> dict[str, Any]:
        return json.loads(self.file("prediction.json", folder).read_text())


def infer(out: Path, *arguments: str | Path) -> Run:
    """Run the command in this process."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        code = main([*map(str, arguments), "--out", str(out)])
    return Run(code, stdout.getvalue(), stderr.getvalue(), out)


def secret_photograph(folder: Path) -> Path:
    """The shipped picture with a camera's EXIF block, GPS included, and its mask beside it."""
    folder.mkdir(parents=True)
    exif = Image.Exif()
    exif[0x010E], exif[0x0110], exif[0x0132] = "SECRET PLACE", "SECRET CAMERA", "2011:03:04 05:06:07"
    exif.get_ifd(0x8825).update({1: "N", 2: SECRET_LATITUDE, 3: "E", 4: (13.0, 24.0, 36.0)})
    with Image.open(PICTURES / "horse.jpg") as picture:
        picture.save(folder / "horse.jpg", quality=95, exif=exif)
    shutil.copy(PICTURES / "horse_mask.png", folder)
    written = (folder / "horse.jpg").read_bytes()
    assert all(secret.encode() in written for secret in SECRETS) and gps_bytes(written)
    return folder / "horse.jpg"


def gps_bytes(data: bytes) -> bool:
    """Whether the latitude's rational numbers stand in the bytes, in either order of bytes."""
    return any(
        struct.pack(f"{order}I", SECRET_LATITUDE[1]) + struct.pack(f"{order}I", 1) in data for order in "<>"
    )


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return secret_photograph(tmp_path_factory.mktemp("photographs") / "first")


@pytest.fixture(scope="module")
def run(photograph: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The command as README gives it, with few steps."""
    out = tmp_path_factory.mktemp("results") / "one"
    return infer(out, photograph, "--relight", "--animate", "--refine", STEPS)


@pytest.fixture(scope="module")
def second_run(photograph: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same photograph again, then a bad file, then a photograph of the same name from another folder."""
    folder = tmp_path_factory.mktemp("more")
    other = secret_photograph(folder / "other")
    bad = folder / "bad.jpg"
    bad.write_text("not a picture")
    return infer(folder / "results", photograph, bad, other, "--refine", STEPS)


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


def test_the_run_succeeds_and_its_last_line_counts(run: Run) -> None:
    assert run.code == 0
    assert run.stdout == f"1 animal in {run.out}\n"
    assert run.stderr.count("\n") == 1 and "mask from file" in run.stderr


def test_all_files_are_there_and_no_other(run: Run) -> None:
    assert sorted(path.name for path in run.out.iterdir()) == ["horse", "index.html"]
    written = sorted(path.name for path in (run.out / "horse").iterdir())
    assert written == sorted([*FILES, "relight.mp4", "animate.mp4"])
    assert all(path.stat().st_size > 0 for path in (run.out / "horse").iterdir())
    assert 'href="./horse/report.html"' in (run.out / "index.html").read_text()


def shape(values: Any) -> tuple[int, ...]:
    return np.asarray(values, dtype=np.float64).shape


def test_prediction_json_has_its_schema(run: Run) -> None:
    prediction = run.prediction()
    assert prediction.keys() == {
        *("schema_version", "farm3d_version", "category", "checkpoint_sha256", "segmenter", "crop_box"),
        *("world_to_camera", "field_of_view_degrees", "azimuth_degrees", "elevation_degrees", "hypotheses"),
        *(
            "joints",
            "light",
            "metres_per_unit",
            "ground_height",
            "clips",
            "mask_iou",
            "refinement",
            "warnings",
        ),
    }
    assert (prediction["schema_version"], prediction["category"]) == (1, "horse")
    assert re.fullmatch("[0-9a-f]{64}", prediction["checkpoint_sha256"])
    assert prediction["segmenter"] == "file"
    assert shape(prediction["crop_box"]) == (4,)
    assert shape(prediction["world_to_camera"]) == (4, 4)
    assert prediction["clips"] == ["walk", "idle"]
    assert tuple(prediction["joints"]["names"]) == BONE_NAMES
    assert shape(prediction["joints"]["rest_joints"]) == (20, 2, 3)
    assert shape(prediction["joints"]["angles_degrees"]) == (20, 3)
    assert shape(prediction["joints"]["parents"]) == (20,)
    hypotheses = prediction["hypotheses"]
    assert sum(hypotheses["probabilities"]) == pytest.approx(1.0, abs=1e-4)
    assert hypotheses["chosen"] == int(np.argmax(hypotheses["probabilities"]))
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


def test_masks_have_the_photographs_pixels(run: Run, photograph: Path) -> None:
    with Image.open(photograph) as picture:
        width, height = picture.size
    assert plane(run.file("mask.png")).shape == plane(run.file("silhouette.png")).shape == (height, width)
    given = cv2.imread(str(PICTURES / "horse_mask.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(plane(run.file("mask.png")), given > 127)
    with Image.open(run.file("overlay.png")) as overlay:
        assert overlay.size == (width, height)


def test_the_iou_is_that_of_the_pictures_and_refinement_raised_it(run: Run) -> None:
    mask, silhouette = plane(run.file("mask.png")), plane(run.file("silhouette.png"))
    iou = run.prediction()["mask_iou"]
    assert iou["refined"] == pytest.approx((mask & silhouette).sum() / (mask | silhouette).sum(), abs=1e-4)
    assert iou["refined"] > iou["predicted"] > 0.5


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
    skinned[:, 1] += prediction["ground_height"]
    assert farthest(skinned, posed) < 1e-4 * body_length(posed)


def test_the_rest_mesh_is_mirror_symmetric_and_stands_on_the_ground(glb: Glb) -> None:
    rest = skinned_positions(glb, rest_properties(glb))
    assert farthest(rest, rest * [-1.0, 1.0, 1.0]) < 1e-4 * body_length(rest)
    assert rest[:, 1].min() == pytest.approx(0.0, abs=1e-4)
    assert 1.2 < rest[:, 1].max() < 3.0


def test_the_model_carries_its_clips_joints_and_a_dull_coat(glb: Glb) -> None:
    document = glb.document
    assert [clip["name"] for clip in document["animations"]] == ["walk", "idle"]
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
    assert sorted(path.name for path in (second_run.out / "horse").iterdir()) == FILES


def test_the_second_of_one_name_is_numbered_and_says_so(second_run: Run) -> None:
    (line,) = [line for line in second_run.stderr.splitlines() if "written as" in line]
    assert "other/horse.jpg: written as horse-2" in line
    index = (second_run.out / "index.html").read_text()
    assert 'href="./horse/report.html"' in index and 'href="./horse-2/report.html"' in index


def test_a_clip_of_ones_own_is_played_and_travels_in_the_model(photograph: Path, tmp_path: Path) -> None:
    clip = tmp_path / "nod.json"
    keys = {"name": "nod", "times": [0.0, 0.5, 1.0]}
    clip.write_text(
        json.dumps({**keys, "joint_angles_degrees": {"neck": [[0, 0, 0], [25, 0, 0], [0, 0, 0]]}})
    )
    played = infer(tmp_path / "out", photograph, "--animate", "--clip", clip, "--refine", "0", "--quiet")
    assert (played.code, played.stderr) == (0, "")
    assert played.prediction()["clips"] == ["walk", "idle", "nod"]
    animations = parse(played.file("animal.glb").read_bytes()).document["animations"]
    assert [animation["name"] for animation in animations] == ["walk", "idle", "nod"]
    decoded = frames(played.file("animate.mp4"))
    assert len(decoded) == 96
    assert np.abs(decoded[0].astype(int) - decoded[12].astype(int)).mean() > 0.3
    iou = played.prediction()["mask_iou"]
    assert iou["predicted"] == iou["refined"]


Bad = Callable[[Path], list[str | Path]]


def png_header(width: int, height: int) -> bytes:
    """A PNG that promises so many pixels and holds none."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    ihdr = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def file_with(name: str, data: bytes) -> Bad:
    def make(folder: Path) -> list[str | Path]:
        (folder / name).write_bytes(data)
        return [folder / name]

    return make


def with_mask(width: int, height: int, value: int) -> Bad:
    def make(folder: Path) -> list[str | Path]:
        shutil.copy(PICTURES / "horse.jpg", folder)
        cv2.imwrite(str(folder / "horse_mask.png"), np.full((height, width), value, np.uint8))
        return [folder / "horse.jpg"]

    return make


def with_checkpoint(write: Callable[[Path], None], name: str) -> Bad:
    def make(folder: Path) -> list[str | Path]:
        write(folder / name)
        return [PICTURES / "horse.jpg", "--checkpoint", folder / name]

    return make


def with_clip(text: str) -> Bad:
    def make(folder: Path) -> list[str | Path]:
        (folder / "clip.json").write_text(text)
        return [PICTURES / "horse.jpg", "--animate", "--clip", folder / "clip.json"]

    return make


def with_options(*options: str | Path) -> Bad:
    return lambda folder: [PICTURES / "horse.jpg", *options]


def mask_for_two(folder: Path) -> list[str | Path]:
    return [PICTURES / "horse.jpg", PICTURES / "horse.jpg", "--mask", PICTURES / "horse_mask.png"]


def nod(times: list[float], bone: str = "neck", keys: int | None = None, name: str = "nod") -> str:
    angles = {bone: [[0, 0, 0]] * (len(times) if keys is None else keys)}
    return json.dumps({"name": name, "times": times, "joint_angles_degrees": angles})


def picture_size() -> tuple[int, int]:
    with Image.open(PICTURES / "horse.jpg") as picture:
        return picture.size


WIDTH, HEIGHT = picture_size()
JPEG = (PICTURES / "horse.jpg").read_bytes()
MISTAKES: dict[str, tuple[Bad, str]] = {
    "not an image": (file_with("text.jpg", b"Dear diary"), "text.jpg: not an image"),
    "an empty file": (file_with("empty.jpg", b""), "empty.jpg: the file is empty"),
    "a truncated JPEG": (file_with("cut.jpg", JPEG[: len(JPEG) // 2]), "cut.jpg: damaged or truncated"),
    "one pixel": (file_with("dot.png", png_header(1, 1)), "dot.png: 1 x 1 pixels is too small"),
    "a huge header": (
        file_with("huge.png", png_header(30_000, 30_000)),
        "huge.png: more than 100 megapixels",
    ),
    "a missing file": (lambda folder: [folder / "none.jpg"], "none.jpg: No such file"),
    "an empty folder": (lambda folder: [folder], "a folder with no images in it"),
    "an empty mask": (with_mask(WIDTH, HEIGHT, 0), "horse_mask.png: the mask is empty"),
    "a mask of another size": (with_mask(WIDTH - 1, HEIGHT, 255), f"the mask is {WIDTH - 1} x {HEIGHT}"),
    "a missing mask": (with_options("--mask", "nowhere.png"), "nowhere.png: No such file"),
    "one mask for two images": (mask_for_two, "--mask fits one image, not 2"),
    "an unknown category": (with_options("--category", "unicorn"), "the category 'unicorn'"),
    "a missing checkpoint": (
        with_options("--checkpoint", "none.safetensors"),
        "none.safetensors: no such file",
    ),
    "another program's checkpoint": (
        with_checkpoint(lambda path: save_file({"w": torch.zeros(2)}, path), "foreign.safetensors"),
        "foreign.safetensors: not a farm3d checkpoint",
    ),
    "a pickled checkpoint": (
        with_checkpoint(lambda path: torch.save({"w": torch.zeros(2)}, path), "model.pt"),
        "model.pt: not a complete safetensors file",
    ),
    "a run without checkpoints": (
        with_checkpoint(lambda path: path.mkdir(), "run"),
        "run: no checkpoint in this folder",
    ),
    "negative steps": (with_options("--refine", "-3"), "--refine: -3 is negative"),
    "no number of steps": (with_options("--refine", "many"), "'many' is not a whole number"),
    "an unknown clip": (with_options("--animate", "--clip", "gallop"), "--clip gallop"),
    "a missing clip file": (with_options("--clip", "none.json"), "none.json: No such file"),
    "a clip that is no JSON": (with_clip("{name: nod"), "clip.json: not JSON"),
    "a clip that is no object": (with_clip("[1]"), "clip.json: expected an object"),
    "a clip without times": (with_clip('{"name": "nod"}'), "clip.json"),
    "a clip with an unknown key": (with_clip('{"name": "nod", "tims": [0]}'), "unknown key 'tims'"),
    "a clip of one key": (with_clip(nod([0.0])), "at least two keys"),
    "a clip that runs back": (with_clip(nod([0.0, 1.0, 0.5])), "times must start at 0 and rise"),
    "a clip with an unknown bone": (with_clip(nod([0.0, 1.0], bone="wing")), "no bone is called 'wing'"),
    "a clip with missing keys": (with_clip(nod([0.0, 1.0], keys=1)), "neck has 1 keys, not 2"),
    "a clip that never ends": (with_clip(nod([0.0, 1e6])), "the clip lasts 1e+06 s"),
    "a clip too short to see": (with_clip(nod([0.0, 1e-4])), "the clip lasts 0.0001 s"),
    "a clip of a taken name": (with_clip(nod([0.0, 1.0], name="walk")), "called 'walk'"),
    "a later segmenter": (with_options("--segmenter", "pointrend"), "not part of this version"),
    "no images": (lambda folder: ["--relight"], "IMAGE"),
    "an unknown device": (with_options("--device", "abacus"), "--device abacus"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(case: str, tmp_path: Path) -> None:
    make, message = MISTAKES[case]
    inputs, out = tmp_path / "inputs", tmp_path / "out"
    inputs.mkdir()
    failed = infer(out, *make(inputs), "--quiet")
    assert failed.code == 2
    assert failed.stderr.count("\n") == 1, failed.stderr
    assert failed.stderr.startswith("farm3d-infer: ")
    assert message in failed.stderr
    assert not out.exists() or list(out.iterdir()) == []


@pytest.mark.parametrize("place", ["out", "out/deeper", "out/horse"])
def test_a_file_in_the_way_of_the_results_is_one_line(place: str, tmp_path: Path) -> None:
    """Root may write anywhere, so a file stands where a folder must be."""
    blocked = tmp_path / ("out/horse" if place == "out/horse" else "out")
    blocked.parent.mkdir(exist_ok=True)
    blocked.write_text("mine")
    out = tmp_path / ("out/deeper" if place == "out/deeper" else "out")
    failed = infer(out, PICTURES / "horse.jpg", "--refine", "0")
    assert failed.code == 2
    assert failed.stderr.count("\n") == 1
    assert "cannot write" in failed.stderr or "Not a directory" in failed.stderr
    assert blocked.read_text() == "mine"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [blocked]


def test_an_old_result_stays_when_its_successor_fails(tmp_path: Path) -> None:
    old = tmp_path / "out/cut/prediction.json"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    (tmp_path / "cut.jpg").write_bytes(JPEG[: len(JPEG) // 2])
    assert infer(tmp_path / "out", tmp_path / "cut.jpg").code == 2
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [old]
    assert old.read_text() == "old"


def test_parsing_imports_neither_torch_nor_numpy() -> None:
    code = (
        "import sys, farm3d.cli.infer as infer\n"
        "infer._parser().parse_args(['a.jpg', '--relight', '--refine', '3'])\n"
        "sys.exit(len({'torch', 'numpy', 'cv2', 'PIL', 'numba', 'pydantic'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

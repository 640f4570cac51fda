"""What farm3d-infer refuses: one line on stderr, exit code 2, nothing left behind."""

import json
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from farm3d.models.build import shipped_checkpoint

from .infer_runs import PICTURES, infer

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


def film_of_one_frame(folder: Path) -> list[str | Path]:
    """Small, for its mask is GrabCut's: a video has none beside it."""
    picture = cv2.resize(cv2.imread(str(PICTURES / "horse.jpg")), (128, 128))
    writer = cv2.VideoWriter(str(folder / "film.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 12.0, (128, 128))
    writer.write(picture)
    writer.release()
    return [folder / "film.mp4"]


def film_cut_short(folder: Path) -> list[str | Path]:
    (film,) = film_of_one_frame(folder)
    Path(film).write_bytes(Path(film).read_bytes()[:2000])
    return [film]


def pose_from_half_a_file(folder: Path) -> list[str | Path]:
    (folder / "cut.jpg").write_bytes(JPEG[: len(JPEG) // 2])
    return [PICTURES / "horse.jpg", "--pose-from", folder / "cut.jpg"]


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
    "a run that is not there": (
        with_options("--checkpoint", "runs/nowhere"),
        "runs/nowhere: no such file or folder",
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
    "an unknown clip": (with_options("--animate", "--clip", "flight"), "--clip flight"),
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
    "an unknown segmenter": (with_options("--segmenter", "scissors"), "'scissors'"),
    "missing weights": (with_options("--segmenter-weights", "none.pth"), "none.pth: no such weights file"),
    "weights of nothing known": (
        with_options("--segmenter-weights", shipped_checkpoint("horse")),
        "weights of neither PointRend (detectron2) nor Mask R-CNN (torchvision)",
    ),
    "a mask that is not used": (
        with_options("--segmenter", "grabcut", "--mask", PICTURES / "horse_mask.png"),
        "--segmenter grabcut uses no mask file",
    ),
    "weights that are not used": (
        with_options("--segmenter", "grabcut", "--segmenter-weights", "none.pth"),
        "--segmenter grabcut has no weights",
    ),
    "no images": (lambda folder: ["--relight"], "IMAGE"),
    "a picture and a prompt": (with_options("--prompt", "a horse"), "leave out IMAGE or --prompt"),
    "a painter without a prompt": (with_options("--model", "a/b"), "give --prompt TEXT"),
    "an animal that the farm has not": (lambda folder: ["--prompt", "a dragon"], "finds none of its animals"),
    "a model that is nowhere": (
        lambda folder: ["--prompt", "a dragon", "--model", "nowhere"],
        "nowhere: no such folder",
    ),
    "a length of nothing": (with_options("--length", "tail=30"), "'tail=30': a length is"),
    "a pose from nowhere": (with_options("--pose-from", "none.jpg"), "none.jpg: No such file"),
    "too few faces": (with_options("--faces", "12"), "12 faces are too few"),
    "a light of no colour": (with_options("--light", "colour=warm"), "'warm' is no colour"),
    "a film that is none": (file_with("film.mp4", b"Dear diary"), "film.mp4: not a video"),
    "a film that breaks off": (film_cut_short, "film.mp4: not a video"),
    "a film of one frame": (film_of_one_frame, "film.mp4: a film needs two frames or more"),
    "a pose from a damaged file": (pose_from_half_a_file, "cut.jpg: damaged or truncated"),
    "a film of a photograph": (with_options("--sequence"), "--sequence makes the images of a folder"),
    "a photograph's frame rate": (with_options("--frame-rate", "5"), "--frame-rate is a film's"),
    "an empty prompt": (lambda folder: ["--prompt", " "], "--prompt is empty"),
    "a negative length": (with_options("--length", "girth=-5"), "'girth=-5': give more than 0"),
    "one mask for a film": (
        lambda folder: [folder / "film.mp4", "--mask", PICTURES / "horse_mask.png"],
        "--mask fits one image, not a film",
    ),
    "results nowhere": (with_options("--out", ""), "argument --out: is empty"),
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


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="the one folder in which root cannot write")
def test_a_folder_that_cannot_be_written_is_told_before_the_work() -> None:
    failed = infer(Path("/proc/self"), PICTURES / "horse.jpg")
    assert failed.code == 2
    assert failed.stderr.count("\n") == 1
    assert "/proc/self: cannot write results there" in failed.stderr


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

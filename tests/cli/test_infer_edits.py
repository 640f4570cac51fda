"""farm3d-infer with edits, films and words, from end to end."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from farm3d.inference.clips import CLIP_NAMES

from ..io.gltf_reader import parse
from .infer_runs import PICTURES, Run, infer


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A folder of two equal frames, with a coat from outside and a known length."""
    folder = tmp_path_factory.mktemp("inputs") / "frames"
    folder.mkdir()
    for name in ("0001", "0002"):
        shutil.copy(PICTURES / "horse.jpg", folder / f"{name}.jpg")
        shutil.copy(PICTURES / "horse_mask.png", folder / f"{name}_mask.png")
    options = ("--sequence", "--frame-rate", "2", "--refine", "0", "--length", "girth=190")
    more = ("--faces", "3000", "--light", "azimuth=90,colour=#ffd0a0")
    edits = ("--albedo-from", PICTURES / "horse.jpg", "--pose-from", PICTURES / "horse.jpg")
    return infer(tmp_path_factory.mktemp("results") / "out", folder, *options, *more, *edits, "--quiet")


def test_a_folder_of_frames_is_one_animal_with_its_motion(film: Run) -> None:
    assert (film.code, film.stdout) == (0, f"1 animal in {film.out}\n"), film.stderr
    prediction = film.prediction("frames")
    assert prediction["clips"] == [*CLIP_NAMES, "film"]
    assert (prediction["film"]["frame_rate"], len(prediction["film"]["frames"])) == (2.0, 2)
    animations = parse(film.file("animal.glb", "frames").read_bytes()).document["animations"]
    assert [animation["name"] for animation in animations] == [*CLIP_NAMES, "film"]
    assert film.file("film.mp4", "frames").stat().st_size > 1000


def test_the_model_has_as_many_faces_as_asked_for_and_the_strip_one_light(film: Run) -> None:
    glb = parse(film.file("animal.glb", "frames").read_bytes())
    primitive = glb.document["meshes"][0]["primitives"][0]
    assert 2500 <= glb.document["accessors"][primitive["indices"]]["count"] / 3 <= 3000
    with Image.open(film.file("relight.png", "frames")) as strip:
        assert strip.size == (3 * 512 + 2 * 8, 512)
    assert not film.file("relight.mp4", "frames").exists()


def test_what_was_taken_and_how_long_it_is_stands_in_the_result(film: Run) -> None:
    prediction = film.prediction("frames")
    assert prediction["edits"] == {"pose": "horse", "coat": "horse"}
    known = prediction["measurements"]["known"]
    assert known["girth_cm"] == pytest.approx(190.0, abs=0.01)
    ratio = prediction["measurements"]["ratios"]["girth"]
    assert known["shoulder_height_cm"] == pytest.approx(190.0 / ratio, rel=1e-3)


def test_words_become_a_picture_and_the_picture_an_animal(tmp_path: Path) -> None:
    words = infer(tmp_path / "out", "--prompt", "a purple horse, side view", "--refine", "0")
    assert words.code == 0, words.stderr
    name = "a_purple_horse_side_view"
    assert f"{name}: drawn by the procedural farm, seed 0\n" in words.stderr
    assert "does not draw: purple" in words.stderr
    assert "mask from alpha" in words.stderr
    assert words.prediction(name)["mask_iou"]["predicted"] > 0.4
    assert words.file("photograph.png", name).stat().st_size > 10_000

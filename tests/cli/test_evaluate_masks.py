"""farm3d-eval masks: a segmenter against the masks beside photographs, and the filter's decisions."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from farm3d.cli.evaluate import main
from farm3d.io.image import read_image, write_jpeg, write_png

REPOSITORY = Path(__file__).parents[2]
SIDE, MIDDLE = 300, 150


def disk(x: float, radius: float = 70.0) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    return (columns - x) ** 2 + (rows - SIDE / 2) ** 2 < radius**2


def photograph(folder: Path, name: str, thing: np.ndarray, mask: np.ndarray | None = None) -> None:
    """A brown thing on a green field, and a mask beside it that says what the truth is."""
    pixels = np.where(thing[..., None], (150, 90, 50), (80, 140, 60)).astype(np.uint8)
    write_jpeg(folder / f"{name}.jpg", pixels)
    if mask is not None:
        write_png(folder / f"{name}_mask.png", mask.astype(np.uint8) * 255)


def test_masks_are_held_against_those_beside_and_the_filter_decides(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = np.zeros((SIDE, SIDE), dtype=bool)
    photograph(tmp_path, "a_half", disk(MIDDLE), disk(MIDDLE) & (np.arange(SIDE) < MIDDLE))
    photograph(tmp_path, "b_small", disk(MIDDLE, 30))
    photograph(tmp_path, "c_empty", nothing, disk(MIDDLE))
    assert main(["masks", str(tmp_path), "--segmenter", "grabcut"]) == 0
    output = capsys.readouterr()
    _, half, small, empty, mean, decisions = output.out.splitlines()
    assert half.split()[:2] == ["a_half", "grabcut"]
    assert float(half.split()[2]) == pytest.approx(0.5, abs=0.03)
    assert small.split()[2:4] == ["-", "-"]
    assert empty.split()[1:7] == ["-", "0.000", "0.000", "-", "-", "no_mask"]
    assert mean.startswith("mean of 2 with a true mask: IoU 0.2")
    assert f"; {half.split()[2]} of the 1 that the filter keeps" in mean
    assert decisions == "the filter's decisions on 3: kept 1, too_small 1, no_mask 1"
    assert "c_empty.jpg: no animal found (nothing stands out" in output.err


def test_auto_says_what_it_chose_and_does_not_look_at_the_truth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "no weights"))
    monkeypatch.setenv("FVCORE_CACHE", str(tmp_path / "no weights"))
    picture = REPOSITORY / "docs" / "images" / "horse.jpg"
    shutil.copy(picture, tmp_path / "a.jpg")
    corner = np.zeros(read_image(picture).pixels.shape[:2], np.uint8)
    corner[:50, :50] = 255
    write_png(tmp_path / "a_mask.png", corner)
    assert main(["masks", str(tmp_path)]) == 0
    output = capsys.readouterr()
    assert "farm (no weights of PointRend or Mask R-CNN are here)" in output.err
    assert output.out.splitlines()[1].split()[1] == "farm"
    assert float(output.out.splitlines()[1].split()[2]) < 0.5


def test_a_folder_without_photographs_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["masks", str(tmp_path), "--pattern", "cow_*"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith(f"{tmp_path}: no cow_*.jpg")

"""Clips with a known fault score that fault; the farm's animals have none."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from farm3d.eval.clip_limits import FRAMES, SIDE, clip_score, contact_sheet, species_body

from farm3d.cli.evaluate import main
from farm3d.geometry.clip import Clip
from farm3d.inference.clips import body_clips
from farm3d.inference.legs import Body
from farm3d.shapes import Faces


@cache
def pig() -> tuple[Body, Faces]:
    return species_body("pig")


def sliding(depth: float, speed: float, gap: float) -> Clip:
    """The pig at rest, so many heights under the ground, over it in a second, lower at the last key."""
    body, _ = pig()
    offsets = torch.zeros(5, 3)
    offsets[:, 1] = -depth * body.height
    offsets[-1, 1] -= gap * body.height
    angles = torch.zeros(5, len(body.skeleton.names), 3)
    return Clip("sliding", torch.linspace(0.0, 1.0, 5), angles, offsets, speed * body.height)


@pytest.mark.parametrize("fault", ["deepest", "slide", "gap"])
def test_a_fault_is_measured_in_heights_of_the_withers(fault: str) -> None:
    sizes = {"deepest": 0.0, "slide": 0.0, "gap": 0.0} | {fault: 0.05}
    score = clip_score(pig()[0], sliding(sizes["deepest"], sizes["slide"], sizes["gap"]))
    assert getattr(score, fault) == pytest.approx(0.05, abs=1e-4)
    others = {"deepest", "slide"} - {fault, "deepest" if fault == "gap" else fault}
    assert all(getattr(score, other) < 1e-4 for other in others)


def test_a_loop_that_is_cut_off_jolts_at_its_seam() -> None:
    walk = body_clips(pig()[0])[1]
    half = len(walk.times) // 2 + 1
    cut = replace(
        walk,
        times=walk.times[:half],
        joint_angles=walk.joint_angles[:half],
        root_offsets=walk.root_offsets[:half],
    )
    assert clip_score(pig()[0], cut).jolt > 2.0
    assert clip_score(pig()[0], walk).jolt <= 1.0


def test_a_sheet_has_a_row_a_clip() -> None:
    body, faces = pig()
    sheet = contact_sheet(body, faces, body_clips(body)[:2])
    assert sheet.shape == (2 * SIDE, FRAMES * SIDE, 3)
    assert (sheet[..., 0] != sheet[..., 2]).any(axis=(0, 1)), "the red line of the ground"


def test_the_command_shows_a_line_a_clip(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clips", "pig"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines[1:-1]] == [
        ["pig", name] for name in ("idle", "walk", "trot", "gallop", "graze", "look_around")
    ]
    for line in lines[1:-1]:
        deepest, slide, gap = map(float, line.split()[2:5])
        assert deepest < 2.0 and slide < 2.0 and gap == 0.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["unicorn.jpg"], "unicorn.jpg: No such file"), (["pig", "--sheets", "FILE"], "a file")],
)
def test_a_mistake_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    words = [str(tmp_path / "file") if word == "FILE" else word for word in arguments]
    assert main(["clips", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1

"""GrabCut on its own: what it finds in drawn scenes and photographs, and that it repeats itself."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from farm3d.pretrained.grabcut import cut_out_animal
from farm3d.pretrained.saliency import boundary_saliency

PHOTOGRAPHS = os.environ.get("FARM3D_PHOTOS")


def quadruped(height: int, width: int, *, x: float = 0.5, y: float = 0.5, scale: float = 1.0) -> np.ndarray:
    """A body on four thin legs with a neck and a head."""
    mask = np.zeros((height, width), dtype=np.uint8)
    unit = scale * height / 10

    def at(dx: float, dy: float) -> tuple[int, int]:
        return int(x * width + dx * unit), int(y * height + dy * unit)

    cv2.ellipse(mask, at(0, -0.5), (int(2.6 * unit), int(1.1 * unit)), 0, 0, 360, 1, -1)
    for dx in (-2.0, -1.5, 1.4, 1.9):
        cv2.rectangle(mask, at(dx, 0), at(dx + 0.3, 3), 1, -1)
    cv2.line(mask, at(2, -0.8), at(3, -2.2), 1, int(0.8 * unit))
    cv2.ellipse(mask, at(3.3, -2.3), (int(0.8 * unit), int(0.4 * unit)), 20, 0, 360, 1, -1)
    return mask > 0


def scene(mask: np.ndarray, noise: float = 10.0) -> np.ndarray:
    """A piebald animal before a green field, a darker wood and a grey sky."""
    height, width = mask.shape
    rows = np.arange(height)[:, None, None] / height
    background = np.where(rows < 0.25, (150, 160, 175), np.where(rows < 0.45, (50, 75, 45), (95, 140, 65)))
    colors = np.broadcast_to(background, (height, width, 3)).astype(np.float64).copy()
    patches = cv2.GaussianBlur(np.random.default_rng(1).normal(size=(height, width)), (0, 0), height / 12)
    colors[mask & (patches > 0)] = (150, 85, 40)
    colors[mask & (patches <= 0)] = (225, 210, 190)
    return (colors + np.random.default_rng(0).normal(0, noise, colors.shape)).clip(0, 255).astype(np.uint8)


def iou(mask: np.ndarray, other: np.ndarray) -> float:
    return float((mask & other).sum() / (mask | other).sum())


@pytest.mark.parametrize(("x", "y", "scale"), [(0.5, 0.5, 1.0), (0.4, 0.55, 0.7)])
def test_a_piebald_animal_is_cut_out_with_its_legs(x: float, y: float, scale: float) -> None:
    truth = quadruped(300, 400, x=x, y=y, scale=scale)
    cut = cut_out_animal(scene(truth))
    assert iou(cut.mask, truth) > 0.85
    below_the_body = np.zeros_like(truth)
    below_the_body[int(y * 300 + 1.5 * scale * 30) :] = True
    assert (cut.mask & truth & below_the_body).sum() > 0.7 * (truth & below_the_body).sum()
    assert cut.color_separation > 0.5
    assert cut.main_share > 0.7


def test_the_same_picture_gives_the_same_mask_whatever_was_drawn_before() -> None:
    pixels = scene(quadruped(150, 200))
    first = cut_out_animal(pixels)
    cv2.setRNGSeed(12345)
    second = cut_out_animal(pixels.copy())
    np.testing.assert_array_equal(first.mask, second.mask)
    assert first.color_separation == second.color_separation


def test_a_large_picture_gets_the_mask_of_its_small_copy_at_its_own_size() -> None:
    truth = quadruped(1200, 1600)
    small = cv2.resize(scene(quadruped(300, 400)), (1600, 1200), interpolation=cv2.INTER_CUBIC)
    cut = cut_out_animal(small)
    assert cut.mask.shape == (1200, 1600)
    assert iou(cut.mask, truth) > 0.85


def test_a_uniform_picture_has_no_animal() -> None:
    assert not cut_out_animal(np.full((100, 100, 3), 77, dtype=np.uint8)).mask.any()


def test_a_hole_in_the_mask_is_filled_when_it_is_small() -> None:
    truth = quadruped(300, 400)
    pixels = scene(truth, noise=3.0)
    pixels[140:144, 195:199] = (95, 140, 65)
    assert cut_out_animal(pixels).mask[142, 197]


def test_saliency_is_high_on_what_the_border_does_not_hold() -> None:
    truth = quadruped(150, 200)
    saliency = boundary_saliency(scene(truth))
    assert saliency.shape == truth.shape
    assert saliency.min() >= 0.0 and saliency.max() <= 1.0 + 1e-6
    assert saliency[truth].mean() > saliency[~truth].mean() + 0.3


def test_saliency_of_a_uniform_picture_is_flat() -> None:
    assert np.ptp(boundary_saliency(np.full((60, 90, 3), 128, dtype=np.uint8))) < 1e-3


@pytest.mark.skipif(
    PHOTOGRAPHS is None, reason="FARM3D_PHOTOS names no folder of NAME.jpg with NAME_mask.png"
)
def test_photographs_are_cut_out_well_on_average() -> None:
    """Mean IoU with the annotated masks on a third of the photographs: a guard, not the measurement."""
    scores = []
    for mask_file in sorted(Path(PHOTOGRAPHS or "").glob("*_mask.png"))[::3]:
        photograph = cv2.imread(str(mask_file).replace("_mask.png", ".jpg"))
        truth = cv2.imread(str(mask_file), cv2.IMREAD_GRAYSCALE) > 127
        scores.append(iou(cut_out_animal(np.ascontiguousarray(photograph[..., ::-1])).mask, truth))
    assert np.mean(scores) > 0.65

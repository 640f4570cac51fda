"""PSNR, SSIM and masked L1 against definitions taken window by window and pixel by pixel."""

import math

import numpy as np
import pytest
from farm3d.eval.novel_views import masked_l1, psnr, score_view, ssim


def pictures(seed: int = 0, shape: tuple[int, int, int] = (24, 30, 3)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    first = rng.random(shape).astype(np.float32)
    return first, np.clip(first + rng.normal(0.0, 0.1, shape), 0.0, 1.0).astype(np.float32)


def test_psnr_of_a_constant_difference() -> None:
    """A difference of 0.1 everywhere is 20 decibels below the range."""
    image = np.full((12, 12, 3), 0.4)
    assert psnr(image + 0.1, image) == pytest.approx(20.0)
    assert psnr(image, image) == math.inf


def test_ssim_is_the_definition_window_by_window() -> None:
    first, second = pictures()
    ticks = np.arange(-5, 6)
    window = np.exp(-(ticks[:, None] ** 2 + ticks[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = 0.01**2, 0.03**2
    values = []
    for channel in range(3):
        for row in range(24 - 10):
            for column in range(30 - 10):
                x, y = (
                    p[row : row + 11, column : column + 11, channel].astype(np.float64)
                    for p in (first, second)
                )
                mean_x, mean_y = (window * x).sum(), (window * y).sum()
                variance_x = (window * (x - mean_x) ** 2).sum()
                variance_y = (window * (y - mean_y) ** 2).sum()
                covariance = (window * (x - mean_x) * (y - mean_y)).sum()
                values.append(
                    (2 * mean_x * mean_y + c1)
                    * (2 * covariance + c2)
                    / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))
                )
    assert ssim(first, second) == pytest.approx(np.mean(values), abs=1e-9)


def test_ssim_of_equal_inverted_and_flat_pictures() -> None:
    first, _ = pictures()
    assert ssim(first, first) == pytest.approx(1.0)
    assert ssim(first, 1.0 - first) < -0.5
    flat = np.full((16, 16, 3), 0.5)
    assert ssim(flat, flat + 0.2) == pytest.approx((2 * 0.5 * 0.7 + 1e-4) / (0.5**2 + 0.7**2 + 1e-4))


def test_masked_l1_looks_at_the_mask_alone() -> None:
    image, reference = np.zeros((12, 12, 3)), np.zeros((12, 12, 3))
    mask = np.zeros((12, 12), dtype=bool)
    mask[2:4, 5] = True
    image[2, 5] = [0.3, 0.0, 0.0]
    image[9, 9] = 1.0
    assert masked_l1(image, reference, mask) == pytest.approx(0.3 / 6)
    assert masked_l1(image, reference, np.zeros_like(mask)) == 0.0


def test_all_at_once() -> None:
    first, second = pictures(1)
    mask = np.ones(first.shape[:2], dtype=bool)
    half = mask.copy()
    half[: len(half) // 2] = False
    score = score_view(first, second, mask=half, true_mask=mask)
    assert score.iou == 0.5
    assert score.psnr == psnr(first, second)
    assert score.ssim == ssim(first, second)
    assert score.masked_l1 == pytest.approx(float(np.abs(first - second).mean()), rel=1e-5)

"""The crop rule on masks whose centroid and area are known, and resampling against its definition."""

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farm3d.data.transforms import (
    batch_of_crops,
    crop_box,
    crop_image,
    mask_distances,
    place_in_image,
    resized,
)
from farm3d.errors import InputError


def rectangle(height: int, width: int, rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    mask = np.zeros((height, width), dtype=bool)
    mask[rows[0] : rows[1], columns[0] : columns[1]] = True
    return mask


def disk(height: int, width: int, row: float, column: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    return (rows - row) ** 2 + (columns - column) ** 2 < radius**2


def test_a_long_rectangle_is_held_by_1_1_times_its_length() -> None:
    x, y, width, height = crop_box(rectangle(100, 200, (40, 50), (20, 120)))
    assert (width, height) == pytest.approx((110.0, 110.0))
    assert (x + width / 2, y + height / 2) == pytest.approx((70.0, 45.0))


def test_a_square_is_seen_at_twice_the_root_of_its_area() -> None:
    x, y, side, _ = crop_box(rectangle(100, 100, (30, 50), (10, 30)))
    assert (x, y, side) == pytest.approx((0.0, 20.0, 40.0))


def test_a_disk_is_seen_at_twice_the_root_of_its_area() -> None:
    x, y, side, _ = crop_box(disk(200, 200, 90.0, 110.0, 40.0))
    assert side == pytest.approx(2 * math.sqrt(math.pi) * 40.0, rel=0.01)
    assert (x + side / 2, y + side / 2) == pytest.approx((110.0, 90.0), abs=0.1)


def test_an_asymmetric_mask_is_held_on_its_longer_side() -> None:
    mask = rectangle(100, 300, (40, 60), (100, 120)) | rectangle(100, 300, (49, 50), (120, 220))
    x, _, side, _ = crop_box(mask)
    centroid = (400 * 110 + 100 * 170) / 500
    assert side == pytest.approx(1.1 * 2 * (220 - centroid))
    assert x <= 100 and x + side >= 220


def test_an_empty_mask_has_no_crop() -> None:
    with pytest.raises(InputError, match="empty"):
        crop_box(np.zeros((50, 50), dtype=bool))


def brute_force_mean(plane: np.ndarray, x: float, y: float, step: float) -> float:
    """The mean of a piecewise constant plane over a square, pixel by pixel."""
    total = 0.0
    for row in range(plane.shape[0]):
        for column in range(plane.shape[1]):
            overlap_y = max(0.0, min(y + step, row + 1) - max(y, row))
            overlap_x = max(0.0, min(x + step, column + 1) - max(x, column))
            total += plane[row, column] * overlap_x * overlap_y
    return total / step**2


@settings(max_examples=20, deadline=None)
@given(st.floats(-10, 10), st.floats(-10, 10), st.floats(8, 40), st.integers(4, 8), st.integers(0, 2**32 - 1))
def test_shrinking_takes_the_mean_over_the_area(
    x: float, y: float, side: float, size: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((20, 24)) < 0.5
    image = np.zeros((20, 24, 3), dtype=np.uint8)
    step = side / size
    if step < 1:
        return
    crop = crop_image(image, mask, (x, y, side, side), size=size)
    for row, column in [(0, 0), (size - 1, 1), (2, size - 1)]:
        place = (x + column * step, y + row * step, step)
        assert crop.mask[row, column] == pytest.approx(brute_force_mean(mask.astype(float), *place), abs=1e-4)
        covered = brute_force_mean(np.ones_like(mask, dtype=float), *place)
        assert crop.valid[row, column] == pytest.approx(covered, abs=1e-4)


def test_a_whole_image_at_its_own_size_is_itself() -> None:
    rng = np.random.default_rng(0)
    image, mask = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8), rng.random((32, 32)) < 0.5
    crop = crop_image(image, mask, (0.0, 0.0, 32.0, 32.0), size=32)
    np.testing.assert_allclose(crop.image, image / 255.0, atol=1e-6)
    np.testing.assert_array_equal(crop.mask, mask)
    np.testing.assert_array_equal(crop.valid, 1.0)


@pytest.mark.parametrize("size", [16, 48, 100, 200])
def test_shrinking_agrees_with_opencvs_area_and_growing_with_its_linear(size: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (100, 100, 3), dtype=np.uint8)
    crop = crop_image(image, np.ones((100, 100), dtype=bool), (0.0, 0.0, 100.0, 100.0), size=size)
    how = cv2.INTER_AREA if size <= 100 else cv2.INTER_LINEAR
    expected = cv2.resize(image.astype(np.float32) / 255, (size, size), interpolation=how)
    np.testing.assert_allclose(crop.image, expected, atol=1e-3)


@pytest.mark.parametrize("size", [8, 64])
def test_beyond_the_border_the_image_goes_on_and_nothing_is_valid(size: int) -> None:
    image = np.full((32, 32, 3), 200, dtype=np.uint8)
    crop = crop_image(image, np.ones((32, 32), dtype=bool), (-32.0, -32.0, 64.0, 64.0), size=size)
    np.testing.assert_allclose(crop.image, 200 / 255, atol=1e-5)
    half = size // 2
    assert crop.valid[: half - 1].max() == 0.0 and crop.mask[: half - 1].max() == 0.0
    np.testing.assert_allclose(crop.valid[half + 1 :, half + 1 :], 1.0, atol=1e-6)


def test_a_crops_mask_is_put_back_where_it_came_from() -> None:
    mask = disk(180, 240, 100.0, 60.0, 55.0)
    box = crop_box(mask)
    crop = crop_image(np.zeros((180, 240, 3), dtype=np.uint8), mask, box, size=256)
    back = place_in_image(crop.mask, box, height=180, width=240) > 0.5
    assert (back & mask).sum() / (back | mask).sum() > 0.98
    assert place_in_image(crop.mask, (500.0, 0.0, 50.0, 50.0), height=180, width=240).max() == 0.0


def test_distances_of_a_half_plane_are_straight() -> None:
    mask = rectangle(20, 20, (0, 20), (0, 8))
    inside, outside = mask_distances(mask)
    columns = np.arange(20)
    np.testing.assert_allclose(inside[5], np.where(columns < 8, 8 - columns, 0) / 20, atol=1e-6)
    np.testing.assert_allclose(outside[5], np.where(columns >= 8, columns - 7, 0) / 20, atol=1e-6)


def test_distances_of_a_disk_are_radial() -> None:
    inside, outside = mask_distances(disk(101, 101, 50.5, 50.5, 30.0))
    assert inside[50, 50] == pytest.approx(30 / 101, abs=1.5 / 101)
    assert outside[0, 0] == pytest.approx((50 * math.sqrt(2) - 30) / 101, abs=1.5 / 101)


def test_distances_without_another_side_are_the_largest() -> None:
    full, empty = np.ones((10, 10), dtype=bool), np.zeros((10, 10), dtype=bool)
    for distances, expected in (
        (mask_distances(full), (2**0.5, 0.0)),
        (mask_distances(empty), (0.0, 2**0.5)),
    ):
        for plane, value in zip(distances, expected, strict=True):
            np.testing.assert_allclose(plane, value)


def test_a_batch_holds_the_crops_in_order() -> None:
    masks = [disk(64, 64, 32.0, 32.0, radius) for radius in (10.0, 20.0)]
    image = np.full((64, 64, 3), 128, dtype=np.uint8)
    crops = [crop_image(image, mask, crop_box(mask), size=32) for mask in masks]
    batch = batch_of_crops(crops)
    assert batch.images.shape == (2, 32, 32, 3)
    assert batch.features is None and batch.truth is None
    for index, crop in enumerate(crops):
        np.testing.assert_array_equal(batch.masks[index, ..., 0].numpy(), crop.mask)
        inside, outside = mask_distances(crop.mask > 0.5)
        np.testing.assert_array_equal(batch.inside_distance[index, ..., 0].numpy(), inside)
        np.testing.assert_array_equal(batch.outside_distance[index, ..., 0].numpy(), outside)


def test_a_batch_is_averaged_down_and_keeps_constants_up() -> None:
    image, mask = np.full((40, 40, 3), 100, dtype=np.uint8), disk(40, 40, 20.0, 20.0, 9.0)
    crop = crop_image(image, mask, (0.0, 0.0, 40.0, 40.0), size=32)
    batch = batch_of_crops([crop])
    half, double = resized(batch, 16), resized(batch, 64)
    assert resized(batch, 32).images is batch.images
    torch.testing.assert_close(half.masks, batch.masks.reshape(1, 16, 2, 16, 2, 1).mean(dim=(2, 4)))
    torch.testing.assert_close(double.valid, torch.ones(1, 64, 64, 1))
    assert double.masks.mean().item() == pytest.approx(batch.masks.mean().item(), rel=0.02)

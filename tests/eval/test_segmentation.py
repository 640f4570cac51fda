"""The boundary F-score by hand, and against dilation with a disk as DAVIS has it."""

import math

import cv2
import numpy as np
import pytest
from farm3d.eval.segmentation import boundary_f_score, outline, score_mask
from hypothesis import given, settings
from hypothesis import strategies as st


def square(shift: int = 0, *, size: int = 60, low: int = 20, high: int = 40) -> np.ndarray:
    mask = np.zeros((size, size), dtype=bool)
    mask[low:high, low + shift : high + shift] = True
    return mask


def test_the_outline_lies_on_the_upper_left_side_of_every_change() -> None:
    mask = np.zeros((5, 6), dtype=bool)
    mask[2, 2:4] = True
    expected = np.array(
        [
            [0, 0, 0, 0, 0, 0],
            [0, 1, 1, 1, 0, 0],
            [0, 1, 1, 1, 0, 0],
            [0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0],
        ],
        dtype=bool,
    )
    assert np.array_equal(outline(mask), expected)


def test_there_is_no_outline_where_a_mask_leaves_the_image() -> None:
    mask = np.zeros((6, 6), dtype=bool)
    mask[:, :3] = True
    assert np.array_equal(np.argwhere(outline(mask))[:, 1], np.full(6, 2))
    assert not outline(np.ones((6, 6), dtype=bool)).any()


@pytest.mark.parametrize("shift", [0, 1])
def test_within_the_tolerance_the_score_is_one(shift: int) -> None:
    """A diagonal of 85 pixels allows ceil(0.68) = 1."""
    assert boundary_f_score(square(shift), square()) == 1.0


def test_a_square_shifted_by_two_pixels() -> None:
    """The outline is the rim of 21 x 21 pixels, 80 of them; both rims lie on the same two rows.

    Moved by 2 with 1 allowed, all pixels of the upper and lower sides (21 each) but the outermost are near
    enough. Of the other 19 + 19 pixels those within 1 of the other rim's rows are: the uppermost and the
    lowermost of the side that lies inside.
    """
    assert outline(square()).sum() == 80
    right_rows, right_sides = 2 * 20, 2
    share = (right_rows + right_sides) / 80
    assert boundary_f_score(square(2), square()) == pytest.approx(share)


def test_precision_and_recall_differ_for_an_extra_piece() -> None:
    """A second square far away: all true outline pixels are found, half of the predicted ones are right."""
    true = square(size=120)
    predicted = true.copy()
    predicted[80:100, 80:100] = True
    assert boundary_f_score(predicted, true) == pytest.approx(2 * 0.5 / 1.5)
    assert boundary_f_score(true, predicted) == pytest.approx(2 * 0.5 / 1.5)


def test_empty_outlines() -> None:
    nothing = np.zeros((60, 60), dtype=bool)
    assert boundary_f_score(nothing, nothing) == 1.0
    assert boundary_f_score(square(), nothing) == 0.0
    assert boundary_f_score(nothing, square()) == 0.0
    assert boundary_f_score(square(), square(low=2, high=8)) == 0.0


def test_a_larger_tolerance_forgives_more() -> None:
    assert boundary_f_score(square(6), square(), tolerance=0.07) == 1.0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), tolerance=st.sampled_from([0.008, 0.03, 0.06]))
def test_distances_are_dilation_with_a_disk(seed: int, tolerance: float) -> None:
    """DAVIS dilates the other outline with a disk x^2 + y^2 <= r^2 and counts what falls into it."""
    rng = np.random.default_rng(seed)
    masks = [cv2.GaussianBlur(rng.random((40, 50)), (0, 0), 3.0) > 0.5 for _ in range(2)]
    first, second = (outline(mask) for mask in masks)
    radius = math.ceil(tolerance * math.hypot(40, 50))
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disk = (x * x + y * y <= radius * radius).astype(np.uint8)
    grown = [cv2.dilate(edge.astype(np.uint8), disk) > 0 for edge in (first, second)]
    precision, recall = first[grown[1]].sum() / first.sum(), second[grown[0]].sum() / second.sum()
    expected = 2 * precision * recall / (precision + recall)
    assert boundary_f_score(masks[0], masks[1], tolerance=tolerance) == pytest.approx(expected)


def test_the_iou_of_a_shifted_square() -> None:
    score = score_mask(square(2), square())
    assert score.iou == pytest.approx(18 / 22)
    assert score.boundary_f == boundary_f_score(square(2), square())

"""The filter measures what it says, and each threshold rejects for its own reason."""

import cv2
import numpy as np
import pytest
from farm3d.synth.filtering import (
    REASONS,
    FilterConfig,
    Measures,
    measure,
    piece_areas,
    reason_to_reject,
)
from hypothesis import given
from hypothesis import strategies as st

from farm3d.config import load_config
from farm3d.errors import ConfigError

GOOD = Measures(border_contact=0.0, area=0.3, resolution=1.0, rival_area=0.0, main_area=1.0, confidence=0.9)
SHARES = st.floats(min_value=0.0, max_value=1.0)
MEASURES = st.builds(
    Measures,
    border_contact=SHARES,
    area=SHARES,
    resolution=st.floats(min_value=0.0, max_value=10.0),
    rival_area=SHARES,
    main_area=SHARES,
    confidence=SHARES,
)


def disc(radius: int, centre: tuple[int, int] = (50, 50), size: int = 100) -> np.ndarray:
    return cv2.circle(np.zeros((size, size), np.uint8), centre, radius, 1, -1) > 0


def measured(mask: np.ndarray, **changes: float) -> Measures:
    known = {"crop_side": 64.0, "size": 64, "confidence": 1.0, "rival_area": 0.0}
    return measure(mask, **(known | changes))


def test_a_disc_in_the_middle_measures_as_a_disc():
    measures = measured(disc(30), crop_side=96.0, size=64, confidence=0.7, rival_area=0.2)
    assert measures.area == pytest.approx(np.pi * 0.3**2, rel=0.02)
    assert (measures.border_contact, measures.main_area) == (0.0, 1.0)
    assert (measures.resolution, measures.confidence, measures.rival_area) == (1.5, 0.7, 0.2)
    assert reason_to_reject(measures, FilterConfig()) is None


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (np.zeros((100, 100), bool), "no_mask"),
        (disc(30, (20, 50)), "truncated"),
        (disc(5), "too_small"),
        (np.pad(np.ones((96, 96), bool), 2), "too_large"),
        (disc(20, (28, 50)) | disc(16, (75, 50)), "several_animals"),
        (disc(20) | disc(6, (10, 10)) | disc(6, (90, 90)) | disc(6, (10, 90)), "fragmented"),
        (disc(30), None),
    ],
)
def test_masks_are_rejected_for_what_is_wrong_with_them(mask, reason):
    assert reason_to_reject(measured(mask), FilterConfig()) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"crop_side": 20.0}, "too_small"),
        ({"rival_area": 0.6}, "several_animals"),
        ({"confidence": 0.2}, "low_confidence"),
    ],
)
def test_what_the_makers_of_masks_know_counts(changes, reason):
    assert reason_to_reject(measured(disc(30), **changes), FilterConfig()) == reason


def test_a_whole_border_is_full_contact_and_a_corner_little():
    mask = np.zeros((50, 80), bool)
    mask[:, 0] = True
    assert measured(mask).border_contact == 1.0
    assert measured(np.roll(mask, 1, axis=1)).border_contact == pytest.approx(1 / 80)


def test_pieces_are_counted_by_area_and_touch_at_corners():
    mask = np.zeros((20, 20), bool)
    mask[2:6, 2:6] = mask[6:8, 6:8] = mask[15:18, 15:18] = True
    assert piece_areas(mask) == [20, 9]
    assert piece_areas(np.zeros((20, 20), bool)) == []


@given(MEASURES)
def test_every_reason_is_a_known_one_and_the_loosest_filter_keeps_all_animals(measures):
    assert reason_to_reject(measures, FilterConfig()) in (None, *REASONS)
    loosest = FilterConfig(
        max_border_contact=1.0,
        min_area=0.0,
        max_area=1.0,
        min_resolution=0.0,
        max_rival_area=1.0,
        min_main_area=0.0,
        min_confidence=0.0,
    )
    assert reason_to_reject(measures, loosest) == (None if measures.area > 0.0 else "no_mask")


@given(st.integers(0, 3), st.booleans(), st.booleans())
def test_turning_a_picture_changes_nothing(turns, mirrored, several):
    mask = disc(18, (30, 40)) | (disc(9, (75, 40)) if several else False)
    turned = np.rot90(mask[:, ::-1] if mirrored else mask, turns)
    assert measured(np.ascontiguousarray(turned)) == measured(mask)


def test_thresholds_come_from_a_file_and_are_checked(tmp_path):
    file = tmp_path / "filter.yaml"
    file.write_text("max_border_contact: 0.1\nmax_duplicate_distance: -1\n")
    config = load_config(FilterConfig, preset_or_file=str(file))
    assert (config.max_border_contact, config.max_duplicate_distance) == (0.1, -1)
    file.write_text("max_area: 1.5\n")
    with pytest.raises(ConfigError, match="max_area"):
        load_config(FilterConfig, preset_or_file=str(file))
    file.write_text("max_aera: 0.5\n")
    with pytest.raises(ConfigError, match="max_area"):
        load_config(FilterConfig, preset_or_file=str(file))

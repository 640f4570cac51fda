"""The pictures of the documentation."""

from pathlib import Path

import cv2
import numpy as np
from farm3d.synth.pictures import SHEET_PIXELS, contact_sheet, portrait

IMAGES = Path(__file__).parents[2] / "docs" / "images"


def test_a_contact_sheet_shows_different_pictures():
    sheet = contact_sheet("horse", seed=1, side=2, animals=2)
    assert sheet.shape == (2 * SHEET_PIXELS, 2 * SHEET_PIXELS, 3)
    halves = sheet[:SHEET_PIXELS, :SHEET_PIXELS], sheet[:SHEET_PIXELS, SHEET_PIXELS:]
    assert np.abs(halves[0].astype(float) - halves[1]).mean() > 10


def test_the_horse_of_the_readme_is_the_one_that_the_farm_draws():
    drawn = portrait()
    shipped = cv2.imread(str(IMAGES / "horse_mask.png"), cv2.IMREAD_GRAYSCALE)
    assert (shipped == drawn.mask).mean() > 0.999
    assert min(drawn.image.shape[:2]) >= 384
    rows, columns = np.nonzero(drawn.mask)
    assert min(rows.min(), columns.min()) > 30
    assert max(rows.max(), columns.max()) < len(drawn.mask) - 30

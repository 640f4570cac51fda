"""The segmenter that ships: the farm's animals, wherever they stand, and pictures without one."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farm3d.data.samples import read_sample
from farm3d.errors import CheckpointError, InputError
from farm3d.models.build import shipped_categories, shipped_checkpoint
from farm3d.pretrained.animal_pixels import SHIPPED_FILE, STRIDE, AnimalPixels, load_animal_pixels
from farm3d.pretrained.farm_masks import FarmMasks

SEGMENTER = FarmMasks()


def iou(mask: np.ndarray, other: np.ndarray) -> float:
    return float((mask & other).sum() / (mask | other).sum())


def farm_pictures(folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    samples = [
        read_sample(path, image_size=64, features=False) for path in sorted(folder.glob("shard_*/*.json"))
    ]
    return [(sample.image, sample.mask > 127) for sample in samples]


def test_horses_that_it_never_saw_are_cut_out(farm_folder: Path) -> None:
    scores = []
    for pixels, truth in farm_pictures(farm_folder)[::2]:
        (found,) = SEGMENTER.instances(pixels)
        assert found.label is None
        scores.append(iou(found.mask, truth))
    assert np.mean(scores) > 0.85
    assert min(scores) > 0.6


def test_a_small_horse_at_the_side_of_a_wide_picture_is_found(farm_folder: Path) -> None:
    for pixels, truth in farm_pictures(farm_folder)[:4]:
        wide = cv2.resize(cv2.GaussianBlur(pixels[:8], (0, 0), 3.0), (256, 160))
        place = np.zeros((160, 256), dtype=bool)
        wide[80:144, 20:84][truth] = pixels[truth]
        place[80:144, 20:84] = truth
        (found,) = SEGMENTER.instances(wide)
        assert iou(found.mask, place) > 0.7


def test_the_mirrored_picture_has_the_mirrored_mask(farm_folder: Path) -> None:
    """But for GrabCut's colour models, which begin with a random clustering."""
    pixels, _ = farm_pictures(farm_folder)[1]
    (found,) = SEGMENTER.instances(pixels)
    (mirrored,) = SEGMENTER.instances(np.ascontiguousarray(pixels[:, ::-1]))
    assert iou(found.mask[:, ::-1], mirrored.mask) > 0.95


def test_the_same_picture_gives_the_same_mask(farm_folder: Path) -> None:
    pixels, _ = farm_pictures(farm_folder)[0]
    (first,) = SEGMENTER.instances(pixels)
    cv2.setRNGSeed(12345)
    (second,) = SEGMENTER.instances(pixels.copy())
    np.testing.assert_array_equal(first.mask, second.mask)
    assert first.score == second.score


@settings(max_examples=15, deadline=None)
@given(height=st.integers(16, 150), width=st.integers(16, 150), seed=st.integers(0, 9))
def test_any_picture_gives_a_mask_of_its_size_or_a_reason(height: int, width: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    try:
        (found,) = SEGMENTER.instances(pixels)
    except InputError as reason:
        assert "no animal found" in str(reason)
    else:
        assert found.mask.shape == (height, width)
        assert 0.0 <= found.score <= 1.0
        assert (found.score < 0.5) == bool(found.doubts)


def test_a_logit_for_every_pixel_of_pictures_of_any_multiple_of_the_stride() -> None:
    network = load_animal_pixels()
    assert isinstance(network, AnimalPixels)
    for height, width in ((STRIDE, STRIDE), (3 * STRIDE, 8 * STRIDE)):
        assert network(torch.rand(2, height, width, 3)).shape == (2, height, width)


def test_another_network_s_file_is_refused_and_it_is_no_category_itself() -> None:
    assert SHIPPED_FILE.removesuffix(".safetensors") not in shipped_categories()
    with pytest.raises(CheckpointError, match=r"horse\.safetensors: does not tell animals from what is"):
        load_animal_pixels(shipped_checkpoint("horse"))

"""Training of the network that cuts animals out: its pictures, its loss, that it learns and repeats."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farm3d.cli.train import main
from farm3d.data.image_folder import ImageDataSet, open_data_set
from farm3d.data.samples import Sample, read_sample
from farm3d.errors import InputError
from farm3d.pretrained.animal_pixels import load_animal_pixels
from farm3d.training.mask_pictures import mask_picture, without_animal
from farm3d.training.masks import MaskTraining, mask_loss, train_masks


def samples(data: ImageDataSet, count: int) -> list[Sample]:
    return [read_sample(path, image_size=64, features=False) for path in data.samples[:count]]


def test_what_is_painted_over_leaves_the_rest_alone(farm_folder: Path) -> None:
    (sample,) = samples(open_data_set(farm_folder), 1)
    empty = without_animal(sample)
    far = np.ones_like(sample.mask, dtype=bool)
    for row, column in np.argwhere(sample.mask > 20):
        far[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5] = False
    np.testing.assert_array_equal(empty[far], sample.image[far])
    inside = sample.mask > 200
    assert np.abs(empty[inside].astype(float) - sample.image[inside]).mean() > 20.0


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_pictures_have_the_animal_where_their_masks_are(farm_folder: Path, seed: int) -> None:
    """A white animal stays of one brightness, whatever is done to it: nothing else is in its mask."""
    (sample,) = samples(open_data_set(farm_folder), 1)
    white = np.repeat(sample.mask[..., None], 3, axis=-1)
    plain = Sample(white, sample.mask, sample.distance, sample.valid, None, {})
    picture, mask = mask_picture(plain, np.zeros_like(white), np.random.default_rng(seed))
    assert picture.shape == (64, 64, 3) and mask.shape == (64, 64)
    assert picture.dtype == mask.dtype == np.float32
    for plane in (picture, mask):
        assert plane.min() >= 0.0 and plane.max() <= 1.0 + 1e-6
    inside = cv2.erode((mask > 0.95).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    if inside.any():
        assert picture.mean(axis=-1)[inside].std() < 0.1


def test_the_loss_is_entropy_and_dice() -> None:
    masks = torch.tensor([[[1.0, 0.0], [0.0, 0.0]]], dtype=torch.float64)
    sure = torch.where(masks > 0.5, 40.0, -40.0).double()
    assert mask_loss(sure, masks) == pytest.approx(0.0, abs=1e-6)
    undecided = torch.zeros_like(masks)
    expected = np.log(2.0) + 1.0 - (2.0 * 0.5 + 1.0) / (3.0 + 1.0)
    assert mask_loss(undecided, masks) == pytest.approx(expected)
    logits = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True)
    target = torch.rand(2, 3, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda given: mask_loss(given, target), (logits,))


def test_the_command_trains_a_network_that_finds_its_pictures_animals(
    farm_folder: Path, tmp_path: Path
) -> None:
    file = tmp_path / "masks.safetensors"
    short = ["steps=80", "images=8", "size=64", "backgrounds=12", "learning_rate=0.003"]
    assert main(["--masks", str(farm_folder), "--out", str(file), "--quiet", "--", *short]) == 0
    network = load_animal_pixels(file)
    scores = []
    for sample in samples(open_data_set(farm_folder), 12):
        found = network(torch.from_numpy(sample.image)[None].float() / 255.0)[0].numpy() > 0.0
        truth = sample.mask > 127
        scores.append((found & truth).sum() / (found | truth).sum())
    assert np.mean(scores) > 0.5


def test_the_same_seed_makes_the_same_file(farm_folder: Path, tmp_path: Path) -> None:
    config = MaskTraining(steps=2, images=2, size=32, backgrounds=2)
    files = [tmp_path / f"{k}.safetensors" for k in range(2)]
    for file in files:
        torch.rand(5)
        train_masks(config, [open_data_set(farm_folder)], file, metadata={})
    assert files[0].read_bytes() == files[1].read_bytes()


def test_what_cannot_be_written_is_told_before_training(farm_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        train_masks(MaskTraining(), [open_data_set(farm_folder)], tmp_path, metadata={}, report=pytest.fail)  # type: ignore[arg-type]

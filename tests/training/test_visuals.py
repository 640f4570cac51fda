"""The pictures that a run leaves: every column shows what its title says, in the phase of the step."""

from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import UInt8
from PIL import Image

from farm3d.models.animal_model import AnimalModel, Phase
from farm3d.training.visuals import BACKDROP, GAP, SIDE, TITLE_HEIGHT, write_picture
from farm3d.types import Batch, ShapePrior

from ..models.small_models import smallest_model

TITLES = ("input", "mask", "render", "90", "180", "above", "shape", "normals", "bones", "hypotheses")
SIZE = 32


@pytest.fixture(scope="module")
def model() -> AnimalModel:
    return smallest_model()


@pytest.fixture(scope="module")
def prior(model: AnimalModel) -> ShapePrior:
    with torch.no_grad():
        return model.prior()


def animals(count: int) -> Batch:
    images = torch.rand(count, SIZE, SIZE, 3, generator=torch.Generator().manual_seed(1))
    one = torch.ones(count, SIZE, SIZE, 1)
    masks = one * (torch.arange(SIZE) < SIZE // 2)[:, None, None]
    return Batch(images, masks, valid=one, inside_distance=masks, outside_distance=one - masks)


@pytest.fixture(scope="module")
def batch() -> Batch:
    return animals(2)


def columns(path: Path) -> dict[str, UInt8[np.ndarray, "height width 3"]]:
    """The picture's columns without their titles, which must be there."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture)
    assert pixels.shape[0] == TITLE_HEIGHT + 2 * (SIDE + GAP) - GAP
    found = {}
    for k, title in enumerate(TITLES):
        column = pixels[:, k * (SIDE + GAP) : k * (SIDE + GAP) + SIDE]
        assert column[:TITLE_HEIGHT].min() < 100, title
        found[title] = column[TITLE_HEIGHT:]
    return found


def shows_an_animal(column: UInt8[np.ndarray, "height width 3"]) -> bool:
    grey = round(255 * BACKDROP)
    different = (np.abs(column[:SIDE].astype(int) - grey) > 8).any(axis=-1)
    return 0.02 < different.mean() < 0.9


def test_every_column_shows_what_it_says(
    model: AnimalModel, prior: ShapePrior, batch: Batch, tmp_path: Path
) -> None:
    path = tmp_path / "pictures" / "step_000000.png"
    write_picture(path, model, prior, batch=batch)
    found = columns(path)
    for title in ("render", "90", "180", "above", "shape", "normals", "hypotheses"):
        assert shows_an_animal(found[title]), title
    assert (found["mask"][: SIDE // 2 - 2] == 255).all() and (found["mask"][SIDE // 2 + 2 : SIDE] == 0).all()
    shown = [found[title].tobytes() for title in TITLES]
    assert len(set(shown)) == len(shown)


def test_a_picture_shows_what_the_animals_may_do_at_its_step(
    model: AnimalModel, prior: ShapePrior, batch: Batch, tmp_path: Path
) -> None:
    rigid, free = tmp_path / "rigid.png", tmp_path / "free.png"
    write_picture(rigid, model, prior, batch=batch, phase=Phase(articulated=False, deformed=False))
    write_picture(free, model, prior, batch=batch)
    assert (columns(rigid)["bones"] != columns(free)["bones"]).any()
    assert (columns(rigid)["input"] == columns(free)["input"]).all()


def test_sharper_hypotheses_have_other_probabilities(
    model: AnimalModel, prior: ShapePrior, batch: Batch, tmp_path: Path
) -> None:
    flat, sharp = tmp_path / "flat.png", tmp_path / "sharp.png"
    write_picture(flat, model, prior, batch=batch, sharpness=0.0)
    write_picture(sharp, model, prior, batch=batch, sharpness=1e4)
    differ = [title for title in TITLES if (columns(flat)[title] != columns(sharp)[title]).any()]
    assert differ == ["hypotheses"]


def test_more_images_than_fit_are_left_out(model: AnimalModel, prior: ShapePrior, tmp_path: Path) -> None:
    write_picture(tmp_path / "many.png", model, prior, batch=animals(8))
    with Image.open(tmp_path / "many.png") as picture:
        assert picture.height == TITLE_HEIGHT + 6 * (SIDE + GAP) - GAP


def test_a_model_of_one_azimuth_has_one_hypothesis(prior: ShapePrior, batch: Batch, tmp_path: Path) -> None:
    write_picture(tmp_path / "one.png", smallest_model(viewpoint="direct"), prior, batch=batch)
    assert shows_an_animal(columns(tmp_path / "one.png")["hypotheses"])

"""farm3d from Python: quick to import, the same animals as the command, models that travel."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import farm3d
from farm3d.errors import CheckpointError, ConfigError, InputError
from farm3d.inference.animal import Animal
from farm3d.inference.api import _of_pixels
from farm3d.inference.reconstructor import Reconstructor
from farm3d.io.checkpoint import write_checkpoint
from farm3d.io.image import read_image, read_mask, write_png
from farm3d.models.build import load_trained

from .two_animals import PICTURES, horse, horse_model


def test_importing_farm3d_imports_nothing_heavy() -> None:
    code = (
        "import sys, farm3d\n"
        "assert {'load_model', 'reconstruct'} <= set(dir(farm3d))\n"
        "heavy = {'torch', 'numpy', 'cv2', 'PIL', 'numba', 'pydantic', 'transformers'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'unicorn'"):
        farm3d.unicorn  # noqa: B018


def test_pixels_and_files_give_the_same_animal() -> None:
    pixels, mask = read_image(PICTURES / "horse.jpg").pixels, read_mask(PICTURES / "horse_mask.png")
    same = farm3d.reconstruct(pixels, model=horse_model(), mask=mask, refine=0)
    again = farm3d.reconstruct(pixels, model=horse_model(), mask=mask.astype(np.uint8) * 255, refine=0)
    for animal in (same, again):
        assert torch.equal(animal.prediction.posed_mesh.vertices, horse().prediction.posed_mesh.vertices)
    assert (horse().name, same.name) == ("horse", "image")


def test_a_mask_of_another_size_is_one_line(tmp_path: Path) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    write_png(tmp_path / "mask.png", np.full((64, 32), 255, np.uint8))
    with pytest.raises(InputError, match="the mask is 32 x 64, its photograph 64 x 64"):
        write_png(tmp_path / "image.png", pixels)
        farm3d.reconstruct(tmp_path / "image.png", model=horse_model(), mask=tmp_path / "mask.png")


def test_pixels_that_are_no_photograph_are_one_line() -> None:
    """The function behind `reconstruct`, whose types the tests check before it can."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    for wrong in (pixels.astype(np.float32), pixels[..., 0], np.zeros((64, 64, 4), np.uint8)):
        with pytest.raises(InputError, match="give sRGB pixels, uint8, height x width x 3"):
            _of_pixels(wrong, "image")
    with pytest.raises(ConfigError, match="refine=-1: give a number of steps"):
        farm3d.reconstruct(pixels, model=horse_model(), refine=-1)
    with pytest.raises(InputError, match="the mask is empty"):
        farm3d.reconstruct(pixels, model=horse_model(), mask=np.zeros((64, 64), bool))


def test_what_cannot_be_done_with_an_animal_is_one_line() -> None:
    with pytest.raises(ConfigError, match="a share of 2 cannot be taken"):
        horse().take("pose", horse(), share=2.0)
    with pytest.raises(ConfigError, match=r"film\.mp4: chosen lights are for a strip"):
        horse().relight("film.mp4", "azimuth=90")


def test_a_model_that_is_nowhere_is_one_line() -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.safetensors: no such file"):
        farm3d.load_model("nowhere.safetensors")


def test_a_known_length_scales_everything() -> None:
    known = horse().with_length(shoulder_height=200.0)
    assert known.measure().shoulder_height == pytest.approx(200.0)
    assert known.scale.metres_per_unit * horse().measure().shoulder_height == pytest.approx(2.0)
    for wrong in ({}, {"girth": 1.0, "body_length": 1.0}, {"tail": 1.0}):
        with pytest.raises(ConfigError):
            horse().with_length(**wrong)


def test_clips_are_found_by_name() -> None:
    assert horse().clip_called("walk").name == "walk"
    clip = horse().clip_called("idle")
    assert horse().clip_called(clip) is clip
    with pytest.raises(ConfigError, match="no such clip; there are"):
        horse().clip_called("flight")


def test_the_shipped_model_travels_to_the_same_bytes(tmp_path: Path) -> None:
    horse_model().save_pretrained(tmp_path / "model")
    again = Reconstructor.from_pretrained(tmp_path / "model")
    assert again.trained.sha256 == horse_model().trained.sha256
    assert again.trained.category == "horse"


def test_a_model_in_full_precision_travels_without_loss(tmp_path: Path) -> None:
    trained = horse_model().trained
    tensors = {name: value + 1e-6 for name, value in trained.model.state_dict().items()}
    write_checkpoint(tmp_path / "full.safetensors", tensors, trained.metadata)
    full = load_trained(tmp_path / "full.safetensors")
    Reconstructor(full).save_pretrained(tmp_path / "model")
    again = load_trained(tmp_path / "model")
    assert again.sha256 == full.sha256


def test_an_animal_is_what_the_api_says() -> None:
    assert isinstance(horse(), Animal)
    assert horse().fit.refined is horse().prediction


def test_a_model_is_not_written_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="a file; give a folder to write the model to"):
        horse_model().save_pretrained(tmp_path / "model")
    assert (tmp_path / "model").read_text(encoding="utf-8") == "mine"

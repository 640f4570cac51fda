"""Stable Diffusion draws the same picture for the same prompt and seed, and tells mistakes in one line."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from farm3d.config import load_config
from farm3d.errors import CheckpointError, ConfigError
from farm3d.pretrained.stable_diffusion import DiffusionSettings, Drawer, load_drawer

from ..synth.tiny_diffusion import tiny_settings

CPU = torch.device("cpu")
SIDE = "a photo of a cow standing, seen from the side"
BACK = "a photo of a cow walking away from the camera"


@pytest.fixture(autouse=True)
def one_thread():
    """The last bits depend on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def drawer(tiny_diffusion_folder: Path) -> Drawer:
    return load_drawer(tiny_settings(tiny_diffusion_folder), CPU)


@pytest.fixture
def copy(tiny_diffusion_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_diffusion_folder, tmp_path / "copy"))


def test_a_picture_depends_on_its_own_prompt_and_seed_alone(drawer: Drawer) -> None:
    together = drawer.draw([SIDE, BACK, SIDE], [5, 5, 6])
    assert together.shape == (3, 64, 64, 3) and together.dtype == np.uint8
    assert np.array_equal(drawer.draw([BACK], [5])[0], together[1])
    assert np.array_equal(drawer.draw([SIDE], [6])[0], together[2])
    assert not np.array_equal(together[0], together[1]), "the prompt counts"
    assert not np.array_equal(together[0], together[2]), "the seed counts"


def test_no_prompts_give_no_pictures(drawer: Drawer) -> None:
    assert drawer.draw([], []).shape == (0, 64, 64, 3)


def test_negative_prompts_count(drawer: Drawer, tiny_diffusion_folder: Path) -> None:
    plain = drawer.draw([SIDE], [1])
    own = drawer.draw([SIDE], [1], ["front view"])
    other = load_drawer(tiny_settings(tiny_diffusion_folder, "negative_prompt=rear view"), CPU)
    pictures = [plain, own, other.draw([SIDE], [1])]
    assert len({picture.tobytes() for picture in pictures}) == 3


def test_the_pictures_show_a_thing_before_a_meadow(drawer: Drawer) -> None:
    """What the model has learned: green all around, and something else in the middle."""
    for picture in drawer.draw([SIDE] * 4, range(4)).astype(int):
        greenness = picture[..., 1] - picture[..., [0, 2]].max(axis=-1)
        border = np.concatenate([greenness[0], greenness[-1], greenness[:, 0], greenness[:, -1]])
        assert np.median(border) > 20
        assert np.mean(greenness[20:44, 16:48] < 15) > 0.3


@pytest.mark.parametrize("scheduler", ["model", "ddim", "dpm-solver", "euler", "unipc"])
def test_every_scheduler_draws(tiny_diffusion_folder: Path, scheduler: str) -> None:
    settings = tiny_settings(tiny_diffusion_folder, f"scheduler={scheduler}", "steps=4")
    (picture,) = load_drawer(settings, CPU).draw([SIDE], [0])
    assert picture.std() > 5


def test_the_revision_of_a_folder_is_its_contents(drawer: Drawer, copy: Path) -> None:
    assert load_drawer(tiny_settings(copy), CPU).revision == drawer.revision
    assert drawer.revision.startswith("sha256-") and len(drawer.revision) == 7 + 16
    (copy / "README.md").write_text("about")
    assert load_drawer(tiny_settings(copy), CPU).revision == drawer.revision, "a note changes no picture"
    config = copy / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace("0.012", "0.013"))
    assert load_drawer(tiny_settings(copy), CPU).revision != drawer.revision


def test_a_repository_in_the_hub_s_cache_is_drawn_with_offline(
    copy: Path, drawer: Drawer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "hub" / "models--owner--cows"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots").mkdir()
    shutil.move(copy, repository / "snapshots" / commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    cached = load_drawer(tiny_settings(Path("owner/cows")), CPU)
    assert cached.revision == commit
    assert np.array_equal(cached.draw([SIDE], [3]), drawer.draw([SIDE], [3]))
    with pytest.raises(CheckpointError, match=r"^owner/cows \(v2\): not a file") as caught:
        load_drawer(tiny_settings(Path("owner/cows"), "revision=v2"), CPU)
    assert "\n" not in str(caught.value)


def edit_index(folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "StableDiffusionXLPipeline"}))


def cut_weights(folder: Path) -> None:
    file = folder / "unet" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])


def change_shape(folder: Path) -> None:
    config = folder / "unet" / "config.json"
    config.write_text(config.read_text().replace('"cross_attention_dim": 32', '"cross_attention_dim": 48'))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no index": (lambda folder: (folder / "model_index.json").unlink(), "no readable model_index.json"),
    "index is noise": (lambda folder: (folder / "model_index.json").write_bytes(b"\xff\x00"), "no readable"),
    "index is a list": (lambda folder: (folder / "model_index.json").write_text("[]"), "a None"),
    "another class": (edit_index, "a StableDiffusionXLPipeline; farm3d draws with a StableDiffusionPipeline"),
    "no autoencoder": (lambda folder: shutil.rmtree(folder / "vae"), "incomplete, without vae/config.json"),
    "no words": (
        lambda folder: [
            (folder / "tokenizer" / name).unlink(missing_ok=True) for name in ("tokenizer.json", "vocab.json")
        ],
        "without tokenizer/tokenizer.json",
    ),
    "cut weights": (cut_weights, "cannot be loaded"),
    "other shapes": (change_shape, "cannot be loaded"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_model_that_is_none_is_one_line(copy: Path, damage: str) -> None:
    spoil, message = DAMAGES[damage]
    spoil(copy)
    with pytest.raises(CheckpointError) as caught:
        load_drawer(tiny_settings(copy), CPU)
    assert str(caught.value).startswith(str(copy)) and message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "error", "message"),
    [
        ("model=no/such/folder", CheckpointError, "no such folder"),
        ("model=nobody/nothing", CheckpointError, "the hub does not give it"),
        ("size=60", ConfigError, "multiples of 8"),
        ("precision=float16", ConfigError, "the CPU draws in float32"),
    ],
)
def test_settings_that_cannot_be_met_are_one_line(
    tiny_diffusion_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    override: str,
    error: type[Exception],
    message: str,
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(error, match=message) as caught:
        load_drawer(tiny_settings(tiny_diffusion_folder, override), CPU)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("override", ["scheduler=dimm", "steps=0", "guidance_scale=-1", "batch=0", "seed=1"])
def test_unknown_values_are_refused_by_name(override: str) -> None:
    with pytest.raises(ConfigError, match=override.split("=")[0]):
        load_config(DiffusionSettings, preset_or_file="synthesis/stable_diffusion", overrides=[override])


def test_a_prompt_that_would_be_cut_is_refused(drawer: Drawer) -> None:
    with pytest.raises(ConfigError, match="reads 77 tokens") as caught:
        drawer.draw([SIDE, "cow " * 90], [0, 1])
    assert "\n" not in str(caught.value)

"""The presets at the paper's scale: what they say, and that it can be trained, resumed and used."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from farm3d.cli.train import main
from farm3d.config import load_config, preset_names
from farm3d.models.animal_model import AnimalModel
from farm3d.models.build import load_trained
from farm3d.pretrained.dino import ARCHITECTURE
from farm3d.schedule import Constant
from farm3d.training.config import ImageTraining, TrainConfig
from farm3d.yaml_text import parse_yaml

CATEGORIES = ("cow", "dog", "horse", "pig", "sheep")
CONFIGS = Path(__file__).parents[2] / "configs"

SMALL = (
    "steps=2",
    "batch_size=2",
    "render_size=32",
    "checkpoint_every=1",
    "load_workers=1",
    "model.image_size=64",
    "model.features=32",
    "model.width=32",
    "model.sdf_layers=2",
    "model.albedo_layers=2",
    "model.deformation_layers=2",
    "model.feature_layers=2",
    "model.articulation_depth=1",
    "model.grid_resolution=32",
    "images.grid_resolution=32",
    "images.articulation_from=1",
    "images.deformation_from=1",
    "images.eikonal_points=200",
    "guidance.size=32",
    "weights.distillation=1.0e-4",
)
"""Sizes and schedules for two steps on a CPU; everything else is the preset's."""


def preset(name: str) -> TrainConfig:
    return load_config(TrainConfig, preset_or_file=name)


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_preset_is_what_the_paper_says(category: str) -> None:
    config = preset(category)
    assert config.category == category
    assert config.supervision == "images" and config.images == ImageTraining()
    assert (config.steps, config.batch_size) == (140_000, 10)
    assert (config.model.image_size, config.render_size, config.model.backbone) == (256, 256, "dino")
    assert config.learning_rate == config.field_learning_rate == Constant(1e-4)
    model, weights = config.model, config.weights
    assert model.features == model.width == 256
    assert (
        (model.sdf_layers, model.sdf_harmonics) == (model.feature_layers, model.feature_harmonics) == (5, 8)
    )
    assert (model.deformation_layers, model.deformation_harmonics) == (5, 10)
    assert (model.albedo_layers, model.albedo_harmonics) == (8, 10)
    assert (model.articulation_depth, model.articulation_heads, model.articulation_gain) == (4, 8, 0.1)
    assert model.feature_channels == 16
    early, late = weights.at(0), weights.at(139_999)
    constant = {"mask": 10.0, "inside_distance": 100.0, "color": 1.0, "features": 10.0, "score": 1.0}
    for name, value in {**constant, "eikonal": 0.01, "deformation": 10.0}.items():
        assert early[name] == late[name] == value, name
    assert (weights.at(59_999)["articulation"], late["articulation"]) == (0.0, 0.1)
    assert (early["distillation"], late["distillation"]) == (0.0, 1e-4)
    assert config.guidance.source == "stable-diffusion" and config.guidance.model is None


def test_the_networks_are_as_large_as_the_paper_s() -> None:
    """Those that are the same: all but the heads' and the albedo's, which has no shininess."""
    with torch.device("meta"):
        model = AnimalModel(preset("horse").model)
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    assert (counts["sdf"], counts["deformation"], counts["feature_field"]) == (275_712, 344_832, 279_552)


@pytest.mark.parametrize("category", sorted(set(CATEGORIES) - {"horse"}))
def test_the_others_hold_what_differs(category: str) -> None:
    values = parse_yaml((CONFIGS / f"{category}.yaml").read_text(), source=category)
    assert isinstance(values, dict) and set(values) == {"base", "category", "shoulder_height_metres"}


def test_all_presets_of_a_category_have_the_same_height() -> None:
    heights: dict[str, set[float]] = {}
    for name in preset_names():
        if not name.startswith("synthesis/"):
            config = preset(name)
            heights.setdefault(config.category, set()).add(config.shoulder_height_metres)
    assert all(len(values) == 1 for values in heights.values()), heights


@pytest.fixture(scope="module")
def dino_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ViT-S/8 that nobody trained."""
    torch.manual_seed(0)
    network = timm.create_model(ARCHITECTURE, pretrained=False, num_classes=0)
    path = tmp_path_factory.mktemp("dino") / "dino.safetensors"
    save_file(network.state_dict(), path)
    return path


Train = Callable[..., int]


@pytest.fixture(scope="module")
def train(farm_folder: Path, tiny_diffusion_folder: Path) -> Train:
    """The command, with `changes` that go before or after the small settings as argparse wants them."""

    def command(out: Path, *changes: str) -> int:
        options = [change for change in changes if change.startswith("--")]
        overrides = [change for change in changes if not change.startswith("--")]
        given = ["--config=horse", f"--data={farm_folder}", f"--out={out}", "--device=cpu", "--quiet"]
        return main([*given, *options, *SMALL, f"guidance.model={tiny_diffusion_folder}", *overrides])

    return command


@pytest.fixture(scope="module")
def run(train: Train, dino_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "horse"
    assert train(run, f"--dino-weights={dino_weights}") == 0
    return run


def test_a_shrunken_preset_trains_with_a_backbone_that_stays_as_it_was(run: Path, dino_weights: Path) -> None:
    with (
        safe_open(dino_weights, "pt") as given,
        safe_open(run / "step_000002/model.safetensors", "pt") as file,
    ):
        name = "blocks.11.attn.qkv.weight"
        assert torch.equal(file.get_tensor(f"encoder.backbone.network.{name}"), given.get_tensor(name))
    with safe_open(run / "step_000002/optimizer.safetensors", "pt") as file:
        stepped = {name.split("/")[0] for name in file.keys()}  # noqa: SIM118 (not a dict)
    assert not any(name.startswith("encoder.backbone") for name in stepped)
    assert {name.split(".")[0] for name in stepped} >= {
        "encoder",
        "sdf",
        "albedo",
        "deformation",
        "articulation",
    }
    assert '"distillation"' in (run / "metrics.jsonl").read_text()


def test_it_goes_on_and_is_used_without_dino_s_file(
    run: Path, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    copy = shutil.copytree(run, tmp_path / "run")
    assert train(copy, "steps=3") == 0
    trained = load_trained(copy / "horse.safetensors")
    backbone = trained.model.encoder.backbone
    assert not any(p.requires_grad for p in backbone.parameters())
    size = trained.model.config.image_size
    crop = torch.rand(1, size, size, 3, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        animal = trained.model.predict(
            crop, torch.ones_like(crop[..., :1]), trained.model.prior(unfinished=True)
        )
    assert bool(torch.isfinite(animal.posed_mesh.vertices).all())


def test_missing_weights_are_one_line_that_says_where_they_are(
    train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for extra, message in (
        ([], "timm/vit_small_patch8_224.dino: "),
        (["--dino-weights=nowhere.pth"], "nowhere.pth: no such weights file"),
        (["dino_weights=null"], "give --dino-weights FILE"),
        (["model.backbone=small"], "set model.backbone=dino"),
    ):
        assert train(tmp_path / "run", *extra) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and message in said
        assert "--dino-weights" in said or "dino_weights" in said
        assert not list(tmp_path.glob("run/step_*"))

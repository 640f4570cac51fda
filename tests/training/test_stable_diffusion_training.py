"""Stable Diffusion teaches: its verdict on virtual views reaches the fields, and views come nearer to it."""

from pathlib import Path

import torch
from safetensors import safe_open

from farm3d.config import load_config, plain_values
from farm3d.data.image_folder import open_data_set
from farm3d.guidance.denoiser import Denoiser
from farm3d.guidance.score_distillation import Distillation
from farm3d.guidance.view_prompts import ViewPrompt
from farm3d.models.animal_model import AnimalModel, Phase
from farm3d.seeding import numpy_rng
from farm3d.training.config import TrainConfig
from farm3d.training.guidance import GuidanceConfig, load_denoiser
from farm3d.training.trainer import train
from farm3d.training.virtual_views import VirtualViews, distillation_term
from farm3d.types import AnimalPrediction

from ..synth.tiny_diffusion import MEADOW

VIEWS, SIZE = 4, 64
RIGID = Phase(articulated=False, deformed=False)
ASKED = Distillation(smallest_time=0.6, largest_time=0.6, guidance_scale=1.5, weighting="snr")
"""So its loss is half the squared distance of the views' codes to the pictures that the model has in mind."""

OTHERS = ("mask", "inside_distance", "color", "features", "score", "eikonal", "articulation", "deformation")
CHANGES = (
    "supervision=images",
    "steps=3",
    "batch_size=2",
    "model.grid_resolution=32",
    "images.grid_resolution=32",
    "images.articulation_from=0",
    "images.deformation_from=0",
    "images.eikonal_points=100",
    "guidance.source=stable-diffusion",
    "guidance.guidance_scale=7.5",
    "guidance.spaces={shaded: 1.0, albedo: 0.0, shading: 0.0}",
    "weights.distillation=1.0e-4",
    *(f"weights.{name}=0" for name in OTHERS),
)


def test_its_verdict_alone_reaches_every_field_that_a_view_shows(
    farm_folder: Path, tiny_diffusion_folder: Path, tmp_path: Path
) -> None:
    changes = [*CHANGES, f"guidance.model={tiny_diffusion_folder}"]
    config = load_config(TrainConfig, preset_or_file="tiny", overrides=changes)
    metadata = {"config": plain_values(config), "category": "horse"}
    last = train(config, open_data_set(farm_folder), tmp_path / "run", metadata=metadata)
    with safe_open(last / "optimizer.safetensors", "pt") as file:
        moved = {
            name.split(".")[0]
            for name in file.keys()  # noqa: SIM118 (not a dict)
            if name.endswith("/exp_avg_sq") and bool(file.get_tensor(name).any())
        }
    assert moved == {"sdf", "albedo", "deformation", "articulation", "encoder"}, (
        "not the viewpoint, not the light"
    )


def animal(model: AnimalModel) -> AnimalPrediction:
    """The category's own shape in grey light, once for each view."""
    crops = torch.full((VIEWS, model.config.image_size, model.config.image_size, 3), 0.6)
    prior, reading = model.prior(unfinished=True), model.read(crops, torch.ones_like(crops[..., :1]))
    return model.assemble(reading, model.pose(reading, prior, phase=RIGID), prior, phase=RIGID)


def verdict(model: AnimalModel, denoiser: Denoiser, seed: int) -> torch.Tensor:
    """How far views from the side are from what the model wants to see, for the noise of a seed."""
    meadow = torch.tensor(MEADOW) / 255.0
    views = VirtualViews(
        azimuths=torch.full((VIEWS,), torch.pi / 2.0),
        elevations=torch.full((VIEWS,), 0.15),
        sizes=torch.ones(VIEWS),
        lights=torch.tensor([[0.0, 0.5, 0.866]]).expand(VIEWS, 3),
        backgrounds=meadow.expand(VIEWS, 3),
        times=torch.full((VIEWS,), 0.5),
        space="shaded",
        generators=tuple(numpy_rng(seed, view) for view in range(VIEWS)),
    )
    prompts = [ViewPrompt("a photo of a cow", "side")] * VIEWS
    return distillation_term(animal(model), denoiser, views, prompts=prompts, size=SIZE, settings=ASKED)


def test_a_view_comes_nearer_to_what_the_model_wants(tiny_diffusion_folder: Path) -> None:
    """Under noise that was not used, so that it is the shape and the colours that have become likelier."""
    settings = GuidanceConfig(source="stable-diffusion", model=str(tiny_diffusion_folder))
    denoiser = load_denoiser(settings, torch.device("cpu"))
    assert denoiser is not None
    torch.manual_seed(0)
    sizes = load_config(TrainConfig, preset_or_file="tiny", overrides=["model.grid_resolution=32"]).model
    model = AnimalModel(sizes)

    def distance() -> float:
        with torch.no_grad():
            return sum(float(verdict(model, denoiser, seed)) for seed in (1000, 1001)) / 2.0

    before, shape = distance(), model.prior(unfinished=True).mesh.vertices.detach()
    optimizer = torch.optim.Adam([*model.sdf.parameters(), *model.albedo.parameters()], lr=6e-4)
    for step in range(25):
        optimizer.zero_grad()
        verdict(model, denoiser, step).backward()
        optimizer.step()
    after = distance()
    assert after < 0.9 * before
    assert model.prior(unfinished=True).mesh.vertices.shape != shape.shape, "the shape has changed, too"

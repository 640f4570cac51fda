"""Virtual views: where the cameras stand, what is drawn, what the judge is told, where its verdict goes."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from farm3d.errors import ConfigError
from farm3d.geometry.mesh import Mesh
from farm3d.guidance.denoiser import scaled_linear_schedule
from farm3d.guidance.empirical_denoiser import EmpiricalDenoiser
from farm3d.guidance.view_prompts import VIEW_WORDS, ViewPrompt
from farm3d.training.guidance import GuidanceConfig, Space, SpaceShares, load_denoiser
from farm3d.training.virtual_views import VirtualViews, distillation_term, draw_views, render_views
from farm3d.types import AnimalPrediction

from ..models.small_models import smallest_model

VIEWS, SIZE = 6, 64
CONFIG = GuidanceConfig(
    source="pictures",
    background=0.5,
    elevations=(-5.0, 40.0),
    spaces=SpaceShares(shaded=1.0, albedo=0.0, shading=0.0),
)


def views_of(config: GuidanceConfig, count: int = VIEWS, seed: int = 0) -> VirtualViews:
    rngs = [np.random.default_rng([seed, k]) for k in range(count)]
    return draw_views(config, step=np.random.default_rng(seed), views=rngs)


@pytest.fixture(scope="module")
def prediction() -> AnimalPrediction:
    model = smallest_model()
    images = torch.rand(VIEWS, 32, 32, 3, generator=torch.Generator().manual_seed(1))
    return model.predict(images, torch.ones(VIEWS, 32, 32, 1), model.prior())


def test_cameras_are_uniform_on_their_part_of_the_sphere() -> None:
    views = views_of(GuidanceConfig(), count=4000)
    heights = views.elevations.sin()
    low = math.sin(math.radians(-10.0))
    assert float(heights.min()) >= low - 1e-6
    assert float(heights.mean()) == pytest.approx((low + 1.0) / 2.0, abs=0.02)
    assert float(heights.std()) == pytest.approx((1.0 - low) / math.sqrt(12.0), abs=0.02)
    assert float(views.azimuths.cos().mean()) == pytest.approx(0.0, abs=0.05)
    assert float(views.azimuths.sin().mean()) == pytest.approx(0.0, abs=0.05)
    torch.testing.assert_close(views.lights.norm(dim=-1), torch.ones(4000))
    assert float(views.lights[:, 2].min()) > 0.5
    assert 0.4 < float(views.backgrounds.mean()) < 0.6


def test_a_view_depends_on_its_own_generator_alone() -> None:
    few, many = views_of(CONFIG, count=2), views_of(CONFIG, count=5)
    torch.testing.assert_close(few.azimuths, many.azimuths[:2], rtol=0.0, atol=0.0)
    torch.testing.assert_close(few.times, many.times[:2], rtol=0.0, atol=0.0)
    assert few.space == many.space


def test_spaces_come_as_often_as_their_shares_say() -> None:
    shares = SpaceShares(shaded=1.0, albedo=0.0, shading=2.0, normals=1.0)
    chosen = [shares.choose(u) for u in (np.arange(1000) + 0.5) / 1000]
    counts = {space: chosen.count(space) for space in ("shaded", "albedo", "shading", "normals")}
    assert counts == {"shaded": 250, "albedo": 0, "shading": 500, "normals": 250}


def test_views_are_framed_as_the_crops_of_the_data_sets_are(prediction: AnimalPrediction) -> None:
    views = replace(views_of(CONFIG), sizes=torch.ones(VIEWS), backgrounds=torch.zeros(VIEWS, 3))
    drawn = render_views(prediction, views, SIZE).detach()
    covered = (drawn.sum(dim=-1) > 0.02).float()
    axis = (torch.arange(SIZE) + 0.5) / SIZE * 2.0 - 1.0
    area = covered.mean(dim=(1, 2))
    x = (covered.mean(dim=1) * axis).mean(dim=1) / area
    y = (covered.mean(dim=2) * axis).mean(dim=1) / area
    assert float(area.max()) < 0.27
    assert float(area.min()) > 0.1
    assert float(x.abs().max()) < 0.06
    assert float(y.abs().max()) < 0.06


@pytest.mark.parametrize("space", ["shaded", "albedo", "shading", "normals", "silhouette"])
def test_every_space_is_drawn_over_the_background_and_bends_the_shape(
    prediction: AnimalPrediction, space: Space
) -> None:
    views = replace(views_of(CONFIG), space=space)
    drawn = render_views(prediction, views, SIZE)
    assert float(drawn.detach().min()) >= 0.0
    assert float(drawn.detach().max()) <= 1.0
    torch.testing.assert_close(drawn[:, 0, 0], torch.full((VIEWS, 3), 0.5))
    (gradient,) = torch.autograd.grad(drawn.square().sum(), prediction.rest_mesh.vertices, retain_graph=True)
    assert torch.isfinite(gradient).all()
    assert float(gradient.abs().max()) > 0.0


def test_light_alone_and_colours_alone_show_only_that(prediction: AnimalPrediction) -> None:
    plaster = render_views(prediction, replace(views_of(CONFIG), space="shading"), SIZE).detach()
    grey = plaster.amax(dim=-1) - plaster.amin(dim=-1)
    assert float(grey.max()) < 1e-5
    views = replace(views_of(CONFIG), space="albedo")
    other_light = replace(views, lights=views.lights.flip(0))
    torch.testing.assert_close(
        render_views(prediction, views, SIZE), render_views(prediction, other_light, SIZE)
    )


def test_prompts_name_the_side_only_where_they_are_asked_to() -> None:
    views = views_of(CONFIG, count=200)
    named = {prompt.view for prompt in views.prompts(CONFIG, "cow")}
    assert named == {"front", "side", "back"}
    silent = views.prompts(GuidanceConfig(view_words=False, prompt="a {category}"), "cow")
    assert {(prompt.subject, prompt.view) for prompt in silent} == {("a cow", None)}


def test_the_verdict_pulls_a_view_towards_the_only_picture_there_is(prediction: AnimalPrediction) -> None:
    """With one picture the optimal denoiser always answers with it, whatever the noise."""
    views = views_of(CONFIG)
    picture = torch.full((1, 3, 32, 32), 0.25)
    judge = EmpiricalDenoiser(picture, torch.tensor([VIEW_WORDS.index("side")]), scaled_linear_schedule())
    prompts = [ViewPrompt("a horse", "side")] * VIEWS
    settings = replace(CONFIG.at(0), weighting="snr")
    term = distillation_term(prediction, judge, views, prompts=prompts, size=SIZE, settings=settings)
    latents = judge.encode_images(render_views(prediction, views, SIZE))
    expected = 0.5 * (latents - picture).square().sum() / VIEWS
    torch.testing.assert_close(term, expected, rtol=1e-3, atol=0.0)


def test_settings_that_miss_something_are_refused() -> None:
    device = torch.device("cpu")
    assert load_denoiser(GuidanceConfig(), device) is None
    with pytest.raises(ConfigError, match=r"guidance\.pictures=DIR"):
        load_denoiser(GuidanceConfig(source="pictures"), device)


def test_a_farms_pictures_become_a_denoiser_that_knows_their_views(farm_folder: Path) -> None:
    config = GuidanceConfig(source="pictures", pictures=str(farm_folder), background=0.5, picture_size=16)
    judge = load_denoiser(config, torch.device("cpu"))
    assert isinstance(judge, EmpiricalDenoiser)
    assert judge.pictures.shape == (24, 3, 16, 16)
    torch.testing.assert_close(judge.pictures[:, :, 0, 0], torch.zeros(24, 3), atol=0.05, rtol=0.0)
    assert set(judge.views.tolist()) <= set(range(len(VIEW_WORDS)))


def test_where_silhouettes_are_judged_the_denoiser_knows_silhouettes(farm_folder: Path) -> None:
    plain = GuidanceConfig(source="pictures", pictures=str(farm_folder), background=0.5, picture_size=16)
    shapes = SpaceShares(shaded=0.0, albedo=0.0, shading=0.0, silhouette=1.0)
    cpu = torch.device("cpu")
    colored = load_denoiser(plain, cpu)
    white = load_denoiser(plain.model_copy(update={"spaces": shapes}), cpu)
    both = load_denoiser(plain.model_copy(update={"spaces": SpaceShares(silhouette=0.5)}), cpu)
    for judge in (colored, white, both):
        assert isinstance(judge, EmpiricalDenoiser)
    assert white.pictures.min() > -0.05
    assert white.pictures.amax(dim=(1, 2, 3)).min() > 0.95
    assert torch.equal(both.pictures, torch.cat([colored.pictures, white.pictures]))
    assert torch.equal(both.views, colored.views.repeat(2))


def test_no_picture_moves_an_animal_or_changes_its_size(prediction: AnimalPrediction) -> None:
    vertices = prediction.posed_mesh.vertices.detach().requires_grad_()
    animals = replace(prediction, posed_mesh=Mesh(vertices, prediction.posed_mesh.faces))
    pictures = render_views(animals, views_of(CONFIG), SIZE)
    generator = torch.Generator().manual_seed(2)
    (pictures * torch.randn(pictures.shape, generator=generator)).sum().backward()
    gradient = vertices.grad
    assert gradient is not None
    force = gradient.norm(dim=-1).sum(dim=1)
    offsets = vertices.detach() - vertices.detach().mean(dim=1, keepdim=True)
    assert (gradient.sum(dim=1).norm(dim=-1) < 1e-3 * force).all()
    assert ((gradient * offsets).sum(dim=(1, 2)).abs() < 1e-3 * force).all()

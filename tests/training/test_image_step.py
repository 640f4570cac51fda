"""A step on images alone: which terms there are, whom their gradients reach, and that they lead somewhere."""

from dataclasses import replace

import pytest
import torch

from farm3d.losses.objective import LossTerms, weighted_sum
from farm3d.models.animal_model import AnimalModel, Phase
from farm3d.predictors.hypotheses import Exploration
from farm3d.training.image_step import (
    RECONSTRUCTION,
    ImageDraws,
    ImageStep,
    eikonal_term,
    image_terms,
    losses_of_hypotheses,
)
from farm3d.types import Batch, ShapePrior

from ..models.small_models import smallest_model

IMAGES, SIZE, CHANNELS = 4, 32, 16
WEIGHTS = {
    "coarse_mask": 0.0,
    "elevation_prior": 0.0,
    "mask": 10.0,
    "inside_distance": 100.0,
    "color": 1.0,
    "features": 10.0,
    "score": 1.0,
}
STEP = ImageStep(
    render_size=32,
    phase=Phase(articulated=False, deformed=False),
    exploration=Exploration(uniform_share=1.0),
    score_weights={name: WEIGHTS[name] for name in RECONSTRUCTION},
)


@pytest.fixture()
def model() -> AnimalModel:
    return smallest_model(feature_channels=CHANNELS)


def batch(features: bool = True) -> Batch:
    """Grey ellipses of several widths, their features alike."""
    generator = torch.Generator().manual_seed(1)
    axis = (torch.arange(SIZE) + 0.5) / SIZE * 2.0 - 1.0
    widths = torch.tensor([0.4, 0.5, 0.6, 0.7])[:, None, None]
    masks = ((axis[None, None, :] / widths) ** 2 + (axis[None, :, None] / 0.5) ** 2 < 1.0).float()[..., None]
    return Batch(
        images=masks.expand(-1, -1, -1, 3) * 0.5,
        masks=masks,
        valid=torch.ones_like(masks),
        inside_distance=0.1 * masks,
        outside_distance=0.1 * (1.0 - masks),
        features=torch.randn(CHANNELS, generator=generator) * masks if features else None,
    )


def terms_of(model: AnimalModel, prior: ShapePrior, images: Batch, step: ImageStep = STEP) -> LossTerms:
    draws = ImageDraws(torch.arange(IMAGES), torch.ones(IMAGES))
    inputs = (images.images, images.masks)
    return image_terms(model, prior, images, inputs=inputs, step=step, draws=draws)[0]


def reached(model: AnimalModel) -> set[str]:
    """The parts of the model that got a gradient other than zero."""
    return {
        name.split(".")[0]
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and bool(parameter.grad.any())
    }


def test_no_term_needs_the_truth(model: AnimalModel) -> None:
    present = terms_of(model, model.prior(), batch()).present()
    assert set(present) == {
        "mask",
        "coarse_mask",
        "inside_distance",
        "color",
        "features",
        "elevation_prior",
        "score",
    }
    complete = replace(STEP, phase=Phase())
    more = terms_of(model, model.prior(), batch(), complete).present()
    assert set(more) - set(present) == {"articulation", "sideways", "deformation"}


def test_without_colours_the_other_terms_are_the_same(model: AnimalModel) -> None:
    step = replace(STEP, score_size=SIZE)
    coloured = terms_of(model, model.prior(), batch(), step).present()
    silhouettes = terms_of(model, model.prior(), batch(), replace(step, coloured=False)).present()
    assert set(coloured) - set(silhouettes) == {"color"}
    for name, term in silhouettes.items():
        torch.testing.assert_close(term, coloured[name])


def test_images_without_features_have_no_feature_term(model: AnimalModel) -> None:
    assert terms_of(model, model.prior(), batch(features=False)).features is None


def test_the_loss_reaches_every_part_that_is_switched_on(model: AnimalModel) -> None:
    weighted_sum(terms_of(model, model.prior(), batch()), WEIGHTS).backward()
    rigid = {"sdf", "encoder", "viewpoint", "light", "albedo", "feature_field"}
    assert reached(model) == rigid
    model.zero_grad()
    complete = terms_of(model, model.prior(), batch(), replace(STEP, phase=Phase()))
    weighted_sum(complete, WEIGHTS | {"articulation": 0.1, "sideways": 1.0, "deformation": 10.0}).backward()
    assert reached(model) == rigid | {"articulation", "deformation"}


def test_unlikely_hypotheses_hardly_count(model: AnimalModel) -> None:
    prior, images = model.prior(), batch()
    explored = terms_of(model, prior, images)
    with torch.no_grad():
        model.viewpoint.layers[-1].bias[:4] = torch.tensor([20.0, 0.0, 0.0, 0.0])
    sure = terms_of(model, prior, images, replace(STEP, exploration=Exploration()))
    every = terms_of(model, prior, images)
    assert explored.mask is not None and sure.mask is not None and every.mask is not None
    assert float(explored.mask.detach()) == pytest.approx(float(every.mask.detach()))
    # Only image 0 is seen under the sure hypothesis; it counts four times, the others not at all.
    alone = replace(STEP, exploration=Exploration(best_share=1.0))
    assert float(sure.mask.detach()) < float(every.mask.detach()) * 4.0
    assert float(terms_of(model, prior, images, alone).mask.detach()) > 0.0  # type: ignore[union-attr]


def test_the_eikonal_term_reaches_the_field_alone(model: AnimalModel) -> None:
    prior = model.prior()
    draws = [torch.rand(64, 3, generator=torch.Generator().manual_seed(k)) * 2.0 - 1.0 for k in (0, 1)]
    loss = eikonal_term(model.sdf, prior, anywhere=draws[0], near=draws[1])
    loss.backward()
    assert float(loss.detach()) > 0.0
    assert reached(model) == {"sdf"}


def test_some_steps_bring_the_silhouettes_nearer(model: AnimalModel) -> None:
    images = batch()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    history = []
    for _ in range(40):
        optimizer.zero_grad()
        terms = terms_of(model, model.prior(), images)
        weighted_sum(terms, WEIGHTS).backward()
        optimizer.step()
        assert terms.mask is not None and terms.features is not None
        history.append((float(terms.mask.detach()), float(terms.features.detach())))
    assert history[-1][0] < 0.5 * history[0][0]
    assert history[-1][1] < history[0][1]


def test_every_hypothesis_is_scored_as_if_it_were_rendered(model: AnimalModel) -> None:
    step = replace(STEP, score_size=SIZE, score_weights={**STEP.score_weights, "color": 0.0})
    prior, images = model.prior(), batch()
    reading = model.read(images.images, images.masks)
    assert model.feature_field is not None
    features = model.feature_field(prior.mesh.vertices)
    rest_mesh = model.assemble(reading, model.pose(reading, prior), prior, phase=step.phase).rest_mesh
    losses = losses_of_hypotheses(
        model, prior, reading, batch=images, rest_mesh=rest_mesh, vertex_features=features, step=step
    )
    assert losses.shape == (IMAGES, 4)
    assert not losses.requires_grad
    for number in range(4):
        terms, _ = image_terms(
            model,
            prior,
            images,
            inputs=(images.images, images.masks),
            step=step,
            draws=ImageDraws(torch.full((IMAGES,), number), torch.ones(IMAGES)),
        )
        weighted = sum(step.score_weights[name] * getattr(terms, name) for name in RECONSTRUCTION)
        # The rendered silhouette is antialiased, the compared one is not.
        assert float(losses[:, number].mean()) == pytest.approx(float(weighted), rel=0.1)


def test_with_a_score_size_the_scores_of_all_hypotheses_learn(model: AnimalModel) -> None:
    prior = model.prior()
    for score_size, learned in ((0, 1), (16, 4)):
        model.zero_grad(set_to_none=True)
        terms = terms_of(model, prior, batch(), replace(STEP, score_size=score_size))
        assert terms.score is not None
        bias = model.viewpoint.layers[-1].bias
        (gradient,) = torch.autograd.grad(terms.score, bias, retain_graph=True)
        same_hypothesis = int((gradient[:4] != 0).sum())
        assert same_hypothesis >= learned

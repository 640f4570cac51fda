"""What the heads say lies where it must, whatever features they are given."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farm3d.geometry.viewpoint import viewpoint_rotation
from farm3d.predictors.light import LightPredictor
from farm3d.predictors.viewpoint import ELEVATION_RANGE, HYPOTHESIS_SIGNS, ViewpointPredictor
from farm3d.types import DirectionalLight, ViewpointPrediction

FEATURES, RANGE = 8, (0.443, 0.5, 3.5)


def features(seed: int, scale: float, images: int = 16) -> torch.Tensor:
    return scale * torch.randn(images, FEATURES, generator=torch.Generator().manual_seed(seed))


def viewpoint(seed: int, scale: float) -> ViewpointPrediction:
    torch.manual_seed(seed)
    predictor = ViewpointPredictor(features=FEATURES, width=16, translation_range=RANGE)
    with torch.no_grad():
        return predictor(features(seed, scale))


def light(seed: int, scale: float) -> DirectionalLight:
    torch.manual_seed(seed)
    with torch.no_grad():
        return LightPredictor(features=FEATURES, width=16)(features(seed, scale))


seeds, scales = st.integers(0, 1000), st.floats(0.0, 30.0)


@settings(max_examples=30, deadline=None)
@given(seeds, scales)
def test_each_hypothesis_keeps_to_its_quadrant(seed: int, scale: float) -> None:
    azimuths = viewpoint(seed, scale).azimuths
    head = viewpoint_rotation(azimuths, torch.zeros_like(azimuths))[..., :, 2]
    signs = torch.tensor(HYPOTHESIS_SIGNS)
    assert (head[..., 0] * signs[:, 0] >= -1e-6).all()
    assert (head[..., 2] * signs[:, 1] >= -1e-6).all()


def test_the_four_quadrants_are_different_and_in_order_around_the_animal() -> None:
    middles = [math.degrees(math.atan2(right, toward)) for right, toward in HYPOTHESIS_SIGNS]
    assert middles == [45.0, -45.0, -135.0, 135.0]


@settings(max_examples=30, deadline=None)
@given(seeds, scales)
def test_elevation_and_translation_keep_their_ranges(seed: int, scale: float) -> None:
    prediction = viewpoint(seed, scale)
    low, high = ELEVATION_RANGE
    assert [round(math.degrees(bound)) for bound in (low, high)] == [-15, 75]
    assert ((prediction.elevation >= low - 1e-6) & (prediction.elevation <= high + 1e-6)).all()
    assert (prediction.translation.abs() <= torch.tensor(RANGE)).all()


@settings(max_examples=30, deadline=None)
@given(seeds, scales)
def test_probabilities_sum_to_one(seed: int, scale: float) -> None:
    probabilities = viewpoint(seed, scale).probabilities
    torch.testing.assert_close(probabilities.sum(-1), torch.ones(16))
    assert probabilities.min() >= 0.0


@settings(max_examples=30, deadline=None)
@given(seeds, scales)
def test_light_comes_from_above_with_unit_direction(seed: int, scale: float) -> None:
    prediction = light(seed, scale)
    torch.testing.assert_close(prediction.direction.norm(dim=-1), torch.ones(16))
    # The least height is that of (1, 0.5, 1).
    assert (prediction.direction[:, 1] >= 0.5 / 1.5 - 1e-6).all()
    assert ((prediction.ambient >= 0.0) & (prediction.ambient <= 1.0)).all()
    assert ((prediction.diffuse >= 0.5) & (prediction.diffuse <= 1.0)).all()


def test_a_direct_viewpoint_is_one_azimuth_in_any_direction() -> None:
    torch.manual_seed(0)
    predictor = ViewpointPredictor(features=FEATURES, width=16, translation_range=RANGE, hypotheses=False)
    with torch.no_grad():
        predicted = predictor(features(0, 10.0, images=256))
    assert predicted.azimuths.shape == predicted.logits.shape == (256, 1)
    assert len(torch.unique(predicted.azimuths.div(math.pi / 2).floor())) == 4

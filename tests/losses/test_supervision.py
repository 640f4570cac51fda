"""The supervised terms: zero for the truth, shared at the borders of quadrants, pulling the right way."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farm3d.geometry.camera import Camera, camera_from_rotation, project_to_ndc
from farm3d.geometry.viewpoint import viewpoint_rotation
from farm3d.losses.supervision import (
    DISTANCE_LIMIT,
    HYPOTHESIS_TEMPERATURE,
    azimuth_errors,
    best_hypothesis,
    elevation_loss,
    hypothesis_losses,
    light_loss,
    point_loss,
    projection_loss,
    shape_loss,
    signed_distance_loss,
)
from farm3d.types import DirectionalLight, SDFSamples, ViewpointPrediction

QUADRANTS = (45.0, -45.0, -135.0, 135.0)


def predicted(azimuths_degrees: tuple[float, ...] = QUADRANTS, elevation: float = 0.2) -> ViewpointPrediction:
    azimuths = torch.deg2rad(torch.tensor([azimuths_degrees]))
    return ViewpointPrediction(azimuths, torch.zeros(1, 4), torch.tensor([elevation]), torch.zeros(1, 3))


def camera(azimuth_degrees: float, elevation: float = 0.2) -> Camera:
    azimuth = torch.tensor([math.radians(azimuth_degrees)])
    return camera_from_rotation(viewpoint_rotation(azimuth, torch.tensor([elevation])), torch.zeros(1, 3))


def points(seed: int) -> torch.Tensor:
    return torch.randn(1, 30, 3, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("azimuth", [0.0, 37.0, 90.0, 180.0, -91.0])
def test_azimuth_errors_are_one_minus_the_cosine(azimuth: float) -> None:
    errors = azimuth_errors(predicted(), camera(azimuth, 0.4).world_to_camera)
    expected = [1.0 - math.cos(math.radians(quadrant - azimuth)) for quadrant in QUADRANTS]
    torch.testing.assert_close(errors, torch.tensor([expected]), rtol=0.0, atol=1e-5)


@pytest.mark.parametrize(("azimuth", "best"), [(30.0, 0), (-60.0, 1), (-100.0, 2), (170.0, 3)])
def test_the_best_hypothesis_is_the_nearest(azimuth: float, best: int) -> None:
    assert best_hypothesis(azimuth_errors(predicted(), camera(azimuth).world_to_camera)).tolist() == [best]


def test_a_view_on_the_border_of_two_quadrants_is_shared_by_both() -> None:
    errors = azimuth_errors(predicted(), camera(90.0).world_to_camera)
    wish = torch.softmax(-errors / HYPOTHESIS_TEMPERATURE, dim=-1)[0]
    assert float(wish[0]) == pytest.approx(float(wish[3]), rel=1e-3)
    assert float(wish[0] + wish[3]) > 0.999
    shared = torch.tensor([[4.0, -4.0, -4.0, 4.0]])
    one_sided = torch.tensor([[4.0, -4.0, -4.0, -4.0]])
    assert hypothesis_losses(errors, shared)[0] < hypothesis_losses(errors, one_sided)[0]
    assert float(hypothesis_losses(errors, shared)[0]) == pytest.approx(math.log(2.0), abs=0.01)


def test_a_view_within_a_quadrant_belongs_to_it_alone() -> None:
    errors = azimuth_errors(predicted(), camera(45.0).world_to_camera)
    cross_entropy, azimuth = hypothesis_losses(errors, torch.tensor([[9.0, 0.0, 0.0, 0.0]]))
    assert float(cross_entropy) < 0.03
    assert float(azimuth) < 0.005


def test_hypothesis_losses_equal_their_formula() -> None:
    generator = np.random.default_rng(0)
    errors, logits = generator.random((5, 4)), generator.standard_normal((5, 4))
    target = np.exp(-errors / HYPOTHESIS_TEMPERATURE)
    target /= target.sum(axis=1, keepdims=True)
    log_probability = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    expected = -(target * log_probability).sum(axis=1).mean(), (target * errors).sum(axis=1).mean()
    losses = hypothesis_losses(torch.from_numpy(errors).float(), torch.from_numpy(logits).float())
    np.testing.assert_allclose([float(loss) for loss in losses], expected, rtol=1e-5)


def test_elevation_loss_is_the_angle_between() -> None:
    assert float(
        elevation_loss(predicted(elevation=0.5), camera(70.0, 0.2).world_to_camera)
    ) == pytest.approx(0.3, abs=1e-5)


def test_point_loss_is_the_mean_distance() -> None:
    moved = points(0) + torch.tensor([0.3, 0.0, -0.4])
    assert float(point_loss(moved, points(0))) == pytest.approx(0.5, abs=1e-4)
    assert float(point_loss(points(0), points(0))) < 2e-4


@given(st.floats(0.3, 3.0), st.floats(-2.0, 2.0))
def test_shape_loss_sees_neither_size_nor_place(size: float, shift: float) -> None:
    moved = points(0) * size + torch.tensor([shift, -shift, 0.5])
    assert float(shape_loss(moved, points(0))) < 1e-3
    assert float(shape_loss(points(1), points(0))) == pytest.approx(
        float(shape_loss(points(1) * size, points(0) + shift)), rel=1e-3
    )


def test_shape_loss_takes_the_size_of_least_squares() -> None:
    first, second = (points(k) - points(k).mean(dim=-2, keepdim=True) for k in (0, 1))
    size = np.linalg.lstsq(first.flatten()[:, None].numpy(), second.flatten().numpy())[0][0]
    expected = float(point_loss(first * float(size), second))
    assert float(shape_loss(points(0), points(1))) == pytest.approx(expected, rel=1e-4)


def test_projection_loss_is_zero_for_equal_inputs_and_else_the_distance_in_the_image() -> None:
    view, other = camera(20.0), camera(75.0, 0.5)
    assert float(projection_loss(points(0), view, truth=points(0), true_camera=view)) < 2e-4
    seen, truth = project_to_ndc(view, points(0)), project_to_ndc(other, points(1))
    expected = np.linalg.norm((seen - truth).numpy(), axis=-1).mean()
    assert float(projection_loss(points(0), view, truth=points(1), true_camera=other)) == pytest.approx(
        expected, rel=1e-4
    )


def test_equal_points_have_a_finite_gradient() -> None:
    places = points(0).requires_grad_()
    loss = projection_loss(places, camera(1.0), truth=points(0), true_camera=camera(1.0)) + point_loss(
        places, points(0)
    )
    loss.backward()
    assert places.grad is not None and torch.isfinite(places.grad).all()


def test_light_loss_by_hand() -> None:
    up = DirectionalLight(torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([0.3]), torch.tensor([0.8]))
    aside = DirectionalLight(
        torch.tensor([[0.0, 0.5, math.sqrt(0.75)]]), torch.tensor([0.2]), torch.tensor([1.0])
    )
    assert float(light_loss(up, up)) == pytest.approx(0.0, abs=1e-6)
    assert float(light_loss(up, aside)) == pytest.approx(0.5 + 0.1 + 0.2, abs=1e-5)


def distance_loss_and_pull(predicted_value: float, truth: float) -> tuple[float, float]:
    values = torch.tensor([predicted_value], requires_grad=True)
    samples = SDFSamples(torch.zeros(1, 3), values, torch.zeros(1, 3))
    loss = signed_distance_loss(samples, torch.tensor([truth]))
    loss.backward()
    assert values.grad is not None
    return float(loss.detach()), -float(values.grad)


@pytest.mark.parametrize(
    ("value", "truth", "loss"),
    [(0.1, 0.3, 0.2), (-0.2, -0.1, 0.1), (-0.1, 0.2, 0.3), (0.0, 2.0, DISTANCE_LIMIT), (0.4, -3.0, 0.9)],
)
def test_signed_distance_loss_by_hand(value: float, truth: float, loss: float) -> None:
    assert distance_loss_and_pull(value, truth)[0] == pytest.approx(loss, abs=1e-6)


@pytest.mark.parametrize(("value", "truth"), [(-2.0, 3.0), (-0.6, 0.7), (2.0, -3.0), (0.9, -0.6)])
def test_a_wrong_sign_pulls_however_far_away(value: float, truth: float) -> None:
    assert distance_loss_and_pull(value, truth)[1] == math.copysign(1.0, truth)


@pytest.mark.parametrize(("value", "truth"), [(0.8, 2.0), (3.0, 0.9), (-0.7, -1.0)])
def test_far_away_with_the_right_sign_nothing_pulls(value: float, truth: float) -> None:
    assert distance_loss_and_pull(value, truth) == (0.0, 0.0)

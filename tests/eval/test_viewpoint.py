"""Rotation errors of known rotations, and the one rotation that is fitted to many."""

import math

import pytest
import torch
from farm3d.eval.viewpoint import (
    align_rotations,
    azimuth_errors_degrees,
    fit_global_alignment,
    mesh_size,
    rotation_errors_degrees,
    score_viewpoints,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from farm3d.geometry.mesh import Mesh
from farm3d.geometry.rotation import axis_rotation, euler_xyz_rotation
from farm3d.geometry.viewpoint import viewpoint_rotation

ANGLES = st.lists(st.floats(-math.pi, math.pi), min_size=3, max_size=3)


def view(azimuth_degrees: float, elevation_degrees: float = 0.0) -> torch.Tensor:
    azimuth, elevation = (
        torch.deg2rad(torch.tensor([d], dtype=torch.float64)) for d in (azimuth_degrees, elevation_degrees)
    )
    return viewpoint_rotation(azimuth, elevation)


def random_rotations(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    angles = torch.rand(count, 3, generator=generator, dtype=torch.float64) * 2 * math.pi
    return euler_xyz_rotation(angles)


@pytest.mark.parametrize("degrees", [0.0, 5.0, 90.0, 179.0, 180.0])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_rotation_error_is_the_angle_turned(axis: int, degrees: float) -> None:
    true = random_rotations(4, seed=axis)
    turn = axis_rotation(axis, torch.deg2rad(torch.tensor(degrees, dtype=torch.float64)))
    errors = rotation_errors_degrees(true @ turn, true)
    torch.testing.assert_close(errors, torch.full((4,), degrees, dtype=torch.float64), rtol=0.0, atol=1e-5)


@pytest.mark.parametrize(
    ("predicted", "true", "error"),
    [(10.0, 350.0, 20.0), (0.0, 180.0, 180.0), (-90.0, 90.0, 180.0), (100.0, 5.0, 95.0), (33.0, 33.0, 0.0)],
)
def test_the_azimuth_error_goes_the_short_way_round(predicted: float, true: float, error: float) -> None:
    found = azimuth_errors_degrees(view(predicted, 20.0), view(true, -5.0))
    assert float(found) == pytest.approx(error, abs=1e-6)


def test_the_score_of_four_pictures() -> None:
    """Errors of 0, 20, 40 and 100 degrees: the median lies between the middle ones."""
    true = torch.cat([view(a) for a in (0.0, 90.0, 180.0, 270.0)])
    predicted = torch.cat([view(a) for a in (0.0, 110.0, 220.0, 10.0)])
    score = score_viewpoints(predicted, true)
    assert score.median_degrees == pytest.approx(30.0, abs=1e-6)
    assert score.within_30_degrees == 0.5
    assert score.front_back_confused == 0.25


def test_elevation_alone_confuses_no_front_with_a_back() -> None:
    score = score_viewpoints(view(40.0, 89.0), view(40.0, -10.0))
    assert score.median_degrees == pytest.approx(99.0)
    assert score.front_back_confused == 0.0


@settings(max_examples=40, deadline=None)
@given(angles=ANGLES, scale=st.floats(0.2, 5.0))
def test_the_fit_recovers_one_rotation_and_scale(angles: list[float], scale: float) -> None:
    true = random_rotations(7, seed=2)
    frame = euler_xyz_rotation(torch.tensor(angles, dtype=torch.float64))
    sizes = torch.linspace(1.0, 2.0, 7)
    alignment = fit_global_alignment(true @ frame.T, true, predicted_sizes=sizes / scale, true_sizes=sizes)
    torch.testing.assert_close(alignment.rotation, frame, rtol=0.0, atol=1e-9)
    assert alignment.scale == pytest.approx(scale, rel=1e-5)
    aligned = align_rotations(true @ frame.T, alignment)
    assert float(rotation_errors_degrees(aligned, true).max()) < 1e-3


@settings(max_examples=30, deadline=None)
@given(angles=ANGLES, seed=st.integers(0, 1000))
def test_no_other_rotation_fits_better(angles: list[float], seed: int) -> None:
    """Of noisy predictions the sum of squared chordal distances is least at the fit."""
    true, noise = random_rotations(9, seed), random_rotations(9, seed + 5000)
    predicted = true @ euler_xyz_rotation(0.3 * noise[:, 0])
    sizes = torch.ones(9)
    best = fit_global_alignment(predicted, true, predicted_sizes=sizes, true_sizes=sizes).rotation
    assert float(torch.linalg.det(best)) == pytest.approx(1.0)
    other = best @ euler_xyz_rotation(torch.tensor(angles, dtype=torch.float64))

    def cost(frame: torch.Tensor) -> float:
        return float((predicted @ frame - true).square().sum())

    assert cost(best) <= cost(other) + 1e-9


def test_a_mirroring_is_never_fitted() -> None:
    """Predictions mirrored in x fit a reflection best; the answer is a rotation nevertheless."""
    true = random_rotations(5, seed=1)
    mirrored = true @ torch.diag(torch.tensor([-1.0, 1.0, 1.0], dtype=torch.float64))
    sizes = torch.ones(5)
    fitted = fit_global_alignment(mirrored, true, predicted_sizes=sizes, true_sizes=sizes).rotation
    assert float(torch.linalg.det(fitted)) == pytest.approx(1.0)


def test_a_model_that_faces_backwards_is_right_after_alignment() -> None:
    true = torch.cat([view(a, 10.0) for a in range(0, 360, 40)])
    backwards = true @ view(180.0)[0]
    assert score_viewpoints(backwards, true).front_back_confused == 1.0
    sizes = torch.ones(len(true))
    alignment = fit_global_alignment(backwards, true, predicted_sizes=sizes, true_sizes=sizes)
    score = score_viewpoints(align_rotations(backwards, alignment), true)
    assert (score.within_30_degrees, score.front_back_confused) == (1.0, 0.0)


def test_the_size_of_a_tetrahedron() -> None:
    """Volume abc / 6, wherever it stands."""
    corners = torch.tensor([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 4.0]])
    faces = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    assert mesh_size(Mesh(corners, faces)) == pytest.approx(4.0 ** (1 / 3))
    assert mesh_size(Mesh(corners + 5.0, faces)) == pytest.approx(4.0 ** (1 / 3), rel=1e-5)

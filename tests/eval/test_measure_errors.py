"""Ratios of measures: the shipped shape's against the farm's landmarks, and their errors."""

import pytest
import torch
from farm3d.eval.keypoint_points import surface_points
from farm3d.eval.measure_errors import RatioError, ratio_errors, true_ratios

from farm3d.inference.measure import Measurements
from farm3d.inference.withers import top_of_withers
from farm3d.models.build import load_trained, shipped_checkpoint
from farm3d.types import ShapePrior


@pytest.fixture(scope="module")
def horse() -> ShapePrior:
    with torch.no_grad():
        return load_trained(shipped_checkpoint("horse")).model.prior()


def test_the_withers_are_where_the_farm_has_them(horse: ShapePrior) -> None:
    points = surface_points("horse", horse.mesh)
    places = dict(zip(points.names, points.on(horse.mesh), strict=True))
    top = top_of_withers(horse.mesh.vertices, horse.mesh.faces, horse.skeleton)
    ground = float(horse.mesh.vertices[:, 1].min())
    assert top - ground == pytest.approx(places["withers"][1] - ground, rel=0.02)


def test_a_horse_is_about_as_long_as_high(horse: ShapePrior) -> None:
    ratios = true_ratios(horse.mesh)
    assert ratios is not None and ratios.shoulder_height == pytest.approx(1.0)
    assert 0.92 < ratios.body_length < 1.05


def test_what_cannot_be_measured_is_left_out() -> None:
    bare = Measurements(1.0, 2.0, 3.0, 4.0)
    assert ratio_errors([(None, bare), (bare, None)]) == {}


def test_errors_are_medians_of_relative_differences() -> None:
    true = Measurements(1.0, 2.0, 4.0, 1.0)
    found = [Measurements(1.0, 2.0 * share, 4.0, 1.0) for share in (0.9, 1.2, 0.95)]
    errors = ratio_errors([*((one, true) for one in found), (None, true)])
    assert errors["body_length"].median == pytest.approx(0.1)
    assert errors["body_length"].bias == pytest.approx(-0.05)
    assert errors["girth"] == RatioError(0.0, 0.0)

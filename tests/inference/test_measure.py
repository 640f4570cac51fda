"""Measurements of a shape whose measures are known, and their scale."""

import math

import pytest
import torch
import trimesh

from farm3d.errors import ConfigError
from farm3d.geometry.tetrahedral_grid import shape_lattice
from farm3d.inference.measure import (
    FLANK,
    KnownLength,
    Measurements,
    measure,
    metres_per_unit,
    parse_known_length,
)
from farm3d.models.shape_prior import extract_prior
from farm3d.types import ShapePrior

from ..models.small_models import FEET, FLOOR, LEG_RADIUS, QuadrupedField
from .two_animals import standing

RADIUS, TOP = 0.55, 0.2 + 0.55
"""Of the field's trunk, a capsule from z = -1.1 to 1.1."""


@pytest.fixture(scope="module")
def prior() -> ShapePrior:
    with torch.no_grad():
        return extract_prior(QuadrupedField(), shape_lattice(64), skinning_temperature=0.05)


def test_a_capsule_on_four_legs_has_its_measures(prior: ShapePrior) -> None:
    measured = measure(standing(prior))
    assert measured.shoulder_height == pytest.approx(TOP - FLOOR, abs=0.03)
    assert measured.girth == pytest.approx(2.0 * math.pi * RADIUS, rel=0.02)
    # Where the capsule's ends are half as wide as the trunk with its legs; vertices miss it by up to a cell.
    end = math.sqrt(RADIUS**2 - (FLANK * (FEET[0][0] + LEG_RADIUS)) ** 2)
    assert measured.body_length == pytest.approx(2.2 + 2.0 * end, rel=0.06)
    mesh = trimesh.Trimesh(prior.mesh.vertices.numpy(), prior.mesh.faces.numpy(), process=False)
    assert measured.volume == pytest.approx(mesh.volume, rel=1e-4)


def test_twice_as_large_is_eight_times_the_volume() -> None:
    assert Measurements(1.0, 2.0, 3.0, 4.0).times(2.0) == Measurements(2.0, 4.0, 6.0, 32.0)


@pytest.mark.parametrize("name", ["shoulder_height", "body_length", "girth"])
def test_one_known_length_gives_the_scale(name: str) -> None:
    measured = Measurements(2.0, 2.5, 3.0, 1.0)
    scale = metres_per_unit(measured, KnownLength(name, 150.0))
    assert getattr(measured.times(scale), name) == pytest.approx(1.5)


def test_lengths_are_read() -> None:
    assert parse_known_length("girth=180.5") == KnownLength("girth", 180.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("150", "NAME=CENTIMETRES"),
        ("tail=30", "shoulder_height, body_length, girth"),
        ("girth=long", "'long' is no number"),
        ("girth=0", "more than 0"),
        ("girth=-3", "more than 0"),
        ("girth=nan", "more than 0"),
        ("girth=99999", "at most 1000"),
    ],
)
def test_what_is_no_length_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_known_length(text)

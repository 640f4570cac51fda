"""Signed distances to a sphere are known: the samples must have them, inside, outside and far away."""

import numpy as np
import torch
import trimesh

from farm3d.data.surface_samples import FAR, SignedDistances, signed_distances
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.tetrahedral_grid import HALF_EXTENT

RADIUS = 1.3


def samples(count: int = 20_000) -> SignedDistances:
    ball = trimesh.creation.icosphere(subdivisions=5, radius=RADIUS)
    mesh = Mesh(torch.tensor(ball.vertices.copy()).float(), torch.tensor(ball.faces.copy()).long())
    return signed_distances(mesh, count, np.random.default_rng(0))


def test_values_are_the_signed_distances_negative_inside() -> None:
    drawn = samples()
    truth = drawn.points.norm(dim=-1) - RADIUS
    error = (drawn.values - truth).abs()
    near = truth.abs() < FAR - 0.05
    assert error[near].max() < 0.02
    assert error[near].mean() < 0.003
    assert error.max() < 0.03
    clear = truth.abs() > 0.01
    assert torch.equal(drawn.values[clear] < 0, truth[clear] < 0)


def test_most_samples_lie_about_the_surface_and_some_anywhere() -> None:
    drawn = samples()
    distance = drawn.points.norm(dim=-1) - RADIUS
    assert 0.6 < (distance.abs() < 0.2).float().mean() < 0.85
    assert drawn.points[-5000:].abs().max() <= HALF_EXTENT
    assert (drawn.points[-5000:].amax(dim=0) > 3.4).all()


def test_a_draw_repeats_with_its_generator() -> None:
    drawn = samples(2000)
    first, second = (drawn.draw(64, np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(first.points, second.points) and torch.equal(first.values, second.values)
    assert len(first.points) == 64

"""Gradients reach the field through the vertices, as from the dense evaluation."""

import pytest
import torch
from torch import Tensor

from farm3d.fields.sdf_field import SDFField
from farm3d.geometry.tetrahedral_grid import shape_lattice
from farm3d.ops.body_centred_lattice import BodyCentredLattice
from farm3d.ops.sparse_isosurface import sparse_isosurface

from .isosurface_fields import CountedField, ball, dense_isosurface, thin_legs

SMALL = BodyCentredLattice((6, 6, 6), 0.5)


def test_gradients_are_those_of_finite_differences() -> None:
    def vertices(centre: Tensor, radius: Tensor) -> Tensor:
        def field(points: Tensor) -> Tensor:
            return (points.double() - centre).norm(dim=-1) - radius

        return sparse_isosurface(field, SMALL).vertices

    centre = torch.tensor([0.03, -0.11, 0.07], dtype=torch.float64, requires_grad=True)
    radius = torch.tensor(0.83, dtype=torch.float64, requires_grad=True)
    assert vertices(centre, radius).dtype == torch.float64
    assert torch.autograd.gradcheck(vertices, (centre, radius))


@pytest.mark.parametrize("symmetric", [False, True])
def test_a_networks_gradient_is_that_of_the_dense_evaluation(symmetric: bool) -> None:
    torch.manual_seed(0)
    field, lattice = SDFField(width=32, layers=3, harmonics=4), shape_lattice(32)
    sparse = sparse_isosurface(field, lattice, symmetric=symmetric).vertices
    dense, _ = dense_isosurface(field, lattice)
    weights = torch.randn(dense.shape)
    actual = torch.autograd.grad((sparse * weights).sum(), list(field.parameters()))
    expected = torch.autograd.grad((dense * weights).sum(), list(field.parameters()))
    for ours, theirs in zip(actual, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * float(theirs.abs().max()))


def test_the_gradient_is_taken_at_the_ends_of_crossed_edges_alone() -> None:
    def enabled(points: Tensor) -> Tensor:
        gradient_calls.append((torch.is_grad_enabled(), points))
        return thin_legs()(points)

    gradient_calls: list[tuple[bool, Tensor]] = []
    lattice = shape_lattice(128)
    surface = sparse_isosurface(enabled, lattice, symmetric=True)
    assert [enabled for enabled, _ in gradient_calls] == [False] * (len(gradient_calls) - 1) + [True]
    ends = gradient_calls[-1][1]
    assert thin_legs()(ends).abs().max() <= lattice.spacing
    assert len(ends) < 0.5 * surface.evaluations


def test_the_gradient_does_not_depend_on_how_the_surface_was_found() -> None:
    torch.manual_seed(0)
    field, lattice = SDFField(width=32, layers=3, harmonics=4), shape_lattice(48)
    whole = sparse_isosurface(field, lattice, symmetric=True)
    followed = sparse_isosurface(field, lattice, symmetric=True, previous=whole.active)
    assert followed.evaluations < whole.evaluations
    assert torch.equal(followed.vertices, whole.vertices) and torch.equal(followed.faces, whole.faces)
    first, second = (
        torch.autograd.grad(surface.vertices.square().sum(), list(field.parameters()))
        for surface in (whole, followed)
    )
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_without_gradients_nothing_is_evaluated_twice() -> None:
    field = CountedField(ball((0.1, 0.0, 0.0), 1.1))
    with torch.no_grad():
        quiet = sparse_isosurface(field, SMALL)
    assert len(field.points()) == quiet.evaluations
    assert sparse_isosurface(field, SMALL).evaluations > quiet.evaluations


@pytest.mark.parametrize("shift", [0.45, -0.45])
def test_a_sign_that_rounding_turns_leaves_vertices_on_their_edges(shift: float) -> None:
    """A field so flat that its rounding, here `shift`, carries the zero past the ends of edges."""
    height = torch.tensor(0.1, requires_grad=True)

    def field(points: Tensor) -> Tensor:
        again = shift if torch.is_grad_enabled() else 0.0
        return 1e-8 * (points[:, 1] - height + again)

    surface = sparse_isosurface(field, SMALL)
    with torch.no_grad():
        found = sparse_isosurface(field, SMALL)
    assert torch.equal(surface.faces, found.faces)
    torch.testing.assert_close(found.vertices[:, 1], torch.full((len(found.vertices),), 0.1))
    half_step = SMALL.spacing / 2
    assert surface.vertices[:, 1].min() >= -half_step and surface.vertices[:, 1].max() <= 2 * half_step
    (gradient,) = torch.autograd.grad(surface.vertices.sum(), height)
    assert torch.isfinite(gradient)

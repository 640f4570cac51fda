"""The sparse search gives the mesh of the dense evaluation, from few evaluations."""

import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from torch import Tensor

from farm3d.fields.sdf_field import SDFField
from farm3d.geometry.tetrahedral_grid import shape_lattice
from farm3d.models.build import load_trained, shipped_checkpoint
from farm3d.ops.body_centred_lattice import BodyCentredLattice
from farm3d.ops.mesh_topology import connected_components
from farm3d.ops.sparse_isosurface import sparse_isosurface

from .isosurface_fields import (
    CountedField,
    Field,
    assert_same_mesh,
    ball,
    capsule,
    dense_isosurface,
    half_space,
    scaled,
    smooth_union,
    thin_legs,
    torus,
    union,
)

COARSE, MEDIUM, FINE = shape_lattice(32), shape_lattice(64), shape_lattice(128)
CORNER = 7.0 / 12
"""A lattice point of COARSE lies at every multiple of this."""

FIELDS: dict[str, tuple[Field, BodyCentredLattice]] = {
    "sphere": (ball((0.1, 0.2, -0.3), 1.7), MEDIUM),
    "thin legs": (thin_legs(), FINE),
    "torus": (torus(1.5, 0.4), MEDIUM),
    "pieces": (union(*(ball((x, 0.3, z), 0.4) for x in (-2.0, 0.0, 2.0) for z in (-1.5, 1.5))), MEDIUM),
    "nested shells": (lambda p: torch.cos(3.0 * p.norm(dim=-1)) / 3.0, MEDIUM),
    "touching the mirror plane": (union(ball((-1.0, 0, 0), 1.0), ball((1.0, 0, 0), 1.0)), MEDIUM),
    "cut off by the lattice": (half_space((0.3, 0.5, -0.8), 0.37), MEDIUM),
    "through lattice points": (half_space((0.0, 1.0, 0.0), 0.0), COARSE),
    "zero at lattice points": (lambda p: p.abs().amax(dim=-1) - 2 * CORNER, COARSE),
    "steeper than the bound": (scaled(thin_legs(), 7.0), FINE),
    "flatter than a distance": (scaled(thin_legs(), 0.2), FINE),
    "not a distance": (lambda p: (p * p.new_tensor([2.0, 1.0, 0.5])).square().sum(-1) - 1.0, MEDIUM),
    "non-cubic box": (
        capsule((0.2, -0.2, -0.7), (-0.3, 0.3, 0.8), 0.3),
        BodyCentredLattice((12, 14, 35), 0.1),
    ),
    "odd counts": (ball((0.0, 0.0, 0.0), 0.33), BodyCentredLattice((7, 9, 11), 0.1)),
    "two cells": (ball((0.0, 0.0, 0.0), 0.9), BodyCentredLattice((2, 2, 2), 1.0)),
}


@pytest.mark.parametrize("name", FIELDS)
def test_the_mesh_is_that_of_the_dense_evaluation(name: str) -> None:
    field, lattice = FIELDS[name]
    reference = dense_isosurface(field, lattice)
    assert len(reference[1]) > 0
    assert_same_mesh(sparse_isosurface(field, lattice), reference)


@pytest.mark.parametrize("name", ["thin legs", "torus", "touching the mirror plane", "not a distance"])
def test_half_of_a_symmetric_field_is_enough(name: str) -> None:
    field, lattice = FIELDS[name]
    counted = CountedField(field)
    surface = sparse_isosurface(counted, lattice, symmetric=True)
    assert_same_mesh(surface, dense_isosurface(field, lattice))
    assert counted.points()[:, 0].min() >= 0.0
    mirrored = surface.vertices * torch.tensor([-1.0, 1.0, 1.0])
    assert {tuple(v) for v in (mirrored + 0.0).tolist()} == {
        tuple(v) for v in (surface.vertices + 0.0).tolist()
    }


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_any_smooth_union_is_found_exactly(data: st.DataObject) -> None:
    """Its slopes are at most 1, so that nothing can be missed, whatever is thin or apart."""
    place = st.tuples(*[st.floats(-2.5, 2.5, width=32)] * 3)
    parts = data.draw(st.lists(st.tuples(place, place, st.floats(0.02, 0.8)), min_size=1, max_size=5))
    blend = data.draw(st.floats(0.01, 0.4))
    # A capsule of no length has no direction.
    capsules = [capsule(a, (b[0], b[1], b[2] + 6.0), radius) for a, b, radius in parts]
    field = smooth_union(*capsules, blend=blend)
    assert_same_mesh(sparse_isosurface(field, COARSE), dense_isosurface(field, COARSE))


@pytest.mark.parametrize("point", [(16, 16, 32), (8, 24, 40), (20, 28, 12), (18, 30, 14), (17, 31, 13)])
def test_the_least_piece_is_found_by_the_slope_alone(point: tuple[int, int, int]) -> None:
    """A ball about one point, also where that is as far from the centres of blocks as it can be."""
    centre = tuple(MEDIUM.positions(torch.tensor(point)).tolist())
    field = ball(centre, 0.1 * MEDIUM.spacing)
    surface = sparse_isosurface(field, MEDIUM, lipschitz=1.0)
    assert len(surface.vertices) == 14
    assert_same_mesh(surface, dense_isosurface(field, MEDIUM))


@given(st.integers(0, 2**31), st.floats(0.5, 8.0), st.booleans())
@settings(max_examples=20, deadline=None)
def test_what_is_found_of_an_arbitrary_field_is_whole(seed: int, frequency: float, symmetric: bool) -> None:
    """Waves are no distances: pieces may be missed, but those that are found are the dense mesh's."""
    generator = torch.Generator().manual_seed(seed)
    waves = torch.randn((6, 3), generator=generator) * frequency
    phases = torch.rand(6, generator=generator) * 6.3

    def field(points: Tensor) -> Tensor:
        folded = torch.cat([points[:, :1].abs(), points[:, 1:]], dim=1) if symmetric else points
        return (torch.sin(folded @ waves.T + phases) / frequency).sum(dim=1) + 0.3

    surface = sparse_isosurface(field, COARSE, symmetric=symmetric, lipschitz=0.2)
    vertices, faces = dense_isosurface(field, COARSE)
    is_found = cKDTree(surface.vertices.numpy()).query(vertices.numpy())[0] < 1e-5
    assert is_found.sum() >= len(surface.vertices)
    labels = connected_components(faces, len(vertices))
    found_of_piece = torch.bincount(labels, weights=torch.from_numpy(is_found).double())
    assert ((found_of_piece == 0) | (found_of_piece == torch.bincount(labels))).all()


@pytest.fixture(scope="module")
def horse() -> tuple[SDFField, BodyCentredLattice]:
    model = load_trained(shipped_checkpoint("horse")).model
    return model.sdf, shape_lattice(model.config.grid_resolution)


def test_the_shipped_horse_is_found_exactly(horse: tuple[SDFField, BodyCentredLattice]) -> None:
    field, lattice = horse
    with torch.no_grad():
        surface = sparse_isosurface(field, lattice, symmetric=True)
        assert_same_mesh(surface, dense_isosurface(field, lattice))
    assert surface.evaluations < lattice.point_count / 30


def test_the_untrained_field_is_found_exactly_with_a_tenth_of_the_evaluations() -> None:
    torch.manual_seed(0)
    field = SDFField(width=128, layers=5, harmonics=8)
    with torch.no_grad():
        surface = sparse_isosurface(field, FINE, symmetric=True)
        assert_same_mesh(surface, dense_isosurface(field, FINE))
        assert surface.evaluations < FINE.point_count / 20
        assert sparse_isosurface(field, FINE).evaluations < FINE.point_count / 10


def test_the_mesh_is_closed_and_faces_outwards() -> None:
    surface = sparse_isosurface(thin_legs(), FINE)
    mesh = trimesh.Trimesh(surface.vertices.numpy(), surface.faces.numpy(), process=False)
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.volume > 0


@pytest.mark.parametrize("value", [1.0, 0.0, -1.0])
@pytest.mark.parametrize("symmetric", [False, True])
def test_one_sign_everywhere_is_an_empty_mesh(value: float, symmetric: bool) -> None:
    surface = sparse_isosurface(lambda p: torch.full((len(p),), value), COARSE, symmetric=symmetric)
    assert surface.vertices.shape == (0, 3) and surface.faces.shape == (0, 3)
    assert surface.active.cells.shape == (0, 3)


def test_no_point_is_evaluated_twice_and_all_are_counted() -> None:
    field = CountedField(thin_legs())
    with torch.no_grad():
        surface = sparse_isosurface(field, FINE)
    assert len(field.points()) == surface.evaluations
    assert len({tuple(p) for p in field.points().tolist()}) == surface.evaluations


def test_evaluations_grow_with_the_surface_not_with_the_lattice() -> None:
    """Four times the cells a side are 64 times the points but 16 times the surface."""
    few, many = (sparse_isosurface(thin_legs(0.15), shape_lattice(r)).evaluations for r in (64, 256))
    assert many < 20 * few


def test_the_search_repeats_bit_for_bit() -> None:
    torch.manual_seed(0)
    field = SDFField(width=16, layers=3, harmonics=4)
    first, second = (sparse_isosurface(field, MEDIUM, symmetric=True) for _ in range(2))
    assert torch.equal(first.vertices, second.vertices) and torch.equal(first.faces, second.faces)


def hidden_ball(points: Tensor) -> Tensor:
    """A sphere, and a ball far from it that the values around it say nothing of."""
    hidden = (points - points.new_tensor([2.3, 2.4, -2.2])).norm(dim=-1) - 0.3
    return torch.where(hidden < 0, hidden, points.norm(dim=-1) - 1.0)


def test_a_piece_that_values_do_not_betray_needs_a_larger_bound() -> None:
    reference = dense_isosurface(hidden_ball, MEDIUM)
    surface = sparse_isosurface(hidden_ball, MEDIUM)
    assert_same_mesh(surface, dense_isosurface(ball((0, 0, 0), 1.0), MEDIUM))
    assert len(surface.faces) < len(reference[1])
    assert_same_mesh(sparse_isosurface(hidden_ball, MEDIUM, lipschitz=40.0), reference)


def test_steep_slopes_that_are_seen_widen_the_search() -> None:
    """Seven times as steep as a distance: as many evaluations as if that had been said."""
    steep = scaled(thin_legs(), 7.0)
    unsaid, said = (sparse_isosurface(steep, FINE, lipschitz=bound).evaluations for bound in (2.0, 7.7))
    assert abs(unsaid - said) < 0.1 * said

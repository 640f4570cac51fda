"""From where the surface was last time: what is followed, and what only a whole search finds."""

import math

import pytest
import torch
from torch import Tensor

from farm3d.geometry.tetrahedral_grid import shape_lattice
from farm3d.ops.sparse_isosurface import ActiveCells, sparse_isosurface

from .isosurface_fields import assert_same_mesh, ball, dense_isosurface, moved, thin_legs, torus, union

LATTICE = shape_lattice(96)
SPACING = LATTICE.spacing


@torch.no_grad()
@pytest.mark.parametrize("symmetric", [False, True])
def test_a_drifting_surface_is_followed_exactly_for_less(symmetric: bool) -> None:
    active, reused, whole = None, 0, 0
    for step in range(12):
        field = moved(thin_legs(0.2), (0.0, 0.9 * SPACING * step / 2, -0.4 * SPACING * step))
        surface = sparse_isosurface(field, LATTICE, symmetric=symmetric, previous=active)
        assert_same_mesh(surface, dense_isosurface(field, LATTICE))
        if active is not None:
            reused += surface.evaluations
            whole += sparse_isosurface(field, LATTICE, symmetric=symmetric).evaluations
        active = surface.active
    assert reused < 0.5 * whole


def test_pieces_that_grow_join_and_part_again_are_followed() -> None:
    active = None
    for step in range(16):
        radius = 0.5 + 0.35 * math.sin(step / 15 * math.pi)
        field = union(ball((-0.7, 0.1, 0.0), radius), ball((0.7, 0.0, 0.3), radius))
        surface = sparse_isosurface(field, LATTICE, previous=active)
        assert_same_mesh(surface, dense_isosurface(field, LATTICE))
        active = surface.active


@torch.no_grad()
def test_an_unchanged_field_gives_the_same_mesh_from_the_cells_it_crosses() -> None:
    first = sparse_isosurface(torus(1.5, 0.4), LATTICE)
    again = sparse_isosurface(torus(1.5, 0.4), LATTICE, previous=first.active)
    assert torch.equal(again.vertices, first.vertices) and torch.equal(again.faces, first.faces)
    assert torch.equal(again.active.cells, first.active.cells)
    assert again.evaluations < 0.4 * first.evaluations


@torch.no_grad()
def test_a_piece_that_leaves_its_cell_for_the_next_is_followed() -> None:
    """A ball that holds one lattice point, so that no cell of the one is a cell of the other."""
    body = ball((0.0, 0.0, 0.0), 1.0)
    here, there = (ball((2.0 + k * SPACING, 2.1, 2.1), 0.4 * SPACING) for k in (0, 1))
    before = sparse_isosurface(union(body, here), LATTICE)
    after = sparse_isosurface(union(body, there), LATTICE, previous=before.active)
    assert_same_mesh(after, dense_isosurface(union(body, there), LATTICE))
    assert after.evaluations < 0.5 * before.evaluations


def test_a_new_piece_apart_is_found_by_the_next_whole_search_alone() -> None:
    body, ear = ball((0.0, 0.0, 0.0), 1.0), ball((2.0, 2.0, 0.0), 0.3)
    before = sparse_isosurface(body, LATTICE).active
    followed = sparse_isosurface(union(body, ear), LATTICE, previous=before)
    assert_same_mesh(followed, dense_isosurface(body, LATTICE))
    whole = sparse_isosurface(union(body, ear), LATTICE)
    assert_same_mesh(whole, dense_isosurface(union(body, ear), LATTICE))
    assert len(whole.faces) > len(followed.faces)


@pytest.mark.parametrize("offset", [3.0, 12.0])
def test_a_surface_that_jumps_is_searched_anew(offset: float) -> None:
    body, leaper = ball((0.0, -1.0, 0.0), 1.0), ball((-2.0, 2.0, 0.0), 0.3)
    before = sparse_isosurface(union(body, leaper), LATTICE).active
    after = union(body, moved(leaper, (offset * SPACING, 0.0, 0.0)))
    assert_same_mesh(sparse_isosurface(after, LATTICE, previous=before), dense_isosurface(after, LATTICE))


def test_a_piece_that_vanishes_is_no_longer_there() -> None:
    body, crumb = ball((0.0, 0.0, 0.0), 1.0), ball((2.0, 2.0, 0.0), 0.3)
    before = sparse_isosurface(union(body, crumb), LATTICE).active
    after = sparse_isosurface(body, LATTICE, previous=before)
    assert_same_mesh(after, dense_isosurface(body, LATTICE))
    assert torch.equal(after.active.cells, sparse_isosurface(body, LATTICE).active.cells)


@pytest.mark.parametrize("cells", [torch.empty((0, 3), dtype=torch.long), torch.tensor([[1, 2, 3]])])
def test_cells_without_a_surface_are_no_help(cells: Tensor) -> None:
    field = torus(1.5, 0.4)
    surface = sparse_isosurface(field, LATTICE, previous=ActiveCells(cells))
    assert_same_mesh(surface, dense_isosurface(field, LATTICE))


def test_active_cells_are_those_with_points_on_both_sides() -> None:
    field = torus(1.5, 0.4)
    n = LATTICE.counts[0]
    cells = torch.cartesian_prod(*[torch.arange(n)] * 3)
    points = LATTICE.points(LATTICE.numbers_of_cells(cells).flatten())
    inside = (field(LATTICE.positions(points)) < 0).view(-1, 9)
    expected = cells[inside.any(1) & ~inside.all(1)]
    assert torch.equal(sparse_isosurface(field, LATTICE).active.cells, expected)
    half = sparse_isosurface(field, LATTICE, symmetric=True).active.cells
    assert torch.equal(half, expected[expected[:, 0] >= n // 2])

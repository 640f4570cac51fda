"""The lattice and marching tetrahedra on it."""

import math

import pytest
import torch
import trimesh
from torch import Tensor

from farm3d.geometry.tetrahedral_grid import cells_per_side, tetrahedral_grid
from farm3d.ops.marching_tetrahedra import marching_tetrahedra


def as_trimesh(vertices: Tensor, faces: Tensor) -> trimesh.Trimesh:
    return trimesh.Trimesh(vertices.detach().numpy(), faces.numpy(), process=False)


@pytest.mark.parametrize(("resolution", "cells"), [(64, 26), (128, 52), (256, 104)])
def test_cells_match_the_public_resolutions(resolution: int, cells: int) -> None:
    assert cells_per_side(resolution) == cells


def test_the_lattice_is_its_own_mirror_image() -> None:
    grid = tetrahedral_grid(24)
    flipped = grid.vertices * torch.tensor([-1.0, 1.0, 1.0])
    assert torch.equal(grid.vertices[grid.mirror], flipped)
    tets = {frozenset(tet) for tet in grid.tets.tolist()}
    assert {frozenset(tet) for tet in grid.mirror[grid.tets].tolist()} == tets


def test_tetrahedra_are_positive_congruent_and_fill_all_but_the_outer_half_cells() -> None:
    grid = tetrahedral_grid(24, half_extent=1.0)
    corners = grid.vertices[grid.tets].double()
    volume = torch.linalg.det(corners[:, 1:] - corners[:, :1]) / 6.0
    assert (volume > 0).all()
    assert torch.allclose(volume, volume[0].expand_as(volume), atol=1e-9)
    cell = 2.0 / cells_per_side(24)
    outer = 6 * cells_per_side(24) ** 2 * cell**3 / 6.0
    assert math.isclose(float(volume.sum()), 8.0 - outer, rel_tol=1e-6)


def test_a_sphere_is_closed_has_its_area_and_faces_outwards() -> None:
    grid = tetrahedral_grid(64)
    vertices, faces = marching_tetrahedra(grid.vertices, grid.tets, grid.vertices.norm(dim=-1) - 2.0)
    mesh = as_trimesh(vertices, faces)
    assert mesh.is_watertight and mesh.is_winding_consistent and mesh.euler_number == 2
    assert math.isclose(mesh.volume, 4 / 3 * math.pi * 8, rel_tol=0.02)
    assert math.isclose(mesh.area, 4 * math.pi * 4, rel_tol=0.02)


def test_every_sign_pattern_of_one_tetrahedron_separates_inside_from_outside() -> None:
    corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    tets = torch.tensor([[0, 1, 2, 3]])
    for pattern in range(16):
        sdf = torch.tensor([-1.0 if pattern >> k & 1 else 1.0 for k in range(4)])
        vertices, faces = marching_tetrahedra(corners, tets, sdf)
        inside = int((sdf < 0).sum())
        assert len(faces) == {0: 0, 1: 1, 2: 2, 3: 1, 4: 0}[inside]
        for face in faces:
            a, b, c = vertices[face]
            normal = torch.linalg.cross(b - a, c - a)
            side = (corners - a) @ normal
            assert ((side > 0) == (sdf > 0)).all()


def test_vertices_lie_at_the_zero_of_the_linear_interpolation() -> None:
    grid = tetrahedral_grid(16)
    normal = torch.tensor([0.3, 0.5, -0.8])
    vertices, _ = marching_tetrahedra(grid.vertices, grid.tets, grid.vertices @ normal - 0.37)
    assert torch.allclose(vertices @ normal, torch.full((len(vertices),), 0.37), atol=1e-5)


def test_gradients_reach_the_values() -> None:
    corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)
    tets = torch.tensor([[0, 1, 2, 3]])
    sdf = torch.tensor([-0.3, 0.5, 0.2, -0.4], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: marching_tetrahedra(corners, tets, s)[0], sdf)


def test_one_sign_everywhere_is_an_empty_mesh() -> None:
    grid = tetrahedral_grid(8)
    vertices, faces = marching_tetrahedra(grid.vertices, grid.tets, torch.ones(len(grid.vertices)))
    assert vertices.shape == (0, 3) and faces.shape == (0, 3)

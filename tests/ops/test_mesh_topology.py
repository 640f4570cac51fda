"""Normals, edges and components against brute force, trimesh and analytic cases."""

import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

from farm3d.ops.mesh_topology import (
    connected_components,
    edge_faces,
    edge_topology,
    face_normals,
    largest_piece,
    unique_edges,
    vertex_normals,
)

from .raster_scenes import animal, sphere

triangles = st.lists(st.tuples(*[st.integers(0, 7)] * 3), max_size=12).map(
    lambda faces: torch.tensor(faces, dtype=torch.int64).reshape(-1, 3)
)


def test_face_normals_are_normals_times_twice_the_area_and_point_outside():
    vertices, faces = animal(1)
    mesh = trimesh.Trimesh(vertices.numpy(), faces.numpy(), process=False)
    expected = torch.tensor(mesh.face_normals * mesh.area_faces[:, None] * 2).float()
    assert torch.allclose(face_normals(vertices, faces), expected, atol=1e-6)
    centre, (ball, ball_faces) = torch.zeros(3), sphere(1)
    outward = ball[ball_faces].mean(dim=1) - centre
    assert ((face_normals(ball, ball_faces) * outward).sum(dim=1) > 0).all()


def test_vertex_normals_of_a_sphere_are_its_points():
    vertices, faces = sphere(3)
    normals = vertex_normals(vertices * 2.5, faces)
    assert torch.allclose(normals.norm(dim=-1), torch.ones(len(vertices)), atol=1e-6)
    assert (normals * vertices).sum(dim=-1).min() > 0.999


def test_vertex_normals_weigh_faces_by_area():
    """A large face in the xy plane and one of a third of its area in the yz plane share an edge."""
    vertices = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-3.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    normals = vertex_normals(vertices, torch.tensor([[0, 1, 2], [1, 0, 3]]))
    assert torch.allclose(normals[0], torch.tensor([1.0, 0.0, 3.0]) / 10**0.5)


def test_batched_normals_equal_those_of_each_mesh():
    vertices, faces = sphere(1)
    batch = torch.randn(2, 3, *vertices.shape)
    for function in (face_normals, vertex_normals):
        together = function(batch, faces)
        assert torch.allclose(together[1, 2], function(batch[1, 2], faces), atol=1e-6)


@pytest.mark.parametrize("side", [1e-2, 1e-4, 1e-6, 1e-8, 1e-9, 1e-10, 1e-12])
def test_vertex_normals_of_tiny_faces_have_finite_gradients(side):
    vertices = (side * torch.eye(3)).requires_grad_()
    normals = vertex_normals(vertices, torch.tensor([[0, 1, 2]]))
    normals[:, 0].sum().backward()
    assert torch.isfinite(normals).all()
    assert torch.isfinite(vertices.grad).all()


def test_vertex_normals_pass_gradcheck_and_are_zero_without_area():
    vertices, faces = sphere(0)
    assert gradcheck(lambda points: vertex_normals(points, faces), vertices.double().requires_grad_())
    flat = torch.zeros(5, 3).requires_grad_()
    normals = vertex_normals(flat, torch.tensor([[0, 1, 2]]))
    normals.sum().backward()
    assert (normals == 0).all() and (flat.grad == 0).all()


@settings(max_examples=60, deadline=None)
@given(triangles)
def test_edges_and_their_faces_equal_brute_force(faces):
    sides = {}
    for index, face in enumerate(faces.tolist()):
        for start, end in zip(face, face[1:] + face[:1], strict=True):
            sides.setdefault((min(start, end), max(start, end)), []).append((index, start < end))
    topology = edge_topology(faces)
    assert [tuple(edge) for edge in unique_edges(faces).tolist()] == sorted(sides)
    for number, (edge, expected) in enumerate(sorted(sides.items())):
        assert tuple(topology.edges[number].tolist()) == edge
        along = slice(int(topology.side_offsets[number]), int(topology.side_offsets[number + 1]))
        actual = zip(topology.side_faces[along].tolist(), topology.side_forward[along].tolist(), strict=True)
        assert list(actual) == expected
        two = [face for face, _ in expected[:2]] + [-1] * (2 - len(expected))
        assert edge_faces(topology)[number].tolist() == two


def test_a_closed_surface_obeys_eulers_formula_and_has_two_faces_per_edge():
    vertices, faces = sphere(2)
    topology = edge_topology(faces)
    assert len(vertices) - len(topology.edges) + len(faces) == 2
    assert (edge_faces(topology) >= 0).all()
    assert topology.side_forward.reshape(-1, 2).sum(dim=1).eq(1).all()


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_components_are_the_separate_parts_and_the_loose_vertices(dtype):
    vertices, faces = animal(1)
    labels = connected_components(faces.to(dtype), len(vertices) + 2)
    part = len(vertices) // 6
    assert labels.dtype == torch.int64
    assert labels[:-2].reshape(6, part).eq(labels[: 6 * part : part, None]).all()
    assert sorted(labels[[*range(0, 6 * part, part), -2, -1]].tolist()) == list(range(8))


def test_no_faces_have_no_edges_and_every_vertex_is_a_component():
    none = torch.zeros(0, 3, dtype=torch.int64)
    assert unique_edges(none).shape == (0, 2)
    assert edge_faces(edge_topology(none)).shape == (0, 2)
    assert connected_components(none, 3).tolist() == [0, 1, 2]


def test_the_largest_piece_is_kept_and_renumbered() -> None:
    square = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]])
    triangle = square[:3] + 5.0
    vertices = torch.cat([triangle, square])
    faces = torch.tensor([[0, 1, 2], [3, 4, 5], [3, 5, 6]])
    kept, kept_faces = largest_piece(vertices, faces)
    assert torch.equal(kept, square)
    assert kept_faces.tolist() == [[0, 1, 2], [0, 2, 3]]

"""Finer meshes stay closed, symmetric, and where they were."""

import numpy as np
import torch
import trimesh
from farm3d.synth.procedural.refinement import mirror_vertices, split_edges, symmetric_faces

FLIP = torch.tensor([-1.0, 1.0, 1.0])


def sphere() -> tuple[torch.Tensor, torch.Tensor]:
    """A sphere whose vertices are symmetric in x, triangles spanning the midline among its faces."""
    ball = trimesh.creation.icosphere(subdivisions=2)
    vertices = torch.tensor(np.array(ball.vertices)).float()
    half = vertices[vertices[:, 0] > 0.05]
    cloud = torch.cat([half, half * FLIP])
    hull = trimesh.convex.convex_hull(cloud.numpy())
    return torch.tensor(np.array(hull.vertices)).float(), torch.tensor(np.array(hull.faces))


def is_closed(faces: torch.Tensor) -> bool:
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    directed = {tuple(edge) for edge in edges.tolist()}
    return len(directed) == len(edges) and all((b, a) in directed for a, b in directed)


def volume(vertices: torch.Tensor, faces: torch.Tensor) -> float:
    corners = vertices[faces].double()
    return float((torch.linalg.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() / 6)


def test_the_right_half_is_the_left_one_s_mirror_image():
    vertices, faces = sphere()
    symmetric = symmetric_faces(vertices, faces)
    assert is_closed(symmetric)
    assert len(symmetric) == len(faces)
    mirror = mirror_vertices(vertices)
    one_sided = symmetric[(vertices[symmetric, 0] * vertices[symmetric, 0].roll(1, 1) > 0).all(dim=1)]
    images = {frozenset(face) for face in mirror[one_sided].tolist()}
    assert images == {frozenset(face) for face in one_sided.tolist()}


def test_split_edges_keep_the_mesh_closed_symmetric_and_in_place():
    vertices, faces = sphere()
    faces = symmetric_faces(vertices, faces)
    fine = vertices[:, 1] > 0.2
    finer, more = split_edges(vertices, faces, fine)
    assert is_closed(more)
    assert len(more) > len(faces) and len(finer) > len(vertices)
    assert torch.equal(finer[: len(vertices)], vertices)
    assert abs(volume(finer, more) - volume(vertices, faces)) < 1e-5
    assert len(finer) - 3 * len(more) // 2 + len(more) == 2
    image = finer[mirror_vertices(finer)] * FLIP
    torch.testing.assert_close(image, finer, atol=1e-6, rtol=0)


def test_without_fine_vertices_nothing_changes():
    vertices, faces = sphere()
    same, as_before = split_edges(vertices, faces, torch.zeros(len(vertices), dtype=torch.bool))
    assert torch.equal(same, vertices)
    assert {tuple(face) for face in as_before.tolist()} == {tuple(face) for face in faces.tolist()}

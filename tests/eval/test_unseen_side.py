"""What a camera sees of a surface, and distances of the rest, on spheres."""

import math

import numpy as np
import pytest
import torch
import trimesh
from farm3d.eval.chamfer.protocol import random_stream
from farm3d.eval.chamfer.sampling import sample_evenly
from farm3d.eval.unseen_side import divide_surface, seen_faces, unseen_side_distance

from farm3d.geometry.camera import CAMERA_DISTANCE, Camera, camera_from_rotation
from farm3d.geometry.mesh import Mesh

RANDOM = random_stream(0, "sphere")
CAMERA: Camera = camera_from_rotation(torch.eye(3), torch.zeros(3))


def sphere(radius: float = 1.0, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Mesh:
    made = trimesh.creation.icosphere(subdivisions=4, radius=radius)
    vertices = torch.tensor(np.asarray(made.vertices + centre), dtype=torch.float32)
    return Mesh(vertices, torch.tensor(np.asarray(made.faces)))


def cloud(mesh: Mesh, count: int = 8000) -> np.ndarray:
    return sample_evenly(mesh.vertices.double()[mesh.faces].numpy(), count, RANDOM("reconstruction"))


def test_a_camera_sees_the_cap_of_a_sphere() -> None:
    """From the distance d a sphere of radius r shows what lies beyond r^2 / d towards the camera."""
    mesh = sphere()
    towards = mesh.vertices[mesh.faces].mean(dim=1)[:, 2]
    edge = 1.0 / CAMERA_DISTANCE
    seen = seen_faces(mesh, CAMERA)
    assert seen[towards > edge + 0.03].all()
    assert not seen[towards < edge - 0.03].any()


def test_what_lies_behind_something_else_is_not_seen() -> None:
    front, back = sphere(0.5, (0.0, 0.0, 1.0)), sphere(0.4, (0.0, 0.0, -1.0))
    both = Mesh(
        torch.cat([front.vertices, back.vertices]),
        torch.cat([front.faces, back.faces + len(front.vertices)]),
    )
    seen = seen_faces(both, CAMERA)
    assert seen[: len(front.faces)].float().mean() == pytest.approx(0.5, abs=0.05)
    assert not seen[len(front.faces) :].any()


def test_points_are_divided_by_area() -> None:
    divided = divide_surface(sphere(), CAMERA, points=4000, random=RANDOM)
    share = len(divided.seen.points) / (len(divided.seen.points) + len(divided.unseen.points))
    assert share == pytest.approx((1.0 - 1.0 / CAMERA_DISTANCE) / 2.0, abs=0.02)


def test_the_distance_looks_at_the_unseen_side_alone() -> None:
    divided = divide_surface(sphere(), CAMERA, points=16_000, random=RANDOM)
    exact, larger = cloud(sphere(), 16_000), cloud(sphere(1.1), 16_000)
    floor = unseen_side_distance(exact, divided)
    assert floor < 0.02
    assert unseen_side_distance(larger, divided) == pytest.approx(0.1, abs=0.01)
    wrong_behind, wrong_before = (
        np.concatenate([exact[keep], larger[~keep_larger]])
        for keep, keep_larger in (
            (exact[:, 2] > 0.0, larger[:, 2] > 0.0),
            (exact[:, 2] < 0.0, larger[:, 2] < 0.0),
        )
    )
    assert unseen_side_distance(wrong_behind, divided) == pytest.approx(0.1, abs=0.02)
    assert unseen_side_distance(wrong_before, divided) < floor + 0.01


def test_a_reconstruction_with_nothing_behind_is_as_far_as_its_edge() -> None:
    """Of a half sphere the rim is nearest to the other half: mean chord from the equator, both ways alike."""
    divided = divide_surface(sphere(), CAMERA, points=8000, random=RANDOM)
    front = cloud(sphere())
    front = front[front[:, 2] > 0.3]
    angles = np.arccos(divided.unseen.points[:, 2]) - math.acos(0.3)
    assert unseen_side_distance(front, divided) == pytest.approx((2 * np.sin(angles / 2)).mean(), abs=0.02)

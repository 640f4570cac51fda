"""The category's signed distance: mirror-symmetric, negative inside, its start has a head."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farm3d.fields.sdf_field import (
    ELLIPSOID_RADIUS,
    NECK_CENTRE,
    QUADRUPED,
    InitialShape,
    SDFField,
    initial_sdf,
)
from farm3d.geometry.skeleton_estimation import lost_legs
from farm3d.geometry.tetrahedral_grid import tetrahedral_grid
from farm3d.ops.marching_tetrahedra import marching_tetrahedra
from farm3d.ops.mesh_topology import connected_components, edge_topology, face_normals

coordinate = st.floats(-3.5, 3.5, width=32)
points_of_the_cube = st.lists(st.tuples(coordinate, coordinate, coordinate), min_size=1, max_size=20)


both_starts = pytest.mark.parametrize("shape", ["ellipsoid", "quadruped"])


def field(shape: InitialShape = "ellipsoid") -> SDFField:
    torch.manual_seed(3)
    return SDFField(width=32, layers=3, harmonics=6, initial_shape=shape)


def initial_surface(shape: InitialShape = "ellipsoid") -> tuple[torch.Tensor, torch.Tensor]:
    grid = tetrahedral_grid(64)
    return marching_tetrahedra(grid.vertices, grid.tets, initial_sdf(grid.vertices, shape))


@settings(max_examples=50, deadline=None)
@given(points_of_the_cube)
def test_mirrored_points_have_the_same_distance(points: list[tuple[float, float, float]]) -> None:
    places = torch.tensor(points)
    mirrored = places * torch.tensor([-1.0, 1.0, 1.0])
    with torch.no_grad():
        assert torch.equal(field()(places), field()(mirrored))
        assert torch.equal(field("quadruped")(places), field("quadruped")(mirrored))


def test_the_start_is_negative_inside_and_positive_outside() -> None:
    inside = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.9], list(NECK_CENTRE)])
    outside = torch.tensor([[1.2, 0.0, 0.0], [0.0, 0.0, -2.2], [0.0, -1.2, 0.0], [3.0, 3.0, 3.0]])
    assert (initial_sdf(inside) < 0).all()
    assert (initial_sdf(outside) > 0).all()


def test_far_from_the_neck_the_start_is_the_ellipsoid() -> None:
    points = torch.tensor([[ELLIPSOID_RADIUS, 0.0, 0.0], [0.0, 0.0, -2.0 * ELLIPSOID_RADIUS]])
    torch.testing.assert_close(initial_sdf(points), torch.zeros(2), rtol=0.0, atol=1e-6)


def test_the_starts_neck_rises_at_the_heads_end() -> None:
    vertices, _ = initial_surface()
    highest = vertices[vertices[:, 1].argmax()]
    assert highest[1] > ELLIPSOID_RADIUS + 0.1
    assert abs(float(highest[2]) - NECK_CENTRE[2]) < 0.2
    rear = vertices[vertices[:, 2] < -1.0]
    front = vertices[vertices[:, 2] > 1.0]
    assert front[:, 1].max() > rear[:, 1].max() + 0.3


def test_the_quadruped_stands_on_four_separate_legs() -> None:
    vertices, faces = initial_surface("quadruped")
    assert lost_legs(vertices) == ()
    _, (_, sole, _), radius = QUADRUPED[2]
    assert abs(float(vertices[:, 1].min()) - (sole - radius)) < 0.05
    low = (vertices[:, 1] < sole + 0.4)[faces].all(dim=1)
    feet = connected_components(faces[low], len(vertices))[faces[low]].unique()
    assert len(feet) == 4


@both_starts
def test_the_starts_surface_is_one_watertight_piece_that_faces_outwards(shape: InitialShape) -> None:
    vertices, faces = initial_surface(shape)
    topology = edge_topology(faces)
    assert (topology.side_offsets.diff() == 2).all()
    forward = topology.side_forward.view(-1, 2)
    assert (forward[:, 0] != forward[:, 1]).all()
    assert connected_components(faces, len(vertices)).max() == 0
    corners = vertices[faces]
    volume = (corners[:, 0] * face_normals(vertices, faces)).sum() / 6.0
    ellipsoid = 4.0 / 3.0 * torch.pi * ELLIPSOID_RADIUS**3 * 2.0
    (_, _, back), (_, _, front), radius = QUADRUPED[0]
    trunk = torch.pi * radius**2 * (front - back + 4.0 / 3.0 * radius)
    alone, others = {"ellipsoid": (ellipsoid, 0.1), "quadruped": (trunk, 0.6)}[shape]
    assert alone < volume < (1.0 + others) * alone


@both_starts
def test_before_training_the_field_is_near_its_start(shape: InitialShape) -> None:
    points = torch.rand(500, 3, generator=torch.Generator().manual_seed(0)) * 7.0 - 3.5
    with torch.no_grad():
        assert (field(shape)(points) - initial_sdf(points, shape)).abs().max() < 0.5

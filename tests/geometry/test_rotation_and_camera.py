"""Rotations, cameras and viewpoints are what docs/conventions.md says."""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from farm3d.geometry.camera import (
    FIELD_OF_VIEW,
    Camera,
    camera_from_rotation,
    orbit,
    project_to_clip,
    project_to_ndc,
    to_camera,
    with_field_of_view,
)
from farm3d.geometry.rotation import (
    axis_rotation,
    euler_xyz_rotation,
    geodesic_angle,
    rigid_inverse,
    rigid_transform,
)
from farm3d.geometry.viewpoint import azimuth_elevation, view_word, viewpoint_rotation

angles = st.floats(-3.0, 3.0)


@given(angles, angles, angles)
def test_euler_angles_are_scipys_intrinsic_xyz(a: float, b: float, c: float) -> None:
    ours = euler_xyz_rotation(torch.tensor([a, b, c], dtype=torch.float64))
    theirs = torch.from_numpy(Rotation.from_euler("XYZ", [a, b, c]).as_matrix())
    assert torch.allclose(ours, theirs, atol=1e-12)


@given(angles, angles)
def test_geodesic_angle_of_a_turn_is_its_angle(start: float, turn: float) -> None:
    first = axis_rotation(1, torch.tensor(start, dtype=torch.float64))
    second = axis_rotation(1, torch.tensor(start + turn, dtype=torch.float64))
    assert math.isclose(float(geodesic_angle(first, second)), abs(turn), abs_tol=1e-6)


def test_rigid_inverse_undoes_the_transform() -> None:
    rotation = euler_xyz_rotation(torch.randn(5, 3, dtype=torch.float64))
    transform = rigid_transform(rotation, torch.randn(5, 3, dtype=torch.float64))
    identity = torch.eye(4, dtype=torch.float64).expand(5, 4, 4)
    assert torch.allclose(rigid_inverse(transform) @ transform, identity, atol=1e-12)


def test_a_point_one_unit_up_lands_where_the_convention_says() -> None:
    camera = camera_from_rotation(torch.eye(3), torch.zeros(3))
    ndc = project_to_ndc(camera, torch.tensor([[0.0, 1.0, 0.0]]))
    assert torch.allclose(ndc, torch.tensor([[0.0, -0.45107]]), atol=1e-4)


def test_half_the_view_is_2_2169_units_at_the_origin() -> None:
    camera = camera_from_rotation(torch.eye(3), torch.zeros(3))
    ndc = project_to_ndc(camera, torch.tensor([[2.2169, 0.0, 0.0]]))
    assert torch.allclose(ndc, torch.tensor([[1.0, 0.0]]), atol=1e-4)


def test_clip_depth_grows_with_distance() -> None:
    camera = camera_from_rotation(torch.eye(3), torch.zeros(3))
    near, far = project_to_clip(camera, torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]))
    assert near[2] / near[3] < far[2] / far[3]


def test_the_head_faces_the_camera_at_azimuth_zero_and_right_at_ninety_degrees() -> None:
    head = torch.tensor([0.0, 0.0, 1.0])
    zero = torch.zeros(())
    assert torch.allclose(viewpoint_rotation(zero, zero) @ head, head)
    right = viewpoint_rotation(torch.tensor(math.pi / 2), zero) @ head
    assert torch.allclose(right, torch.tensor([1.0, 0.0, 0.0]), atol=1e-6)


def test_a_raised_camera_sees_the_back() -> None:
    up = viewpoint_rotation(torch.zeros(()), torch.tensor(0.5)) @ torch.tensor([0.0, 1.0, 0.0])
    assert up[2] > 0


@given(angles, st.floats(-1.2, 1.2))
def test_azimuth_and_elevation_are_read_back(azimuth: float, elevation: float) -> None:
    given_angles = torch.tensor([azimuth, elevation], dtype=torch.float64)
    read = azimuth_elevation(viewpoint_rotation(*given_angles))
    assert torch.allclose(torch.stack(read), given_angles, atol=1e-9)


@given(angles, angles)
def test_orbiting_turns_the_object_about_its_own_axis(azimuth: float, turn: float) -> None:
    rotation = viewpoint_rotation(torch.tensor(azimuth), torch.tensor(0.2))
    camera = camera_from_rotation(rotation, torch.tensor([0.1, 0.2, 0.3]))
    points = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    turned_points = points @ axis_rotation(1, torch.tensor(turn)).T
    assert torch.allclose(to_camera(orbit(camera, turn), points), to_camera(camera, turned_points), atol=1e-5)


def test_moving_world_and_camera_together_changes_nothing() -> None:
    motion = rigid_transform(euler_xyz_rotation(torch.randn(3)), torch.randn(3))
    camera = camera_from_rotation(euler_xyz_rotation(torch.randn(3)), torch.randn(3))
    points = torch.randn(9, 3)
    moved = points @ motion[:3, :3].T + motion[:3, 3]
    carried = Camera(camera.world_to_camera @ rigid_inverse(motion))
    assert torch.allclose(project_to_ndc(carried, moved), project_to_ndc(camera, points), atol=1e-4)


def test_view_words() -> None:
    words = {0.0: "front", math.pi / 2: "side", -math.pi / 2: "side", math.pi: "back", 2 * math.pi: "front"}
    assert {azimuth: view_word(azimuth, 0.0) for azimuth in words} == words
    assert view_word(0.0, 1.3) == "overhead"


@settings(deadline=None)
@given(st.floats(0.2, 0.9), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_another_field_of_view_keeps_the_place_and_the_size_of_what_is_at_the_origins_depth(angle, x, y):
    matrix = rigid_transform(
        viewpoint_rotation(torch.tensor(0.7), torch.tensor(0.2)), torch.tensor([x, y, -9.0])
    )
    before = Camera(matrix, angle)
    after = with_field_of_view(before)
    assert after.field_of_view == FIELD_OF_VIEW
    torch.testing.assert_close(after.world_to_camera[:3, :3], matrix[:3, :3])
    # Points of the plane through the origin that faces the camera.
    flat = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, -0.7, 0.0]]) @ matrix[:3, :3]
    torch.testing.assert_close(
        project_to_ndc(after, flat), project_to_ndc(before, flat), rtol=1e-4, atol=1e-5
    )


def test_each_view_of_a_batch_may_have_its_own_field_of_view():
    matrices = torch.stack([rigid_transform(torch.eye(3), torch.tensor([0.1, 0.2, -z])) for z in (6.0, 12.0)])
    points = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    together = project_to_clip(Camera(matrices, torch.tensor([0.3, 0.8])), points)
    for k, angle in enumerate((0.3, 0.8)):
        torch.testing.assert_close(together[k], project_to_clip(Camera(matrices[k], angle), points))

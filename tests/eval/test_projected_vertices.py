"""Where vertices are in the image, and which of them count as seen."""

import math

import torch
from farm3d.eval.projected_vertices import project_mesh, visible_vertices

from farm3d.geometry.camera import CAMERA_DISTANCE, Camera, camera_from_rotation
from farm3d.geometry.mesh import Mesh

HALF_VIEW = CAMERA_DISTANCE * math.tan(math.radians(12.5))


def camera(box: tuple[float, float, float, float] = (0.0, 0.0, 64.0, 64.0)) -> Camera:
    straight = camera_from_rotation(torch.eye(3), torch.zeros(3))
    return Camera(straight.world_to_camera, crop_box=box)


def square(half: float, z: float) -> list[list[float]]:
    return [[-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]]


def squares(*layers: tuple[float, float]) -> Mesh:
    """Squares of half side and depth z facing the camera, two triangles each."""
    vertices = [corner for half, z in layers for corner in square(half, z)]
    faces = [[4 * k + i for i in triangle] for k in range(len(layers)) for triangle in ((0, 1, 2), (0, 2, 3))]
    return Mesh(torch.tensor(vertices), torch.tensor(faces))


def test_what_stands_behind_is_hidden() -> None:
    assert visible_vertices(squares((1.0, 1.0), (0.5, 0.0)), camera()).tolist() == [True] * 4 + [False] * 4


def test_what_looks_out_from_behind_is_seen() -> None:
    assert visible_vertices(squares((0.5, 1.0), (1.0, 0.0)), camera()).all()


def test_a_covered_vertex_is_seen_with_a_face_that_wins_a_pixel() -> None:
    """The back triangle's left corners are covered; its right corner sticks out, so all three count."""
    mesh = squares((1.0, 1.0))
    back = torch.tensor([[-0.5, 0.0, 0.0], [-0.5, 0.5, 0.0], [2.0, 0.2, 0.0]])
    both = Mesh(torch.cat([mesh.vertices, back]), torch.cat([mesh.faces, torch.tensor([[4, 6, 5]])]))
    assert visible_vertices(both, camera()).all()


def test_a_face_smaller_than_a_pixel_may_win_none() -> None:
    """Pixels of the 256 x 256 drawing are 0.017 units wide; their corners meet at the origin."""
    tiny, large = squares((0.002, 0.0)), squares((0.05, 0.0))
    assert not visible_vertices(tiny, camera()).any()
    assert visible_vertices(large, camera()).all()


def test_outside_the_view_nothing_is_seen() -> None:
    mesh = squares((0.5, 0.0))
    moved = Mesh(mesh.vertices + torch.tensor([4.0, 0.0, 0.0]), mesh.faces)
    assert not visible_vertices(moved, camera()).any()


def test_positions_are_pixels_of_the_image_that_the_crop_was_cut_from() -> None:
    """The view's centre is the crop's; its right border is x + width; up in the world is up in the image."""
    mesh = Mesh(
        torch.tensor([[0.0, 0.0, 0.0], [HALF_VIEW, 0.0, 0.0], [0.0, HALF_VIEW, 0.0]]),
        torch.tensor([[0, 1, 2]]),
    )
    places = project_mesh(mesh, camera((30.0, -10.0, 100.0, 100.0))).positions
    torch.testing.assert_close(
        torch.from_numpy(places),
        torch.tensor([[80.0, 40.0], [130.0, 40.0], [80.0, -10.0]], dtype=torch.float64),
        rtol=0.0,
        atol=1e-3,
    )

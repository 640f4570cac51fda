"""What a rasteriser must do whatever its code: coverage, perspective, clipping, invariances."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farm3d.geometry.camera import Camera, project_to_clip
from farm3d.geometry.rotation import rigid_transform
from farm3d.ops.rasterize import antialias, interpolate, rasterize

from .raster_scenes import animal, camera, flat, pixel_grid, random_scene, sphere, view


def covered_times(clip, faces, resolution):
    """How many triangles cover each pixel, each drawn on its own."""
    alone = [rasterize(clip, face[None], resolution)[..., 3] > 0 for face in faces]
    return torch.stack(alone).sum(dim=0)[0]


def test_edges_and_vertices_on_pixel_centres_are_covered_exactly_once():
    scene = pixel_grid()
    times = covered_times(scene.clip_positions, scene.faces, scene.resolution)
    # The grid spans the pixel centres 2 to 14; moved right and down, the sample on its end lies outside.
    expected = torch.zeros(16, 16, dtype=times.dtype)
    expected[2:14, 2:14] = 1
    assert torch.equal(times, expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.integers(-28, 28)] * 2), min_size=1, max_size=6, unique=True), st.booleans())
def test_a_tiling_covers_every_pixel_exactly_once(inner, perspective):
    """A square of the whole image cut at inner points: no cracks and no double cover, any winding."""
    corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
    points = [(x / 32, y / 32) for x, y in inner]
    faces = [(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)]
    for index, point in enumerate(points[1:], start=5):
        faces = split(faces, [*corners, *points], index, point)
    clip = flat([*corners, *points])
    if perspective:
        clip = clip * (1.0 + torch.arange(clip.shape[1]) % 3)[:, None]
    assert (covered_times(clip, torch.tensor(faces), (16, 16)) == 1).all()


def split(faces, points, index, point):
    """Cut the triangle that holds `point` (the first one, if on an edge: then no cut) into three."""
    for number, (a, b, c) in enumerate(faces):
        turns = [cross(points[i], points[j], point) for i, j in ((a, b), (b, c), (c, a))]
        if min(turns) > 0 or max(turns) < 0:
            return [*faces[:number], (a, b, index), (index, c, b), (c, a, index), *faces[number + 1 :]]
    return faces


def cross(first, second, third):
    return (second[0] - first[0]) * (third[1] - first[1]) - (second[1] - first[1]) * (third[0] - first[0])


def test_interpolating_a_constant_gives_exactly_the_constant():
    vertices, faces = animal(2)
    drawn = rasterize(view(vertices, [0.3, 1.0]), faces, (50, 64))
    image = interpolate(torch.full((1, len(vertices), 2), 0.3), drawn, faces)
    covered = drawn[..., 3] > 0
    assert covered.any() and not covered.all()
    assert (image[covered] == torch.tensor(0.3)).all() and (image[~covered] == 0).all()


def test_one_triangle_barycentrics_depth_and_index():
    clip = flat([(-1.0, -1.0, 0.5), (1.0, -1.0, -0.5), (-1.0, 1.0, 0.0)])
    drawn = rasterize(clip, torch.tensor([[0, 1, 2]]), (4, 4))
    # The centre of the pixel in row 1, column 0 is (-0.75, -0.25): v = 1/8, t = 3/8, u = 1/2.
    assert drawn[0, 1, 0].tolist() == [0.5, 0.125, 0.5 * 0.5 - 0.125 * 0.5, 1.0]
    assert drawn[0, 3, 3].tolist() == [0.0, 0.0, 0.0, 0.0]


def test_attributes_are_perspective_correct_and_clipped_at_the_camera():
    """A floor that runs from behind the camera to the horizon shows the points that pixel rays meet."""
    height, focal = 1.5, 2.0
    points = torch.tensor(
        [[-50.0, height, -4.0], [50.0, height, -4.0], [50.0, height, 60.0], [-50.0, height, 60.0]]
    )
    # A camera that looks along +z with y down: x, y scaled by the focal length, near 0.5, far 100.
    near, far = 0.5, 100.0
    z = (points[:, 2] * (far + near) - 2 * far * near) / (far - near)
    clip = torch.stack([focal * points[:, 0], focal * points[:, 1], z, points[:, 2]], dim=1)[None]
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    drawn = rasterize(clip, faces, (32, 24))
    seen = interpolate(points[None], drawn, faces)[0]
    y, x = torch.meshgrid((torch.arange(32) + 0.5) / 16 - 1, (torch.arange(24) + 0.5) / 12 - 1, indexing="ij")
    distance = height * focal / y
    visible = (y > 0) & (distance > near) & (distance < 60) & (distance * x.abs() / focal < 50)
    assert torch.equal(drawn[0, ..., 3] > 0, visible)
    expected = torch.stack([x * distance / focal, torch.full_like(x, height), distance], dim=-1)
    assert torch.allclose(seen[visible], expected[visible], rtol=1e-4)


def test_the_nearer_surface_wins_and_the_lower_index_at_equal_depth():
    square = [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9)]
    clip = flat([(*p, 0.25) for p in square] + [(*p, -0.25) for p in square] + [(*p, -0.25) for p in square])
    faces = torch.arange(9).reshape(3, 3)
    drawn = rasterize(clip, faces, (12, 12))
    assert set(drawn[..., 3].unique().tolist()) == {0.0, 2.0}
    assert set(rasterize(clip, faces.flip(0), (12, 12))[..., 3].unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("zeros", [(0.0, -0.0), (-0.0, 0.0)])
def test_depths_of_zero_are_equal_whatever_their_sign(zeros):
    corners = [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9)]
    clip = flat([(*corner, zero) for zero in zeros for corner in corners])
    drawn = rasterize(clip, torch.arange(6).reshape(2, 3), (12, 12))
    assert set(drawn[..., 3].unique().tolist()) == {0.0, 1.0}


def test_culling_removes_exactly_the_triangles_that_face_away():
    vertices, faces = sphere(2)
    clip = view(vertices, [0.7])
    outside = rasterize(clip, faces, (40, 40))
    assert torch.equal(rasterize(clip, faces, (40, 40), cull_back_faces=True), outside)
    inside = rasterize(clip, faces, (40, 40), cull_back_faces=True)[..., 2]
    turned = rasterize(clip, faces.flip(1), (40, 40), cull_back_faces=True)[..., 2]
    assert (turned[outside[..., 3] > 0] > inside[outside[..., 3] > 0]).all()


@pytest.mark.parametrize("seed", range(3))
def test_rotating_world_and_camera_together_leaves_the_image_unchanged(seed):
    generator = torch.Generator().manual_seed(seed)
    rotation, _ = torch.linalg.qr(torch.randn(3, 3, generator=generator))
    rotation = rotation * torch.linalg.det(rotation)
    vertices, faces = animal(2)
    fixed = camera([0.8])
    turned = Camera(fixed.world_to_camera @ rigid_transform(rotation.T, torch.zeros(3)))
    images = []
    for view_of, points in ((fixed, vertices), (turned, vertices @ rotation.T)):
        clip = project_to_clip(view_of, points[None])
        drawn = rasterize(clip, faces, (64, 64))
        colors = interpolate(vertices[None] * 0.3 + 0.5, drawn, faces)
        images.append(antialias(colors, drawn, clip, faces))
    # Rounding may hand a pixel on an edge to the neighbouring triangle.
    assert ((images[0] - images[1]).abs().amax(dim=-1) > 1e-3).float().mean() < 2e-3


def test_shifting_the_scene_by_a_pixel_shifts_the_image_by_a_pixel():
    scene = pixel_grid()
    shifted = scene.clip_positions + torch.tensor([2 / 16, 0.0, 0.0, 0.0])
    image, moved = (rasterize(clip, scene.faces, (16, 16)) for clip in (scene.clip_positions, shifted))
    assert torch.equal(moved[:, :, 1:], image[:, :, :-1])


def test_row_zero_lies_at_ndc_y_minus_one():
    drawn = rasterize(flat([(-1.0, -1.0), (1.0, -1.0), (-1.0, -0.1)]), torch.tensor([[0, 1, 2]]), (10, 10))
    assert (drawn[0, ..., 3] > 0).any(dim=1).tolist() == [True] * 4 + [False] * 6


@pytest.mark.parametrize("seed", range(4))
def test_antialiasing_stays_within_the_range_of_the_colors_and_keeps_flat_images(seed):
    scene = random_scene(seed, behind_camera=seed % 2 == 1)
    drawn = rasterize(scene.clip_positions, scene.faces, scene.resolution)
    colors = torch.rand(*drawn.shape[:3], 3, generator=torch.Generator().manual_seed(seed))
    image = antialias(colors, drawn, scene.clip_positions, scene.faces)
    assert not torch.equal(image, colors)
    assert image.min() >= colors.min() - 1e-6 and image.max() <= colors.max() + 1e-6
    constant = torch.full_like(colors, 0.7)
    assert torch.equal(antialias(constant, drawn, scene.clip_positions, scene.faces), constant)


@pytest.mark.parametrize("shift", [-0.4, -0.1, 0.0, 0.2, 0.49])
def test_an_upright_edge_blends_by_exact_coverage(shift):
    """A rectangle whose right side lies `shift` pixels past the border between columns 4 and 5."""
    right = (5 + shift) / 4 - 1
    clip = flat([(-0.75, -0.75), (right, -0.75), (right, 0.75), (-0.75, 0.75)])
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    drawn = rasterize(clip, faces, (8, 8))
    image = antialias((drawn[..., 3:] > 0).float(), drawn, clip, faces)[0, ..., 0]
    expected = torch.zeros(8)
    expected[1:5] = 1.0
    expected[4] += min(shift, 0.0)
    expected[5] += max(shift, 0.0)
    assert torch.allclose(image[1:7], expected.expand(6, 8), atol=1e-6)
    assert (image[[0, 7]] == 0).all()


def test_inner_edges_of_a_closed_surface_are_not_blended():
    """Random colours per pixel make any blending visible: only pixels at the outline may change."""
    vertices, faces = sphere(2)
    clip = view(vertices, [0.1])
    drawn = rasterize(clip, faces, (48, 48))
    colors = torch.rand(1, 48, 48, 3)
    changed = (antialias(colors, drawn, clip, faces) != colors).any(dim=-1)[0]
    covered = (drawn[0, ..., 3] > 0).float()[None, None]
    eroded = -torch.nn.functional.max_pool2d(-covered, 3, 1, 1)[0, 0]
    assert changed.any() and not changed[eroded > 0].any()
    assert math.isclose(float(changed.sum()), float((covered.sum() * 4 * math.pi) ** 0.5), rel_tol=0.5)

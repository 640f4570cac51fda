"""A sphere looks as geometry says, and its silhouette's gradient is the derivative of its area."""

import math

import pytest
import torch
import trimesh

from farm3d.geometry.camera import CAMERA_DISTANCE, FIELD_OF_VIEW, Camera, camera_from_rotation
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.viewpoint import viewpoint_rotation
from farm3d.ops.mesh_topology import edge_topology
from farm3d.render.mesh_renderer import (
    render_geometry,
    render_mask,
    render_silhouette,
    render_surface,
    surface_features,
)
from farm3d.types import DirectionalLight, RenderBuffers

SIZE = 96
CENTRE = SIZE // 2


def sphere(radius: float) -> Mesh:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=radius)
    vertices = torch.tensor(ball.vertices.copy(), dtype=torch.float32)
    return Mesh(vertices[None], torch.tensor(ball.faces.copy(), dtype=torch.long))


def camera(azimuth: float = 0.0, elevation: float = 0.0) -> Camera:
    rotation = viewpoint_rotation(torch.tensor([azimuth]), torch.tensor([elevation]))
    return camera_from_rotation(rotation, torch.zeros(1, 3))


def disc_area(radius: float) -> float:
    """Pixels that a sphere covers: its silhouette is the cone of half angle asin(r / distance)."""
    seen = math.tan(math.asin(radius / CAMERA_DISTANCE)) / math.tan(FIELD_OF_VIEW / 2.0)
    return math.pi * (seen * SIZE / 2.0) ** 2


def white(points: torch.Tensor, image_index: torch.Tensor) -> torch.Tensor:
    return torch.ones_like(points)


def rendered(mesh: Mesh, view: Camera) -> RenderBuffers:
    frontal = DirectionalLight(torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([0.1]), torch.tensor([0.8]))
    return render_surface(mesh, view, SIZE, rest_positions=mesh.vertices[0], albedo_fn=white, light=frontal)


def geometry(mesh: Mesh, view: Camera) -> RenderBuffers:
    return render_geometry(mesh, view, SIZE, rest_positions=mesh.vertices[0])


@pytest.mark.parametrize("radius", [0.5, 1.0, 1.6])
def test_a_spheres_mask_has_the_analytic_area(radius: float) -> None:
    assert float(render_mask(sphere(radius), camera(), SIZE).sum()) == pytest.approx(
        disc_area(radius), rel=0.01
    )


def test_the_mask_is_the_surfaces_mask() -> None:
    ball = sphere(1.2)
    mask = render_mask(ball, camera(), SIZE)
    torch.testing.assert_close(mask, rendered(ball, camera()).mask)
    silhouette = render_silhouette(ball, camera(), SIZE)
    assert torch.equal(silhouette.mask, mask)
    assert torch.equal(silhouette.rasterized, rendered(ball, camera()).rasterized)
    torch.testing.assert_close(mask, geometry(ball, camera()).mask)


def test_one_mesh_before_several_cameras_looks_as_a_copy_before_each() -> None:
    ball = sphere(1.2)
    views = camera_from_rotation(
        viewpoint_rotation(torch.tensor([0.0, 0.7, 2.0]), torch.tensor([0.0, 0.2, 0.4])), torch.zeros(3, 3)
    )
    copies = Mesh(ball.vertices.expand(3, -1, -1), ball.faces)
    light = DirectionalLight(
        torch.tensor([[0.6, 0.0, 0.8]] * 3), torch.full((3,), 0.1), torch.full((3,), 0.8)
    )
    one, several = (
        render_surface(
            mesh,
            views,
            SIZE,
            rest_positions=ball.vertices[0],
            albedo_fn=white,
            light=light,
            topology=edge_topology(ball.faces),
        )
        for mesh in (ball, copies)
    )
    assert one.rgb is not None and several.rgb is not None
    torch.testing.assert_close(one.rgb, several.rgb)
    assert not torch.allclose(one.rgb[0], one.rgb[1])


def test_rest_positions_of_an_atlas_are_those_of_the_mesh() -> None:
    """A mesh whose every corner has a rest position of its own shows what the shared vertices show."""
    ball = sphere(1.2)
    corners = ball.vertices[0][ball.faces].flatten(0, 1)

    def coloured(points: torch.Tensor, image_index: torch.Tensor) -> torch.Tensor:
        return (0.5 + 0.3 * points).clamp(0.0, 1.0)

    frontal = DirectionalLight(torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([0.1]), torch.tensor([0.8]))
    shared = render_surface(
        ball, camera(), SIZE, rest_positions=ball.vertices[0], albedo_fn=coloured, light=frontal
    )
    own = render_surface(
        ball,
        camera(),
        SIZE,
        rest_positions=corners,
        albedo_fn=coloured,
        light=frontal,
        rest_faces=torch.arange(len(corners)).reshape(-1, 3),
    )
    assert shared.rgb is not None and own.rgb is not None
    torch.testing.assert_close(own.rgb, shared.rgb)


def test_a_white_sphere_lit_from_the_camera_is_brightest_in_the_middle() -> None:
    rgb = rendered(sphere(1.5), camera()).rgb
    assert rgb is not None
    grey = rgb[0].mean(dim=-1)
    row, column = divmod(int(grey.argmax()), SIZE)
    assert abs(row + 0.5 - CENTRE) <= 3 and abs(column + 0.5 - CENTRE) <= 3
    along = grey[CENTRE, CENTRE : CENTRE + 28 : 4]
    assert (along.diff() < 0).all()
    assert grey[0, 0] == 0.0
    # sRGB of the linear 0.1 + 0.8.
    assert float(grey.max()) == pytest.approx(0.9546, abs=2e-3)


def test_the_middle_shows_the_nearest_point() -> None:
    """At azimuth 90 degrees the head points right and the animal's right side, x < 0, is nearest."""
    radius = 1.5
    buffers = geometry(sphere(radius), camera(azimuth=math.pi / 2))
    assert buffers.depth is not None and buffers.normals is not None and buffers.rest_positions is not None
    middle = (0, slice(CENTRE - 1, CENTRE + 1), slice(CENTRE - 1, CENTRE + 1))
    depth = buffers.depth[middle].mean()
    assert float(depth) == pytest.approx(CAMERA_DISTANCE - radius, abs=0.01)
    nearest = torch.tensor([-radius, 0.0, 0.0])
    torch.testing.assert_close(buffers.rest_positions[middle].mean(dim=(0, 1)), nearest, rtol=0.0, atol=0.02)
    towards = torch.tensor([0.0, 0.0, 1.0])
    torch.testing.assert_close(buffers.normals[middle].mean(dim=(0, 1)), towards, rtol=0.0, atol=0.02)
    right = buffers.rest_positions[0, CENTRE, CENTRE + 24]
    assert right[2] > 0.5


def test_up_is_up_in_the_image() -> None:
    buffers = geometry(sphere(1.5), camera(elevation=0.3))
    assert buffers.rest_positions is not None
    assert (
        buffers.rest_positions[0, CENTRE - 20, CENTRE, 1] > buffers.rest_positions[0, CENTRE + 20, CENTRE, 1]
    )


def test_a_larger_mask_pulls_the_silhouette_outwards_by_the_areas_derivative() -> None:
    ball = sphere(1.2)
    vertices = ball.vertices.clone().requires_grad_()
    render_mask(Mesh(vertices, ball.faces), camera(), SIZE).sum().backward()
    assert vertices.grad is not None
    outwards = (vertices.grad * ball.vertices).sum(-1)
    step = 1e-3
    expected = (disc_area(1.2 + step) - disc_area(1.2 - step)) / (2 * step) * 1.2
    assert float(outwards.sum()) == pytest.approx(expected, rel=0.1)
    # Only the rim moves the mask: in the camera frame, points near z = radius^2 / distance.
    rim = (ball.vertices[0, :, 2] - 1.2**2 / CAMERA_DISTANCE).abs() < 0.2
    assert (vertices.grad[0, ~rim] == 0.0).all()


def test_colours_reach_the_albedo_and_the_light() -> None:
    ball, level = sphere(1.0), torch.tensor(0.5, requires_grad=True)
    diffuse = torch.tensor([0.7], requires_grad=True)
    light = DirectionalLight(torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([0.1]), diffuse)

    def grey(points: torch.Tensor, image_index: torch.Tensor) -> torch.Tensor:
        return level * torch.ones_like(points)

    buffers = render_surface(
        ball, camera(), SIZE, rest_positions=ball.vertices[0], albedo_fn=grey, light=light
    )
    assert buffers.rgb is not None
    buffers.rgb.sum().backward()
    assert level.grad is not None and level.grad > 0
    assert diffuse.grad is not None and diffuse.grad > 0


def test_features_are_those_of_the_rest_position_that_a_pixel_shows() -> None:
    ball, weights = sphere(1.2), torch.randn(3, 16, generator=torch.Generator().manual_seed(0))
    drawn = geometry(ball, camera(0.4))
    features = surface_features(drawn.rasterized, ball.faces, ball.vertices[0] @ weights)
    assert drawn.rest_positions is not None
    torch.testing.assert_close(features, drawn.rest_positions @ weights, rtol=1e-4, atol=1e-5)
    assert not features[drawn.rasterized[..., 3] == 0].any()


def test_an_animal_outside_the_view_is_an_empty_picture() -> None:
    ball = sphere(0.5)
    buffers = rendered(Mesh(ball.vertices + torch.tensor([50.0, 0.0, 0.0]), ball.faces), camera())
    assert buffers.rgb is not None
    assert float(buffers.mask.abs().sum()) == 0.0
    assert float(buffers.rgb.abs().sum()) == 0.0

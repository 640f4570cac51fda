"""Gradients: exact where the maths is smooth, and those of true coverage at silhouettes."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from farm3d.geometry.camera import project_to_clip
from farm3d.ops.mesh_topology import edge_topology
from farm3d.ops.rasterize import antialias, interpolate, rasterize

from .raster_scenes import adversarial_scenes, animal, camera, random_scene, sphere, view

SMOOTH_SCENES = {
    "random": random_scene(11, behind_camera=False),
    "random behind the camera": random_scene(12, behind_camera=True),
    "floor under the camera": adversarial_scenes()["floor under the camera"],
}


@pytest.mark.parametrize("name", SMOOTH_SCENES)
def test_reference_rasterize_passes_gradcheck(name):
    scene = SMOOTH_SCENES[name]
    clip = scene.clip_positions[:1].double().requires_grad_()

    def draw(positions):
        return rasterize(positions, scene.faces, (7, 9), backend="reference")[..., :3]

    assert (draw(clip) != 0).any()
    assert gradcheck(draw, clip, eps=1e-7, atol=1e-4, rtol=1e-3, fast_mode=True)


def test_reference_interpolate_passes_gradcheck():
    scene = SMOOTH_SCENES["random"]
    drawn = rasterize(scene.clip_positions.double(), scene.faces, (6, 5), backend="reference")
    values = torch.randn(1, scene.clip_positions.shape[1], 2, dtype=torch.double).requires_grad_()

    def draw(attributes, barycentrics):
        rasterized = torch.cat([barycentrics, drawn[..., 2:]], dim=-1)
        return interpolate(attributes, rasterized, scene.faces, backend="reference")

    assert gradcheck(draw, (values, drawn[..., :2].clone().requires_grad_()))


@pytest.mark.parametrize("name", ["random", "random behind the camera"])
def test_reference_antialias_passes_gradcheck(name):
    scene = SMOOTH_SCENES[name]
    clip = scene.clip_positions[:1].double()
    drawn = rasterize(clip, scene.faces, (9, 8), backend="reference")
    colors = torch.rand(1, 9, 8, 2, dtype=torch.double).requires_grad_()

    def blend(image, positions):
        return antialias(image, drawn, positions, scene.faces, backend="reference")

    assert not torch.equal(blend(colors, clip), colors)
    inputs = colors, clip.clone().requires_grad_()
    assert gradcheck(blend, inputs, eps=1e-7, atol=1e-4, rtol=1e-3, fast_mode=True)


def mask(clip, faces, size):
    """Antialiased coverage (images, size, size)."""
    drawn = rasterize(clip, faces, (size, size))
    covered = interpolate(torch.ones(1, clip.shape[1], 1), drawn, faces)
    return antialias(covered, drawn, clip, faces, topology=edge_topology(faces))[..., 0]


def supersampled_mask(clip, faces, size, factor=8):
    """Coverage by counting samples: no gradient, no silhouette edges."""
    samples = (rasterize(clip, faces, (size * factor, size * factor))[..., 3] > 0).double()
    return samples.reshape(len(clip), size, factor, size, factor).mean(dim=(2, 4))


def smooth_displacements(vertices, count):
    """Low-frequency displacement fields over a mesh: (count, vertices, 3)."""
    generator = torch.Generator().manual_seed(5)
    frequencies = torch.randn(count, 3, 3, generator=generator)
    phases = torch.rand(count, 1, 3, generator=generator) * 2 * math.pi
    return torch.sin(vertices @ frequencies + phases)


@pytest.mark.parametrize(("subdivisions", "size"), [(1, 64), (2, 48), (3, 64)])
def test_silhouette_gradients_are_those_of_supersampled_coverage(subdivisions, size):
    """From triangles of many pixels (480 faces) to those smaller than a pixel (7680 faces on 64 x 64)."""
    vertices, faces = animal(subdivisions)
    fields = smooth_displacements(vertices, 24)
    views = camera([0.5, 1.9, 3.6])
    ramp = torch.linspace(-1, 1, size)
    loss_weights = torch.sin(3 * ramp[:, None] + 1) * torch.cos(2 * ramp) + ramp

    def clip_positions(coefficients):
        moved = vertices + torch.einsum("k,kvc->vc", coefficients, fields)
        return project_to_clip(views, moved.expand(3, -1, -1))

    coefficients = torch.zeros(len(fields), requires_grad=True)
    (mask(clip_positions(coefficients), faces, size) * loss_weights).sum().backward()
    step = 0.02
    expected = []
    for direction in torch.eye(len(fields)) * step:
        ahead, behind = (
            (supersampled_mask(clip_positions(sign * direction), faces, size) * loss_weights).sum()
            for sign in (1, -1)
        )
        expected.append(float(ahead - behind) / (2 * step))
    actual, expected = coefficients.grad.double(), torch.tensor(expected).double()
    assert torch.cosine_similarity(actual, expected, dim=0) >= 0.98
    assert 0.9 <= float(actual.norm() / expected.norm()) <= 1.1


def test_sphere_silhouette_has_the_analytic_area_and_growth():
    """A sphere of radius r at distance d projects to a disc of radius r / sqrt(d^2 - r^2) / tan(fov / 2)."""
    vertices, faces = sphere(4)
    size, distance = 96, 10.0
    radius = torch.tensor(1.3, requires_grad=True)
    view_of = camera([0.3])
    covered = mask(project_to_clip(view_of, (vertices * radius)[None]), faces, size).double().sum()
    covered.backward()
    focal = size / 2 / math.tan(view_of.field_of_view / 2)
    beyond = distance**2 - 1.3**2
    assert float(covered.detach()) == pytest.approx(math.pi * focal**2 * 1.3**2 / beyond, rel=3e-3)
    growth = math.pi * focal**2 * 2 * 1.3 * distance**2 / beyond**2
    assert float(radius.grad) == pytest.approx(growth, rel=1e-2)


def test_backward_is_deterministic_and_does_not_depend_on_threads():
    vertices, faces = animal(2)
    gradients = []
    threads = torch.get_num_threads()
    for count in (threads, threads, 1, 3):
        torch.set_num_threads(count)
        clip = view(vertices, [0.4]).requires_grad_()
        values = torch.linspace(0, 1, 3 * len(vertices)).reshape(1, -1, 3).requires_grad_()
        drawn = rasterize(clip, faces, (61, 64))
        image = antialias(interpolate(values, drawn, faces), drawn, clip, faces)
        (image**2).sum().backward()
        gradients.append((clip.grad.numpy().tobytes(), values.grad.numpy().tobytes()))
    torch.set_num_threads(threads)
    assert len(set(gradients)) == 1


def test_second_derivatives_are_refused():
    vertices, faces = sphere(1)
    clip = view(vertices, [0.0]).requires_grad_()
    energy = rasterize(clip, faces, (8, 8)).square().sum()
    (gradient,) = torch.autograd.grad(energy, clip, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        gradient.sum().backward()

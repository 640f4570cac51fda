"""The nvdiffrast adapter keeps the contract as far as nvdiffrast does; needs nvdiffrast and a GPU."""

import pytest
import torch

from farm3d.ops.mesh_topology import edge_topology
from farm3d.ops.rasterize import antialias, interpolate, rasterize
from farm3d.ops.rasterize.backend import _without_nvdiffrast

from .raster_scenes import adversarial_scenes, animal, flat, sphere, view

REASON = _without_nvdiffrast() if torch.cuda.is_available() else "there is no GPU"
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"nvdiffrast's adapter is not run: {REASON}")

GPU = torch.device("cuda")
SNAP = 1 / 16
"""Pixels to which nvdiffrast snaps vertices."""


def both(clip, faces, size, **options):
    """What nvdiffrast and Triton draw."""
    arguments = clip.to(GPU), faces.to(GPU), size
    return [rasterize(*arguments, **options, backend=backend) for backend in ("nvdiffrast", "triton")]


def test_an_image_differs_from_the_contract_only_where_vertices_are_snapped():
    vertices, faces = animal(2)
    ours, theirs = both(view(vertices, [0.4, 2.0]), faces, (240, 201))
    assert ours.shape == theirs.shape
    same = ours[..., 3] == theirs[..., 3]
    assert same.float().mean() > 0.99
    close = (ours - theirs).abs()[same]
    assert close[:, 2].max() < 1e-4
    assert close[:, :2].median() < 1e-4 and close[:, :2].mean() < 0.01


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (17, 2100)])
def test_rows_and_barycentrics_are_the_contracts_at_any_size(size):
    clip = flat([(-1.0, -1.0, -0.5), (3.0, -1.0, 0.5), (-1.0, 3.0, 0.0)])
    ours, theirs = both(clip, torch.tensor([[0, 1, 2]]), size)
    assert torch.equal(ours[..., 3], theirs[..., 3])
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_culling_draws_the_front_faces_of_each_image():
    vertices, faces = sphere(2)
    mixed = torch.where((torch.arange(len(faces)) % 3 == 0)[:, None], faces.flip(1), faces)
    ours, theirs = both(view(vertices, [0.0, 1.0, 2.0]), mixed, (96, 80), cull_back_faces=True)
    assert (ours[..., 3] == theirs[..., 3]).float().mean() > 0.99
    assert int(ours[..., 3].max()) <= len(faces)


@pytest.mark.parametrize("name", ["no faces", "no vertices", "behind the camera"])
def test_what_cannot_be_seen_leaves_an_empty_image_and_no_gradient(name):
    scene = adversarial_scenes()[name]
    clip, faces = scene.clip_positions.to(GPU).requires_grad_(), scene.faces.to(GPU)
    for cull in (False, True):
        drawn = rasterize(clip, faces, scene.resolution, cull_back_faces=cull, backend="nvdiffrast")
        image = interpolate(clip[..., :2], drawn, faces, backend="nvdiffrast")
        image = antialias(image, drawn, clip, faces, backend="nvdiffrast")
        assert (drawn == 0).all() and (image == 0).all()
        (gradient,) = torch.autograd.grad(image.sum() + drawn.sum(), clip)
        assert (gradient == 0).all()


def test_gradients_agree_where_the_images_do():
    vertices, faces = sphere(1)
    values = torch.linspace(-1, 1, 3 * len(vertices), device=GPU).reshape(1, -1, 3)
    ours, theirs = both(view(vertices, [0.3]), faces, (128, 128))
    same = (ours[..., 3:] == theirs[..., 3:]).float()
    gradients = []
    for backend in ("nvdiffrast", "triton"):
        clip = view(vertices, [0.3]).to(GPU).requires_grad_()
        attributes, triangles = values.clone().requires_grad_(), faces.to(GPU)
        drawn = rasterize(clip, triangles, (128, 128), backend=backend)
        image = interpolate(attributes, drawn, triangles, backend=backend)
        ((image.square().sum(-1, keepdim=True) + drawn[..., 2:3]) * same).sum().backward()
        gradients.append((clip.grad, attributes.grad))
    for actual, expected in zip(*gradients, strict=True):
        assert torch.cosine_similarity(actual.flatten(), expected.flatten(), dim=0) > 0.999
        assert 0.99 < float(actual.norm() / expected.norm()) < 1.01


def test_silhouettes_of_triangles_smaller_than_a_pixel_are_blended():
    vertices, faces = sphere(4)
    clip, triangles = view(vertices, [0.0]).to(GPU), faces.to(GPU)
    topology = edge_topology(triangles)
    masks = []
    for backend in ("nvdiffrast", "triton"):
        drawn = rasterize(clip, triangles, (24, 24), backend=backend)
        mask = (drawn[..., 3:] > 0).float()
        masks.append(antialias(mask, drawn, clip, triangles, topology=topology, backend=backend))
    assert (masks[0] - masks[1]).abs().max() < 2 * SNAP

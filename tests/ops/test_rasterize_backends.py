"""Every backend agrees with the reference, in values and in gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farm3d.ops.rasterize import antialias, interpolate, rasterize

from .raster_scenes import Scene, adversarial_scenes, ordinary_scenes, random_scene

SCENES = adversarial_scenes() | ordinary_scenes()


def weights(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def assert_close(actual, expected, relative=1e-5):
    scale = max(1.0, float(expected.abs().amax())) if expected.numel() else 1.0
    assert torch.equal(actual.isfinite(), expected.isfinite())
    assert (actual - expected).nan_to_num().abs().le(relative * scale).all()


@pytest.mark.parametrize("cull", [False, True])
@pytest.mark.parametrize("name", SCENES)
def test_rasterize_equals_the_reference(name, cull):
    scene = SCENES[name]
    results, gradients = [], []
    for backend in ("numba", "reference"):
        clip = scene.clip_positions.clone().requires_grad_()
        drawn = rasterize(clip, scene.faces, scene.resolution, cull_back_faces=cull, backend=backend)
        (drawn[..., :3] * weights((*drawn.shape[:3], 3), 1)).sum().backward()
        results.append(drawn.detach())
        gradients.append(clip.grad)
    assert torch.equal(results[0][..., 3], results[1][..., 3])
    assert_close(results[0], results[1])
    assert_close(gradients[0], gradients[1])


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("name", SCENES)
def test_interpolate_equals_the_reference(name, shared):
    scene = SCENES[name]
    images, vertices = scene.clip_positions.shape[:2]
    drawn = rasterize(scene.clip_positions, scene.faces, scene.resolution)
    values = weights((1 if shared else images, vertices, 5), 2)
    results, gradients = [], []
    for backend in ("numba", "reference"):
        inputs = values.clone().requires_grad_(), drawn.clone().requires_grad_()
        image = interpolate(*inputs, scene.faces, backend=backend)
        (image * weights(image.shape, 3)).sum().backward()
        results.append(image.detach())
        gradients.append((inputs[0].grad, inputs[1].grad))
    assert_close(results[0], results[1])
    for actual, expected in zip(*gradients, strict=True):
        assert_close(actual, expected)


@pytest.mark.parametrize("name", SCENES)
def test_antialias_equals_the_reference(name):
    scene = SCENES[name]
    drawn = rasterize(scene.clip_positions, scene.faces, scene.resolution)
    results, gradients = [], []
    for backend in ("numba", "reference"):
        colors = weights((*drawn.shape[:3], 2), 4).requires_grad_()
        clip = scene.clip_positions.clone().requires_grad_()
        image = antialias(colors, drawn, clip, scene.faces, backend=backend)
        (image * weights(image.shape, 5)).sum().backward()
        results.append(image.detach())
        gradients.append((colors.grad, clip.grad))
    assert_close(results[0], results[1])
    for actual, expected in zip(*gradients, strict=True):
        assert_close(actual, expected, relative=1e-4)


def test_what_has_no_place_is_left_out_and_gets_no_gradient():
    """Of triangles with a vertex that is no number nothing is drawn; the others are as without them."""
    scene = SCENES["no numbers"]
    for image, clip in enumerate(scene.clip_positions):
        placed = clip.isfinite().all(dim=1)
        kept = scene.faces[placed[scene.faces].all(dim=1)]
        assert 0 < len(kept) < len(scene.faces)
        renders, gradients = [], []
        for faces in (scene.faces, kept):
            given = clip[None].clone().requires_grad_()
            drawn = rasterize(given, faces, scene.resolution, backend="numba")
            covered = (drawn[..., 3:] > 0).float()
            smooth = antialias(covered, drawn, given, faces, backend="numba")
            (drawn[..., :3].sum() + smooth.sum()).backward()
            renders.append(drawn[..., :3].detach())
            gradients.append(given.grad)
        assert torch.equal(*renders) and gradients[0].isfinite().all(), image
        assert (gradients[0][:, ~placed] == 0.0).all()


coordinates = st.integers(-6, 6).map(lambda step: step / 4)
lattice_vertices = st.lists(
    st.tuples(coordinates, coordinates, coordinates, st.sampled_from([-1.0, 0.5, 1.0, 1.0, 2.0])),
    min_size=4,
    max_size=6,
)


@settings(max_examples=60, deadline=None)
@given(lattice_vertices, st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=5), st.data())
def test_ties_on_a_lattice_are_broken_as_in_the_reference(vertices, faces, data):
    """Lattice points meet pixel centres, edges and each other's depth exactly, again and again."""
    size = data.draw(st.sampled_from([(8, 8), (4, 16), (5, 6)]))
    scene = Scene(torch.tensor([vertices]), torch.tensor(faces), size)
    actual, expected = (
        rasterize(scene.clip_positions, scene.faces, scene.resolution, backend=backend)
        for backend in ("numba", "reference")
    )
    assert torch.equal(actual[..., 3], expected[..., 3])
    assert_close(actual, expected)


@pytest.mark.parametrize("seed", range(2, 8))
def test_whole_renders_of_random_triangles_equal_the_reference(seed):
    scene = random_scene(seed, behind_camera=seed % 2 == 0)
    values = weights((2, scene.clip_positions.shape[1], 3), seed)
    images, gradients = [], []
    for backend in ("numba", "reference"):
        clip, attributes = scene.clip_positions.clone().requires_grad_(), values.clone().requires_grad_()
        drawn = rasterize(clip, scene.faces, scene.resolution, backend=backend)
        image = interpolate(attributes, drawn, scene.faces, backend=backend)
        image = antialias(image, drawn, clip, scene.faces, backend=backend)
        (image * weights(image.shape, 7)).sum().backward()
        images.append(image.detach())
        gradients.append((clip.grad, attributes.grad))
    assert_close(images[0], images[1])
    for actual, expected in zip(*gradients, strict=True):
        assert_close(actual, expected, relative=1e-4)


@pytest.mark.parametrize("resolution", [(3, 300), (150, 2), (61, 83), (40, 256)])
@pytest.mark.parametrize("seed", range(4))
def test_long_rows_and_many_bands_equal_the_reference(seed, resolution):
    """Rows longer than the machine's vectors, whose triangles are cut to size before they are drawn."""
    scene = random_scene(seed, behind_camera=seed % 2 == 0)
    actual, expected = (
        rasterize(scene.clip_positions, scene.faces, resolution, backend=backend)
        for backend in ("numba", "reference")
    )
    assert torch.equal(actual[..., 3], expected[..., 3])
    assert_close(actual, expected)


@pytest.mark.parametrize("exponent", [-30, -6, 6, 30])
def test_the_scale_of_homogeneous_coordinates_changes_nothing(exponent):
    scene = random_scene(5, behind_camera=True)
    expected = rasterize(scene.clip_positions, scene.faces, scene.resolution)
    scaled = rasterize(scene.clip_positions * 2.0**exponent, scene.faces, scene.resolution)
    assert torch.equal(scaled[..., 3], expected[..., 3])
    assert_close(scaled, expected)


def test_int32_faces_and_strided_inputs_give_the_same_image():
    scene = SCENES["animal"]
    expected = rasterize(scene.clip_positions, scene.faces, scene.resolution)
    strided = scene.clip_positions.transpose(0, 1).contiguous().transpose(0, 1)
    assert torch.equal(rasterize(strided, scene.faces.int(), scene.resolution), expected)
    values = weights((3, len(scene.clip_positions[0]), 2), 8).permute(2, 1, 0)
    assert torch.equal(
        interpolate(values, expected, scene.faces.int()),
        interpolate(values.contiguous(), expected, scene.faces),
    )

"""The Triton kernels agree with the reference: on a GPU if there is one, otherwise in the interpreter."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farm3d.ops.mesh_topology import EdgeTopology, edge_topology
from farm3d.ops.rasterize import antialias, interpolate, rasterize

from .raster_scenes import Scene, adversarial_scenes, flat, ordinary_scenes, random_scene, sphere, view

pytest.importorskip("triton", reason="Triton is not installed: its kernels are not run")

from farm3d.ops.rasterize import triton_cuda, triton_work

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
SCENES = adversarial_scenes() | ordinary_scenes()
KERNELS = {
    "draw_triangles",
    "draw_work",
    "resolve",
    "rasterize_backward",
    "keep_front_faces",
    "interpolate_forward",
    "interpolate_backward",
    "find_crossings",
    "find_listed_crossings",
    "blend",
    "blend_backward",
    "crossings_backward",
}


@pytest.fixture(autouse=True)
def wide_blocks(monkeypatch):
    """The interpreter takes its time for each operation of a program, however many lanes there are."""
    if DEVICE.type == "cpu":
        monkeypatch.setattr(triton_cuda, "LANES", 256)


def weights(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def assert_close(actual, expected, relative=1e-5):
    actual, scale = actual.cpu(), max(1.0, float(expected.abs().amax())) if expected.numel() else 1.0
    assert torch.equal(actual.isfinite(), expected.isfinite())
    assert (actual - expected).nan_to_num().abs().le(relative * scale).all()


def on(device, topology):
    return EdgeTopology(**{name: value.to(device) for name, value in vars(topology).items()})


def render(scene, backend, *, cull=False, shared=False, topology=None):
    """All three operators, and the gradients of a weighted sum of everything that they make."""
    device = DEVICE if backend == "triton" else torch.device("cpu")
    faces, (images, vertices, _) = scene.faces.to(device), scene.clip_positions.shape
    clip = scene.clip_positions.to(device, copy=True).requires_grad_()
    values = weights((1 if shared else images, vertices, 3), 2).to(device).requires_grad_()
    drawn = rasterize(clip, faces, scene.resolution, cull_back_faces=cull, backend=backend)
    flatly = interpolate(values, drawn, faces, backend=backend)
    edges = on(device, edge_topology(scene.faces) if topology is None else topology)
    image = antialias(flatly, drawn, clip, faces, topology=edges, backend=backend)
    outputs = drawn[..., :3], flatly, image
    sum((output * weights(output.shape, 3).to(device)).sum() for output in outputs).backward()
    return drawn.detach(), flatly.detach(), image.detach(), clip.grad, values.grad


def assert_renders_as_the_reference(scene, **options):
    actual, expected = (render(scene, backend, **options) for backend in ("triton", "reference"))
    assert torch.equal(actual[0][..., 3].cpu(), expected[0][..., 3])
    for values, wanted in zip(actual[:3], expected[:3], strict=True):
        assert_close(values, wanted)
    for gradient, wanted in zip(actual[3:], expected[3:], strict=True):
        assert_close(gradient, wanted, relative=1e-4)


@pytest.mark.parametrize("name", SCENES)
def test_renders_equal_the_reference(name):
    assert_renders_as_the_reference(SCENES[name])


@pytest.mark.parametrize(
    "name", ["coincident faces", "slivers", "random", "random behind the camera", "degenerate faces"]
)
def test_culled_renders_with_shared_attributes_equal_the_reference(name):
    assert_renders_as_the_reference(SCENES[name], cull=True, shared=True)


@pytest.mark.parametrize("seed", range(2, 4))
def test_renders_of_random_triangles_equal_the_reference(seed):
    assert_renders_as_the_reference(random_scene(seed, behind_camera=seed % 2 == 0))


coordinates = st.integers(-6, 6).map(lambda step: step / 4)
lattice_vertices = st.lists(
    st.tuples(coordinates, coordinates, coordinates, st.sampled_from([-1.0, 0.5, 1.0, 1.0, 2.0])),
    min_size=4,
    max_size=6,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lattice_vertices, st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=5), st.data())
def test_ties_on_a_lattice_are_broken_as_in_the_reference(vertices, faces, data):
    """Lattice points meet pixel centres, edges and each other's depth exactly, again and again."""
    size = data.draw(st.sampled_from([(8, 8), (5, 6)]))
    clip, triangles = torch.tensor([vertices]), torch.tensor(faces)
    actual = rasterize(clip.to(DEVICE), triangles.to(DEVICE), size, backend="triton")
    expected = rasterize(clip, triangles, size, backend="reference")
    assert torch.equal(actual[..., 3].cpu(), expected[..., 3])
    assert_close(actual, expected)


def test_depths_of_minus_zero_and_zero_are_a_tie():
    """-1e-45 / 8 is -0 in single precision: it does not come before the triangle at 0 that is drawn first."""
    corners = [(-0.9, -0.9), (0.9, -0.9), (0.0, 0.9)]
    clip = flat(
        [(*corner, 0.0, 1.0) for corner in corners] + [(8 * x, 8 * y, -1e-45, 8.0) for x, y in corners]
    )
    faces = torch.tensor([[0, 1, 2], [3, 4, 5]], device=DEVICE)
    drawn = rasterize(clip.to(DEVICE), faces, (8, 8), backend="triton")
    assert drawn[..., 3].unique().tolist() == [0, 1]


@pytest.fixture
def count_work(monkeypatch):
    """Make lists of work items short; gives them back with their counts and lengths."""
    made = []

    def keep(length=None):
        def short_list(pixels, device):
            work = torch.full((pixels if length is None else length,), 7, dtype=torch.int64, device=device)
            made.append((work, torch.zeros(1, dtype=torch.int64, device=device)))
            return made[-1]

        monkeypatch.setattr(triton_cuda, "work_list", short_list)
        return made

    return keep


LARGE = Scene(
    flat([(-0.9, -0.95), (0.95, -0.8, 0.5), (0.1, 0.97, -0.4), (-0.5, 0.6), (7.0, 2.0, 1.0, 3.0)]),
    torch.tensor([[0, 1, 2], [3, 1, 0], [4, 2, 3]]),
    (21, 27),
)


def test_large_triangles_and_long_edges_are_shared_out(monkeypatch, count_work):
    for name, value in {"PIXELS_PER_ITEM": 60, "LINES_PER_LANE": 4}.items():
        monkeypatch.setattr(triton_cuda, name, value)
    made = count_work()
    assert_renders_as_the_reference(LARGE)
    assert all(int(count) > 2 * len(LARGE.faces) for _, count in made)


@pytest.mark.parametrize("length", [1, 5])
def test_work_that_finds_its_list_full_is_done_all_the_same(monkeypatch, count_work, length):
    """In a list of one no triangle has room for its items, in one of five only the first that come have."""
    for name, value in {"PIXELS_PER_ITEM": 100, "LINES_PER_LANE": 4}.items():
        monkeypatch.setattr(triton_cuda, name, value)
    made = count_work(length)
    assert_renders_as_the_reference(LARGE)
    assert all(int(count) > length for _, count in made)
    assert length != 1 or all((work == -1).all() for work, _ in made)


def test_lanes_of_a_warp_draw_as_wide_blocks_do(monkeypatch):
    """Elsewhere the interpreter, to be quicker, takes wider blocks than a GPU."""
    monkeypatch.setattr(triton_cuda, "LANES", 32)
    assert_renders_as_the_reference(SCENES["coincident faces"])


def test_small_work_items_draw_every_pixel_once(monkeypatch, count_work):
    """Many items for each triangle, with more lanes than pixels in an item."""
    for name, value in {"PIXELS_PER_LANE": 1, "PIXELS_PER_ITEM": 5, "LINES_PER_LANE": 1}.items():
        monkeypatch.setattr(triton_cuda, name, value)
    monkeypatch.setattr(triton_cuda, "WORK_LANES", 16)
    made = count_work()
    assert_renders_as_the_reference(SCENES["one row"])
    assert all(int(count) > 0 for _, count in made)


def test_what_names_a_work_item_fits_into_64_bits():
    triangles_of_all_images, sides = 2**24 * 2**16, 2
    assert triangles_of_all_images * sides * triton_work.MOST_ITEMS.value < 2**63


def test_faces_and_edges_that_name_nothing_are_ignored():
    """On a GPU no host looks at indices; the kernels must."""
    scene = SCENES["coincident faces"]
    clip, faces = scene.clip_positions.to(DEVICE), scene.faces.to(DEVICE)
    wrong = torch.tensor([[0, 1, 99], [-1, 0, 2], [2**40, 1, 0]], device=DEVICE)
    topology = on(DEVICE, edge_topology(scene.faces))
    wrong_topology = EdgeTopology(
        torch.cat([topology.edges, torch.tensor([[0, 99], [-5, 1], [0, 1]], device=DEVICE)]),
        torch.cat([topology.side_offsets, topology.side_offsets[-1] + torch.arange(1, 4, device=DEVICE)]),
        torch.cat([topology.side_faces, torch.tensor([0, 0, 1000], device=DEVICE)]),
        torch.cat([topology.side_forward, torch.ones(3, dtype=torch.bool, device=DEVICE)]),
    )
    results = []
    for triangles, edges in ((faces, topology), (torch.cat([faces, wrong]), wrong_topology)):
        drawn = triton_cuda.rasterize(clip, triangles, scene.resolution, cull_back_faces=False)
        image = triton_cuda.interpolate(clip, drawn, triangles)
        results.append((drawn, triton_cuda.antialias(image, drawn, clip, triangles, topology=edges)))
    assert all(torch.equal(*pair) for pair in zip(*results, strict=True))
    seen = drawn.clone()
    seen[..., 3] = len(faces) + 1
    assert (triton_cuda.interpolate(clip, seen, torch.cat([faces, wrong])) == 0).all()


def test_int32_faces_and_strided_inputs_give_the_same_image():
    scene = random_scene(0, behind_camera=False)
    clip, faces, scene = (
        scene.clip_positions.to(DEVICE),
        scene.faces.to(DEVICE),
        replace(scene, resolution=(7, 9)),
    )
    expected = rasterize(clip, faces, scene.resolution, backend="triton")
    strided = clip.transpose(0, 1).contiguous().transpose(0, 1)
    rows = faces.int().t().contiguous().t()
    assert torch.equal(rasterize(strided, rows, scene.resolution, backend="triton"), expected)
    values = weights((3, clip.shape[1], 2), 8).to(DEVICE).permute(2, 1, 0)
    image = interpolate(values.contiguous(), expected, faces, backend="triton")
    assert torch.equal(interpolate(values, expected, rows, backend="triton"), image)
    blended = antialias(image, expected, clip, faces, backend="triton")
    arguments = image.flip(1).flip(1), expected.transpose(1, 2).contiguous().transpose(1, 2), strided, rows
    assert torch.equal(antialias(*arguments, backend="triton"), blended)


def test_antialias_gives_only_the_gradients_asked_for():
    scene = SCENES["outside the depth range"]
    clip, faces = scene.clip_positions.to(DEVICE), scene.faces.to(DEVICE)
    drawn = rasterize(clip, faces, scene.resolution, backend="triton")
    colors = weights((*drawn.shape[:3], 2), 4).to(DEVICE)
    gradients = []
    for wanted in ((True, True), (True, False), (False, True)):
        inputs = [
            value.clone().requires_grad_(asked) for value, asked in zip((colors, clip), wanted, strict=True)
        ]
        antialias(inputs[0], drawn, inputs[1], faces, backend="triton").square().sum().backward()
        gradients.append([value.grad for value in inputs])
    both, only_colors, only_clip = gradients
    assert only_colors[1] is None and torch.equal(only_colors[0], both[0])
    assert only_clip[0] is None and torch.allclose(only_clip[1], both[1])


def test_a_given_topology_decides_where_borders_are():
    vertices, faces = sphere(1)
    half = vertices[faces].mean(dim=1)[:, 0] > 0
    cut = torch.where(half[:, None], faces, faces + len(vertices))
    scene = Scene(view(torch.cat([vertices, vertices]), [0.6]), cut, (24, 24))
    whole, seams = render(scene, "triton", topology=edge_topology(faces)), render(scene, "triton")
    assert not torch.equal(whole[2], seams[2])
    assert_renders_as_the_reference(scene, topology=edge_topology(faces))


def test_front_faces_are_those_that_culling_draws():
    scene = SCENES["random behind the camera"]
    clip, faces = scene.clip_positions.to(DEVICE), scene.faces.to(DEVICE)
    front = triton_cuda.front_faces(clip, faces)
    assert front.shape == (2, *faces.shape) and (front == -1).any() and (front != -1).any()
    for image in range(2):
        kept = torch.where(front[image] < 0, -1, front[image] - image * clip.shape[1])
        arguments = clip[image : image + 1], scene.resolution
        drawn = triton_cuda.rasterize(arguments[0], kept, arguments[1], cull_back_faces=False)
        culled = triton_cuda.rasterize(arguments[0], faces, arguments[1], cull_back_faces=True)
        assert torch.equal(drawn, culled)


def test_second_derivatives_are_refused():
    scene = SCENES["one pixel"]
    clip = scene.clip_positions.to(DEVICE, copy=True).requires_grad_()
    energy = rasterize(clip, scene.faces.to(DEVICE), (2, 2), backend="triton").square().sum()
    (gradient,) = torch.autograd.grad(energy, clip, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        gradient.sum().backward()


def test_every_kernel_compiles_for_gpus_and_contracts_no_products():
    """What the interpreter accepts need not compile; Triton compiles for GPUs that are not there."""
    program = Path(__file__).with_name("compile_triton_kernels.py")
    result = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr[-3000:]
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    for capability in (80, 90):
        assert {report["kernel"] for report in reports if report["capability"] == capability} == KERNELS
    for report in reports:
        assert report["binary_bytes"] > 0
        assert report["fused"] == report["contractible"] == 0, report


def test_the_kernels_that_compile_are_all_there_are():
    """A kernel is a jitted function that asks which program it is."""
    found = set()
    for path in Path(triton_cuda.__file__).parent.glob("triton_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and "tl.program_id" in ast.unparse(node):
                found.add(node.name)
    assert found == KERNELS

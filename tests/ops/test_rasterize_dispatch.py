"""Arguments, choice of backend, threads and forked workers."""

import inspect
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

import farm3d
from farm3d.errors import BackendError, InputError
from farm3d.ops.mesh_topology import edge_topology
from farm3d.ops.rasterize import antialias, interpolate, numba_launch, rasterize

from .raster_scenes import animal, sphere, view

VERTICES, FACES = animal(1)


def render(azimuth):
    """A whole differentiable render: the image and the gradient of its sum of squares."""
    clip = view(VERTICES, [azimuth]).requires_grad_()
    drawn = rasterize(clip, FACES, (48, 56))
    image = antialias(interpolate(VERTICES[None], drawn, FACES), drawn, clip, FACES)
    image.square().sum().backward()
    return image.detach(), clip.grad


BOUND_BY_PERMISSIONS = (
    ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if os.name == "posix" and os.getuid() == 0
    else []
)
"""What makes permissions bind the superuser too."""

READ_ONLY_RENDER = """
from pathlib import Path
import torch
import farm3d
from farm3d.ops.rasterize import rasterize

clip = torch.tensor([[[-1.0, -1.0, 0.0, 1.0], [1.0, -1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0]]])
drawn = rasterize(clip, torch.tensor([[0, 1, 2]]), (8, 8))
print(int((drawn[..., 3] > 0).sum()), Path(farm3d.__file__).parent)
"""

# The contract's own checks, without the shape annotations that are enforced only in tests.
unchecked_rasterize, unchecked_interpolate, unchecked_antialias = (
    inspect.unwrap(function) for function in (rasterize, interpolate, antialias)
)


def test_faces_that_do_not_fit_are_refused():
    clip = view(VERTICES, [0.0])
    with pytest.raises(InputError, match="faces name vertices -1 to 4 of a mesh of 252"):
        rasterize(clip, torch.tensor([[0, -1, 4]]), (8, 8))
    with pytest.raises(InputError, match="faces name vertices 0 to 252"):
        interpolate(VERTICES[None], rasterize(clip, FACES, (8, 8)), torch.tensor([[0, 252, 4]]))
    with pytest.raises(InputError, match="int64 or int32"):
        rasterize(clip, FACES.short(), (8, 8))
    with pytest.raises(InputError, match="faces are on meta"):
        rasterize(clip, FACES.to("meta"), (8, 8))
    with pytest.raises(InputError, match=r"faces must be of shape \(any, 3\), got \(480, 2\)"):
        unchecked_rasterize(clip, FACES[:, :2], (8, 8))


def test_sizes_that_do_not_fit_are_refused():
    clip = view(VERTICES, [0.0, 1.0, 2.0])
    with pytest.raises(InputError, match="at least 1 x 1 pixel, got 0 x 8"):
        rasterize(clip, FACES, (0, 8))
    with pytest.raises(InputError, match="clip_positions must be of shape"):
        unchecked_rasterize(clip[..., :3], FACES, (8, 8))
    drawn = rasterize(clip, FACES, (8, 8))
    with pytest.raises(InputError, match=r"attributes must be of shape \(3, any, any\), got \(2, 252, 3\)"):
        interpolate(VERTICES.expand(2, -1, -1), drawn, FACES)
    with pytest.raises(InputError, match="rasterized must be of shape"):
        unchecked_interpolate(VERTICES[None], drawn[..., :3], FACES)
    with pytest.raises(InputError, match="colors must be of shape"):
        unchecked_antialias(torch.zeros(3, 8, 9, 1), drawn, clip, FACES)
    with pytest.raises(InputError, match="clip_positions must be of shape"):
        unchecked_antialias(torch.zeros(3, 8, 8, 1), drawn, clip[:1], FACES)
    with pytest.raises(InputError, match="both must be the same"):
        antialias(torch.zeros(3, 8, 8, 1, dtype=torch.double), drawn, clip, FACES)


def test_the_topology_of_another_mesh_is_refused():
    clip = view(VERTICES, [0.0])
    drawn, colors = rasterize(clip, FACES, (8, 8)), torch.zeros(1, 8, 8, 1)
    with pytest.raises(InputError, match="topology's edges name vertices 0 to 641 of a mesh of 252"):
        antialias(colors, drawn, clip, FACES, topology=edge_topology(sphere(3)[1]))
    with pytest.raises(InputError, match="topology's edges name faces 0 to 479 of a mesh of 10"):
        antialias(colors, drawn, clip, FACES[:10], topology=edge_topology(FACES))


def test_the_reference_is_never_chosen_silently(monkeypatch):
    clip = view(VERTICES, [0.0]).double()
    with pytest.raises(BackendError, match=r"numba: it works in float32.*reference: available, by name only"):
        rasterize(clip, FACES, (8, 8))
    assert (rasterize(clip, FACES, (8, 8), backend="reference") != 0).any()
    monkeypatch.setenv("FARM3D_BACKEND", "reference")
    assert rasterize(clip, FACES, (8, 8)).dtype == torch.double


def test_the_argument_overrides_the_environment_and_unknown_names_list_the_backends(monkeypatch):
    monkeypatch.setenv("FARM3D_BACKEND", "opengl")
    clip = view(VERTICES, [0.0])
    assert (rasterize(clip, FACES, (8, 8), backend="numba") != 0).any()
    with pytest.raises(BackendError, match=r"'opengl' cannot be used \(numba: .*; reference: .*\)"):
        rasterize(clip, FACES, (8, 8))


def test_a_given_topology_is_used_instead_of_that_of_the_faces():
    """A sphere cut in two along its faces: the topology of the whole sphere knows no border there."""
    vertices, faces = sphere(2)
    half = vertices[faces].mean(dim=1)[:, 0] > 0
    doubled = torch.cat([vertices, vertices])
    cut = torch.where(half[:, None], faces, faces + len(vertices))
    clip = view(doubled, [0.6])
    drawn = rasterize(clip, cut, (48, 48))
    colors = torch.rand(1, 48, 48, 1)
    whole = antialias(colors, drawn, clip[:, : len(vertices)], faces)
    assert torch.equal(antialias(colors, drawn, clip, cut, topology=edge_topology(faces)), whole)
    assert not torch.equal(antialias(colors, drawn, clip, cut), whole)


def test_a_launch_gives_the_results_in_order_and_raises_what_a_task_raised():
    assert numba_launch.launch(lambda task, base: base + task, 20, 100) == list(range(100, 120))
    assert numba_launch.launch(lambda task: task, 0) == []

    def fail_late(task):
        if task == 7:
            raise ArithmeticError("task 7")

    with pytest.raises(ArithmeticError, match="task 7"):
        numba_launch.launch(fail_late, 20)


@pytest.mark.parametrize("threads", [1, 3, 8])
def test_results_do_not_depend_on_the_number_of_threads(threads):
    before = torch.get_num_threads()
    try:
        expected = render(0.4)
        torch.set_num_threads(threads)
        image, gradient = render(0.4)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(image, expected[0]) and torch.equal(gradient, expected[1])


def test_renders_from_several_python_threads_equal_those_from_one():
    azimuths = [0.1 * index for index in range(12)]
    expected = [render(azimuth) for azimuth in azimuths]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(render, azimuths))
    for (image, gradient), (expected_image, expected_gradient) in zip(results, expected, strict=True):
        assert torch.equal(image, expected_image) and torch.equal(gradient, expected_gradient)


class Renders(torch.utils.data.Dataset):
    """A data set that renders in the process that reads it."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return render(0.2 * index)


def test_forked_workers_render_after_their_parent_did():
    expected = [Renders()[index] for index in range(4)]
    loader = DataLoader(Renders(), batch_size=None, num_workers=2, multiprocessing_context="fork", timeout=60)
    for (image, gradient), (expected_image, expected_gradient) in zip(loader, expected, strict=True):
        assert torch.equal(image, expected_image) and torch.equal(gradient, expected_gradient)


@pytest.mark.skipif(
    bool(BOUND_BY_PERMISSIONS) and shutil.which("setpriv") is None,
    reason="the superuser without setpriv can write everywhere: a read-only installation is not tried",
)
def test_a_read_only_installation_renders_and_says_that_it_compiles_anew():
    """No folder that numba could keep its cache in can be written: not the package's, not the user's."""
    root = Path(tempfile.mkdtemp())
    try:
        root.chmod(0o755)
        shutil.copytree(
            Path(farm3d.__file__).parent, root / "farm3d", ignore=shutil.ignore_patterns("__pycache__")
        )
        code = "import runpy, sys; sys.path.insert(0, sys.argv[1]); runpy.run_path(sys.argv[2])"
        script = root / "render.py"
        script.write_text(READ_ONLY_RENDER)
        for folder in (path for path in root.rglob("*") if path.is_dir()):
            folder.chmod(0o555)
        root.chmod(0o555)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "XDG"))}
        run = subprocess.run(
            [*BOUND_BY_PERMISSIONS, sys.executable, "-c", code, str(root), str(script)],
            env=environment | {"HOME": str(root), "IPYTHONDIR": str(root)},
            cwd=root,
            capture_output=True,
            text=True,
            timeout=300,
        )
    finally:
        for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        shutil.rmtree(root)
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["32", str(root / "farm3d")]
    assert run.stderr.count("NUMBA_CACHE_DIR") == 1


def test_without_a_cache_folder_kernels_compile_uncached_and_say_so_once(caplog):
    """Code that is in no file has no place for a cache, as code in a read-only folder has none."""
    scope = {}
    exec("def double(value):\n    return 2 * value\n", scope)
    numba_launch._say_uncached.cache_clear()
    with caplog.at_level(logging.WARNING):
        kernels = [numba_launch.compile_kernel(scope["double"]) for _ in range(2)]
    assert [kernel(21) for kernel in kernels] == [42, 42]
    assert len(caplog.records) == 1 and "NUMBA_CACHE_DIR" in caplog.text

"""What benchmarks measure is what they say: closed animals of so many faces, work that adds up, peers."""

import dataclasses
import json
import subprocess
from pathlib import Path

import pytest
import torch
from farm3d.eval.benchmarks import rasterize_work as least
from farm3d.eval.benchmarks.animal import LEAST_FACES, animal_mesh
from farm3d.eval.benchmarks.harness import QUICK
from farm3d.eval.benchmarks.machine import environment, machine_speed
from farm3d.eval.benchmarks.peers import QUICK_SETTINGS, measure_peers, ours, prepared
from farm3d.eval.benchmarks.raster_scene import Setting, amounts_of, make_scene, with_gradients
from farm3d.eval.benchmarks.rasterize import TINY, draw, pipeline_work

from farm3d.errors import ConfigError, MissingDependencyError
from farm3d.ops.mesh_topology import edge_topology, face_normals

CPU = torch.device("cpu")


@pytest.mark.parametrize("faces", [LEAST_FACES, 1_000, 1_234, 5_000, 25_000])
def test_the_animal_is_closed_oriented_and_has_so_many_faces(faces: int) -> None:
    mesh = animal_mesh(faces)
    assert len(mesh.faces) == faces
    topology = edge_topology(mesh.faces)
    assert (topology.side_offsets.diff() == 2).all()
    assert (topology.side_forward.reshape(-1, 2).sum(dim=1) == 1).all()
    volume = (face_normals(mesh.vertices, mesh.faces) * mesh.vertices[mesh.faces[:, 0]]).sum() / 6.0
    assert volume > 1.0, "faces look outwards"
    assert face_normals(mesh.vertices, mesh.faces).norm(dim=1).min() > 0.0


@pytest.mark.parametrize("faces", [LEAST_FACES - 2, 1_001, 0])
def test_an_impossible_animal_is_refused(faces: int) -> None:
    with pytest.raises(ConfigError, match="even number"):
        animal_mesh(faces)


def test_the_animal_fills_the_picture_as_crops_do_and_repeats() -> None:
    scene, again = (make_scene(Setting(1_000, 64, 2), CPU, seed=3) for _ in range(2))
    assert 0.1 < amounts_of(scene, "numba").covered / 64**2 < 0.4
    assert torch.equal(scene.clip_positions, again.clip_positions)
    assert torch.equal(scene.gradient, again.gradient)
    assert not torch.equal(scene.gradient, make_scene(Setting(1_000, 64, 2), CPU, seed=4).gradient)


def test_what_is_timed_reaches_every_input() -> None:
    scene = with_gradients(make_scene(TINY, CPU, seed=0))
    gradients = torch.autograd.grad(
        draw(scene, "numba"), (scene.clip_positions, scene.attributes), scene.gradient
    )
    assert all(gradient.abs().max() > 0.0 for gradient in gradients)


def test_work_grows_with_everything_that_there_is_more_of() -> None:
    few = least.Amounts(images=2, vertices=100, faces=196, edges=294, pixels=1024, covered=300.0, channels=3)
    less, more = pipeline_work(few, backward=False), pipeline_work(few, backward=True)
    assert more.bytes > less.bytes
    assert more.float64 > less.float64
    assert least.least_memory(few, backward=True) > least.least_memory(few, backward=False)
    for field in dataclasses.fields(few):
        grown = dataclasses.replace(few, **{field.name: 2 * getattr(few, field.name)})
        work = pipeline_work(grown, backward=True)
        assert work.bytes + work.float32 + work.float64 > more.bytes + more.float32 + more.float64


def test_what_images_share_counts_once() -> None:
    one = least.Amounts(images=1, vertices=10, faces=20, edges=30, pixels=100, covered=50.0, channels=3)
    two = dataclasses.replace(one, images=2)
    single, double = pipeline_work(one, backward=True), pipeline_work(two, backward=True)
    assert single.bytes < double.bytes < 2 * single.bytes
    assert double.float64 == 2 * single.float64
    assert least.least_memory(two, backward=True) == 2 * least.least_memory(one, backward=True)


def test_the_bytes_of_a_picture_are_those_of_its_arrays() -> None:
    amounts = least.Amounts(images=1, vertices=10, faces=20, edges=30, pixels=100, covered=50.0, channels=3)
    assert least.rasterize_forward(amounts).bytes == 10 * 16 + 20 * 24 + 100 * 16
    assert least.least_memory(amounts, backward=False) == 100 * (16 + 12 + 12)


def test_the_environment_names_the_machine_and_nobody() -> None:
    found = environment(CPU)
    assert found.device == "cpu"
    assert {"python", "torch", "numba"} <= set(found.versions)
    assert found.threads == torch.get_num_threads()
    assert str(Path.home()) not in json.dumps(found.model_dump())


def test_the_commit_is_that_of_the_checkout() -> None:
    commit = environment(CPU).commit
    if commit is None:
        pytest.skip("farm3d does not run from a git checkout")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert head.startswith(commit.split()[0])


def test_speeds_are_those_of_a_computer() -> None:
    speed = machine_speed(CPU, effort=QUICK)
    assert 1e8 < speed.bandwidth < 1e14
    assert 1e8 < speed.float64 <= 1.5 * speed.float32 < 1e17


def test_an_absent_peer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("open3d", "pytorch3d"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    scene = make_scene(TINY, CPU, seed=0)
    for peer in ("embree", "pytorch3d"):
        with pytest.raises(MissingDependencyError, match=f"--peer {peer}"):
            prepared(peer, scene)


@pytest.mark.parametrize(("peer", "module"), [("embree", "open3d"), ("pytorch3d", "pytorch3d")])
def test_a_peer_sees_the_same_triangles(peer: str, module: str) -> None:
    pytest.importorskip(module)
    scene = make_scene(TINY, CPU, seed=0)
    assert (prepared(peer, scene)() == ours(scene)()).float().mean() > 0.999  # type: ignore[arg-type]
    cases = measure_peers(
        [peer],  # type: ignore[list-item]
        settings=QUICK_SETTINGS,
        effort=QUICK,
        seed=0,
        progress=lambda line: None,
    )
    assert [case.contender for case in cases] == ["numba", peer]

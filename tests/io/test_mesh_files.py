"""Meshes survive the way through a file; wrong files are refused in one line that names them."""

from pathlib import Path

import pytest
import torch
import trimesh

from farm3d.errors import InputError
from farm3d.geometry.mesh import Mesh
from farm3d.io.gltf import skinned_glb
from farm3d.io.mesh_files import ObjMaterial, read_mesh, write_mtl, write_obj, write_ply

from .sample_animal import SCALE, radial_normals, rig, striped_png, surface, tube_mesh

TRIANGLE = Mesh(torch.tensor([[0.0, 0, 0], [1, -1e-9, 0], [0, 1, 0.25]]), torch.tensor([[0, 1, 2]]))


def test_obj_text_is_fixed(tmp_path: Path) -> None:
    write_obj(tmp_path / "a.obj", TRIANGLE)
    assert (tmp_path / "a.obj").read_text() == (
        "v 0.000000 0.000000 0.000000\nv 1.000000 0.000000 0.000000\nv 0.000000 1.000000 0.250000\nf 1 2 3\n"
    )


def test_obj_counts_texture_rows_from_the_bottom(tmp_path: Path) -> None:
    textured = Mesh(TRIANGLE.vertices, TRIANGLE.faces, torch.tensor([[0.0, 0.0], [1.0, 0.25], [0.5, 1.0]]))
    write_obj(tmp_path / "a.obj", textured, normals=torch.tensor([[0.0, 0.0, 1.0]] * 3))
    lines = (tmp_path / "a.obj").read_text().splitlines()
    assert lines[3:6] == ["vt 0.000000 1.000000", "vt 1.000000 0.750000", "vt 0.500000 0.000000"]
    assert lines[-1] == "f 1/1/1 2/2/2 3/3/3"
    write_obj(tmp_path / "a.obj", TRIANGLE, normals=torch.tensor([[0.0, 0.0, 1.0]] * 3))
    assert (tmp_path / "a.obj").read_text().splitlines()[-1] == "f 1//1 2//2 3//3"


@pytest.mark.parametrize("textured", [True, False])
def test_obj_comes_back(tmp_path: Path, textured: bool) -> None:
    mesh = tube_mesh() if textured else Mesh(tube_mesh().vertices, tube_mesh().faces)
    write_obj(tmp_path / "a.obj", mesh, normals=radial_normals(mesh))
    back = read_mesh(tmp_path / "a.obj")
    assert torch.equal(back.faces, mesh.faces)
    torch.testing.assert_close(back.vertices, mesh.vertices, atol=1e-6, rtol=0)
    assert (back.uvs is not None) == textured
    if textured:
        torch.testing.assert_close(back.uvs, mesh.uvs, atol=1e-6, rtol=0)


def test_double_precision_is_kept_where_it_is_asked_for(tmp_path: Path) -> None:
    far = Mesh(TRIANGLE.vertices.double() + 1_000_000.0, TRIANGLE.faces)
    write_obj(tmp_path / "a.obj", far)
    assert read_mesh(tmp_path / "a.obj").vertices.dtype == torch.float32
    torch.testing.assert_close(
        read_mesh(tmp_path / "a.obj", dtype=torch.float64).vertices, far.vertices, atol=1e-6, rtol=0
    )


def test_ply_comes_back(tmp_path: Path) -> None:
    mesh = tube_mesh()
    trimesh.Trimesh(mesh.vertices.numpy(), mesh.faces.numpy(), process=False).export(tmp_path / "a.ply")
    back = read_mesh(tmp_path / "a.ply")
    assert torch.equal(back.faces, mesh.faces)
    torch.testing.assert_close(back.vertices, mesh.vertices)
    assert back.uvs is None


def test_our_glb_comes_back_in_metres(tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_bytes(skinned_glb(surface(), rig(), SCALE))
    back = read_mesh(tmp_path / "a.glb")
    mesh = tube_mesh()
    assert torch.equal(back.faces, mesh.faces)
    torch.testing.assert_close(back.vertices.double(), SCALE.to_metres(mesh.vertices), atol=1e-6, rtol=0)
    assert back.uvs is not None
    torch.testing.assert_close(back.uvs, mesh.uvs, atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.stl", b"", r"cannot read .*a\.stl as a mesh: only \.obj, \.ply, \.glb"),
        ("a.glb", b"glTF but not really", r"cannot read the mesh .*a\.glb: the file is damaged"),
        ("a.ply", b"ply\nformat ascii 1.0\nelement vertex 3\n", r"cannot .* the mesh .*a\.ply"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\n", r"cannot .* the mesh .*a\.obj"),
        ("a.obj", b"v 0 0 0\nv 1 0 0\nv nan 1 0\nf 1 2 3\n", "not finite"),
        ("a.obj", b"\xff\xd8\xff\xe0 a photograph", r"cannot .* the mesh .*a\.obj"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, name: str, content: bytes, complaint: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=complaint) as refusal:
        read_mesh(tmp_path / name)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the mesh .*gone\.obj: No such file"):
        read_mesh(tmp_path / "gone.obj")


def test_obj_with_a_material_keeps_its_vertices_at_seams(tmp_path: Path) -> None:
    square = Mesh(
        torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]), torch.tensor([[0, 1, 2], [0, 2, 3]])
    )
    corners = torch.tensor([[0.0, 0.0], [0.4, 0.0], [0.4, 1.0], [0.6, 0.0], [1.0, 1.0], [0.6, 1.0]])
    material = ObjMaterial(corners, torch.tensor([[0, 1, 2], [3, 4, 5]]), "coat.mtl", "coat")
    write_obj(tmp_path / "a.obj", square, normals=torch.tensor([[0.0, 0.0, 1.0]] * 4), material=material)
    write_mtl(tmp_path / "coat.mtl", "coat", "coat.png")
    (tmp_path / "coat.png").write_bytes(striped_png())
    lines = (tmp_path / "a.obj").read_text().splitlines()
    assert lines[0] == "mtllib coat.mtl" and "usemtl coat" in lines
    assert sum(line.startswith("v ") for line in lines) == 4
    assert lines[-2:] == ["f 1/1/1 2/2/2 3/3/3", "f 1/4/1 3/5/3 4/6/4"]
    loaded = trimesh.load(tmp_path / "a.obj", process=False)
    assert loaded.visual.material.image.size == (64, 64)
    assert len(loaded.faces) == 2


def test_ply_with_colours_comes_back_and_is_the_same_bytes(tmp_path: Path) -> None:
    mesh = tube_mesh()
    colours = (mesh.vertices.abs() * 100.0).byte().numpy()
    for name in ("a.ply", "b.ply"):
        write_ply(tmp_path / name, mesh, colours)
    assert (tmp_path / "a.ply").read_bytes() == (tmp_path / "b.ply").read_bytes()
    loaded = trimesh.load(tmp_path / "a.ply", process=False)
    assert (loaded.visual.vertex_colors[:, :3] == colours).all()
    back = read_mesh(tmp_path / "a.ply")
    assert torch.equal(back.vertices, mesh.vertices) and torch.equal(back.faces, mesh.faces)

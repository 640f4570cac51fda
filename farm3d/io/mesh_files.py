"""Static meshes in files: OBJ with its material, PLY out; OBJ, PLY and GLB in (through trimesh)."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import trimesh
from jaxtyping import Float, UInt8
from torch import Tensor

from farm3d.errors import InputError
from farm3d.geometry.mesh import Mesh
from farm3d.io.atomic import write_bytes_atomically
from farm3d.shapes import Faces

READABLE_SUFFIXES = (".obj", ".ply", ".glb")


@dataclass(frozen=True)
class ObjMaterial:
    """Texture coordinates with faces of their own (seams double no vertex), and where the texture is.

    `faces` index `uvs`, face by face as in the mesh. `library` is the .mtl file, `name` the material in it.
    """

    uvs: Float[Tensor, "coordinates 2"]
    faces: Faces
    library: str
    name: str


def write_obj(
    path: Path | str,
    mesh: Mesh,
    *,
    normals: Float[Tensor, "vertices 3"] | None = None,
    material: ObjMaterial | None = None,
) -> None:
    """Write an unbatched mesh as Wavefront OBJ, six decimals a number, so that equal meshes are equal bytes.

    Texture coordinates are written where the mesh or the material has them, v = 0 at the bottom row as OBJ
    wants.

    Raises:
        InputError: the file cannot be written.
    """
    uvs, uv_faces = (mesh.uvs, mesh.faces) if material is None else (material.uvs, material.faces)
    lines = [] if material is None else [f"mtllib {material.library}"]
    lines += _rows("v", mesh.vertices)
    columns = [mesh.faces]
    if uvs is not None:
        lines += _rows("vt", torch.stack([uvs[:, 0], 1.0 - uvs[:, 1]], dim=-1))
        columns.append(uv_faces)
    if normals is not None:
        lines += _rows("vn", normals)
        columns.append(mesh.faces)
    lines += [] if material is None else [f"usemtl {material.name}"]
    between = "//" if uvs is None else "/"
    corner = between.join(["%d"] * len(columns))
    face = f"f {corner} {corner} {corner}"
    numbers = (torch.stack(columns, dim=-1) + 1).flatten(1).tolist()
    lines += [face % tuple(row) for row in numbers]
    write_bytes_atomically(path, ("\n".join(lines) + "\n").encode())


def write_mtl(path: Path | str, name: str, texture: str) -> None:
    """Write a dull material of that name whose colour is the picture `texture`, a file beside it.

    Raises InputError where the file cannot be written.
    """
    lines = [f"newmtl {name}", "Ka 1 1 1", "Kd 1 1 1", "Ks 0 0 0", "illum 1", f"map_Kd {texture}"]
    write_bytes_atomically(path, ("\n".join(lines) + "\n").encode())


def write_ply(path: Path | str, mesh: Mesh, colours: UInt8[np.ndarray, "vertices 3"]) -> None:
    """Write an unbatched mesh as binary PLY with an sRGB colour a vertex; equal meshes are equal bytes.

    Raises InputError where the file cannot be written.
    """
    corners = np.dtype([("place", "<f4", 3), ("colour", "u1", 3)])
    vertices = np.empty(mesh.vertices.shape[0], corners)
    vertices["place"], vertices["colour"] = mesh.vertices.detach().cpu().numpy(), colours
    faces = np.empty(len(mesh.faces), np.dtype([("count", "u1"), ("corners", "<i4", 3)]))
    faces["count"], faces["corners"] = 3, mesh.faces.cpu().numpy()
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    header += [f"property float {axis}" for axis in "xyz"]
    header += [f"property uchar {channel}" for channel in ("red", "green", "blue")]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    text = ("\n".join(header) + "\n").encode()
    write_bytes_atomically(path, text + vertices.tobytes() + faces.tobytes())


def _rows(keyword: str, values: Float[Tensor, "rows columns"]) -> list[str]:
    """One line a row; adding 0 turns -0 into 0."""
    rounded = np.round(values.detach().cpu().double().numpy(), 6) + 0.0
    pattern = keyword + " %.6f" * rounded.shape[1]
    return [pattern % tuple(row) for row in rounded.tolist()]


def read_mesh(path: Path | str, *, dtype: torch.dtype = torch.float32) -> Mesh:
    """The triangles of an OBJ, PLY or GLB file as one mesh; of a GLB the placed nodes, unskinned.

    Vertices are of type `dtype`, for measuring torch.float64.

    Raises:
        InputError: the file is missing, of another kind, damaged, or has no triangles.
    """
    file = Path(path)
    if file.suffix.lower() not in READABLE_SUFFIXES:
        raise InputError(f"cannot read {file} as a mesh: only {', '.join(READABLE_SUFFIXES)} files are read")
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the mesh {file}: {error.strerror}") from error
    return _checked(_parse(data, file), file, dtype)


def _parse(data: bytes, file: Path) -> trimesh.Trimesh:
    """What trimesh makes of the bytes, vertices as they are in the file; other files are not looked up."""
    try:
        kind = file.suffix[1:].lower()
        loaded = trimesh.load(io.BytesIO(data), file_type=kind, force="mesh", process=False)
    except Exception as error:  # A damaged file makes its parsers raise almost anything.
        raise InputError(
            f"cannot read the mesh {file}: the file is damaged or not what its name says"
        ) from error
    if not isinstance(loaded, trimesh.Trimesh) or len(loaded.faces) == 0:
        raise InputError(f"cannot use the mesh {file}: it has no triangles")
    return loaded


def _checked(loaded: trimesh.Trimesh, file: Path, dtype: torch.dtype) -> Mesh:
    """The mesh as tensors, texture coordinates with v = 0 at the top row."""
    vertices = torch.tensor(np.asarray(loaded.vertices), dtype=dtype)
    faces = torch.tensor(np.asarray(loaded.faces), dtype=torch.int64)
    if not torch.isfinite(vertices).all():
        raise InputError(f"cannot use the mesh {file}: it has vertices that are not finite numbers")
    if int(faces.min()) < 0 or int(faces.max()) >= len(vertices):
        raise InputError(f"cannot use the mesh {file}: its faces name vertices that do not exist")
    visual = loaded.visual
    coordinates = visual.uv if isinstance(visual, trimesh.visual.TextureVisuals) else None
    if coordinates is None or np.shape(coordinates) != (len(vertices), 2):
        return Mesh(vertices, faces)
    uvs = torch.tensor(np.asarray(coordinates), dtype=torch.float32)
    return Mesh(vertices, faces, torch.stack([uvs[:, 0], 1.0 - uvs[:, 1]], dim=-1))

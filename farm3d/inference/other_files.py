"""The animal for programs that read no glTF: OBJ with a texture, PLY with colours."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from farm3d.geometry.mesh import Mesh
from farm3d.inference.texture import BakedTexture
from farm3d.io.image import write_png
from farm3d.io.mesh_files import ObjMaterial, write_mtl, write_obj, write_ply
from farm3d.ops.mesh_topology import vertex_normals
from farm3d.ops.srgb import linear_to_srgb
from farm3d.types import AnimalPrediction

MATERIAL = "coat"
FILES = ("rest.obj", "posed.obj", "coat.mtl", "coat.png", "posed.ply")
"""What `write_other_files` writes."""


def write_other_files(folder: Path, prediction: AnimalPrediction, texture: BakedTexture) -> None:
    """Write FILES: the animal at rest and in the photograph's pose, object frame and object units.

    Both OBJ files share one material, whose texture is the GLB's. The PLY's vertices have their texels'
    colours. Raises InputError where a file cannot be written.
    """
    faces, atlas = prediction.posed_mesh.faces, texture.atlas
    material = ObjMaterial(atlas.uvs, atlas.faces, "coat.mtl", MATERIAL)
    rest, posed = prediction.rest_mesh.vertices[0], prediction.posed_mesh.vertices[0]
    for name, vertices in (("rest.obj", rest), ("posed.obj", posed)):
        normals = vertex_normals(vertices, faces)
        write_obj(folder / name, Mesh(vertices, faces), normals=normals, material=material)
    write_mtl(folder / "coat.mtl", MATERIAL, "coat.png")
    write_png(folder / "coat.png", texture.pixels)
    write_ply(folder / "posed.ply", Mesh(posed, faces), vertex_colours(texture, len(posed)))


def vertex_colours(texture: BakedTexture, count: int) -> UInt8[np.ndarray, "vertices 3"]:
    """The sRGB colour of each of a mesh's `count` vertices: the mean of its places on the atlas."""
    source = texture.atlas.source_vertices
    albedo = texture.albedo_fn()(texture.uv_positions(), torch.zeros(len(source), dtype=torch.long))
    total = torch.zeros(count, 3).index_add_(0, source, albedo)
    times = torch.bincount(source, minlength=count).clamp_min(1)[:, None]
    return (255.0 * linear_to_srgb(total / times)).round().clamp(0.0, 255.0).byte().numpy()

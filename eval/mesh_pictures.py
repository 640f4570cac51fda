"""Pictures of meshes for reports: plain grey surfaces from the front left, side by side."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from farm3d.geometry.camera import camera_from_rotation, project_to_clip
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.viewpoint import viewpoint_rotation
from farm3d.ops.mesh_topology import vertex_normals
from farm3d.ops.rasterize import interpolate, rasterize

from .photograph_pictures import Pixels, jpeg, shrunk

SIDE = 300
AZIMUTH, ELEVATION = math.radians(-60.0), math.radians(15.0)
RADIUS = 2.0
"""Half the largest extent (object units) to which a mesh is scaled: it fills the view."""

BACKGROUND = 0.95


def draw_mesh(mesh: Mesh, *, turned: bool = False, side: int = SIDE) -> UInt8[np.ndarray, "side side 3"]:
    """The surface in grey, scaled to fit and centred; `turned` by 180 degrees about y first."""
    lowest, highest = mesh.vertices.amin(dim=0), mesh.vertices.amax(dim=0)
    vertices = (mesh.vertices - (lowest + highest) / 2) * (2 * RADIUS / float((highest - lowest).max()))
    vertices = vertices.float() * (torch.tensor([-1.0, 1.0, -1.0]) if turned else 1.0)
    rotation = viewpoint_rotation(torch.tensor(AZIMUTH), torch.tensor(ELEVATION))
    camera = camera_from_rotation(rotation, torch.zeros(3))
    drawn = rasterize(project_to_clip(camera, vertices)[None], mesh.faces, (side, side))
    normals = interpolate((vertex_normals(vertices, mesh.faces) @ rotation.T)[None], drawn, mesh.faces)[0]
    facing = torch.nn.functional.normalize(normals, dim=-1) @ torch.tensor([0.3, 0.5, 0.81])
    shade = torch.where(drawn[0, ..., 3] > 0, 0.2 + 0.6 * facing.clamp_min(0.0), torch.tensor(BACKGROUND))
    return np.repeat((255 * shade).round().to(torch.uint8).numpy()[..., None], 3, axis=-1)


def in_a_row(pictures: Sequence[UInt8[np.ndarray, "_ _ 3"]], *, side: int = SIDE) -> bytes:
    """A JPEG of pictures beside each other, each fitted into a square."""
    return jpeg(np.concatenate([_squared(picture, side) for picture in pictures], axis=1))


def _squared(pixels: Pixels, side: int) -> UInt8[np.ndarray, "side side 3"]:
    height, width = (max(1, round(length * side / max(pixels.shape[:2]))) for length in pixels.shape[:2])
    canvas = np.full((side, side, 3), round(255 * BACKGROUND), dtype=np.uint8)
    resized = cv2.resize(shrunk(pixels)[0], (width, height), interpolation=cv2.INTER_AREA)
    top, left = (side - height) // 2, (side - width) // 2
    canvas[top : top + height, left : left + width] = resized
    return canvas

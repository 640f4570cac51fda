"""A made-up animal with exactly as many faces as asked for, and views of it."""

import math

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial import ConvexHull
from torch import Tensor

from farm3d.errors import ConfigError
from farm3d.geometry.camera import Camera, camera_from_rotation, project_to_clip
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.viewpoint import viewpoint_rotation

_LEGS = tuple(((x, -0.75, z), (0.14, 0.75, 0.17)) for x in (-0.3, 0.3) for z in (-0.8, 0.8))
PARTS = (
    ((0.0, 0.2, 0.0), (0.5, 0.6, 1.2)),
    ((0.0, 0.75, 1.15), (0.22, 0.5, 0.35)),
    ((0.0, 1.1, 1.55), (0.22, 0.27, 0.5)),
    ((0.0, 0.1, -1.3), (0.08, 0.5, 0.1)),
    *_LEGS,
)
"""Centre and radii (object units) of the closed surfaces that make up the animal."""

LEAST_FACES = 40 * len(PARTS)
ELEVATION = 0.2


def animal_mesh(faces: int) -> Mesh:
    """A torso, neck, head, tail and four legs of triangles about equally many to the area, `faces` in all.

    Each part is a closed surface that reaches into its neighbours, its points in a Fibonacci spiral, so
    that the triangles are as irregular as an iso-surface's. Raises ConfigError for an odd number of faces
    or too few.
    """
    if faces % 2 or faces < LEAST_FACES:
        raise ConfigError(f"an animal of {faces} faces: give an even number from {LEAST_FACES}")
    areas = np.array([_ellipsoid_area(radii) for _, radii in PARTS])
    points = (faces + 4 * len(PARTS)) // 2
    ends = np.round(np.cumsum(areas / areas.sum()) * points).astype(int)
    vertices, triangles = [], []
    for (centre, radii), first, end in zip(PARTS, [0, *ends[:-1]], ends, strict=True):
        sphere, hull = _sphere(int(end - first))
        vertices.append(sphere * np.array(radii) + np.array(centre))
        triangles.append(hull + first)
    return Mesh(
        torch.from_numpy(np.concatenate(vertices)).float(),
        torch.from_numpy(np.concatenate(triangles)).long(),
    )


def views(count: int) -> Camera:
    """Cameras all around at equal angles, a little above; one of them alone sees the side."""
    azimuths = math.pi / 2 + torch.arange(count) * (2 * math.pi / count)
    rotation = viewpoint_rotation(azimuths, torch.full((count,), ELEVATION))
    return camera_from_rotation(rotation, torch.zeros(count, 3))


def _sphere(points: int) -> tuple[Float[np.ndarray, "points 3"], Int[np.ndarray, "faces 3"]]:
    """`points` of the unit sphere and their 2 `points` - 4 triangles, counter-clockwise from outside."""
    index = np.arange(points) + 0.5
    height, angle = 1.0 - 2.0 * index / points, math.pi * (1.0 + math.sqrt(5.0)) * index
    around = np.sqrt(1.0 - height**2)
    sphere = np.stack([around * np.cos(angle), height, around * np.sin(angle)], axis=1)
    triangles = ConvexHull(sphere).simplices.astype(np.int64)
    a, b, c = (sphere[triangles[:, k]] for k in range(3))
    inward = (np.cross(b - a, c - a) * a).sum(axis=1) < 0.0
    triangles[inward] = triangles[inward][:, ::-1]
    # Neighbours in memory are neighbours on the surface, as in the meshes that farm3d extracts.
    return sphere, triangles[np.argsort(triangles.min(axis=1), kind="stable")]


def _ellipsoid_area(radii: tuple[float, float, float]) -> float:
    """Thomsen's approximation, right within 1.1 %."""
    a, b, c = (radius**1.6075 for radius in radii)
    return 4.0 * math.pi * ((a * b + a * c + b * c) / 3.0) ** (1.0 / 1.6075)


def project(mesh: Mesh, camera: Camera) -> Float[Tensor, "images vertices 4"]:
    """Clip positions of one mesh in each view."""
    return project_to_clip(
        camera, mesh.vertices[None].expand(len(camera.world_to_camera), -1, -1)
    ).contiguous()

"""Signed distances to a known mesh, for supervising the category's shape."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial import cKDTree
from torch import Tensor

from farm3d.geometry.mesh import Mesh
from farm3d.geometry.tetrahedral_grid import HALF_EXTENT

SURFACE_POINTS = 200_000
"""Dense enough that the nearest sample stands for the nearest surface point (about 0.01 units apart)."""


@dataclass(frozen=True)
class SurfaceSampler:
    """Points of a closed mesh with their outward normals, and a search tree over them."""

    points: np.ndarray
    normals: np.ndarray
    tree: cKDTree

    def draw(
        self, count: int, rng: np.random.Generator
    ) -> tuple[Float[Tensor, "points 3"], Float[Tensor, " points"]]:
        """Random points and their signed distances: three quarters near the surface, the rest in the cube."""
        near = 3 * count // 4
        spread = rng.choice([0.02, 0.06, 0.2], size=(near, 1))
        around = self.points[rng.integers(len(self.points), size=near)] + spread * rng.standard_normal((near, 3))
        anywhere = rng.uniform(-HALF_EXTENT, HALF_EXTENT, size=(count - near, 3))
        drawn = np.concatenate([around, anywhere]).astype(np.float32)
        distance, nearest = self.tree.query(drawn)
        outward = np.einsum("ij,ij->i", drawn - self.points[nearest], self.normals[nearest])
        signed = np.where(outward < 0, -distance, distance).astype(np.float32)
        return torch.from_numpy(drawn), torch.from_numpy(signed)


def surface_sampler(mesh: Mesh, rng: np.random.Generator) -> SurfaceSampler:
    """Sample a closed mesh evenly by area."""
    corners = mesh.vertices[mesh.faces].double().numpy()
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1)
    face = rng.choice(len(area), size=SURFACE_POINTS, p=area / area.sum())
    first, second = rng.random((2, SURFACE_POINTS, 1))
    root = np.sqrt(first)
    weights = np.concatenate([1.0 - root, root * (1.0 - second), root * second], axis=1)
    points = np.einsum("ij,ijk->ik", weights, corners[face])
    return SurfaceSampler(points, cross[face] / area[face, None], cKDTree(points))

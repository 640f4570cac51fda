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
"""Dense enough that the nearest one stands for the nearest surface point (about 0.01 units apart)."""

SPREADS = (0.02, 0.06, 0.2)
"""Standard deviations (object units) of the samples about the surface."""


SPARSE_STEP, FAR = 16, 0.6
"""Beyond this distance (object units) every sixteenth surface point will do: right to about 0.02."""


@dataclass(frozen=True)
class SignedDistances:
    """Points of the object frame with their signed distances, negative inside."""

    points: Float[Tensor, "points 3"]
    values: Float[Tensor, " points"]

    def draw(self, count: int, rng: np.random.Generator) -> "SignedDistances":
        """A random choice of them."""
        chosen = torch.from_numpy(rng.integers(len(self.points), size=count))
        return SignedDistances(self.points[chosen], self.values[chosen])


def signed_distances(mesh: Mesh, count: int, rng: np.random.Generator) -> SignedDistances:
    """Signed distances to a closed mesh: three quarters near its surface, the rest anywhere in the cube."""
    surface, normals = _sample_surface(mesh, rng)
    near = 3 * count // 4
    spread = rng.choice(SPREADS, size=(near, 1))
    around = surface[rng.integers(len(surface), size=near)] + spread * rng.standard_normal((near, 3))
    anywhere = rng.uniform(-HALF_EXTENT, HALF_EXTENT, size=(count - near, 3))
    points = np.concatenate([around, anywhere])
    distance, nearest = _nearest(surface, points)
    outward = np.einsum("ij,ij->i", points - surface[nearest], normals[nearest])
    signed = np.where(outward < 0, -distance, distance)
    return SignedDistances(torch.from_numpy(points).float(), torch.from_numpy(signed).float())


def _nearest(surface: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the nearest surface points and their numbers; far searches in a dense tree are slow."""
    distance, nearest = map(np.asarray, cKDTree(surface[::SPARSE_STEP]).query(points))
    nearest *= SPARSE_STEP
    near = distance < FAR
    distance[near], nearest[near] = cKDTree(surface).query(points[near])
    return distance, nearest


def _sample_surface(mesh: Mesh, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points spread evenly by area, and the unit normals of their faces."""
    corners = mesh.vertices[mesh.faces].double().numpy()
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(cross, axis=1)
    face = rng.choice(len(area), size=SURFACE_POINTS, p=area / area.sum())
    root, second = np.sqrt(rng.random((SURFACE_POINTS, 1))), rng.random((SURFACE_POINTS, 1))
    weights = np.concatenate([1.0 - root, root * (1.0 - second), root * second], axis=1)
    return np.einsum("ij,ijk->ik", weights, corners[face]), cross[face] / area[face, None]

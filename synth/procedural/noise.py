"""Random functions of place: smooth noise, cells around random seeds."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class Cells:
    """The cell that each point lies in: its seed's number, how far the border is, and how far the seed.

    The border is the plane midway to the next seed; lengths are in the points' units.
    """

    seed: Int[np.ndarray, " points"]
    border: Float[np.ndarray, " points"]
    centre: Float[np.ndarray, " points"]


def smooth_noise(
    points: Float[np.ndarray, "points 3"],
    frequency: float,
    generator: np.random.Generator,
    *,
    waves: int = 24,
) -> Float[np.ndarray, " points"]:
    """A random function of place with unit variance: a sum of plane waves about one frequency."""
    directions = generator.normal(size=(3, waves))
    directions *= frequency * generator.uniform(0.6, 1.4, waves) / np.linalg.norm(directions, axis=0)
    phases = generator.uniform(0, 2 * np.pi, waves)
    angles = np.einsum("pk,kw->pw", points, (2 * np.pi * directions).astype(points.dtype))
    angles += phases.astype(points.dtype)
    return np.float64(np.sqrt(2.0 / waves)).astype(points.dtype) * np.cos(angles).sum(axis=1)


def scattered_seeds(
    points: Float[np.ndarray, "points 3"],
    spacing: Float[np.ndarray, " points"],
    generator: np.random.Generator,
) -> Int[np.ndarray, " seeds"]:
    """Numbers of points, none nearer to another than its own spacing: dart throwing (Cook 1986).

    Points where the spacing is infinite are no seeds.
    """
    order = generator.permutation(np.flatnonzero(np.isfinite(spacing)))
    tree = cKDTree(points)
    free = np.ones(len(points), dtype=bool)
    seeds = []
    for number in order:
        if free[number]:
            seeds.append(number)
            free[tree.query_ball_point(points[number], float(spacing[number]))] = False
    return np.array(seeds, dtype=np.int64)


def cells(points: Float[np.ndarray, "points 3"], seeds: Float[np.ndarray, "seeds 3"]) -> Cells:
    """The Voronoi cells of at least two seeds."""
    distance, number = (np.asarray(rows) for rows in cKDTree(seeds).query(points, k=2))
    between = np.linalg.norm(seeds[number[:, 1]] - seeds[number[:, 0]], axis=1)
    border = (distance[:, 1] ** 2 - distance[:, 0] ** 2) / (2.0 * np.maximum(between, 1e-9))
    return Cells(number[:, 0], border.astype(points.dtype), distance[:, 0].astype(points.dtype))

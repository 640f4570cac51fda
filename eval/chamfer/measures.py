"""Other figures that papers give for the same aligned pair, each under its exact name and definition."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .voxels import Triangles, Voxels, fill, voxelize_surface

F_SCORE_THRESHOLD = 0.01
"""Of the target's largest extent, as Tatarchenko et al. 2019 choose."""


@dataclass(frozen=True)
class Measures:
    """Further measures of an aligned pair.

    `f_score` (Knapitsch et al. 2017, "Tanks and Temples"; Tatarchenko et al. 2019, "What do single-view 3D
    reconstruction networks learn?"): the harmonic mean of `precision`, the share of the reconstruction's
    points within 1 % of the target's largest extent of the target's points, and `recall`, the reverse.

    `volumetric_iou`: the voxels that both fill over those that either fills, in the target's grid
    (Choy et al. 2016, "3D-R2N2", in metric voxels of the filled surfaces).

    `rms_chamfer`: the root of the mean of both ways' mean *squared* distances, in units of the target. It
    weighs far points more than the protocol's mean distance and is never smaller.
    """

    f_score: float
    precision: float
    recall: float
    volumetric_iou: float
    rms_chamfer: float


def measure(
    to_reconstruction: Float[np.ndarray, " points"],
    to_target: Float[np.ndarray, " points"],
    *,
    extent: float,
    volumes: tuple[Triangles, Voxels],
) -> Measures:
    """All of them from nearest distances both ways, the aligned reconstruction and the target's voxels."""
    threshold = F_SCORE_THRESHOLD * extent
    precision, recall = (float((found <= threshold).mean()) for found in (to_target, to_reconstruction))
    reconstruction, target = volumes
    squares = (np.square(to_reconstruction).mean() + np.square(to_target).mean()) / 2.0
    return Measures(
        f_score=2.0 * precision * recall / (precision + recall) if precision + recall else 0.0,
        precision=precision,
        recall=recall,
        volumetric_iou=volumetric_iou(fill(voxelize_surface(reconstruction, target.pitch)), target),
        rms_chamfer=float(np.sqrt(squares)),
    )


def volumetric_iou(first: Voxels, second: Voxels) -> float:
    """Intersection over union of the occupied voxels of two grids with one pitch."""
    common = [
        (max(a, b), min(a + m, b + n))
        for a, m, b, n in zip(
            first.origin, first.occupied.shape, second.origin, second.occupied.shape, strict=True
        )
    ]
    if any(begin >= end for begin, end in common):
        return 0.0
    parts = [
        grid.occupied[tuple(slice(b - o, e - o) for (b, e), o in zip(common, grid.origin, strict=True))]
        for grid in (first, second)
    ]
    both = int(np.count_nonzero(parts[0] & parts[1]))
    return both / (first.count + second.count - both)

"""The lattice on which the signed distance is sampled: body-centred cubic, mirror-symmetric in x."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.ops.body_centred_lattice import BodyCentredLattice

HALF_EXTENT = 3.5
"""Half the side (object units) of the cube that holds every shape (MagicPony: 7 / 2)."""


@dataclass(frozen=True)
class TetrahedralGrid:
    """Positively oriented tetrahedra; `mirror[i]` is the vertex at (-x, y, z) of vertex i."""

    vertices: Float[Tensor, "corners 3"]
    tets: Int[Tensor, "tets 4"]
    mirror: Int[Tensor, " corners"]


def cells_per_side(resolution: int) -> int:
    """Cells a side of the lattice that matches a public grid file's `resolution`: even(0.406 resolution)."""
    return max(2, 2 * round(0.203 * resolution))


def shape_lattice(resolution: int, half_extent: float = HALF_EXTENT) -> BodyCentredLattice:
    """The body-centred cubic lattice over [-half_extent, half_extent]^3."""
    n = cells_per_side(resolution)
    return BodyCentredLattice((n, n, n), 2.0 * half_extent / n)


def tetrahedral_grid(resolution: int, half_extent: float = HALF_EXTENT) -> TetrahedralGrid:
    """All points and tetrahedra of `shape_lattice`, for dense evaluation.

    Every face between two cells is split into four tetrahedra that each join one of its sides with the
    two centres. All tetrahedra are congruent. The outer half cells, where no surface may be, carry none.
    """
    lattice = shape_lattice(resolution, half_extent)
    mirrored = lattice.points(torch.arange(lattice.point_count))
    mirrored[:, 0] = 2 * lattice.counts[0] - mirrored[:, 0]
    return TetrahedralGrid(lattice.all_positions(), lattice.all_tets(), lattice.numbers(mirrored))

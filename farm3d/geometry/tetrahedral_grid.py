"""The lattice on which the signed distance is sampled: body-centred cubic, mirror-symmetric in x."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

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


def tetrahedral_grid(resolution: int, half_extent: float = HALF_EXTENT) -> TetrahedralGrid:
    """The body-centred cubic lattice over [-half_extent, half_extent]^3.

    Corners of n^3 cubic cells and their centres; every face between two cells is split into four
    tetrahedra that each join one of its sides with the two centres. All tetrahedra are congruent. The
    outer half cells, where no surface may be, carry none.
    """
    n = cells_per_side(resolution)
    corner = torch.arange((n + 1) ** 3).reshape(n + 1, n + 1, n + 1)
    centre = torch.arange(n**3).reshape(n, n, n) + corner.numel()
    step = 2.0 * half_extent / n
    axis = (torch.arange(n + 1) - n // 2) * step
    middle = (torch.arange(n) - n // 2 + 0.5) * step
    vertices = torch.cat(
        [torch.cartesian_prod(axis, axis, axis), torch.cartesian_prod(middle, middle, middle)]
    )
    mirror = torch.cat([corner.flip(0).flatten(), centre.flip(0).flatten()])
    tets = torch.cat([_tets_across(corner, centre, axis=k) for k in range(3)])
    return TetrahedralGrid(vertices, _positively_oriented(vertices, tets), mirror)


def _tets_across(
    corner: Int[Tensor, "a b c"], centre: Int[Tensor, "d e f"], axis: int
) -> Int[Tensor, "tets 4"]:
    """Four tetrahedra about each face between two cells that are neighbours along `axis`."""
    corner, centre = corner.movedim(axis, 0), centre.movedim(axis, 0)
    face = corner[1:-1]
    ring = (face[:, :-1, :-1], face[:, 1:, :-1], face[:, 1:, 1:], face[:, :-1, 1:])
    sides = [torch.stack([ring[k], ring[(k + 1) % 4]], dim=-1) for k in range(4)]
    centres = torch.stack([centre[:-1], centre[1:]], dim=-1)
    return torch.cat([torch.cat([centres, side], dim=-1).reshape(-1, 4) for side in sides])


def _positively_oriented(
    vertices: Float[Tensor, "corners 3"], tets: Int[Tensor, "tets 4"]
) -> Int[Tensor, "tets 4"]:
    origin, *rest = (vertices[tets[:, k]] for k in range(4))
    volume = (torch.linalg.cross(rest[0] - origin, rest[1] - origin) * (rest[2] - origin)).sum(-1)
    return torch.where((volume > 0)[:, None], tets, tets[:, [0, 1, 3, 2]])

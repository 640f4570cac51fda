"""The body-centred cubic lattice: the corners and the centres of cubic cells, and their numbering."""

from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Float, Int
from torch import Tensor

FORWARD = ((0, 0, 2), (0, 2, 0), (2, 0, 0), *product((-1, 1), repeat=3))
"""Displacements (half steps) from a point to those of its 14 neighbours that have a higher number, by that
number: a corner has all of these, a centre the first three."""


def points_around_face(axis: int) -> list[tuple[int, ...]]:
    """The points about the face between a cell and the next along `axis`, in half steps from the cell's origin.

    The cell's centre, the next one's centre, and the face's four corners in a ring such that both centres
    and two successive corners span a tetrahedron of positive orientation.
    """
    in_face = ((1, 1, 1), (3, 1, 1), (2, 0, 0), (2, 2, 0), (2, 2, 2), (2, 0, 2))
    return [tuple(point[(k - axis) % 3] for k in range(3)) for point in in_face]


@dataclass(frozen=True)
class BodyCentredLattice:
    """The corners and centres of `counts` cubic cells, `spacing` (object units) wide, about `middle`.

    A point is written in half steps from the lowest corner, `Int[Tensor, "*batch 3"]`: corners have even
    coordinates, centres odd ones. Points are numbered corners first, each kind with z running fastest.
    Positions are exactly mirror-symmetric in x where `middle[0]` is 0.
    """

    counts: tuple[int, int, int]
    spacing: float
    middle: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def corner_count(self) -> int:
        """The number of corners, which is the number of the first centre."""
        nx, ny, nz = self.counts
        return (nx + 1) * (ny + 1) * (nz + 1)

    @property
    def point_count(self) -> int:
        """The number of corners and centres."""
        nx, ny, nz = self.counts
        return self.corner_count + nx * ny * nz

    def index(self, points: Int[Tensor, "*batch 3"]) -> Int[Tensor, "*batch"]:
        """The numbers of points."""
        _, ny, nz = self.counts
        x, y, z = (points >> 1).unbind(-1)
        corner = (x * (ny + 1) + y) * (nz + 1) + z
        centre = (x * ny + y) * nz + z + self.corner_count
        return torch.where((points[..., 0] & 1).bool(), centre, corner)

    def points(self, index: Int[Tensor, " points"]) -> Int[Tensor, "points 3"]:
        """The points of these numbers."""
        is_centre = index >= self.corner_count
        rest = torch.where(is_centre, index - self.corner_count, index)
        ny, nz = (count + (~is_centre).long() for count in self.counts[1:])
        x, y, z = rest // (ny * nz), rest // nz % ny, rest % nz
        return 2 * torch.stack([x, y, z], dim=-1) + is_centre[:, None]

    def positions(self, points: Int[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Where points are (object units)."""
        from_middle = (points - points.new_tensor(self.counts)) * (0.5 * self.spacing)
        return from_middle + from_middle.new_tensor(self.middle)

    def tets_across(self, cells: Int[Tensor, "faces 3"], axis: int) -> Int[Tensor, "4 faces 4"]:
        """Four positively oriented tetrahedra about the face between each cell and the next along `axis`.

        Each joins one side of the face with the two centres; entries are numbers of points.
        """
        around = torch.tensor(points_around_face(axis), device=cells.device)
        first, second, *ring = (self.index(2 * cells + offset) for offset in around)
        tets = [torch.stack([first, second, ring[k], ring[(k + 1) % 4]], dim=-1) for k in range(4)]
        return torch.stack(tets)

"""The body-centred cubic lattice: the corners and the centres of cubic cells, and their numbering."""

from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

OCTANTS = tuple(product((0, 1), repeat=3))
"""The corners of a cell from its lowest, in cells; also the eight halves of a block."""

FORWARD = ((0, 0, 2), (0, 2, 0), (2, 0, 0), *product((-1, 1), repeat=3))
"""Displacements (half steps) from a point to those of its 14 neighbours that have a higher number, by that
number: a corner has all of these, a centre the first three."""


@dataclass(frozen=True)
class BodyCentredLattice:
    """The corners and centres of `counts` cubic cells, `spacing` (object units) wide, about the origin.

    A point is written in half steps from the lowest corner: corners have even coordinates, centres odd
    ones. Points are numbered corners first, each kind with z running fastest. A cell is written by its
    place along x, y and z. Positions are exactly mirror-symmetric.
    """

    counts: tuple[int, int, int]
    spacing: float

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

    def numbers(self, points: Int[Tensor, "*batch 3"]) -> Int[Tensor, "*batch"]:
        """The numbers of points."""
        _, ny, nz = self.counts
        x, y, z = (points >> 1).unbind(-1)
        corner = (x * (ny + 1) + y) * (nz + 1) + z
        centre = (x * ny + y) * nz + z + self.corner_count
        return torch.where((points[..., 0] & 1).bool(), centre, corner)

    def points(self, numbers: Int[Tensor, " points"]) -> Int[Tensor, "points 3"]:
        """The points of these numbers."""
        is_centre = numbers >= self.corner_count
        rest = torch.where(is_centre, numbers - self.corner_count, numbers)
        ny, nz = (count + (~is_centre).long() for count in self.counts[1:])
        x, y, z = rest // (ny * nz), rest // nz % ny, rest % nz
        return 2 * torch.stack([x, y, z], dim=-1) + is_centre[:, None]

    def positions(self, points: Int[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Where points are (object units)."""
        return (points - points.new_tensor(self.counts)) * (0.5 * self.spacing)

    def numbers_of_cells(self, cells: Int[Tensor, "cells 3"]) -> Int[Tensor, "cells 9"]:
        """The numbers of the points of cells: eight corners in the order of `OCTANTS`, then the centre."""
        _, ny, nz = self.counts
        offsets = [(x * (ny + 1) + y) * (nz + 1) + z for x, y, z in OCTANTS]
        lowest, centre = self.numbers(2 * cells), self.numbers(2 * cells + 1)
        corners = lowest[:, None] + torch.tensor(offsets, device=cells.device)
        return torch.cat([corners, centre[:, None]], dim=1)

    def tets_between(self, taken: Bool[Tensor, "nx ny nz"], axis: int) -> Int[Tensor, "4 faces 4"]:
        """Four positively oriented tetrahedra about every face between two taken cells, one after the
        other along `axis`.

        Each joins one side of the face with the two centres; entries are numbers of points.
        """
        order = [(axis + k) % 3 for k in range(3)]
        along = taken.permute(order)
        cells = torch.nonzero(along[:-1] & along[1:])[:, [order.index(k) for k in range(3)]]
        around = torch.tensor(points_around_face(axis), device=cells.device)
        first, second, *ring = (self.numbers(2 * cells + offset) for offset in around)
        tets = [torch.stack([first, second, ring[k], ring[(k + 1) % 4]], dim=-1) for k in range(4)]
        return torch.stack(tets)

    def all_positions(self) -> Float[Tensor, "points 3"]:
        """Where the points are (object units), by their numbers."""
        return self.positions(self.points(torch.arange(self.point_count)))

    def all_tets(self) -> Int[Tensor, "tets 4"]:
        """All tetrahedra; the outer half cells carry none."""
        taken = torch.ones(self.counts, dtype=torch.bool)
        return torch.cat([self.tets_between(taken, axis).flatten(0, 1) for axis in range(3)])


def points_around_face(axis: int) -> list[tuple[int, ...]]:
    """The points about the face between a cell and the next along `axis`, from the cell's lowest corner.

    The cell's centre, the next one's centre, and the face's four corners in a ring such that both centres
    and two successive corners span a tetrahedron of positive orientation.
    """
    across_x = ((1, 1, 1), (3, 1, 1), (2, 0, 0), (2, 2, 0), (2, 2, 2), (2, 0, 2))
    return [tuple(point[(k - axis) % 3] for k in range(3)) for point in across_x]

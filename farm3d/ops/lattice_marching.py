"""Marching tetrahedra on chosen cells of the body-centred cubic lattice, where edges have numbers."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from farm3d.ops.body_centred_lattice import FORWARD, BodyCentredLattice, points_around_face
from farm3d.ops.marching_tetrahedra import EDGES, cut_triangles, edge_ends
from farm3d.shapes import Faces


def march_cells(
    lattice: BodyCentredLattice,
    taken: Bool[Tensor, "nx ny nz"],
    numbers: Int[Tensor, " points"],
    *,
    inside: Bool[Tensor, " points"],
) -> tuple[Int[Tensor, "2 vertices"], Faces]:
    """The surface in the tetrahedra between two `taken` cells: the edges that it crosses, and its faces.

    `numbers` are those of all points of taken cells, ascending; `inside` says which of them are. Edges
    are given by the places of their ends in `numbers`. They come in the order of
    `marching_tetrahedra`, but are not sorted: an edge is known by its lower end and its direction, so
    that a table of both is marked and counted.
    """
    place = torch.zeros(lattice.point_count, dtype=torch.int32, device=numbers.device)
    place[numbers] = torch.arange(len(numbers), dtype=torch.int32, device=numbers.device)
    keys, others = [], []
    for axis in range(3):
        tets_by_side = place[lattice.tets_between(taken, axis)].long()
        tets = tets_by_side.flatten(0, 1)
        tet, edges = cut_triangles(inside[tets])
        low, high = edge_ends(tets, tet, edges)
        side = tet.div(max(tets_by_side.shape[1], 1), rounding_mode="floor")
        keys.append(low * len(FORWARD) + _DIRECTIONS.to(tet.device)[axis, side[:, None], edges])
        others.append(high)
    edge_of_corner = torch.cat(keys)
    higher_end = torch.full((len(numbers) * len(FORWARD),), -1, device=numbers.device)
    higher_end[edge_of_corner] = torch.cat(others)
    is_cut = higher_end >= 0
    cut, vertex = torch.nonzero(is_cut).squeeze(1), torch.cumsum(is_cut, dim=0) - 1
    ends = torch.stack([cut.div(len(FORWARD), rounding_mode="floor"), higher_end[cut]])
    return ends, vertex[edge_of_corner]


def _edge_directions() -> list[list[list[int]]]:
    """The place in `FORWARD` of each axis, each tetrahedron of `tets_between` and each of its `EDGES`."""

    def direction(a: tuple[int, ...], b: tuple[int, ...]) -> int:
        lower, higher = sorted((a, b), key=lambda point: (point[0] % 2, point))
        return FORWARD.index(tuple(higher[k] - lower[k] for k in range(3)))

    table = []
    for axis in range(3):
        first, second, *ring = points_around_face(axis)
        tets = [(first, second, ring[k], ring[(k + 1) % 4]) for k in range(4)]
        table.append([[direction(tet[a], tet[b]) for a, b in EDGES] for tet in tets])
    return table


_DIRECTIONS = torch.tensor(_edge_directions())

"""Marching tetrahedra: the zero level set of values at the corners of tetrahedra, as a triangle mesh.

Source: Doi and Koide 1991; differentiable through the interpolated vertices as in DMTet
(arXiv 2111.04276, equation 3).
"""

from itertools import permutations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from farm3d.shapes import Faces

EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))


def _is_even(order: tuple[int, ...]) -> bool:
    inversions = sum(order[i] > order[j] for i in range(4) for j in range(i + 1, 4))
    return inversions % 2 == 0


def _triangle_table() -> tuple[list[list[int]], list[int]]:
    """For each of the 16 sign patterns (bit k: corner k is inside): six edge numbers and the triangle count.

    For a positively oriented tetrahedron (i, j, k, l) a lone inside corner i is cut off by the edges
    ij, ik, il, and an inside pair i, j by the quadrilateral ik, il, jl, jk, counter-clockwise from
    outside; the complement of a lone corner is the same triangle turned round.
    """
    edge = {frozenset(pair): number for number, pair in enumerate(EDGES)}
    rows: list[list[int]] = [[0] * 6 for _ in range(16)]
    counts = [0] * 16
    for i, j, k, m in filter(_is_even, permutations(range(4))):
        ij, ik, im = (edge[frozenset(pair)] for pair in ((i, j), (i, k), (i, m)))
        jm, jk = edge[frozenset((j, m))], edge[frozenset((j, k))]
        lone, pair = 1 << i, (1 << i) | (1 << j)
        if counts[lone] == 0:
            rows[lone][:3], rows[15 - lone][:3] = [ij, ik, im], [ij, im, ik]
            counts[lone] = counts[15 - lone] = 1
        if counts[pair] == 0:
            rows[pair], counts[pair] = [ik, im, jm, ik, jm, jk], 2
    return rows, counts


_TABLE, _COUNTS = (torch.tensor(part) for part in _triangle_table())


def marching_tetrahedra(
    vertices: Float[Tensor, "corners 3"], tets: Int[Tensor, "tets 4"], sdf: Float[Tensor, " corners"]
) -> tuple[Float[Tensor, "vertices 3"], Faces]:
    """The surface where `sdf` changes sign, faces counter-clockwise seen from the positive side.

    A vertex lies on an edge (a, b) at the zero of the linear interpolation (`edge_zeros`); gradients reach
    `sdf` and `vertices` through it. Values below 0 are inside. Tetrahedra are positively oriented:
    `det[v1 - v0, v2 - v0, v3 - v0] > 0`. The mesh is empty (0 vertices, 0 faces) where no sign changes.
    Not differentiable: the choice of edges.

    Edges of arbitrary tetrahedra are made unique by sorting; on a lattice, where an edge's number can be
    computed, `farm3d.ops.sparse_isosurface` sorts nothing.
    """
    with torch.no_grad():
        tet, edges = cut_triangles((sdf < 0)[tets])
        low, high = edge_ends(tets, tet, edges)
        keys, faces = torch.unique(low * vertices.shape[0] + high, return_inverse=True)
        first, second = keys // vertices.shape[0], keys % vertices.shape[0]
    return edge_zeros(vertices, sdf, torch.stack([first, second])), faces


def cut_triangles(
    inside: Bool[Tensor, "tets 4"],
) -> tuple[Int[Tensor, " triangles"], Int[Tensor, "triangles 3"]]:
    """The triangles that separate the corners inside from those outside: tetrahedron, and three of `EDGES`.

    In the order of the tetrahedra.
    """
    device = inside.device
    pattern = (inside * torch.tensor([1, 2, 4, 8], device=device)).sum(-1)
    counts = _COUNTS.to(device)[pattern]
    tet = torch.nonzero(counts).squeeze(1)
    triangles = _TABLE.to(device)[pattern[tet]].unflatten(-1, (2, 3))
    keep = torch.arange(2, device=device) < counts[tet, None]
    return torch.repeat_interleave(tet, counts[tet]), triangles[keep]


def edge_ends(
    tets: Int[Tensor, "tets 4"], tet: Int[Tensor, " triangles"], edges: Int[Tensor, "triangles 3"]
) -> tuple[Int[Tensor, "triangles 3"], Int[Tensor, "triangles 3"]]:
    """The corners at the ends of the edges of `cut_triangles`: the lower numbers, and the higher."""
    corners = torch.tensor(EDGES, device=tets.device)[edges]
    low, high = tets[tet[:, None, None], corners].aminmax(dim=-1)
    return low, high


def edge_zeros(
    points: Float[Tensor, "points 3"], values: Float[Tensor, " points"], ends: Int[Tensor, "2 edges"]
) -> Float[Tensor, "edges 3"]:
    """Where the linear interpolation along edges is 0: `(p_a s_b - p_b s_a) / (s_b - s_a)`."""
    (point_a, point_b), (value_a, value_b) = points[ends], values[ends][..., None]
    return (point_a * value_b - point_b * value_a) / (value_b - value_a)

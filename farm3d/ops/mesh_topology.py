"""Normals, edges, adjacency and components of triangle meshes."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components as graph_components
from torch import Tensor

from farm3d.shapes import Faces, Points, Vertices


@dataclass(frozen=True)
class EdgeTopology:
    """The undirected edges of a mesh and the faces along each: one entry per side of a face.

    `edges[e]` are the two vertices of edge e, the lower index first. The sides of faces that lie on it are
    entries `side_offsets[e]` to `side_offsets[e + 1]` of `side_faces` (ascending face index) and
    `side_forward`: whether that face runs from the lower to the higher vertex. A closed consistently
    oriented surface has two sides per edge, one forward and one not; a border edge has one.
    """

    edges: Int[Tensor, "edges 2"]
    side_offsets: Int[Tensor, " edges+1"]
    side_faces: Int[Tensor, " sides"]
    side_forward: Bool[Tensor, " sides"]


def face_normals(vertices: Vertices, faces: Faces) -> Points:
    """Cross product of two sides of each face: normal times twice its area, (*batch, faces, 3)."""
    return _normal_rows(vertices, faces).movedim(0, -2)


def vertex_normals(vertices: Vertices, faces: Faces) -> Vertices:
    """Unit normals: the area-weighted mean of the normals of the faces around each vertex.

    Vertices without a face, or whose faces have no area, get a zero normal and a zero gradient.
    """
    normals = _normal_rows(vertices, faces).flatten(1)
    rows = normals.new_zeros(vertices.shape[-2], normals.shape[1])
    for corner in range(3):
        rows = rows.index_add(0, faces[:, corner], normals)
    total = rows.unflatten(1, (*vertices.shape[:-2], 3)).movedim(0, -2)
    squared = total.square().sum(dim=-1, keepdim=True)
    # The gradient of the root has the power -3/2, which must not overflow either.
    usable = squared > torch.finfo(vertices.dtype).tiny ** 0.5
    return torch.where(usable, total * torch.where(usable, squared, 1.0).rsqrt(), 0.0)


def _normal_rows(vertices: Vertices, faces: Faces) -> Float[Tensor, "faces *batch 3"]:
    """`face_normals` with the faces' axis first: what is gathered for a batch then lies in one place."""
    rows = vertices.movedim(-2, 0).flatten(1)
    corners = (rows.index_select(0, faces[:, k]).unflatten(1, (*vertices.shape[:-2], 3)) for k in range(3))
    first, second, third = corners
    return torch.linalg.cross(second - first, third - first, dim=-1)


def edge_topology(faces: Faces) -> EdgeTopology:
    """The edges of a mesh with the faces along each (see `EdgeTopology`), edges in ascending order."""
    start = faces.long()
    end = start.roll(-1, dims=1)
    forward = (start < end).reshape(-1)
    low, high = torch.minimum(start, end).reshape(-1), torch.maximum(start, end).reshape(-1)
    span = int(high.max()) + 1 if len(high) else 1
    keys, order = torch.sort(low * span + high, stable=True)
    unique, counts = torch.unique_consecutive(keys, return_counts=True)
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    edges = torch.stack([unique.div(span, rounding_mode="floor"), unique % span], dim=1)
    return EdgeTopology(edges, offsets, order.div(3, rounding_mode="floor"), forward[order])


def unique_edges(faces: Faces) -> Int[Tensor, "edges 2"]:
    """Each undirected edge once, lower vertex first, in ascending order."""
    return edge_topology(faces).edges


def edge_faces(topology: EdgeTopology) -> Int[Tensor, "edges 2"]:
    """The two faces along each edge, lowest first; -1 where an edge has one face.

    Of an edge with more than two faces (non-manifold) the two lowest are given.
    """
    first = topology.side_offsets[:-1]
    has_second = topology.side_offsets[1:] - first > 1
    second = topology.side_faces[torch.where(has_second, first + 1, first)]
    return torch.stack([topology.side_faces[first], torch.where(has_second, second, -1)], dim=1)


def connected_components(faces: Faces, vertex_count: int) -> Int[Tensor, " vertices"]:
    """A label per vertex, 0 upwards: equal where a path of edges joins two vertices.

    A vertex without a face is a component of its own. A face's label is that of any of its vertices.
    """
    edges = unique_edges(faces).cpu().numpy()
    weights = np.ones(len(edges), np.int8)
    graph = coo_array((weights, (edges[:, 0], edges[:, 1])), shape=(vertex_count, vertex_count))
    labels = graph_components(graph, directed=False)[1]
    return torch.from_numpy(labels.astype(np.int64)).to(faces.device)


def largest_piece(
    vertices: Float[Tensor, "vertices 3"], faces: Int[Tensor, "faces 3"]
) -> tuple[Float[Tensor, "kept 3"], Int[Tensor, "kept_faces 3"]]:
    """The connected piece with the most vertices, its faces renumbered."""
    labels = connected_components(faces, vertices.shape[0])
    counts = torch.bincount(labels)
    kept = labels == counts.argmax()
    number = torch.cumsum(kept, dim=0) - 1
    return vertices[kept], number[faces[kept[faces[:, 0]]]]

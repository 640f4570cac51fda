"""Triangle meshes made symmetric in x, and finer where that is wanted."""

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

ON_MIDLINE = 1e-7
"""Distance (object units) from x = 0 under which a vertex is its own mirror image."""

CHILDREN = {
    (0, 0, 0): ((0, 1, 2),),
    (1, 0, 0): ((0, 3, 2), (3, 1, 2)),
    (1, 1, 0): ((0, 3, 2), (3, 4, 2), (3, 1, 4)),
    (1, 1, 1): ((0, 3, 5), (3, 1, 4), (5, 4, 2), (3, 4, 5)),
}
"""Triangles in place of one whose first, second and third edge are split (by corners 3, 4 and 5)."""


def mirror_vertices(vertices: Float[Tensor, "vertices 3"]) -> Int[Tensor, " vertices"]:
    """For each vertex of a mesh that is symmetric in x the number of its mirror image."""
    flipped = vertices * vertices.new_tensor([-1.0, 1.0, 1.0])
    return torch.from_numpy(cKDTree(vertices.numpy()).query(flipped.numpy())[1])


def symmetric_faces(
    vertices: Float[Tensor, "vertices 3"], faces: Int[Tensor, "faces 3"]
) -> Int[Tensor, "symmetric 3"]:
    """The faces of the left half (x > 0), their mirror images, and those that span the midline.

    Marching tetrahedra cuts quadrilaterals along one diagonal on the left and the other on the right.
    """
    x = vertices[faces, 0]
    left = (x > -ON_MIDLINE).all(dim=1)
    right = (x < ON_MIDLINE).all(dim=1) & ~left
    mirrored = mirror_vertices(vertices)[faces[left]].flip(1)
    return torch.cat([faces[left], mirrored, faces[~left & ~right]])


def split_edges(
    vertices: Float[Tensor, "vertices 3"], faces: Int[Tensor, "faces 3"], fine: Bool[Tensor, " vertices"]
) -> tuple[Float[Tensor, "more 3"], Int[Tensor, "finer 3"]]:
    """The mesh with every edge between two `fine` vertices halved; a closed mesh stays closed.

    Source: red-green refinement (Bank, Sherman & Weiser 1983). Edges across the midline that are not
    their own mirror images stay whole, so that the vertices of a symmetric mesh stay symmetric.
    """
    sides = torch.stack([faces, faces.roll(-1, dims=1)], dim=2).reshape(-1, 2)
    edges, index = torch.unique(sides.sort(dim=1).values, dim=0, return_inverse=True)
    first, second = vertices[edges[:, 0]], vertices[edges[:, 1]]
    own_image = (first * first.new_tensor([-1.0, 1.0, 1.0]) - second).abs().amax(dim=1) < ON_MIDLINE
    same_side = first[:, 0] * second[:, 0] > -(ON_MIDLINE**2)
    split = fine[edges].all(dim=1) & (own_image | same_side)
    middles = len(vertices) + torch.cumsum(split, 0) - 1
    marks = split[index].reshape(-1, 3)
    corners = torch.cat([faces, middles[index].reshape(-1, 3)], dim=1)
    children = []
    for pattern, triangles in CHILDREN.items():
        for turn in range(3 if len(set(pattern)) == 2 else 1):
            turned = torch.tensor(np.roll(pattern, turn), dtype=torch.bool)
            chosen = corners[(marks == turned).all(dim=1)]
            order = np.concatenate([np.roll(range(3), -turn), 3 + np.roll(range(3), -turn)])
            children += [chosen[:, order[list(triangle)]] for triangle in triangles]
    return torch.cat([vertices, (first + second)[split] / 2.0]), torch.cat(children)

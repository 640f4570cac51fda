"""Colour and relief inside triangles: a small grid of samples in every face, found by barycentrics.

Source: Yuksel, Keyser & House, "Mesh Colors" (ACM Transactions on Graphics 29(2), 2010), with as many
samples in every face. Neighbouring faces hold the same values along the edge that they share, so no seam
shows. Heights perturb normals as in Blinn, "Simulation of Wrinkled Surfaces" (SIGGRAPH 1978).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from farm3d.ops.srgb import srgb_to_linear

from .mesh_color_kernels import bend_normals, read_samples

STEPS = 2
"""Samples along a side of a face, less one: about as fine as the pixels of pictures 256 wide."""

NODES = (STEPS + 1) * (STEPS + 2) // 2

HEIGHT_STEP = 0.00025
"""Object units for one step of the byte that holds a height: heights reach 0.03 in and out."""

LEVEL = 128
"""The byte of a height of 0."""

STEEPEST = 1.2
"""The relief's slope is held under this: faces that a pose squeezes would otherwise bristle."""


_LINEAR = srgb_to_linear(torch.arange(256) / 255.0).numpy()


@dataclass(frozen=True)
class MeshColors:
    """Four bytes a sample: sRGB and height; `samples[f, n]` is that of node n of face f.

    Node (i, j), i + j <= STEPS, lies at barycentrics (i, j) / STEPS of the face's vertices 0 and 1; nodes
    are in the order of i, then j.
    """

    samples: UInt8[Tensor, "faces nodes 4"]


@dataclass(frozen=True)
class SampleGrid:
    """Every sample of a mesh once: three vertices with weights; and which sample each face's nodes are.

    The first samples are the vertices, in their order.
    """

    corners: Int[np.ndarray, "samples 3"]
    weights: Float[np.ndarray, "samples 3"]
    nodes: Int[np.ndarray, "faces nodes"]

    def spread(self, values: Float[np.ndarray, "vertices channels"]) -> Float[np.ndarray, "samples channels"]:
        """Values of vertices interpolated to the samples."""
        out = self.weights[:, :1] * values[self.corners[:, 0]]
        for k in (1, 2):
            out += self.weights[:, k : k + 1] * values[self.corners[:, k]]
        return out


@dataclass(frozen=True)
class SurfacePoints:
    """Points on a mesh: face numbers and the barycentrics (u, v) of the faces' vertices 0 and 1."""

    face: Int[Tensor, " points"]
    barycentrics: Float[Tensor, "points 2"]


def node_shares() -> Float[np.ndarray, "nodes 3"]:
    """The barycentrics of a face's nodes."""
    nodes = [(i, j, STEPS - i - j) for i in range(STEPS + 1) for j in range(STEPS + 1 - i)]
    return np.array(nodes, dtype=np.float32) / STEPS


@lru_cache(maxsize=4)
def sample_grid(faces: Int[Tensor, "faces 3"]) -> SampleGrid:
    """The samples of a mesh: its vertices, points on its edges, and points within its faces.

    Kept for a few tensors of faces, told apart by identity: all individuals of a species share one.
    """
    table = faces.numpy().astype(np.int64)
    shares = np.rint(node_shares() * STEPS).astype(np.int64)
    inner = (shares > 0).all(axis=1)
    outer = np.flatnonzero(~inner)
    # An edge's sample is known by the edge's vertices, the higher one first, and its steps from the lower.
    first = np.where(shares > 0, table[:, None, :], -1)[:, outer]
    order = np.argsort(-first, axis=2, kind="stable")
    ends = np.take_along_axis(first, order, axis=2)
    steps = np.take_along_axis(np.broadcast_to(shares[outer], first.shape), order, axis=2)
    span = int(table.max()) + 2
    keys = span + (ends[..., 0] * span + ends[..., 1]) * (STEPS + 1) + steps[..., 0]
    keys = np.where(steps[..., 0] == STEPS, ends[..., 0], keys)
    _, where, number = np.unique(keys, return_index=True, return_inverse=True)
    nodes = np.empty((len(table), NODES), dtype=np.int64)
    nodes[:, outer] = number.reshape(keys.shape)
    count = len(where) + len(table) * int(inner.sum())
    nodes[:, inner] = np.arange(len(where), count).reshape(len(table), -1)
    face, node = where // len(outer), outer[where % len(outer)]
    within = np.repeat(np.arange(len(table)), int(inner.sum()))
    corners = np.concatenate([table[face], table[within]])
    weights = np.concatenate([shares[node], np.tile(shares[inner], (len(table), 1))])
    return SampleGrid(corners.astype(np.int32), weights.astype(np.float32) / STEPS, nodes.astype(np.int32))


def mesh_colors(
    grid: SampleGrid, srgb: Float[np.ndarray, "samples 3"], height: Float[np.ndarray, " samples"]
) -> MeshColors:
    """Colours (sRGB in [0, 1]) and heights (object units) of a grid's samples, held within their bytes."""
    code = np.concatenate([srgb * 255.0, (height / HEIGHT_STEP)[:, None] + LEVEL], axis=1)
    bytes_ = np.clip(np.rint(code), 0, 255).astype(np.uint8)
    return MeshColors(torch.from_numpy(bytes_[grid.nodes]))


def look_up(
    colors: MeshColors, points: SurfacePoints
) -> tuple[Float[Tensor, "points 3"], Float[Tensor, "points 2"]]:
    """Linear albedo, and the height's derivatives by u and v (object units), of points on the mesh.

    Linear within each of the small triangles that the nodes make.
    """
    count = len(points.face)
    albedo, slopes = np.empty((count, 3), dtype=np.float32), np.empty((count, 2), dtype=np.float32)
    read_samples(
        colors.samples.numpy(),
        _LINEAR,
        points.face.numpy(),
        points.barycentrics.contiguous().numpy(),
        STEPS,
        albedo,
        slopes,
    )
    return torch.from_numpy(albedo), torch.from_numpy(slopes) * HEIGHT_STEP


def relief_normals(
    normals: Float[Tensor, "points 3"],
    slopes: Float[Tensor, "points 2"],
    points: SurfacePoints,
    *,
    faces: Int[Tensor, "faces 3"],
    vertices: Float[Tensor, "vertices 3"],
) -> Float[Tensor, "points 3"]:
    """Unit normals bent by the relief: each loses the height's gradient along the surface.

    `normals` and `vertices` are in one frame.
    """
    bent = np.empty(tuple(normals.shape), dtype=np.float32)
    bend_normals(
        normals.contiguous().numpy(),
        slopes.numpy(),
        points.face.numpy(),
        faces.numpy(),
        vertices.contiguous().numpy(),
        np.float32(STEEPEST),
        bent,
    )
    return torch.nn.functional.normalize(torch.from_numpy(bent), dim=-1)

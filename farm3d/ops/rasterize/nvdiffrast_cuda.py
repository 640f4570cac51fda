"""The nvdiffrast backend (Laine et al. 2020; version 0.4, installed by the user, for non-commercial use).

Its vocabulary is the contract's: row 0 at NDC y = -1, u and v of vertices 0 and 1, z/w, triangle + 1. What
differs from the contract is inherent in how it draws:

- vertices are snapped to sixteenths of a pixel before coverage is decided, so pixels whose centre is nearer
  than that to an edge may show either side, and triangles that vanish by snapping are not drawn; u and v are
  clamped to the triangle;
- triangles are clipped to the frustum rather than by edge functions, depth is compared in 32-bit fixed point,
  and of triangles at the same depth the last may win;
- it waits for the device in `rasterize`, and its own buffers grow with images times triangles.

Gradients of `rasterize` are ours: nvdiffrast has none of z/w and damps those of tiny triangles. So is
`antialias`: nvdiffrast's blends only edges of the very triangles seen in the two pixels, and so loses the
silhouettes of triangles smaller than a pixel.
"""

import functools
from typing import Any

import nvdiffrast.torch as dr
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from farm3d.ops.mesh_topology import EdgeTopology
from farm3d.ops.rasterize import triton_cuda
from farm3d.shapes import ClipPositions, Faces, Images, Rasterized

_MOST_TRIANGLES = 2**24 - 1
"""Beyond these, nvdiffrast's triangle indices are no longer the numbers in their float32 channel."""


@functools.cache
def _context(device: torch.device, stream: int) -> Any:
    """The buffers that nvdiffrast draws in; calls on two streams may overlap, so each stream has its own."""
    return dr.RasterizeCudaContext(device)


def _draw(
    clip: Tensor, triangles: Tensor, resolution: tuple[int, int], *, ranges: Tensor | None = None
) -> Tensor:
    context = _context(clip.device, torch.cuda.current_stream(clip.device).cuda_stream)
    return dr.rasterize(context, clip, triangles, resolution, ranges=ranges, grad_db=False)[0]


def _draw_front_faces(clip: Tensor, triangles: Tensor, resolution: tuple[int, int]) -> Tensor:
    """nvdiffrast never culls: each image gets triangles of its own, in which back faces name no vertex."""
    faces = len(triangles)
    drawn = []
    for part in clip.split(max(1, _MOST_TRIANGLES // faces)):
        images = len(part)
        first = torch.arange(images, dtype=torch.int32) * faces
        ranges = torch.stack([first, torch.full_like(first, faces)], dim=1)
        front = triton_cuda.front_faces(part, triangles)
        out = _draw(part.reshape(-1, 4), front.reshape(-1, 3), resolution, ranges=ranges)
        # Triangles are counted through all images here.
        before = torch.arange(images, device=clip.device)[:, None, None] * faces
        out[..., 3] = torch.where(out[..., 3] > 0, out[..., 3] - before, 0.0)
        drawn.append(out)
    return torch.cat(drawn)


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, clip_positions: Tensor, faces: Tensor, resolution: tuple[int, int], cull: bool
    ) -> Tensor:
        clip, triangles = clip_positions.contiguous(), faces.int().contiguous()
        if 0 in (*clip.shape, len(triangles)):
            out = clip.new_zeros(len(clip), *resolution, 4)
        elif cull:
            out = _draw_front_faces(clip, triangles, resolution)
        else:
            out = _draw(clip, triangles, resolution)
        ctx.save_for_backward(clip, triangles, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor, None, None, None]:
        clip, triangles, out = ctx.saved_tensors
        return triton_cuda.rasterize_gradient(clip, triangles, out, grad_out=grad_out), None, None, None


def rasterize(
    clip_positions: ClipPositions, faces: Faces, resolution: tuple[int, int], *, cull_back_faces: bool
) -> Rasterized:
    """`farm3d.ops.rasterize.rasterize` by nvdiffrast."""
    return _Rasterize.apply(clip_positions, faces, resolution, cull_back_faces)


def interpolate(
    attributes: Float[Tensor, "attribute_images vertices channels"], rasterized: Rasterized, faces: Faces
) -> Images:
    """`farm3d.ops.rasterize.interpolate` by nvdiffrast, which takes no empty tensors."""
    if 0 in (*attributes.shape, *rasterized.shape, len(faces)):
        return triton_cuda.interpolate(attributes, rasterized, faces)
    return dr.interpolate(attributes.contiguous(), rasterized.contiguous(), faces.int().contiguous())[0]


def antialias(
    colors: Images,
    rasterized: Rasterized,
    clip_positions: ClipPositions,
    faces: Faces,
    *,
    topology: EdgeTopology,
) -> Images:
    """`farm3d.ops.rasterize.antialias` in Triton."""
    return triton_cuda.antialias(colors, rasterized, clip_positions, faces, topology=topology)

"""The Triton backend: our own GPU kernels behind autograd functions (float32; no host synchronisation).

Which triangle and which silhouette a pixel shows does not depend on the order in which a GPU works: images
are repeatable bit for bit. Gradients of vertices are sums by atomics in no fixed order; those of clip
positions are summed in double precision, those of attributes in single precision, whose last bits may differ
from run to run.

With TRITON_INTERPRET=1, set before Triton is first imported, the kernels run on CPU tensors, slowly.
"""

from typing import Any

import torch
import triton
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

from farm3d.ops.mesh_topology import EdgeTopology
from farm3d.ops.rasterize import triton_antialias, triton_blend, triton_interpolate, triton_rasterize
from farm3d.ops.rasterize.triton_launch_cuda import (
    channel_block,
    launch,
    nothing,
    work_list,
    work_programs,
    zeros_in_double,
)
from farm3d.shapes import ClipPositions, Faces, Images, Rasterized

LANES = 32
"""Triangles, pixels or edges of a program: those of a warp wait for the longest among them."""

WORK_LANES = 128
"""Pixels that a program of a larger triangle draws at a time."""

PIXELS_PER_LANE = 64
"""Up to how many pixels of its box a triangle is drawn by one lane."""

PIXELS_PER_ITEM = 2048
"""Up to how many pixels of a larger triangle make a work item, as long as there are not too many items."""

LINES_PER_LANE = 32
"""Up to how many pixel lines an edge is followed by one lane."""


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, clip_positions: Tensor, faces: Tensor, resolution: tuple[int, int], cull: bool
    ) -> Tensor:
        clip, triangles = clip_positions.contiguous(), faces.contiguous()
        nearest = _draw(clip, triangles, resolution, cull=cull)
        out = clip.new_empty(*nearest.shape, 4)
        launch(
            triton_rasterize.resolve,
            triton.cdiv(nearest.numel(), LANES * 4),
            *(clip, triangles, nearest, out, nearest.numel()),
            *(clip.shape[1], len(triangles), *resolution),
            LANES=LANES * 4,
            warps=4,
        )
        ctx.save_for_backward(clip, triangles, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor, None, None, None]:
        clip, triangles, out = ctx.saved_tensors
        return rasterize_gradient(clip, triangles, out, grad_out=grad_out), None, None, None


def _draw(clip: Tensor, faces: Tensor, resolution: tuple[int, int], *, cull: bool) -> Tensor:
    """The depth buffer of keys (images, height, width) after all triangles."""
    images, vertices, _ = clip.shape
    nearest = nothing(images, *resolution, device=clip.device)
    triangles, sizes = images * len(faces), (vertices, len(faces), *resolution)
    work, work_count = work_list(nearest.numel(), clip.device)
    arguments = clip, faces, nearest, work, work_count
    launch(
        triton_rasterize.draw_triangles,
        triton.cdiv(triangles, LANES),
        *(*arguments, triangles, *sizes, len(work)),
        CULL=cull,
        PIXELS_PER_LANE=PIXELS_PER_LANE,
        PIXELS_PER_ITEM=PIXELS_PER_ITEM,
        LANES=LANES,
    )
    launch(
        triton_rasterize.draw_work,
        work_programs(clip.device) if triangles else 0,
        *(*arguments, *sizes, len(work)),
        PIXELS_PER_ITEM=PIXELS_PER_ITEM,
        LANES=WORK_LANES,
        warps=4,
    )
    return nearest


def front_faces(clip: ClipPositions, faces: Faces) -> Int[Tensor, "images faces 3"]:
    """The faces (images, faces, 3; int32) of each image of contiguous operands, for culling.

    Vertices are counted through all images; back faces and degenerate ones name vertex -1.
    """
    triangles = len(clip) * len(faces)
    out = torch.empty(len(clip), len(faces), 3, dtype=torch.int32, device=faces.device)
    launch(
        triton_rasterize.keep_front_faces,
        triton.cdiv(triangles, LANES),
        *(clip, faces, out, triangles, clip.shape[1], len(faces)),
        LANES=LANES,
    )
    return out


def rasterize_gradient(
    clip: ClipPositions, faces: Faces, rasterized: Rasterized, *, grad_out: Rasterized
) -> ClipPositions:
    """The gradient by clip positions of what `rasterize` drew from contiguous operands."""
    images, height, width, _ = rasterized.shape
    gradient = zeros_in_double(clip)
    pixels = images * height * width
    launch(
        triton_rasterize.rasterize_backward,
        triton.cdiv(pixels, LANES),
        *(clip, faces, rasterized, grad_out.contiguous(), gradient, pixels),
        *(clip.shape[1], len(faces), height, width),
        LANES=LANES,
    )
    return gradient.to(clip.dtype)


class _Interpolate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, attributes: Tensor, rasterized: Tensor, faces: Tensor) -> Tensor:
        operands = attributes.contiguous(), rasterized.contiguous(), faces.contiguous()
        images, height, width, _ = rasterized.shape
        out = attributes.new_empty(images, height, width, attributes.shape[2])
        _launch_interpolation(triton_interpolate.interpolate_forward, operands, out)
        ctx.save_for_backward(*operands)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor, Tensor, None]:
        attributes, rasterized, _ = ctx.saved_tensors
        gradients = torch.zeros_like(attributes), torch.zeros_like(rasterized)
        _launch_interpolation(
            triton_interpolate.interpolate_backward,
            ctx.saved_tensors,
            *(grad_out.contiguous(), *gradients),
            TO_ATTRIBUTES=ctx.needs_input_grad[0],
        )
        return *gradients, None


def _launch_interpolation(
    kernel: Any, operands: tuple[Tensor, ...], *tensors: Tensor, **constants: bool
) -> None:
    attributes, rasterized, faces = operands
    images, height, width, _ = rasterized.shape
    pixels, channels = images * height * width, attributes.shape[2]
    launch(
        kernel,
        triton.cdiv(pixels, LANES) if channels else 0,
        *(attributes, rasterized, faces, *tensors),
        *(pixels, height * width, attributes.shape[1], len(faces), channels),
        SHARED=len(attributes) == 1,
        LANES=LANES,
        CHANNELS=channel_block(channels),
        **constants,
    )


class _Antialias(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        colors: Tensor,
        rasterized: Tensor,
        clip_positions: Tensor,
        faces: Tensor,
        topology: EdgeTopology,
    ) -> Tensor:
        image, clip, edges = colors.contiguous(), clip_positions.contiguous(), topology.edges.contiguous()
        keys = _find_crossings(rasterized.contiguous(), clip, faces.contiguous(), topology=topology)
        out, totals = torch.empty_like(image), image.new_empty(image.shape[:3])
        _launch_blend(triton_blend.blend, image, *(image, keys, out, totals))
        ctx.save_for_backward(image, clip, edges, keys, totals)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, None, Tensor | None, None, None]:
        image, clip, edges, keys, totals = ctx.saved_tensors
        gradient, grad_colors, grad_clip = grad_out.contiguous(), None, None
        if ctx.needs_input_grad[0]:
            grad_colors = torch.empty_like(image)
            _launch_blend(triton_blend.blend_backward, image, *(keys, totals, gradient, grad_colors))
        if ctx.needs_input_grad[2]:
            moved = zeros_in_double(clip)
            operands = clip, edges, image, keys, totals, gradient, moved
            _launch_blend(triton_blend.crossings_backward, image, *operands, vertices=clip.shape[1])
            grad_clip = moved.to(clip.dtype)
        return grad_colors, None, grad_clip, None, None


def _find_crossings(rasterized: Tensor, clip: Tensor, faces: Tensor, *, topology: EdgeTopology) -> Tensor:
    """The keys of pairs of neighbouring pixels (images, 2, height, width; see `triton_antialias`)."""
    images, height, width, _ = rasterized.shape
    keys = nothing(images, 2, height, width, device=clip.device)
    edges, lanes = topology.edges.contiguous(), images * len(topology.edges)
    sides = topology.side_offsets.contiguous(), topology.side_faces.contiguous()
    forward = topology.side_forward.contiguous().view(torch.uint8)
    work, work_count = work_list(keys.numel() // 2, clip.device)
    entered = rasterized, keys, work, work_count
    sizes = height, width, len(work)
    launch(
        triton_antialias.find_crossings,
        triton.cdiv(lanes, LANES),
        *(clip, faces, edges, *sides, forward, *entered),
        *(lanes, len(edges), clip.shape[1], len(faces), *sizes),
        LINES_PER_LANE=LINES_PER_LANE,
        LANES=LANES,
    )
    launch(
        triton_antialias.find_listed_crossings,
        work_programs(clip.device) if lanes else 0,
        *(clip, edges, *entered, len(edges), clip.shape[1], *sizes),
        LINES_PER_LANE=LINES_PER_LANE,
        LANES=LANES,
    )
    return keys


def _launch_blend(kernel: Any, image: Tensor, *operands: Tensor, vertices: int | None = None) -> None:
    images, height, width, channels = image.shape
    pixels = images * height * width
    sizes = (pixels, *(() if vertices is None else (vertices,)), height, width, channels)
    launch(
        kernel,
        triton.cdiv(pixels, LANES * 2) if channels else 0,
        *(*operands, *sizes),
        LANES=LANES * 2,
        CHANNELS=channel_block(channels),
        warps=2,
    )


def rasterize(
    clip_positions: ClipPositions, faces: Faces, resolution: tuple[int, int], *, cull_back_faces: bool
) -> Rasterized:
    """`farm3d.ops.rasterize.rasterize` in Triton."""
    return _Rasterize.apply(clip_positions, faces, resolution, cull_back_faces)


def interpolate(
    attributes: Float[Tensor, "attribute_images vertices channels"], rasterized: Rasterized, faces: Faces
) -> Images:
    """`farm3d.ops.rasterize.interpolate` in Triton."""
    return _Interpolate.apply(attributes, rasterized, faces)


def antialias(
    colors: Images,
    rasterized: Rasterized,
    clip_positions: ClipPositions,
    faces: Faces,
    *,
    topology: EdgeTopology,
) -> Images:
    """`farm3d.ops.rasterize.antialias` in Triton."""
    return _Antialias.apply(colors, rasterized, clip_positions, faces, topology)

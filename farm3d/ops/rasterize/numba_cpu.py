"""The CPU backend: numba kernels behind autograd functions (float32, deterministic).

Results are numpy's memory: for large arrays it asks the system for huge pages, which torch does not, and
then zeroing new pages no longer takes longer than drawing into them.
"""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from farm3d.ops.mesh_topology import EdgeTopology
from farm3d.ops.rasterize.numba_antialias import blend
from farm3d.ops.rasterize.numba_antialias_backward import blend_backward, crossings_backward
from farm3d.ops.rasterize.numba_draw import LANES, draw
from farm3d.ops.rasterize.numba_draw_backward import draw_backward
from farm3d.ops.rasterize.numba_interpolate import blend_attributes, blend_attributes_backward
from farm3d.ops.rasterize.numba_launch import drawing_bands, gradient_bands, launch
from farm3d.shapes import ClipPositions, Faces, Images, Rasterized


def pixel_centres(size: int) -> np.ndarray:
    """NDC coordinates of the pixel centres along an axis, correctly rounded."""
    return (2.0 * np.arange(size) + 1.0 - size) / size


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, clip_positions: Tensor, faces: Tensor, resolution: tuple[int, int], cull: bool
    ) -> Tensor:
        images, (height, width) = len(clip_positions), resolution
        bands = drawing_bands(images, height)
        # Beyond the last column a centre lies outside the image: what is drawn there is never read.
        columns = np.append(pixel_centres(width), np.full(LANES, 2.0))
        out = np.empty((images, height, width, 4), np.float32)
        arrays = _array(clip_positions), _array(faces), columns, pixel_centres(height)
        launch(draw, images * bands, *arrays, cull, bands, out)
        rasterized = torch.from_numpy(out)
        ctx.save_for_backward(clip_positions, faces, rasterized)
        return rasterized

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor, None, None, None]:
        clip_positions, faces, out = ctx.saved_tensors
        images, height, width, _ = out.shape
        bands = gradient_bands(images, height)
        grad = np.zeros((images * bands, *clip_positions.shape[1:]), np.float32)
        arrays = _array(clip_positions), _array(faces), pixel_centres(width), pixel_centres(height)
        launch(draw_backward, images * bands, *arrays, bands, out.numpy(), _array(grad_out), grad)
        return _sum_bands(grad, images), None, None, None


class _Interpolate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, attributes: Tensor, rasterized: Tensor, faces: Tensor) -> Tensor:
        images, height, width, _ = rasterized.shape
        bands = drawing_bands(images, height)
        out = np.zeros((images, height, width, attributes.shape[2]), np.float32)
        arrays = _array(attributes), _array(rasterized), _array(faces)
        launch(blend_attributes, images * bands, *arrays, bands, out)
        ctx.save_for_backward(attributes, rasterized, faces)
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor, Tensor, None]:
        attributes, rasterized, faces = ctx.saved_tensors
        images, height, _, _ = rasterized.shape
        bands = gradient_bands(images, height)
        grad = np.zeros((images * bands, *attributes.shape[1:]), np.float32)
        grad_rasterized = np.zeros(rasterized.shape, np.float32)
        arrays = _array(attributes), _array(rasterized), _array(faces)
        outputs = _array(grad_out), grad, grad_rasterized
        launch(blend_attributes_backward, images * bands, *arrays, bands, *outputs)
        return _sum_bands(grad, len(attributes)), torch.from_numpy(grad_rasterized), None


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
        images, height, width, channels = colors.shape
        bands = drawing_bands(images, height)
        pixels = _array(colors).reshape(images, height * width, channels)
        out = np.empty_like(pixels)
        edges = topology.edges, topology.side_offsets, topology.side_faces, topology.side_forward
        arrays = (_array(part) for part in (rasterized, clip_positions, faces, *edges))
        records = launch(blend, images * bands, pixels, *arrays, bands, out)
        counts = np.reshape([len(part[0]) for part in records], (images, bands)).sum(axis=1)
        offsets = torch.from_numpy(np.append(0, np.cumsum(counts)))
        found = (torch.from_numpy(np.concatenate(parts)) for parts in zip(*records, strict=True))
        ctx.save_for_backward(colors, clip_positions, topology.edges, offsets, *found)
        return torch.from_numpy(out).view(colors.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, None, Tensor | None, None, None]:
        colors, clip_positions, edges, offsets, *found = ctx.saved_tensors
        images, height, width, channels = colors.shape
        records = offsets.numpy(), *(part.numpy() for part in found)
        gradient = _array(grad_out).reshape(images, height * width, channels)
        grad_colors = grad_clip = None
        if ctx.needs_input_grad[0]:
            blended = np.empty_like(gradient)
            launch(blend_backward, images, *records, gradient, blended)
            grad_colors = torch.from_numpy(blended).view(colors.shape)
        if ctx.needs_input_grad[2]:
            moved = np.zeros(clip_positions.shape, np.float32)
            mesh = _array(clip_positions), _array(edges)
            drawn = _array(colors).reshape(gradient.shape), gradient, (height, width)
            launch(crossings_backward, images, *records, *mesh, *drawn, moved)
            grad_clip = torch.from_numpy(moved)
        return grad_colors, None, grad_clip, None, None


def _sum_bands(partial: np.ndarray, images: int) -> Tensor:
    """Add up what each row band contributed to its image (or to the one image that all share).

    By numpy: OpenMP threads that torch wakes would spin where the next launch's threads are to run.
    """
    bands = len(partial) // max(images, 1)
    if bands == 1:
        return torch.from_numpy(partial)
    return torch.from_numpy(partial.reshape(images, bands, *partial.shape[1:]).sum(axis=1))


def rasterize(
    clip_positions: ClipPositions, faces: Faces, resolution: tuple[int, int], *, cull_back_faces: bool
) -> Rasterized:
    """`farm3d.ops.rasterize.rasterize` on the CPU."""
    return _Rasterize.apply(clip_positions, faces, resolution, cull_back_faces)


def interpolate(
    attributes: Float[Tensor, "attribute_images vertices channels"], rasterized: Rasterized, faces: Faces
) -> Images:
    """`farm3d.ops.rasterize.interpolate` on the CPU."""
    return _Interpolate.apply(attributes, rasterized, faces)


def antialias(
    colors: Images,
    rasterized: Rasterized,
    clip_positions: ClipPositions,
    faces: Faces,
    *,
    topology: EdgeTopology,
) -> Images:
    """`farm3d.ops.rasterize.antialias` on the CPU."""
    return _Antialias.apply(colors, rasterized, clip_positions, faces, topology)

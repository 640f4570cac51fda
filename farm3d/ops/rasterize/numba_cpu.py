"""The CPU backend: numba kernels behind autograd functions (float32, deterministic)."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from farm3d.ops.mesh_topology import EdgeTopology
from farm3d.ops.rasterize import numba_antialias as antialias_kernels
from farm3d.ops.rasterize import numba_kernels as kernels
from farm3d.ops.rasterize.numba_launch import bands_per_image, launch
from farm3d.shapes import ClipPositions, Faces, Images, Rasterized


def pixel_centres(size: int) -> np.ndarray:
    """NDC coordinates of the pixel centres along an axis, correctly rounded."""
    return (2.0 * np.arange(size) + 1.0 - size) / size


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


def _index_array(indices: Tensor) -> np.ndarray:
    return np.ascontiguousarray(indices.numpy(), np.int32)


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, clip_positions: Tensor, faces: Tensor, resolution: tuple[int, int], cull: bool
    ) -> Tensor:
        clip, triangles = _array(clip_positions), _index_array(faces)
        images, (height, width) = clip.shape[0], resolution
        bands = bands_per_image(images, height)
        out = np.zeros((images, height, width, 4), np.float32)
        boxes = np.empty((images, len(triangles), 4), np.int32)
        tasks = images * bands
        launch(kernels.find_boxes, tasks, clip, triangles, height, width, cull, bands, boxes)
        centres = pixel_centres(width), pixel_centres(height)
        launch(kernels.draw, tasks, clip, triangles, boxes, *centres, bands, out)
        rasterized = torch.from_numpy(out)
        ctx.save_for_backward(clip_positions, faces, rasterized)
        return rasterized

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor, None, None, None]:
        clip_positions, faces, out = ctx.saved_tensors
        images, height, width, _ = out.shape
        bands = bands_per_image(images, height)
        grad = np.zeros((images * bands, *clip_positions.shape[1:]))
        launch(
            kernels.draw_backward,
            images * bands,
            _array(clip_positions),
            _index_array(faces),
            pixel_centres(width),
            pixel_centres(height),
            bands,
            out.numpy(),
            _array(grad_out),
            grad,
        )
        return _sum_tasks(grad, images), None, None, None


class _Interpolate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, attributes: Tensor, rasterized: Tensor, faces: Tensor) -> Tensor:
        images, height, width, _ = rasterized.shape
        bands = bands_per_image(images, height)
        out = np.zeros((images, height, width, attributes.shape[2]), np.float32)
        arrays = _array(attributes), _array(rasterized), _index_array(faces)
        launch(kernels.blend_attributes, images * bands, *arrays, bands, out)
        ctx.save_for_backward(attributes, rasterized, faces)
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor, Tensor, None]:
        attributes, rasterized, faces = ctx.saved_tensors
        images, height, _, _ = rasterized.shape
        bands = bands_per_image(images, height)
        grad = np.zeros((images * bands, *attributes.shape[1:]), np.float32)
        grad_rasterized = np.zeros(rasterized.shape, np.float32)
        arrays = _array(attributes), _array(rasterized), _index_array(faces)
        outputs = _array(grad_out), grad, grad_rasterized
        launch(kernels.blend_attributes_backward, images * bands, *arrays, bands, *outputs)
        return _sum_tasks(grad, attributes.shape[0]), torch.from_numpy(grad_rasterized), None


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
        images, height, width, _ = colors.shape
        bands = bands_per_image(images, height)
        crossings, owners = _silhouette_crossings(rasterized, clip_positions, faces, topology=topology)
        out, totals = np.empty(colors.shape, np.float32), np.empty((images, height, width), np.float32)
        arguments = _array(colors), crossings, bands, out, totals
        launch(antialias_kernels.blend, images * bands, *arguments)
        found = (torch.from_numpy(array) for array in (crossings, owners, totals))
        ctx.save_for_backward(colors, clip_positions, topology.edges, *found)
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_out: Tensor) -> tuple[Tensor | None, None, Tensor | None, None, None]:
        colors, clip_positions, edges, crossings, owners, totals = ctx.saved_tensors
        images, height, _, _ = colors.shape
        bands = bands_per_image(images, height)
        arrays = _array(colors), crossings.numpy(), owners.numpy(), totals.numpy()
        grad_colors = grad_clip = None
        if ctx.needs_input_grad[0]:
            blended = np.empty(colors.shape, np.float32)
            weights = crossings.numpy(), totals.numpy()
            launch(
                antialias_kernels.blend_backward, images * bands, *weights, bands, _array(grad_out), blended
            )
            grad_colors = torch.from_numpy(blended)
        if ctx.needs_input_grad[2]:
            partial = np.zeros((images * bands, *clip_positions.shape[1:]))
            mesh = _array(clip_positions), _index_array(edges)
            outputs = _array(grad_out), partial
            launch(antialias_kernels.crossings_backward, images * bands, *mesh, *arrays, bands, *outputs)
            grad_clip = _sum_tasks(partial, images)
        return grad_colors, None, grad_clip, None, None


def _silhouette_crossings(
    rasterized: Tensor, clip_positions: Tensor, faces: Tensor, *, topology: EdgeTopology
) -> tuple[np.ndarray, np.ndarray]:
    """Where silhouettes pass between neighbouring pixels, and by which edge (see numba_antialias)."""
    images, height, width, _ = rasterized.shape
    bands = bands_per_image(images, height)
    tasks, clip = images * bands, _array(clip_positions)
    windings = np.empty((images, len(faces)), np.int8)
    launch(kernels.find_windings, tasks, clip, _index_array(faces), bands, windings)
    silhouettes = np.empty((images, len(topology.edges)), np.int8)
    sides = _index_array(topology.side_offsets), _index_array(topology.side_faces)
    forward = _array(topology.side_forward)
    launch(antialias_kernels.find_silhouettes, tasks, windings, *sides, forward, bands, silhouettes)
    crossings = np.empty((images, 2, height, width), np.float32)
    owners = np.empty((images, 2, height, width), np.int32)
    drawn = clip, _index_array(topology.edges), silhouettes, _array(rasterized)
    launch(antialias_kernels.find_crossings, tasks, *drawn, bands, crossings, owners)
    return crossings, owners


def _sum_tasks(partial: np.ndarray, images: int) -> Tensor:
    """Add up what each row band contributed to its image (or to the one image that all share)."""
    per_image = partial.reshape(images, len(partial) // max(images, 1), *partial.shape[1:])
    return torch.from_numpy(per_image.sum(axis=1).astype(np.float32, copy=False))


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

"""Numba kernels of `interpolate`; a task is one row band of one image."""

from typing import no_type_check

import numpy as np

from farm3d.ops.rasterize.numba_geometry import band_of
from farm3d.ops.rasterize.numba_launch import compile_kernel


@compile_kernel
@no_type_check
def blend_attributes(task, attributes, rasterized, faces, bands, out):
    """`out` (zeros) = u A + v B + (1 - u - v) C at each drawn pixel, in a form exact for constants."""
    channels = attributes.shape[2]
    image, row_first, row_end = band_of(task, bands, out.shape[1])
    values = attributes[min(image, attributes.shape[0] - 1)]
    for row in range(row_first, row_end):
        for column in range(out.shape[2]):
            face = int(rasterized[image, row, column, 3]) - 1
            if face < 0 or face >= faces.shape[0]:
                continue
            u, v = rasterized[image, row, column, 0], rasterized[image, row, column, 1]
            a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
            for k in range(channels):
                base = values[c, k]
                value = base + u * (values[a, k] - base) + v * (values[b, k] - base)
                out[image, row, column, k] = value


@compile_kernel
@no_type_check
def blend_attributes_backward(
    task, attributes, rasterized, faces, bands, grad_out, grad_attributes, grad_rasterized
):
    """Add to `grad_attributes[task]` (zeros) and set u, v of `grad_rasterized` (zeros)."""
    channels = attributes.shape[2]
    image, row_first, row_end = band_of(task, bands, grad_out.shape[1])
    values = attributes[min(image, attributes.shape[0] - 1)]
    grad = grad_attributes[task]
    for row in range(row_first, row_end):
        for column in range(grad_out.shape[2]):
            face = int(rasterized[image, row, column, 3]) - 1
            if face < 0 or face >= faces.shape[0]:
                continue
            u, v = rasterized[image, row, column, 0], rasterized[image, row, column, 1]
            t = np.float32(1.0) - u - v
            a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
            gu = gv = np.float32(0.0)
            for k in range(channels):
                g = grad_out[image, row, column, k]
                gu += g * (values[a, k] - values[c, k])
                gv += g * (values[b, k] - values[c, k])
                grad[a, k] += g * u
                grad[b, k] += g * v
                grad[c, k] += g * t
            grad_rasterized[image, row, column, 0] = gu
            grad_rasterized[image, row, column, 1] = gv

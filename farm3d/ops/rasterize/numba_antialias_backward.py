"""Numba kernels of `antialias`'s backward pass; a task is one image.

The records are those of `numba_antialias`. They are few, and both pixels of one may lie in different row
bands, so an image's are gone through in order by one thread.
"""

from typing import no_type_check

import numpy as np

from farm3d.ops.rasterize.numba_geometry import add_cross, line_through, vertex
from farm3d.ops.rasterize.numba_launch import compile_kernel

ONE = np.float32(1.0)


@compile_kernel
@no_type_check
def blend_backward(task, offsets, pixels, weights, grad_out, grad_colors):
    """Fill `grad_colors` by the transpose of `blend` in the colours."""
    gradient, result = grad_out[task], grad_colors[task]
    result[:] = gradient
    for record in range(offsets[task], offsets[task + 1]):
        receiver, giver = pixels[record, 0], pixels[record, 1]
        share = weights[record, 0] / max(weights[record, 1], ONE)
        for k in range(gradient.shape[1]):
            given = share * gradient[receiver, k]
            result[giver, k] += given
            result[receiver, k] -= given


@compile_kernel
@no_type_check
def weight_gradient(colors, gradient, receiver, giver):
    """The derivative of the loss by the unscaled weight with which a pixel receives from a neighbour."""
    value = 0.0
    for k in range(colors.shape[1]):
        value += gradient[receiver, k] * (colors[giver, k] - colors[receiver, k])
    return value


@compile_kernel
@no_type_check
def crossings_backward(
    task, offsets, pixels, weights, clip_positions, edges, colors, grad_out, size, grad_clip
):
    """Add the gradient of `blend` by the silhouettes' vertices to `grad_clip` (zeros).

    `size` is (height, width).
    """
    first, end = offsets[task], offsets[task + 1]
    clip, image, gradient, grad = clip_positions[task], colors[task], grad_out[task], grad_clip[task]
    for record in range(first, end):
        receiver, giver = pixels[record, 0], pixels[record, 1]
        slope = weight_gradient(image, gradient, receiver, giver)
        total = weights[record, 1]
        if total > ONE:
            # Weights of more than 1 in all are scaled: each lessens the share of the others.
            shared = 0.0
            for other in range(max(first, record - 3), min(end, record + 4)):
                if pixels[other, 0] == receiver:
                    shared += weights[other, 0] * weight_gradient(image, gradient, receiver, pixels[other, 1])
            slope = (slope - shared / total) / total
        if slope != 0.0:
            move_edge(clip, edges[pixels[record, 2]], receiver, giver, weights[record, 0], size, slope, grad)


@compile_kernel
@no_type_check
def move_edge(clip, edge, receiver, giver, weight, size, slope, grad):
    """Add the gradient by the ends of an edge of the weight with which a pixel receives, times `slope`.

    The weight is the distance (in pixels) of the edge's crossing from the middle between the centres, on
    the receiver's side of it.
    """
    height, width = size
    row, column = receiver // width, receiver % width
    x, y = (2.0 * column + 1.0 - width) / width, (2.0 * row + 1.0 - height) / height
    ax, ay, _, aw = vertex(clip, edge[0])
    bx, by, _, bw = vertex(clip, edge[1])
    across, along, _ = line_through(ax, ay, aw, bx, by, bw)
    inwards = 1.0 if receiver > giver else -1.0
    # line . p = 0 at p, with line = a x b: d line . p = da . (b x p) + db . (p x a).
    if abs(receiver - giver) == width:
        y -= inwards * (1.0 - 2.0 * weight) / height
        slope *= -0.5 * inwards * height / along
    else:
        x -= inwards * (1.0 - 2.0 * weight) / width
        slope *= -0.5 * inwards * width / across
    add_cross(grad, edge[0], bx, by, bw, slope * x, slope * y, slope)
    add_cross(grad, edge[1], ax, ay, aw, -slope * x, -slope * y, -slope)

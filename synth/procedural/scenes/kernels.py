"""Numba kernels of the scenes' inner loops; each fills `out` (zeros) and runs on one thread."""

from typing import no_type_check

import numpy as np

from farm3d.ops.rasterize.numba_launch import compile_kernel


@compile_kernel
@no_type_check
def sample_pyramid(texels, starts, places, level, out):
    """Trilinear reads of a repeating square texture: `texels` holds all levels, `starts[k]` where k begins.

    Level k is `side >> k` texels wide; `places` are in tiles, `level` is a real number.
    """
    side, channels = round(np.sqrt(starts[1])), texels.shape[1]
    for n in range(len(places)):
        low = int(level[n])
        part = level[n] - low
        for step in range(2):
            weight = part if step else np.float32(1.0) - part
            if weight == 0.0:
                continue
            width = side >> (low + step)
            x = (places[n, 0] - np.floor(places[n, 0])) * width + (width - 0.5)
            y = (places[n, 1] - np.floor(places[n, 1])) * width + (width - 0.5)
            left, top = int(x), int(y)
            u, v = np.float32(x - left), np.float32(y - top)
            # The sides are powers of two, so that masks wrap them.
            right, bottom = (left + 1) & (width - 1), (top + 1) & (width - 1)
            left, top = left & (width - 1), top & (width - 1)
            base = starts[low + step]
            for k in range(channels):
                upper = (1 - u) * texels[base + top * width + left, k] + u * texels[
                    base + top * width + right, k
                ]
                lower = (1 - u) * texels[base + bottom * width + left, k]
                lower += u * texels[base + bottom * width + right, k]
                out[n, k] += weight * ((1 - v) * upper + v * lower)


@compile_kernel
@no_type_check
def sum_open_sky(points, normals, axes, middle, half, heights, out):
    """The light of each direction `axes[d, 2]` that reaches each point past all others, weighted by cosines.

    `heights` (-inf) becomes the depth map of each direction: the points lie closer than its texels.
    """
    directions, side = heights.shape[0], heights.shape[1]
    scale = np.float32(side / (2.0 * half))
    for d in range(directions):
        frame = axes[d]
        for n in range(len(points)):
            x, y, z = points[n, 0] - middle[0], points[n, 1] - middle[1], points[n, 2] - middle[2]
            u = x * frame[0, 0] + y * frame[0, 1] + z * frame[0, 2]
            v = x * frame[1, 0] + y * frame[1, 1] + z * frame[1, 2]
            height = x * frame[2, 0] + y * frame[2, 1] + z * frame[2, 2]
            column, row = int((u + half) * scale), int((v + half) * scale)
            heights[d, row, column] = max(heights[d, row, column], height)
        for n in range(len(points)):
            facing = normals[n, 0] * frame[2, 0] + normals[n, 1] * frame[2, 1] + normals[n, 2] * frame[2, 2]
            if facing <= 0.0:
                continue
            x, y, z = points[n, 0] - middle[0], points[n, 1] - middle[1], points[n, 2] - middle[2]
            u = x * frame[0, 0] + y * frame[0, 1] + z * frame[0, 2]
            v = x * frame[1, 0] + y * frame[1, 1] + z * frame[1, 2]
            height = x * frame[2, 0] + y * frame[2, 1] + z * frame[2, 2]
            excess = heights[d, int((v + half) * scale), int((u + half) * scale)] - height
            out[n] += facing * min(
                max(np.float32(1.0) - (excess - np.float32(0.12)) / np.float32(0.15), 0), 1
            )


@compile_kernel
@no_type_check
def count_lit(texels, heights, allowed, offsets, out):
    """The share of the places about each of `texels` (x, y) at which a depth map is not above `allowed`."""
    side = heights.shape[0]
    for n in range(len(texels)):
        count = 0
        for k in range(len(offsets)):
            column = min(max(int(np.rint(texels[n, 0] + offsets[k, 0])), 0), side - 1)
            row = min(max(int(np.rint(texels[n, 1] + offsets[k, 1])), 0), side - 1)
            count += heights[row, column] <= allowed[n]
        out[n] = count / len(offsets)

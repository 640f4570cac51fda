"""Numba kernels of `antialias`; a task is one row band of one image (edges are cut into bands likewise).

Pairs of pixels are kept in arrays (image, direction, row, column): direction 0 is a pixel with its right
neighbour, direction 1 with the one below. `crossings` holds where between the two centres the silhouette
passes, from 0 to 1; 0.5, the middle, where there is none, for there nothing is blended.
"""

import math
from typing import no_type_check

import numpy as np

from farm3d.ops.rasterize.numba_launch import compile_kernel


@compile_kernel
@no_type_check
def find_silhouettes(first, last, windings, side_offsets, side_faces, side_forward, bands, silhouettes):
    """1 or -1 for edges with faces on one side only (the sign of the line equation there), otherwise 0."""
    edges = side_offsets.shape[0] - 1
    for task in range(first, last):
        image, band = task // bands, task % bands
        for edge in range(band * edges // bands, (band + 1) * edges // bands):
            positive = negative = False
            for side in range(side_offsets[edge], side_offsets[edge + 1]):
                winding = windings[image, side_faces[side]]
                if winding != 0:
                    if (winding > 0) == side_forward[side]:
                        positive = True
                    else:
                        negative = True
            silhouettes[image, edge] = 0 if positive == negative else (1 if positive else -1)


@compile_kernel
@no_type_check
def vertex(clip, image, index):
    """Clip position of a vertex in double precision (numba's `float` would keep single)."""
    x, y, z, w = clip[image, index, 0], clip[image, index, 1], clip[image, index, 2], clip[image, index, 3]
    return np.float64(x), np.float64(y), np.float64(z), np.float64(w)


@compile_kernel
@no_type_check
def lines_between(low, high, size):
    """First and end index of the pixel lines whose centre lies in [low, high] (NDC), conservatively."""
    first = math.floor(max(0.0, min((low + 1.0) * 0.5 * size - 0.5, float(size))))
    end = math.ceil(min(float(size), max((high + 1.0) * 0.5 * size + 0.5, 0.0)))
    return int(first), int(end)


@compile_kernel
@no_type_check
def find_crossings(first, last, clip, edges, silhouettes, rasterized, bands, crossings, owners):
    """Set `crossings` and `owners` (edge + 1, or 0) to the outermost silhouette between pairs of pixels."""
    height, width = rasterized.shape[1], rasterized.shape[2]
    for task in range(first, last):
        image, band = task // bands, task % bands
        row_first, row_end = band * height // bands, (band + 1) * height // bands
        crossings[image, :, row_first:row_end] = 0.5
        owners[image, :, row_first:row_end] = 0
        for edge in range(edges.shape[0]):
            surface = silhouettes[image, edge]
            if surface == 0:
                continue
            a, b = edges[edge, 0], edges[edge, 1]
            ax, ay, az, aw = vertex(clip, image, a)
            bx, by, bz, bw = vertex(clip, image, b)
            across, along = ay * bw - aw * by, aw * bx - ax * bw
            offset = ax * by - ay * bx
            # A mostly vertical edge is met once by each row that it spans: pairs lie in rows (direction 0).
            direction = 0 if abs(across) * height >= abs(along) * width else 1
            if direction == 0:
                a_line, b_line, lines, size = ay, by, height, width
            else:
                a_line, b_line, lines, size = ax, bx, width, height
                across, along = along, across
            if across == 0.0:
                continue
            line_first, line_end = 0, lines
            if aw > 0.0 and bw > 0.0:
                line_low, line_high = a_line / aw, b_line / bw
                line_first, line_end = lines_between(
                    min(line_low, line_high), max(line_low, line_high), lines
                )
            if direction == 0:
                line_first, line_end = max(line_first, row_first), min(line_end, row_end)
            for line in range(line_first, line_end):
                centre = (2.0 * line + 1.0 - lines) / lines
                a_side, b_side = a_line - centre * aw, b_line - centre * bw
                if (a_side >= 0.0) == (b_side >= 0.0):
                    continue
                part = a_side / (a_side - b_side)
                w, z = aw + part * (bw - aw), az + part * (bz - az)
                if not (w > 0.0 and z >= -w and z <= w):
                    continue
                place = ((1.0 - (along * centre + offset) / across) * size - 1.0) * 0.5
                if not (place >= 0.0 and place < size - 1.0):
                    continue
                pixel = int(place)
                if direction == 0:
                    row, column, next_row, next_column = line, pixel, line, pixel + 1
                else:
                    row, column, next_row, next_column = pixel, line, pixel + 1, line
                if row < row_first or row >= row_end:
                    continue
                face, next_face = (
                    rasterized[image, row, column, 3],
                    rasterized[image, next_row, next_column, 3],
                )
                if face == next_face:
                    continue
                depth = rasterized[image, row, column, 2] if face > 0.0 else np.inf
                next_depth = rasterized[image, next_row, next_column, 2] if next_face > 0.0 else np.inf
                reaches_forward = depth <= next_depth
                # Towards the first pixel the line equation has the sign of -across.
                if reaches_forward != ((across < 0.0) == (surface > 0)) or z / w >= max(depth, next_depth):
                    continue
                crossing = np.float32(place - pixel)
                best = crossings[image, direction, row, column]
                if (
                    owners[image, direction, row, column] == 0
                    or (reaches_forward and crossing > best)
                    or (not reaches_forward and crossing < best)
                ):
                    crossings[image, direction, row, column] = crossing
                    owners[image, direction, row, column] = edge + 1


@compile_kernel
@no_type_check
def received(crossings, image, row, column):
    """What a pixel receives from its left, right, upper and lower neighbour, as weights."""
    zero, half = np.float32(0.0), np.float32(0.5)
    left = max(zero, crossings[image, 0, row, column - 1] - half) if column > 0 else zero
    right = max(zero, half - crossings[image, 0, row, column])
    upper = max(zero, crossings[image, 1, row - 1, column] - half) if row > 0 else zero
    lower = max(zero, half - crossings[image, 1, row, column])
    return left, right, upper, lower


@compile_kernel
@no_type_check
def blend(first, last, colors, crossings, bands, out, totals):
    """Blend into each pixel what it receives from its neighbours; `totals` are its weights' sums."""
    height, width, channels = colors.shape[1:]
    for task in range(first, last):
        image, band = task // bands, task % bands
        for row in range(band * height // bands, (band + 1) * height // bands):
            for column in range(width):
                left, right, upper, lower = received(crossings, image, row, column)
                total = left + right + upper + lower
                totals[image, row, column] = total
                if total == 0.0:
                    for k in range(channels):
                        out[image, row, column, k] = colors[image, row, column, k]
                    continue
                scale = np.float32(1.0) / max(total, np.float32(1.0))
                # Weights that are zero may belong to neighbours outside the image.
                before, after = max(column - 1, 0), min(column + 1, width - 1)
                above, below = max(row - 1, 0), min(row + 1, height - 1)
                for k in range(channels):
                    own = colors[image, row, column, k]
                    change = left * (colors[image, row, before, k] - own)
                    change += right * (colors[image, row, after, k] - own)
                    change += upper * (colors[image, above, column, k] - own)
                    change += lower * (colors[image, below, column, k] - own)
                    out[image, row, column, k] = own + scale * change


@compile_kernel
@no_type_check
def blend_backward(first, last, crossings, totals, bands, grad_out, grad_colors):
    """The transpose of `blend` in the colours: each pixel gathers what it gave to its neighbours."""
    height, width, channels = grad_out.shape[1:]
    zero, half, one = np.float32(0.0), np.float32(0.5), np.float32(1.0)
    for task in range(first, last):
        image, band = task // bands, task % bands
        for row in range(band * height // bands, (band + 1) * height // bands):
            for column in range(width):
                before, after = max(column - 1, 0), min(column + 1, width - 1)
                above, below = max(row - 1, 0), min(row + 1, height - 1)
                left = max(zero, half - crossings[image, 0, row, before]) if column > 0 else zero
                right = max(zero, crossings[image, 0, row, column] - half)
                upper = max(zero, half - crossings[image, 1, above, column]) if row > 0 else zero
                lower = max(zero, crossings[image, 1, row, column] - half)
                total = totals[image, row, column]
                if total == 0.0 and left + right + upper + lower == 0.0:
                    for k in range(channels):
                        grad_colors[image, row, column, k] = grad_out[image, row, column, k]
                    continue
                keep = one - total / max(total, one)
                left /= max(totals[image, row, before], one)
                right /= max(totals[image, row, after], one)
                upper /= max(totals[image, above, column], one)
                lower /= max(totals[image, below, column], one)
                for k in range(channels):
                    gathered = keep * grad_out[image, row, column, k]
                    gathered += (
                        left * grad_out[image, row, before, k] + right * grad_out[image, row, after, k]
                    )
                    gathered += (
                        upper * grad_out[image, above, column, k] + lower * grad_out[image, below, column, k]
                    )
                    grad_colors[image, row, column, k] = gathered


@compile_kernel
@no_type_check
def weight_gradient(colors, grad_out, image, row, column, from_row, from_column):
    """The derivative of the loss by the unscaled weight with which a pixel receives from a neighbour."""
    value = 0.0
    for k in range(colors.shape[3]):
        difference = colors[image, from_row, from_column, k] - colors[image, row, column, k]
        value += grad_out[image, row, column, k] * difference
    return value


@compile_kernel
@no_type_check
def crossings_backward(
    first, last, clip, edges, colors, crossings, owners, totals, bands, grad_out, grad_clip
):
    """Add the gradient of `blend` by the silhouettes' vertices to `grad_clip[task]` (zeros)."""
    height, width = colors.shape[1], colors.shape[2]
    for task in range(first, last):
        image, band = task // bands, task % bands
        grad = grad_clip[task]
        for direction in range(2):
            for first_row in range(band * height // bands, (band + 1) * height // bands):
                for first_column in range(width):
                    edge = owners[image, direction, first_row, first_column] - 1
                    if edge < 0:
                        continue
                    crossing = crossings[image, direction, first_row, first_column]
                    row, column, from_row, from_column = first_row, first_column, first_row, first_column
                    if direction == 0:
                        x = (2.0 * (first_column + crossing) + 1.0 - width) / width
                        y = (2.0 * first_row + 1.0 - height) / height
                        if crossing >= 0.5:
                            column += 1
                        else:
                            from_column += 1
                    else:
                        x = (2.0 * first_column + 1.0 - width) / width
                        y = (2.0 * (first_row + crossing) + 1.0 - height) / height
                        if crossing >= 0.5:
                            row += 1
                        else:
                            from_row += 1
                    slope = weight_gradient(colors, grad_out, image, row, column, from_row, from_column)
                    total = totals[image, row, column]
                    if total > 1.0:
                        left, right, upper, lower = received(crossings, image, row, column)
                        shared = 0.0
                        if left > 0.0:
                            shared += left * weight_gradient(
                                colors, grad_out, image, row, column, row, column - 1
                            )
                        if right > 0.0:
                            shared += right * weight_gradient(
                                colors, grad_out, image, row, column, row, column + 1
                            )
                        if upper > 0.0:
                            shared += upper * weight_gradient(
                                colors, grad_out, image, row, column, row - 1, column
                            )
                        if lower > 0.0:
                            shared += lower * weight_gradient(
                                colors, grad_out, image, row, column, row + 1, column
                            )
                        slope = (slope - shared / total) / total
                    if crossing < 0.5:
                        slope = -slope
                    if slope == 0.0:
                        continue
                    a, b = edges[edge, 0], edges[edge, 1]
                    ax, ay, _, aw = vertex(clip, image, a)
                    bx, by, _, bw = vertex(clip, image, b)
                    # line . p = 0 at p, with line = a x b: d line . p = da . (b x p) + db . (p x a).
                    if direction == 0:
                        slope *= -0.5 * width / (ay * bw - aw * by)
                    else:
                        slope *= -0.5 * height / (aw * bx - ax * bw)
                    grad[a, 0] += slope * (by - bw * y)
                    grad[a, 1] += slope * (bw * x - bx)
                    grad[a, 3] += slope * (bx * y - by * x)
                    grad[b, 0] += slope * (y * aw - ay)
                    grad[b, 1] += slope * (ax - x * aw)
                    grad[b, 3] += slope * (x * ay - y * ax)

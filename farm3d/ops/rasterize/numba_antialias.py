"""Numba kernels of `antialias`: forward by row bands, backward by images.

A pair is a pixel with its right neighbour (direction 0) or with the one below (direction 1). Where a
silhouette passes between the two centres, from 0 at the first to 1 at the second, one of them receives
colour from the other: the second beyond 0.5, the first before. Few pairs are crossed, so they travel as
records, in raster order of the pixels that receive: (receiver, giver, edge), pixels as indices into the
image, and (weight, total), the total being that of all weights with which the receiver receives.
"""

from typing import no_type_check

import numpy as np

from farm3d.ops.rasterize.numba_geometry import band_of, line_through, vertex, winding
from farm3d.ops.rasterize.numba_launch import compile_kernel

HALF, INFINITE = np.float32(0.5), np.float32(np.inf)


@compile_kernel
@no_type_check
def find_silhouettes(clip, faces, edges, side_offsets, side_faces, side_forward):
    """The edges with faces on one side only, and the sign of the line equation on that side."""
    signs = np.empty(faces.shape[0], np.int8)
    for face in range(faces.shape[0]):
        ax, ay, _, aw = vertex(clip, faces[face, 0])
        bx, by, _, bw = vertex(clip, faces[face, 1])
        cx, cy, _, cw = vertex(clip, faces[face, 2])
        determinant = winding(ax, ay, aw, *line_through(bx, by, bw, cx, cy, cw))
        signs[face] = np.int8(determinant > 0.0) - np.int8(determinant < 0.0)
    found, surfaces = np.empty(edges.shape[0], np.int32), np.empty(edges.shape[0], np.int8)
    count = 0
    for edge in range(edges.shape[0]):
        sides = 0
        for side in range(side_offsets[edge], side_offsets[edge + 1]):
            sign = signs[side_faces[side]] if side_forward[side] else -signs[side_faces[side]]
            sides |= int(sign > 0) + 2 * int(sign < 0)
        # Written always, kept only where the faces lie on one side: a branch here is hard to predict.
        found[count], surfaces[count] = edge, 3 - 2 * sides
        count += int(sides == 1 or sides == 2)
    return found[:count], surfaces[:count]


@compile_kernel
@no_type_check
def lines_between(low, high, size):
    """First and end index of the pixel lines whose centre lies in [low, high] (NDC), conservatively."""
    first = min((low + 1.0) * 0.5 * size - 0.5, float(size))
    end = min((high + 1.0) * 0.5 * size + 1.5, float(size))
    return int(max(0.0, first)), int(max(0.0, end))


@compile_kernel
@no_type_check
def cross_pairs(
    clip, edges, silhouettes, surfaces, rasterized, row_first, row_end, crossings, owners, touched
):
    """Keep the outermost silhouette of each pair that begins in the rows: `crossings` and `owners` (zeros).

    An owner is an edge's index + 1. Both pixels of a pair that has one are marked in `touched` (zeros).
    """
    height, width = rasterized.shape[0], rasterized.shape[1]
    for found in range(silhouettes.shape[0]):
        edge, surface = silhouettes[found], surfaces[found]
        ax, ay, az, aw = vertex(clip, edges[edge, 0])
        bx, by, bz, bw = vertex(clip, edges[edge, 1])
        across, along, offset = line_through(ax, ay, aw, bx, by, bw)
        # A mostly vertical edge is met once by each row that it spans: pairs lie in rows (direction 0).
        direction = 0 if abs(across) * height >= abs(along) * width else 1
        a_line, b_line, lines, size = ay, by, height, width
        if direction == 1:
            a_line, b_line, lines, size = ax, bx, width, height
            across, along = along, across
        if across == 0.0:
            continue
        line_first, line_end = 0, lines
        if aw > 0.0 and bw > 0.0:
            a_place, b_place = a_line / aw, b_line / bw
            line_first, line_end = lines_between(min(a_place, b_place), max(a_place, b_place), lines)
        if direction == 0:
            line_first, line_end = max(line_first, row_first), min(line_end, row_end)
        for line in range(line_first, line_end):
            centre = (2.0 * line + 1.0 - lines) / lines
            a_side, b_side = a_line - centre * aw, b_line - centre * bw
            if (a_side >= 0.0) == (b_side >= 0.0):
                continue
            part = a_side / (a_side - b_side)
            w, z = aw + part * (bw - aw), az + part * (bz - az)
            place = ((1.0 - (along * centre + offset) / across) * size - 1.0) * 0.5
            if not (w > 0.0 and z >= -w and z <= w and place >= 0.0 and place < size - 1.0):
                continue
            pixel = int(place)
            row, column = (line, pixel) if direction == 0 else (pixel, line)
            if row < row_first or row >= row_end:
                continue
            face, depth = rasterized[row, column, 3], rasterized[row, column, 2]
            next_row, next_column = row + direction, column + 1 - direction
            next_face = rasterized[next_row, next_column, 3]
            next_depth = rasterized[next_row, next_column, 2]
            depth = depth if face > 0.0 else INFINITE
            next_depth = next_depth if next_face > 0.0 else INFINITE
            reaches_forward = depth <= next_depth
            # Towards the first pixel the line equation has the sign of -across.
            if reaches_forward != ((across < 0.0) == (surface > 0)):
                continue
            if face == next_face or z / w >= max(depth, next_depth):
                continue
            crossing, band_row = np.float32(place - pixel), row - row_first
            best = crossings[direction, band_row, column]
            further = crossing > best if reaches_forward else crossing < best
            if owners[direction, band_row, column] == 0 or further:
                crossings[direction, band_row, column] = crossing
                owners[direction, band_row, column] = edge + 1
                touched[band_row, column] = True
                touched[next_row - row_first, next_column] = True


@compile_kernel
@no_type_check
def received(crossings, owners, row, column):
    """What a pixel receives from its left, right, upper and lower neighbour: weights, and the edges + 1."""
    zero = np.float32(0.0)
    left = upper = right = lower = zero
    left_edge = upper_edge = right_edge = lower_edge = 0
    if column > 0 and owners[0, row, column - 1] > 0 and crossings[0, row, column - 1] >= HALF:
        left, left_edge = crossings[0, row, column - 1] - HALF, owners[0, row, column - 1]
    if owners[0, row, column] > 0 and crossings[0, row, column] < HALF:
        right, right_edge = HALF - crossings[0, row, column], owners[0, row, column]
    if row > 0 and owners[1, row - 1, column] > 0 and crossings[1, row - 1, column] >= HALF:
        upper, upper_edge = crossings[1, row - 1, column] - HALF, owners[1, row - 1, column]
    if owners[1, row, column] > 0 and crossings[1, row, column] < HALF:
        lower, lower_edge = HALF - crossings[1, row, column], owners[1, row, column]
    return (left, right, upper, lower), (left_edge, right_edge, upper_edge, lower_edge)


@compile_kernel
@no_type_check
def record_pairs(crossings, owners, touched, above, row_first, width):
    """The records of the pairs whose receiving pixel lies in the band (below the row `above`, if any)."""
    most = np.count_nonzero(touched) * 2
    pixels, weights = np.empty((most, 3), np.int32), np.empty((most, 2), np.float32)
    givers = (-1, 1, -width, width)
    count = 0
    for band_row in range(above, owners.shape[1]):
        words = touched[band_row].view(np.uint64)
        for word in range(words.shape[0]):
            if words[word] == 0:
                continue
            for column in range(8 * word, min(8 * word + 8, width)):
                shares, edges = received(crossings, owners, band_row, column)
                total = shares[0] + shares[1] + shares[2] + shares[3]
                receiver = (row_first - above + band_row) * width + column
                for side in range(4):
                    if edges[side] > 0:
                        pixels[count, 0] = receiver
                        pixels[count, 1] = receiver + givers[side]
                        pixels[count, 2] = edges[side] - 1
                        weights[count, 0], weights[count, 1] = shares[side], total
                        count += 1
    return pixels[:count], weights[:count]


@compile_kernel
@no_type_check
def blend_records(colors, pixels, weights, out):
    """Blend what records say into `out`, a copy of `colors`; both are (pixels, channels) of one image."""
    for record in range(pixels.shape[0]):
        receiver, giver = pixels[record, 0], pixels[record, 1]
        share = weights[record, 0] / max(weights[record, 1], np.float32(1.0))
        for k in range(colors.shape[1]):
            out[receiver, k] += share * (colors[giver, k] - colors[receiver, k])


@compile_kernel
@no_type_check
def blend(
    task, colors, rasterized, clip_positions, faces, edges, side_offsets, side_faces, side_forward, bands, out
):
    """Fill the band's pixels of `out` with their colours and what they receive; returns its records.

    `colors` and `out` are (images, pixels, channels), `rasterized` knows height and width.
    """
    height, width = rasterized.shape[1], rasterized.shape[2]
    image, row_first, row_end = band_of(task, bands, height)
    out[image, row_first * width : row_end * width] = colors[image, row_first * width : row_end * width]
    clip = clip_positions[image]
    silhouettes, surfaces = find_silhouettes(clip, faces, edges, side_offsets, side_faces, side_forward)
    # Pairs with the row above begin there: the band's first pixels receive from them too.
    above = min(row_first, 1)
    rows = row_end - row_first + above
    crossings, owners = np.empty((2, rows, width), np.float32), np.zeros((2, rows, width), np.int32)
    touched = np.zeros((rows + 1, (width + 7) // 8 * 8), np.uint8)
    drawn, pairs = rasterized[image], (crossings, owners, touched)
    cross_pairs(clip, edges, silhouettes, surfaces, drawn, row_first - above, row_end, *pairs)
    pixels, weights = record_pairs(crossings, owners, touched, above, row_first, width)
    blend_records(colors[image], pixels, weights, out[image])
    return pixels, weights

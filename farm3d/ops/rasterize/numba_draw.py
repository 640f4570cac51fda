"""Numba kernels of `rasterize`; a task is one row band of one image (`numba_geometry.band_of`).

A band is drawn in two passes. The first goes over the triangles once and keeps, for each pixel, the least
of 64-bit keys: the bits of float32(z/w), in an order that integers compare alike, above the triangle's
index. The least key is the nearest triangle, the lowest index at a tie; keeping it is one integer minimum
without a branch, so a row of a triangle is drawn with as many pixels at a time as the machine's vectors
hold. The second pass goes over the pixels once and computes the barycentrics of the triangle that won.
"""

from typing import no_type_check

import numpy as np

from farm3d.ops.rasterize.numba_geometry import band_of, line_through, vertex, winding
from farm3d.ops.rasterize.numba_launch import compile_kernel

LANES = 8
"""Pixels of a row are drawn in multiples of this, so that no scalar loop has to draw the remainder."""

EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
"""The key of a pixel that shows nothing: behind every depth."""

INDEX_BITS, INDEX_MASK, SIGN_BIT = np.uint64(32), np.uint64(0xFFFFFFFF), np.uint32(0x80000000)

INCLUDED = -5e-324
"""The largest double below 0: a value beyond it is 0 or more, so that `>` can include an edge."""

SLACK = 1e-3
"""Pixels by which boxes are widened against the rounding of projected vertices, in images up to 1000 wide."""

INSIDE = 1.0 - 1e-12
"""Depths within this part of the range stay in it however they are rounded."""

LONG_ROW = 2 * LANES
"""Rows of boxes wider than this are cut to the part between the triangle's edges first."""


@compile_kernel
@no_type_check
def project(clip, width, height, columns, rows):
    """Pixel coordinates (0 at the first centre) of vertices, not a number behind the camera."""
    half_width, half_height = np.float32(0.5 * width), np.float32(0.5 * height)
    one, half, nowhere = np.float32(1.0), np.float32(0.5), np.float32(np.nan)
    for index in range(clip.shape[0]):
        scale = one / clip[index, 3] if clip[index, 3] > 0.0 else nowhere
        columns[index] = (clip[index, 0] * scale + one) * half_width - half
        rows[index] = (clip[index, 1] * scale + one) * half_height - half


@compile_kernel
@no_type_check
def outside_the_view(ax, ay, az, aw, bx, by, bz, bw, cx, cy, cz, cw):
    """Whether a triangle lies behind the camera or beyond one side of the view."""
    if aw <= 0.0 and bw <= 0.0 and cw <= 0.0:
        return True
    if (ax > aw and bx > bw and cx > cw) or (ax < -aw and bx < -bw and cx < -cw):
        return True
    if (ay > aw and by > bw and cy > cw) or (ay < -aw and by < -bw and cy < -cw):
        return True
    return (az > aw and bz > bw and cz > cw) or (az < -aw and bz < -bw and cz < -cw)


@compile_kernel
@no_type_check
def threshold(i, j):
    """What an edge's value must exceed: a centre on the edge counts as moved right, then down."""
    return INCLUDED if i > 0.0 or (i == 0.0 and j > 0.0) else 0.0


@compile_kernel
@no_type_check
def cut(low, high, slope, value):
    """The part of [low, high] where slope x + value is not negative."""
    if slope > 0.0:
        low = max(low, -value / slope)
    elif slope < 0.0:
        high = min(high, -value / slope)
    return low, high


@compile_kernel
@no_type_check
def depth_key(depth, index):
    """Depth and index as one integer that is less where a triangle is nearer, or equally near and lower."""
    # Adding 0 turns -0 into 0: they are equally near.
    bits = np.float32(depth + 0.0).view(np.int32)
    # Non-negative floats compare as integers once their sign bit is set, negative ones once inverted.
    ordered = np.uint32(bits ^ ((bits >> np.int32(31)) | np.int32(-2147483648)))
    return (np.uint64(ordered) << INDEX_BITS) | index


@compile_kernel
@no_type_check
def depth_of(key):
    """The depth of a key."""
    ordered = np.uint32(key >> INDEX_BITS)
    flipped = SIGN_BIT | np.uint32(np.int64(ordered >= SIGN_BIT) - 1)
    return np.uint32(ordered ^ flipped).view(np.float32)


@compile_kernel
@no_type_check
def draw_keys(clip, faces, columns, rows, xs, ys, cull, row_first, keys):
    """Lower `keys` to those of every triangle that covers a pixel of the band."""
    width, row_end = keys.shape[1] - LANES, row_first + keys.shape[0]
    slack = SLACK * max(1.0, 1e-3 * max(width, ys.shape[0]))
    # Conversions to integers cut fractions off: the first pixel from x on is int(x + 1), the end int(x) + 1.
    to_first, to_end, zero = np.float32(1.0 - slack), np.float32(1.0 + slack), np.float32(0.0)
    band_first, band_end, row_width = np.float32(row_first), np.float32(row_end), np.float32(width)
    for face in range(faces.shape[0]):
        a, b, c = np.uint64(faces[face, 0]), np.uint64(faces[face, 1]), np.uint64(faces[face, 2])
        row_a, row_b, row_c = rows[a], rows[b], rows[c]
        column_a, column_b, column_c = columns[a], columns[b], columns[c]
        summed = row_a + row_b + row_c + column_a + column_b + column_c
        top, bottom, left, right = row_first, row_end, 0, width
        if summed == summed:
            top = int(min(max(min(row_a, row_b, row_c) + to_first, band_first), band_end))
            bottom = int(min(max(row_a, row_b, row_c) + to_end, band_end))
            left = int(min(max(min(column_a, column_b, column_c) + to_first, zero), row_width))
            right = int(min(max(column_a, column_b, column_c) + to_end, row_width))
            if top >= bottom or left >= right:
                continue
        ax, ay, az, aw = vertex(clip, a)
        bx, by, bz, bw = vertex(clip, b)
        cx, cy, cz, cw = vertex(clip, c)
        i0, j0, k0 = line_through(bx, by, bw, cx, cy, cw)
        determinant = winding(ax, ay, aw, i0, j0, k0)
        if determinant == 0.0 or (cull and determinant > 0.0):
            continue
        i1, j1, k1 = line_through(cx, cy, cw, ax, ay, aw)
        i2, j2, k2 = line_through(ax, ay, aw, bx, by, bw)
        if determinant < 0.0:
            i0, j0, k0, i1, j1, k1, i2, j2, k2 = -i0, -j0, -k0, -i1, -j1, -k1, -i2, -j2, -k2
        # Strictly within the depth range and before the camera: no pixel of it needs a test of its own.
        in_range = (
            min(aw, bw, cw) > 0.0
            and abs(az) < INSIDE * aw
            and abs(bz) < INSIDE * bw
            and abs(cz) < INSIDE * cw
        )
        if not in_range and outside_the_view(ax, ay, az, aw, bx, by, bz, bw, cx, cy, cz, cw):
            continue
        # z/w is linear in the image: sum(e w) is the determinant everywhere.
        scale = 1.0 / abs(determinant)
        z_x, z_y = (i0 * az + i1 * bz + i2 * cz) * scale, (j0 * az + j1 * bz + j2 * cz) * scale
        z_one = (k0 * az + k1 * bz + k2 * cz) * scale
        t0, t1, t2 = threshold(i0, j0), threshold(i1, j1), threshold(i2, j2)
        index = np.uint64(face)
        for row in range(top, bottom):
            y = ys[row]
            r0, r1, r2, z_row = j0 * y + k0, j1 * y + k1, j2 * y + k2, z_y * y + z_one
            begin, end = left, right
            if right - left > LONG_ROW:
                low, high = cut(-1.0, 1.0, i0, r0)
                low, high = cut(low, high, i1, r1)
                low, high = cut(low, high, i2, r2)
                begin = max(left, int((min(max(low, -1.0), 1.0) + 1.0) * 0.5 * width + 0.5 - SLACK))
                end = min(right, int((max(min(high, 1.0), -1.0) + 1.0) * 0.5 * width + 0.5 + SLACK))
            count = (end - begin + LANES - 1) & -LANES
            if count <= 0:
                continue
            row_keys, row_xs = keys[row - row_first, begin : begin + count], xs[begin : begin + count]
            if in_range:
                for step in range(np.uint64(count)):
                    x = row_xs[step]
                    covered = (i0 * x + r0 > t0) & (i1 * x + r1 > t1) & (i2 * x + r2 > t2)
                    key, nearest = depth_key(z_x * x + z_row, index), row_keys[step]
                    row_keys[step] = key if covered & (key < nearest) else nearest
                continue
            for step in range(min(count, width - begin)):
                x = row_xs[step]
                e0, e1, e2 = i0 * x + r0, i1 * x + r1, i2 * x + r2
                w, z = e0 * aw + e1 * bw + e2 * cw, e0 * az + e1 * bz + e2 * cz
                if e0 > t0 and e1 > t1 and e2 > t2 and w > 0.0 and z >= -w and z <= w:
                    row_keys[step] = min(row_keys[step], depth_key(z / w, index))


@compile_kernel
@no_type_check
def resolve(clip, faces, keys, xs, ys, row_first, out):
    """Write the band's pixels of `out` from the keys; neighbours often show the same triangle."""
    for band_row in range(keys.shape[0]):
        row = row_first + band_row
        out[row] = 0.0
        y = ys[row]
        known = -1
        i0 = i1 = i2 = r0 = r1 = r2 = 0.0
        for column in range(out.shape[1]):
            key = keys[band_row, column]
            if key == EMPTY:
                continue
            face = np.int64(key & INDEX_MASK)
            if face != known:
                known = face
                ax, ay, _, aw = vertex(clip, faces[face, 0])
                bx, by, _, bw = vertex(clip, faces[face, 1])
                cx, cy, _, cw = vertex(clip, faces[face, 2])
                i0, j0, k0 = line_through(bx, by, bw, cx, cy, cw)
                i1, j1, k1 = line_through(cx, cy, cw, ax, ay, aw)
                i2, j2, k2 = line_through(ax, ay, aw, bx, by, bw)
                r0, r1, r2 = j0 * y + k0, j1 * y + k1, j2 * y + k2
            x = xs[column]
            e0, e1, e2 = i0 * x + r0, i1 * x + r1, i2 * x + r2
            scale = 1.0 / (e0 + e1 + e2)
            out[row, column, 0] = e0 * scale
            out[row, column, 1] = e1 * scale
            out[row, column, 2] = depth_of(key)
            out[row, column, 3] = face + 1


@compile_kernel
@no_type_check
def draw(task, clip_positions, faces, xs, ys, cull, bands, out):
    """Fill `out` with (u, v, z/w, triangle + 1) of the nearest triangle at each pixel centre, 0 elsewhere.

    `xs` are the centres' NDC coordinates along a row, continued by `LANES` beyond it; `ys` along a column.
    """
    height, width = out.shape[1], out.shape[2]
    image, row_first, row_end = band_of(task, bands, height)
    clip = clip_positions[image]
    columns, rows = np.empty(clip.shape[0], np.float32), np.empty(clip.shape[0], np.float32)
    project(clip, width, height, columns, rows)
    keys = np.full((row_end - row_first, width + LANES), EMPTY)
    draw_keys(clip, faces, columns, rows, xs, ys, cull, row_first, keys)
    resolve(clip, faces, keys, xs, ys, row_first, out[image])

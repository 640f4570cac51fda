"""Numba kernels of `rasterize` and `interpolate`; a task is one row band of one image.

Edge functions are homogeneous (Olano and Greer 1997, "Triangle scan conversion using 2D homogeneous
coordinates"): with v = (x, y, w) of a vertex and p = (X, Y, 1) of a pixel centre, e0 = p . (v1 x v2) and
so on; the perspective-correct barycentrics are e / sum(e), so nothing needs clipping at w = 0.
All arithmetic is in double precision on the single-precision input.
"""

import math
from typing import no_type_check

import numpy as np

from farm3d.ops.rasterize.numba_launch import compile_kernel

DEGENERATE = 1e-14
"""A triangle is degenerate where its determinant is below this part of the terms that it sums."""


@compile_kernel
@no_type_check
def band_of(task, bands, height):
    """Image, first row and end row of a task."""
    image = task // bands
    band = task % bands
    return image, band * height // bands, (band + 1) * height // bands


@compile_kernel
@no_type_check
def vertex(clip, image, index):
    """Clip position of a vertex in double precision (numba's `float` would keep single)."""
    x, y, z, w = clip[image, index, 0], clip[image, index, 1], clip[image, index, 2], clip[image, index, 3]
    return np.float64(x), np.float64(y), np.float64(z), np.float64(w)


@compile_kernel
@no_type_check
def edge_coefficients(ax, ay, aw, bx, by, bw):
    """Cross product of (x, y, w) of two vertices; swapping them negates it exactly."""
    return ay * bw - aw * by, aw * bx - ax * bw, ax * by - ay * bx


@compile_kernel
@no_type_check
def winding(ax, ay, aw, bx, by, bw, cx, cy, cw):
    """Determinant of (x, y, w) of the vertices, 0 where rounding could have made its sign."""
    i, j, k = edge_coefficients(bx, by, bw, cx, cy, cw)
    determinant = ax * i + ay * j + aw * k
    size = abs(ax * i) + abs(ay * j) + abs(aw * k)
    return determinant if abs(determinant) > DEGENERATE * size and size < np.inf else 0.0


@compile_kernel
@no_type_check
def find_windings(first, last, clip, faces, bands, signs):
    """The sign of each face's winding: -1 counter-clockwise in the image shown, 0 degenerate."""
    for task in range(first, last):
        image, face_first, face_end = band_of(task, bands, faces.shape[0])
        for face in range(face_first, face_end):
            a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
            ax, ay, _, aw = vertex(clip, image, a)
            bx, by, _, bw = vertex(clip, image, b)
            cx, cy, _, cw = vertex(clip, image, c)
            signs[image, face] = np.sign(winding(ax, ay, aw, bx, by, bw, cx, cy, cw))


@compile_kernel
@no_type_check
def pixel_range(low, high, size):
    """First and end index of the pixels whose centre lies in [low, high] (NDC), conservatively."""
    half = 0.5 * size
    low = (low + 1.0) * half - 0.5
    high = (high + 1.0) * half - 0.5
    first = 0 if low <= 0.0 else math.ceil(min(low - 1e-6, float(size)))
    end = size if high >= size - 1.0 else math.floor(max(high + 1e-6, -1.0)) + 1
    return first, end


@compile_kernel
@no_type_check
def find_boxes(first, last, clip, faces, height, width, cull, bands, boxes):
    """The pixel rectangle (row, end row, column, end column) of each triangle; empty when not drawable."""
    for task in range(first, last):
        image, face_first, face_end = band_of(task, bands, faces.shape[0])
        for face in range(face_first, face_end):
            boxes[image, face, 1] = 0
            boxes[image, face, 0] = 0
            a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
            ax, ay, az, aw = vertex(clip, image, a)
            bx, by, bz, bw = vertex(clip, image, b)
            cx, cy, cz, cw = vertex(clip, image, c)
            side = winding(ax, ay, aw, bx, by, bw, cx, cy, cw)
            if side == 0.0 or (cull and side > 0.0):
                continue
            if (ax > aw and bx > bw and cx > cw) or (ax < -aw and bx < -bw and cx < -cw):
                continue
            if (ay > aw and by > bw and cy > cw) or (ay < -aw and by < -bw and cy < -cw):
                continue
            if (az > aw and bz > bw and cz > cw) or (az < -aw and bz < -bw and cz < -cw):
                continue
            if aw > 0.0 and bw > 0.0 and cw > 0.0:
                ax, bx, cx, ay, by, cy = ax / aw, bx / bw, cx / cw, ay / aw, by / bw, cy / cw
                left, right = pixel_range(min(ax, bx, cx), max(ax, bx, cx), width)
                top, bottom = pixel_range(min(ay, by, cy), max(ay, by, cy), height)
            elif aw > 0.0 or bw > 0.0 or cw > 0.0:
                left, right, top, bottom = 0, width, 0, height
            else:
                continue
            if left < right:
                boxes[image, face, 0], boxes[image, face, 1] = top, bottom
                boxes[image, face, 2], boxes[image, face, 3] = left, right


@compile_kernel
@no_type_check
def covers(value, along_x, along_y):
    """The fill rule: a sample on the edge counts as moved right, then down, by an infinitesimal step."""
    return value > 0.0 or (value == 0.0 and (along_x > 0.0 or (along_x == 0.0 and along_y > 0.0)))


@compile_kernel
@no_type_check
def draw(first, last, clip, faces, boxes, xs, ys, bands, out):
    """Fill `out` (zeros) with (u, v, z/w, triangle + 1) of the nearest triangle at each pixel centre."""
    for task in range(first, last):
        image, row_first, row_end = band_of(task, bands, ys.shape[0])
        for face in range(faces.shape[0]):
            top = max(boxes[image, face, 0], row_first)
            bottom = min(boxes[image, face, 1], row_end)
            if top >= bottom:
                continue
            a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
            ax, ay, az, aw = vertex(clip, image, a)
            bx, by, bz, bw = vertex(clip, image, b)
            cx, cy, cz, cw = vertex(clip, image, c)
            i0, j0, k0 = edge_coefficients(bx, by, bw, cx, cy, cw)
            i1, j1, k1 = edge_coefficients(cx, cy, cw, ax, ay, aw)
            i2, j2, k2 = edge_coefficients(ax, ay, aw, bx, by, bw)
            if ax * i0 + ay * j0 + aw * k0 < 0.0:
                i0, j0, k0, i1, j1, k1, i2, j2, k2 = -i0, -j0, -k0, -i1, -j1, -k1, -i2, -j2, -k2
            for row in range(top, bottom):
                y = ys[row]
                r0, r1, r2 = j0 * y + k0, j1 * y + k1, j2 * y + k2
                for column in range(boxes[image, face, 2], boxes[image, face, 3]):
                    x = xs[column]
                    e0 = i0 * x + r0
                    e1 = i1 * x + r1
                    e2 = i2 * x + r2
                    if not (covers(e0, i0, j0) and covers(e1, i1, j1) and covers(e2, i2, j2)):
                        continue
                    w = e0 * aw + e1 * bw + e2 * cw
                    z = e0 * az + e1 * bz + e2 * cz
                    if not (w > 0.0 and z >= -w and z <= w):
                        continue
                    depth = np.float32(z / w)
                    if out[image, row, column, 3] == 0.0 or depth < out[image, row, column, 2]:
                        total = e0 + e1 + e2
                        out[image, row, column, 0] = e0 / total
                        out[image, row, column, 1] = e1 / total
                        out[image, row, column, 2] = depth
                        out[image, row, column, 3] = face + 1


@compile_kernel
@no_type_check
def draw_backward(first, last, clip, faces, xs, ys, bands, out, grad_out, grad_clip):
    """Add the gradient of (u, v, z/w) with respect to the vertices to `grad_clip[task]` (zeros)."""
    for task in range(first, last):
        image, row_first, row_end = band_of(task, bands, ys.shape[0])
        grad = grad_clip[task]
        for row in range(row_first, row_end):
            y = ys[row]
            for column in range(xs.shape[0]):
                face = int(out[image, row, column, 3]) - 1
                if face < 0 or face >= faces.shape[0]:
                    continue
                g0 = np.float64(grad_out[image, row, column, 0])
                g1 = np.float64(grad_out[image, row, column, 1])
                gz = np.float64(grad_out[image, row, column, 2])
                if g0 == 0.0 and g1 == 0.0 and gz == 0.0:
                    continue
                x = xs[column]
                a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
                ax, ay, az, aw = vertex(clip, image, a)
                bx, by, bz, bw = vertex(clip, image, b)
                cx, cy, cz, cw = vertex(clip, image, c)
                # q = v x p: e0 = b . (c x p) = -c . (b x p), and cyclically.
                aqx, aqy, aqw = edge_coefficients(ax, ay, aw, x, y, 1.0)
                bqx, bqy, bqw = edge_coefficients(bx, by, bw, x, y, 1.0)
                cqx, cqy, cqw = edge_coefficients(cx, cy, cw, x, y, 1.0)
                e0 = bx * cqx + by * cqy + bw * cqw
                e1 = cx * aqx + cy * aqy + cw * aqw
                e2 = ax * bqx + ay * bqy + aw * bqw
                scale = 1.0 / (e0 + e1 + e2)
                u, v = e0 * scale, e1 * scale
                t = 1.0 - u - v
                w = u * aw + v * bw + t * cw
                gz /= w
                depth = (u * az + v * bz + t * cz) / w
                # Barycentrics as three numbers, then as edge functions over their sum.
                h0 = g0 + gz * (az - depth * aw)
                h1 = g1 + gz * (bz - depth * bw)
                h2 = gz * (cz - depth * cw)
                mean = u * h0 + v * h1 + t * h2
                h0, h1, h2 = (h0 - mean) * scale, (h1 - mean) * scale, (h2 - mean) * scale
                grad[a, 0] += h2 * bqx - h1 * cqx
                grad[a, 1] += h2 * bqy - h1 * cqy
                grad[a, 2] += gz * u
                grad[a, 3] += h2 * bqw - h1 * cqw - gz * u * depth
                grad[b, 0] += h0 * cqx - h2 * aqx
                grad[b, 1] += h0 * cqy - h2 * aqy
                grad[b, 2] += gz * v
                grad[b, 3] += h0 * cqw - h2 * aqw - gz * v * depth
                grad[c, 0] += h1 * aqx - h0 * bqx
                grad[c, 1] += h1 * aqy - h0 * bqy
                grad[c, 2] += gz * t
                grad[c, 3] += h1 * aqw - h0 * bqw - gz * t * depth


@compile_kernel
@no_type_check
def blend_attributes(first, last, attributes, rasterized, faces, bands, out):
    """`out` (zeros) = u A + v B + (1 - u - v) C at each drawn pixel, in a form exact for constants."""
    channels = attributes.shape[2]
    for task in range(first, last):
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
    first, last, attributes, rasterized, faces, bands, grad_out, grad_attributes, grad_rasterized
):
    """Add to `grad_attributes[task]` (zeros) and set u, v of `grad_rasterized` (zeros)."""
    channels = attributes.shape[2]
    for task in range(first, last):
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

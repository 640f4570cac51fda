"""Numba kernels of `rasterize`'s backward pass; a task is one row band of one image."""

from typing import no_type_check

import numpy as np

from farm3d.ops.rasterize.numba_geometry import add_cross, band_of, line_through, vertex
from farm3d.ops.rasterize.numba_launch import compile_kernel


@compile_kernel
@no_type_check
def add_depth(grad, index, by_z, by_w):
    """Add the gradient by a vertex's z and, through the division, by its w."""
    grad[index, 2] += by_z
    grad[index, 3] -= by_w


@compile_kernel
@no_type_check
def draw_backward(task, clip_positions, faces, xs, ys, bands, rasterized, grad_out, grad_clip):
    """Add the gradient of (u, v, z/w) with respect to the vertices to `grad_clip[task]` (zeros).

    With h_k the gradient by edge function k and p = (X, Y, 1), that by the vertices' (x, y, w) is
    b x S2 - c x S1 for the first and cyclically on, where S_k is the sum of h_k p over a row's pixels of
    the triangle: one scatter for all of them.
    """
    height, width = rasterized.shape[1], rasterized.shape[2]
    image, row_first, row_end = band_of(task, bands, height)
    clip, grad = clip_positions[image], grad_clip[task]
    for row in range(row_first, row_end):
        y = ys[row]
        column = 0
        while column < width:
            face = int(rasterized[image, row, column, 3]) - 1
            if face < 0 or face >= faces.shape[0]:
                column += 1
                continue
            a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
            ax, ay, az, aw = vertex(clip, a)
            bx, by, bz, bw = vertex(clip, b)
            cx, cy, cz, cw = vertex(clip, c)
            i0, j0, k0 = line_through(bx, by, bw, cx, cy, cw)
            i1, j1, k1 = line_through(cx, cy, cw, ax, ay, aw)
            i2, j2, k2 = line_through(ax, ay, aw, bx, by, bw)
            r0, r1, r2 = j0 * y + k0, j1 * y + k1, j2 * y + k2
            # Sums over the run of h_k, of h_k X, and of the gradients by z/w times u, v, t (and z/w).
            s0 = s1 = s2 = x0 = x1 = x2 = z0 = z1 = z2 = d0 = d1 = d2 = 0.0
            while column < width and int(rasterized[image, row, column, 3]) - 1 == face:
                g0 = np.float64(grad_out[image, row, column, 0])
                g1 = np.float64(grad_out[image, row, column, 1])
                gz = np.float64(grad_out[image, row, column, 2])
                x = xs[column]
                column += 1
                e0, e1, e2 = i0 * x + r0, i1 * x + r1, i2 * x + r2
                scale = 1.0 / (e0 + e1 + e2)
                u, v, t = e0 * scale, e1 * scale, e2 * scale
                inverse_w = 1.0 / (u * aw + v * bw + t * cw)
                gz *= inverse_w
                depth = (u * az + v * bz + t * cz) * inverse_w
                # By the barycentrics as three numbers, then by the edge functions over their sum.
                h0, h1 = g0 + gz * (az - depth * aw), g1 + gz * (bz - depth * bw)
                h2 = gz * (cz - depth * cw)
                mean = u * h0 + v * h1 + t * h2
                h0, h1, h2 = (h0 - mean) * scale, (h1 - mean) * scale, (h2 - mean) * scale
                s0, s1, s2 = s0 + h0, s1 + h1, s2 + h2
                x0, x1, x2 = x0 + h0 * x, x1 + h1 * x, x2 + h2 * x
                u, v, t = gz * u, gz * v, gz * t
                z0, z1, z2 = z0 + u, z1 + v, z2 + t
                d0, d1, d2 = d0 + u * depth, d1 + v * depth, d2 + t * depth
            add_cross(grad, a, bx, by, bw, x2, s2 * y, s2)
            add_cross(grad, a, cx, cy, cw, -x1, -s1 * y, -s1)
            add_cross(grad, b, cx, cy, cw, x0, s0 * y, s0)
            add_cross(grad, b, ax, ay, aw, -x2, -s2 * y, -s2)
            add_cross(grad, c, ax, ay, aw, x1, s1 * y, s1)
            add_cross(grad, c, bx, by, bw, -x0, -s0 * y, -s0)
            add_depth(grad, a, z0, d0)
            add_depth(grad, b, z1, d1)
            add_depth(grad, c, z2, d2)

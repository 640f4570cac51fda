"""What the numba kernels share: vertices, edge lines and windings, and the pixels of a task.

Edge functions are homogeneous (Olano and Greer 1997, "Triangle scan conversion using 2D homogeneous
coordinates"): with v = (x, y, w) of a vertex and p = (X, Y, 1) of a pixel centre, e0 = p . (v1 x v2) and
so on; the perspective-correct barycentrics are e / sum(e), so nothing needs clipping at w = 0. They are
evaluated in double precision on the single-precision input.
"""

from typing import no_type_check

import numpy as np

from farm3d.ops.rasterize.numba_launch import compile_kernel

DEGENERATE = 1e-14
"""A triangle is degenerate where its determinant is below this part of the terms that it sums."""


@compile_kernel
@no_type_check
def band_of(task, bands, height):
    """Image, first row and end row of a task: one row band of one image."""
    image = task // bands
    band = task % bands
    return image, band * height // bands, (band + 1) * height // bands


@compile_kernel
@no_type_check
def vertex(clip, index):
    """Clip position of a vertex in double precision (numba's `float` would keep single)."""
    x, y, z, w = clip[index, 0], clip[index, 1], clip[index, 2], clip[index, 3]
    return np.float64(x), np.float64(y), np.float64(z), np.float64(w)


@compile_kernel
@no_type_check
def line_through(ax, ay, aw, bx, by, bw):
    """Cross product of (x, y, w) of two points; swapping them negates it exactly."""
    return ay * bw - aw * by, aw * bx - ax * bw, ax * by - ay * bx


@compile_kernel
@no_type_check
def winding(ax, ay, aw, i, j, k):
    """Determinant of a triangle from its first vertex and the line opposite, 0 where it is degenerate.

    Positive where the triangle is clockwise in the image shown; 0 where rounding could have made the sign.
    """
    x, y, w = ax * i, ay * j, aw * k
    determinant, size = x + y + w, abs(x) + abs(y) + abs(w)
    return determinant if abs(determinant) > DEGENERATE * size and size < np.inf else 0.0


@compile_kernel
@no_type_check
def add_cross(grad, index, vx, vy, vw, px, py, pw):
    """Add v x p to the gradient by a vertex's (x, y, w)."""
    i, j, k = line_through(vx, vy, vw, px, py, pw)
    grad[index, 0] += i
    grad[index, 1] += j
    grad[index, 3] += k

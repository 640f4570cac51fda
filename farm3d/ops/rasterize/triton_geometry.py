"""What the Triton kernels share: clip positions of vertices, lines through them, pixels, and sums by atomics.

The maths is the reference's: homogeneous edge functions (Olano and Greer 1997), in double precision on the
single-precision input. Two triangles on either side of an edge find the same line with opposite signs,
because swapping the ends in a cross product a b - c d negates it exactly. That holds as long as no product is
contracted into a fused multiply-add, which would round only one of the two, so every kernel is launched with
`enable_fp_fusion=False`. Then the GPU rounds as the CPU does, too, and decides alike.
"""

from typing import no_type_check

import triton
import triton.language as tl

DEGENERATE = tl.constexpr(1e-14)
"""A triangle is degenerate where its determinant is below this part of the terms that it sums."""


NOTHING = tl.constexpr(2**63 - 1)
"""The key of what no atomic minimum has been entered for."""


@triton.jit
@no_type_check
def load_face(faces, face, vertex_count, active):
    """Vertex indices of faces, and which of the active faces name only vertices that exist."""
    a = tl.load(faces + face * 3, mask=active, other=-1).to(tl.int64)
    b = tl.load(faces + face * 3 + 1, mask=active, other=-1).to(tl.int64)
    c = tl.load(faces + face * 3 + 2, mask=active, other=-1).to(tl.int64)
    first, last = tl.minimum(tl.minimum(a, b), c), tl.maximum(tl.maximum(a, b), c)
    return a, b, c, active & (first >= 0) & (last < vertex_count)


@triton.jit
@no_type_check
def load_vertex(clip, index, active):
    """Clip position of vertices in double precision; `index` counts through all images."""
    x = tl.load(clip + index * 4, mask=active, other=0.0).to(tl.float64)
    y = tl.load(clip + index * 4 + 1, mask=active, other=0.0).to(tl.float64)
    z = tl.load(clip + index * 4 + 2, mask=active, other=0.0).to(tl.float64)
    w = tl.load(clip + index * 4 + 3, mask=active, other=0.0).to(tl.float64)
    return x, y, z, w


@triton.jit
@no_type_check
def line_through(ax, ay, aw, bx, by, bw):
    """Cross product of (x, y, w) of two vertices; swapping them negates it exactly."""
    return ay * bw - aw * by, aw * bx - ax * bw, ax * by - ay * bx


@triton.jit
@no_type_check
def winding(ax, ay, aw, bx, by, bw, cx, cy, cw):
    """Determinant of (x, y, w) of the vertices, 0 where rounding could have made its sign."""
    i, j, k = line_through(bx, by, bw, cx, cy, cw)
    determinant = ax * i + ay * j + aw * k
    size = tl.abs(ax * i) + tl.abs(ay * j) + tl.abs(aw * k)
    reliable = (tl.abs(determinant) > DEGENERATE * size) & (size < float("inf"))
    return tl.where(reliable, determinant, 0.0)


@triton.jit
@no_type_check
def inward_lines(ax, ay, aw, bx, by, bw, cx, cy, cw):
    """The lines opposite to vertices a, b, c, positive on the side of the triangle."""
    i0, j0, k0 = line_through(bx, by, bw, cx, cy, cw)
    i1, j1, k1 = line_through(cx, cy, cw, ax, ay, aw)
    i2, j2, k2 = line_through(ax, ay, aw, bx, by, bw)
    sign = tl.where(ax * i0 + ay * j0 + aw * k0 < 0.0, -1.0, 1.0).to(tl.float64)
    return i0 * sign, j0 * sign, k0 * sign, i1 * sign, j1 * sign, k1 * sign, i2 * sign, j2 * sign, k2 * sign


@triton.jit
@no_type_check
def pixel_centre(index, size):
    """NDC coordinate of pixel centres along an axis of `size` pixels, correctly rounded."""
    return (2 * index + 1 - size).to(tl.float64) / size.to(tl.float64)


@triton.jit
@no_type_check
def locate(pixel, height, width):
    """Image, row and column of pixels that are counted through all images."""
    row = pixel // width
    return row // height, (row % height).to(tl.int32), (pixel % width).to(tl.int32)


@triton.jit
@no_type_check
def order_of(value):
    """The bits of float32 numbers as integers of the same order; -0 counts as 0."""
    bits = tl.where(value == 0.0, 0.0, value).to(tl.int32, bitcast=True)
    return tl.where(bits < 0, bits ^ 0x7FFFFFFF, bits)


@triton.jit
@no_type_check
def value_of(order):
    """The inverse of `order_of`."""
    return tl.where(order < 0, order ^ 0x7FFFFFFF, order).to(tl.float32, bitcast=True)


@triton.jit
@no_type_check
def plan_sums(target, active, LANES: tl.constexpr):
    """Whether all active lanes add to the same target, and which lanes then write (see `add`).

    Neighbouring pixels mostly show the same triangle: one atomic for all of them instead of one for each.
    """
    highest = tl.max(tl.where(active, target, -1), axis=0)
    lane = tl.arange(0, LANES)
    others = tl.sum((active & (target != highest)).to(tl.int32), axis=0)
    last = tl.where(others == 0, tl.min(tl.where(active, lane, LANES), axis=0), LANES)
    return others == 0, active & (lane <= last)


@triton.jit
@no_type_check
def add(gradient, offset, value, active, together, writes):
    """Add values to `gradient[offset]`, as their sum where all active lanes have the same offset."""
    total = tl.sum(tl.where(active, value, 0.0), axis=0)
    tl.atomic_add(gradient + offset, tl.where(together, total, value), mask=writes, sem="relaxed")

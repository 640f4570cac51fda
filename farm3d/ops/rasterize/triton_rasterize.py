"""Triton kernels of `rasterize`: a depth buffer of 64-bit keys, then values and gradients per pixel.

A key holds the order of float32(z/w) in its high half and the triangle's index in its low half: the lowest
key that an atomic minimum leaves is the nearest triangle, the first at a tie, whatever the order of drawing.

A triangle is drawn by one lane if its box holds few pixels; the boxes of larger ones are cut into work items
(see `triton_work`).
"""

from typing import no_type_check

import triton
import triton.language as tl

from farm3d.ops.rasterize.triton_geometry import (
    NOTHING,
    add,
    inward_lines,
    line_through,
    load_face,
    load_vertex,
    locate,
    order_of,
    pixel_centre,
    plan_sums,
    value_of,
    winding,
)
from farm3d.ops.rasterize.triton_work import MOST_ITEMS, list_work, part_of


@triton.jit
@no_type_check
def pixel_range(low, high, size):
    """First and end index of the pixels whose centre lies in [low, high] (NDC), conservatively."""
    limit = size.to(tl.float64)
    low = (low + 1.0) * (0.5 * limit) - 0.5
    high = (high + 1.0) * (0.5 * limit) - 0.5
    first = tl.ceil(tl.minimum(tl.maximum(low - 1e-6, 0.0), limit)).to(tl.int32)
    end = tl.floor(tl.minimum(tl.maximum(high + 1e-6, -1.0), limit - 1.0)).to(tl.int32) + 1
    return first, end


@triton.jit
@no_type_check
def pixel_box(ax, ay, az, aw, bx, by, bz, bw, cx, cy, cz, cw, height, width):
    """First row, first column, columns and pixels of the box that holds a triangle; none if not seen."""
    outside = ((ax > aw) & (bx > bw) & (cx > cw)) | ((ax < -aw) & (bx < -bw) & (cx < -cw))
    outside |= ((ay > aw) & (by > bw) & (cy > cw)) | ((ay < -aw) & (by < -bw) & (cy < -cw))
    outside |= ((az > aw) & (bz > bw) & (cz > cw)) | ((az < -aw) & (bz < -bw) & (cz < -cw))
    in_front = (aw > 0.0) & (bw > 0.0) & (cw > 0.0)
    outside |= (aw <= 0.0) & (bw <= 0.0) & (cw <= 0.0)
    aw, bw, cw = tl.where(in_front, aw, 1.0), tl.where(in_front, bw, 1.0), tl.where(in_front, cw, 1.0)
    ax, bx, cx, ay, by, cy = ax / aw, bx / bw, cx / cw, ay / aw, by / bw, cy / cw
    # What reaches behind the camera may be seen anywhere.
    left = tl.where(in_front, tl.minimum(tl.minimum(ax, bx), cx), -1.0)
    right = tl.where(in_front, tl.maximum(tl.maximum(ax, bx), cx), 1.0)
    top = tl.where(in_front, tl.minimum(tl.minimum(ay, by), cy), -1.0)
    bottom = tl.where(in_front, tl.maximum(tl.maximum(ay, by), cy), 1.0)
    first_column, end_column = pixel_range(left, right, width)
    first_row, end_row = pixel_range(top, bottom, height)
    columns, rows = tl.maximum(end_column - first_column, 0), tl.maximum(end_row - first_row, 0)
    return first_row, first_column, tl.maximum(columns, 1), tl.where(outside, 0, columns * rows)


@triton.jit
@no_type_check
def covers(value, along_x, along_y):
    """The fill rule: a sample on the edge counts as moved right, then down, by an infinitesimal step."""
    return tl.where(value == 0.0, tl.where(along_x == 0.0, along_y, along_x), value) > 0.0


@triton.jit
@no_type_check
def draw_pixel(
    nearest, image, face, row, column, height, width, active,
    i0, j0, k0, i1, j1, k1, i2, j2, k2, az, aw, bz, bw, cz, cw,
):  # fmt: skip
    """Enter triangles into the depth buffer where they cover the centre of the pixel."""
    x, y = pixel_centre(column, width), pixel_centre(row, height)
    e0, e1, e2 = i0 * x + (j0 * y + k0), i1 * x + (j1 * y + k1), i2 * x + (j2 * y + k2)
    w = e0 * aw + e1 * bw + e2 * cw
    z = e0 * az + e1 * bz + e2 * cz
    drawn = active & covers(e0, i0, j0) & covers(e1, i1, j1) & covers(e2, i2, j2)
    drawn &= (w > 0.0) & (z >= -w) & (z <= w)
    depth = (tl.where(drawn, z, 0.0) / tl.where(drawn, w, 1.0)).to(tl.float32)
    key = (order_of(depth).to(tl.int64) << 32) | face
    pixel = (image * height + row) * width + column
    tl.atomic_min(nearest + pixel, key, mask=drawn, sem="relaxed")


@triton.jit(do_not_specialize=["triangle_count", "vertex_count", "face_count"])
@no_type_check
def keep_front_faces(clip, faces, out, triangle_count, vertex_count, face_count, LANES: tl.constexpr):
    """`out` = each image's faces with vertices counted through all images, -1 where not counter-clockwise."""
    triangle = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    exists = triangle < triangle_count
    a, b, c, active = load_face(faces, triangle % face_count, vertex_count, exists)
    first = triangle // face_count * vertex_count
    a, b, c = a + first, b + first, c + first
    ax, ay, _, aw = load_vertex(clip, a, active)
    bx, by, _, bw = load_vertex(clip, b, active)
    cx, cy, _, cw = load_vertex(clip, c, active)
    front = winding(ax, ay, aw, bx, by, bw, cx, cy, cw) < 0.0
    tl.store(out + triangle * 3, tl.where(front, a, -1).to(tl.int32), mask=exists)
    tl.store(out + triangle * 3 + 1, tl.where(front, b, -1).to(tl.int32), mask=exists)
    tl.store(out + triangle * 3 + 2, tl.where(front, c, -1).to(tl.int32), mask=exists)


@triton.jit(do_not_specialize=["triangle_count", "vertex_count", "face_count", "height", "width", "capacity"])
@no_type_check
def draw_triangles(
    clip, faces, nearest, work, work_count,
    triangle_count, vertex_count, face_count, height, width, capacity,
    CULL: tl.constexpr, PIXELS_PER_LANE: tl.constexpr, PIXELS_PER_ITEM: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """Draw the triangles of all images into `nearest`, and list the larger ones in `work`."""
    triangle = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    image, face = triangle // face_count, triangle % face_count
    a, b, c, active = load_face(faces, face, vertex_count, triangle < triangle_count)
    ax, ay, az, aw = load_vertex(clip, image * vertex_count + a, active)
    bx, by, bz, bw = load_vertex(clip, image * vertex_count + b, active)
    cx, cy, cz, cw = load_vertex(clip, image * vertex_count + c, active)
    side = winding(ax, ay, aw, bx, by, bw, cx, cy, cw)
    active &= side != 0.0
    if CULL:
        active &= side < 0.0
    first_row, first_column, columns, pixels = pixel_box(
        ax, ay, az, aw, bx, by, bz, bw, cx, cy, cz, cw, height, width
    )
    pixels = tl.where(active, pixels, 0)
    items = tl.minimum(tl.cdiv(pixels, PIXELS_PER_ITEM), MOST_ITEMS)
    items = tl.where(pixels > PIXELS_PER_LANE, items, 0).to(tl.int64)
    listed = list_work(work, work_count, triangle * MOST_ITEMS, items, capacity)
    i0, j0, k0, i1, j1, k1, i2, j2, k2 = inward_lines(ax, ay, aw, bx, by, bw, cx, cy, cw)
    pixels = tl.where(listed, 0, pixels)
    for step in range(tl.max(pixels, axis=0)):
        row, column = first_row + step // columns, first_column + step % columns
        draw_pixel(
            nearest, image, face, row, column, height, width, step < pixels,
            i0, j0, k0, i1, j1, k1, i2, j2, k2, az, aw, bz, bw, cz, cw,
        )  # fmt: skip


@triton.jit(do_not_specialize=["vertex_count", "face_count", "height", "width", "capacity"])
@no_type_check
def draw_work(
    clip, faces, nearest, work, work_count,
    vertex_count, face_count, height, width, capacity,
    PIXELS_PER_ITEM: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """Draw the work items of larger triangles into `nearest`, item after item in each program."""
    count = tl.minimum(tl.load(work_count), capacity).to(tl.int32)
    for position in range(tl.program_id(0), count, tl.num_programs(0)):
        entry = tl.load(work + position)
        triangle, item = entry // MOST_ITEMS, entry % MOST_ITEMS
        image, face = triangle // face_count, triangle % face_count
        a, b, c, active = load_face(faces, face, vertex_count, entry >= 0)
        ax, ay, az, aw = load_vertex(clip, image * vertex_count + a, active)
        bx, by, bz, bw = load_vertex(clip, image * vertex_count + b, active)
        cx, cy, cz, cw = load_vertex(clip, image * vertex_count + c, active)
        first_row, first_column, columns, pixels = pixel_box(
            ax, ay, az, aw, bx, by, bz, bw, cx, cy, cz, cw, height, width
        )
        pixels = tl.where(active, pixels, 0)
        items = tl.minimum(tl.cdiv(pixels, PIXELS_PER_ITEM), MOST_ITEMS)
        first, end = part_of(pixels, item, items)
        i0, j0, k0, i1, j1, k1, i2, j2, k2 = inward_lines(ax, ay, aw, bx, by, bw, cx, cy, cw)
        for start in range(first, end, LANES):
            pixel = start + tl.arange(0, LANES)
            row, column = first_row + pixel // columns, first_column + pixel % columns
            draw_pixel(
                nearest, image, face, row, column, height, width, pixel < end,
                i0, j0, k0, i1, j1, k1, i2, j2, k2, az, aw, bz, bw, cz, cw,
            )  # fmt: skip


@triton.jit(do_not_specialize=["pixel_count", "vertex_count", "face_count", "height", "width"])
@no_type_check
def resolve(
    clip, faces, nearest, out, pixel_count, vertex_count, face_count, height, width, LANES: tl.constexpr
):
    """`out` = (u, v, z/w, triangle + 1) of the triangle that the depth buffer ends with, 0 where none is."""
    pixel = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    exists = pixel < pixel_count
    key = tl.load(nearest + pixel, mask=exists, other=NOTHING)
    drawn = key != NOTHING
    face = tl.where(drawn, key & 0xFFFFFFFF, 0)
    image, row, column = locate(pixel, height, width)
    a, b, c, drawn = load_face(faces, face, vertex_count, drawn)
    ax, ay, _, aw = load_vertex(clip, image * vertex_count + a, drawn)
    bx, by, _, bw = load_vertex(clip, image * vertex_count + b, drawn)
    cx, cy, _, cw = load_vertex(clip, image * vertex_count + c, drawn)
    i0, j0, k0, i1, j1, k1, i2, j2, k2 = inward_lines(ax, ay, aw, bx, by, bw, cx, cy, cw)
    x, y = pixel_centre(column, width), pixel_centre(row, height)
    e0, e1, e2 = i0 * x + (j0 * y + k0), i1 * x + (j1 * y + k1), i2 * x + (j2 * y + k2)
    total = tl.where(drawn, e0 + e1 + e2, 1.0)
    depth = value_of((key >> 32).to(tl.int32))
    tl.store(out + pixel * 4, tl.where(drawn, e0 / total, 0.0).to(tl.float32), mask=exists)
    tl.store(out + pixel * 4 + 1, tl.where(drawn, e1 / total, 0.0).to(tl.float32), mask=exists)
    tl.store(out + pixel * 4 + 2, tl.where(drawn, depth, 0.0), mask=exists)
    tl.store(out + pixel * 4 + 3, tl.where(drawn, face + 1, 0).to(tl.float32), mask=exists)


@triton.jit(do_not_specialize=["pixel_count", "vertex_count", "face_count", "height", "width"])
@no_type_check
def rasterize_backward(
    clip, faces, out, grad_out, grad_clip,
    pixel_count, vertex_count, face_count, height, width, LANES: tl.constexpr,
):  # fmt: skip
    """Add the gradient of (u, v, z/w) with respect to the vertices to `grad_clip` (float64)."""
    pixel = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    exists = pixel < pixel_count
    face = tl.load(out + pixel * 4 + 3, mask=exists, other=0.0).to(tl.int64) - 1
    g0 = tl.load(grad_out + pixel * 4, mask=face >= 0, other=0.0).to(tl.float64)
    g1 = tl.load(grad_out + pixel * 4 + 1, mask=face >= 0, other=0.0).to(tl.float64)
    gz = tl.load(grad_out + pixel * 4 + 2, mask=face >= 0, other=0.0).to(tl.float64)
    active = (face >= 0) & (face < face_count) & ((g0 != 0.0) | (g1 != 0.0) | (gz != 0.0))
    if tl.max(active.to(tl.int32), axis=0) > 0:
        image, row, column = locate(pixel, height, width)
        a, b, c, active = load_face(faces, face, vertex_count, active)
        a, b, c = image * vertex_count + a, image * vertex_count + b, image * vertex_count + c
        ax, ay, az, aw = load_vertex(clip, a, active)
        bx, by, bz, bw = load_vertex(clip, b, active)
        cx, cy, cz, cw = load_vertex(clip, c, active)
        x, y = pixel_centre(column, width), pixel_centre(row, height)
        # q = v x p: e0 = b . (c x p) = -c . (b x p), and cyclically.
        aqx, aqy, aqw = line_through(ax, ay, aw, x, y, 1.0)
        bqx, bqy, bqw = line_through(bx, by, bw, x, y, 1.0)
        cqx, cqy, cqw = line_through(cx, cy, cw, x, y, 1.0)
        e0 = bx * cqx + by * cqy + bw * cqw
        e1 = cx * aqx + cy * aqy + cw * aqw
        e2 = ax * bqx + ay * bqy + aw * bqw
        # nvdiffrast, whose images come here too, may draw what is degenerate before it is snapped.
        active &= e0 + e1 + e2 != 0.0
        scale = 1.0 / tl.where(active, e0 + e1 + e2, 1.0)
        u, v = e0 * scale, e1 * scale
        t = 1.0 - u - v
        w = tl.where(active, u * aw + v * bw + t * cw, 1.0)
        gz /= w
        depth = (u * az + v * bz + t * cz) / w
        # Barycentrics as three numbers, then as edge functions over their sum.
        h0 = g0 + gz * (az - depth * aw)
        h1 = g1 + gz * (bz - depth * bw)
        h2 = gz * (cz - depth * cw)
        mean = u * h0 + v * h1 + t * h2
        h0, h1, h2 = (h0 - mean) * scale, (h1 - mean) * scale, (h2 - mean) * scale
        together, writes = plan_sums(image * face_count + face, active, LANES)
        add(grad_clip, a * 4, h2 * bqx - h1 * cqx, active, together, writes)
        add(grad_clip, a * 4 + 1, h2 * bqy - h1 * cqy, active, together, writes)
        add(grad_clip, a * 4 + 2, gz * u, active, together, writes)
        add(grad_clip, a * 4 + 3, h2 * bqw - h1 * cqw - gz * u * depth, active, together, writes)
        add(grad_clip, b * 4, h0 * cqx - h2 * aqx, active, together, writes)
        add(grad_clip, b * 4 + 1, h0 * cqy - h2 * aqy, active, together, writes)
        add(grad_clip, b * 4 + 2, gz * v, active, together, writes)
        add(grad_clip, b * 4 + 3, h0 * cqw - h2 * aqw - gz * v * depth, active, together, writes)
        add(grad_clip, c * 4, h1 * aqx - h0 * bqx, active, together, writes)
        add(grad_clip, c * 4 + 1, h1 * aqy - h0 * bqy, active, together, writes)
        add(grad_clip, c * 4 + 2, gz * t, active, together, writes)
        add(grad_clip, c * 4 + 3, h1 * aqw - h0 * bqw - gz * t * depth, active, together, writes)

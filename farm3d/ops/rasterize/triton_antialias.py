"""Triton kernels that find where silhouettes pass between neighbouring pixels.

Pairs of pixels are kept in arrays (image, direction, row, column): direction 0 is a pixel with its right
neighbour, direction 1 with the one below. Each pair has a 64-bit key, in which an atomic minimum leaves the
outermost silhouette, the lowest edge at a tie: whether the first pixel reaches forward into the second (bit
62, the same for all edges that compete for a pair), how far inside the crossing lies (the order of a float32
in [0, 1], from bit 32 on) and the edge.

An edge is followed by one lane if it meets few pixel lines; longer ones are cut into work items (see
`triton_work`).
"""

from typing import no_type_check

import triton
import triton.language as tl

from farm3d.ops.rasterize.triton_geometry import (
    NOTHING,
    line_through,
    load_face,
    load_vertex,
    order_of,
    pixel_centre,
    value_of,
    winding,
)
from farm3d.ops.rasterize.triton_work import MOST_ITEMS, list_work, part_of

ORDER_OF_ONE = tl.constexpr(0x3F800000)
"""`order_of(1.0)`: crossings lie between 0 and 1."""


@triton.jit
@no_type_check
def key_of(crossing, forward, edge):
    """The key of a crossing."""
    order = order_of(crossing)
    order = tl.where(forward, ORDER_OF_ONE - order, order).to(tl.int64)
    return (forward.to(tl.int64) << 62) | (order << 32) | edge


@triton.jit
@no_type_check
def crossing_of(key):
    """Where between the two centres the silhouette passes, from 0 to 1; 0.5, the middle, where none does."""
    order = ((key >> 32) & 0x3FFFFFFF).to(tl.int32)
    order = tl.where((key >> 62) != 0, ORDER_OF_ONE - order, order)
    return tl.where(key == NOTHING, 0.5, value_of(order))


@triton.jit
@no_type_check
def silhouette(
    clip, faces, side_offsets, side_faces, side_forward, image, edge, vertex_count, face_count, active
):
    """1 or -1 for edges with faces on one side only (the sign of the line equation there), otherwise 0."""
    first = tl.load(side_offsets + edge, mask=active, other=0)
    end = tl.load(side_offsets + edge + 1, mask=active, other=0)
    positive, negative = (edge * 0).to(tl.int32), (edge * 0).to(tl.int32)
    for step in range(tl.max(end - first, axis=0).to(tl.int32)):
        side = first + step
        counts = active & (side < end)
        face = tl.load(side_faces + side, mask=counts, other=-1).to(tl.int64)
        forward = tl.load(side_forward + side, mask=counts, other=0) != 0
        a, b, c, counts = load_face(faces, face, vertex_count, counts & (face >= 0) & (face < face_count))
        ax, ay, _, aw = load_vertex(clip, image * vertex_count + a, counts)
        bx, by, _, bw = load_vertex(clip, image * vertex_count + b, counts)
        cx, cy, _, cw = load_vertex(clip, image * vertex_count + c, counts)
        turn = winding(ax, ay, aw, bx, by, bw, cx, cy, cw)
        counts &= turn != 0.0
        positive += (counts & ((turn > 0.0) == forward)).to(tl.int32)
        negative += (counts & ((turn > 0.0) != forward)).to(tl.int32)
    return (positive > 0).to(tl.int32) - (negative > 0).to(tl.int32)


@triton.jit
@no_type_check
def line_range(a, aw, b, bw, lines):
    """First and end index of the pixel lines that edges may meet; all where an end is behind the camera."""
    limit = lines.to(tl.float64)
    in_front = (aw > 0.0) & (bw > 0.0)
    a, b = a / tl.where(in_front, aw, 1.0), b / tl.where(in_front, bw, 1.0)
    low, high = tl.where(in_front, tl.minimum(a, b), -1.0), tl.where(in_front, tl.maximum(a, b), 1.0)
    first = tl.floor(tl.minimum(tl.maximum((low + 1.0) * 0.5 * limit - 0.5, 0.0), limit))
    end = tl.ceil(tl.minimum(tl.maximum((high + 1.0) * 0.5 * limit + 0.5, 0.0), limit))
    return first.to(tl.int32), end.to(tl.int32)


@triton.jit
@no_type_check
def pixel_depth(rasterized, pixel, active):
    """The triangle + 1 seen in pixels and its z/w; infinity behind everything."""
    face = tl.load(rasterized + pixel * 4 + 3, mask=active, other=0.0)
    depth = tl.load(rasterized + pixel * 4 + 2, mask=active, other=0.0)
    return face, tl.where(face > 0.0, depth, float("inf"))


@triton.jit
@no_type_check
def load_edge(clip, edges, image, edge, vertex_count, height, width, active):
    """The ends and the line of edges, x and y swapped for flat ones, and which pixel lines they may meet."""
    a = tl.load(edges + edge * 2, mask=active, other=-1).to(tl.int64)
    b = tl.load(edges + edge * 2 + 1, mask=active, other=-1).to(tl.int64)
    active &= (tl.minimum(a, b) >= 0) & (tl.maximum(a, b) < vertex_count)
    ax, ay, az, aw = load_vertex(clip, image * vertex_count + a, active)
    bx, by, bz, bw = load_vertex(clip, image * vertex_count + b, active)
    across, along, offset = line_through(ax, ay, aw, bx, by, bw)
    # A mostly vertical edge is met once by each row that it spans: pairs lie in rows (direction 0).
    upright = tl.abs(across) * height >= tl.abs(along) * width
    across, along = tl.where(upright, across, along), tl.where(upright, along, across)
    a_line, b_line = tl.where(upright, ay, ax), tl.where(upright, by, bx)
    first, end = line_range(a_line, aw, b_line, bw, tl.where(upright, height, width))
    end = tl.where(active & (across != 0.0), end, first)
    return a_line, az, aw, b_line, bz, bw, across, along, offset, upright, first, end


@triton.jit
@no_type_check
def meet_line(
    rasterized, keys, image, edge, surface, line, height, width, meets,
    a_line, az, aw, b_line, bz, bw, across, along, offset, upright,
):  # fmt: skip
    """Enter the crossing of edges with the segment between two pixel centres on a line, if there is one."""
    lines, size = tl.where(upright, height, width), tl.where(upright, width, height)
    centre = pixel_centre(line, lines)
    a_side, b_side = a_line - centre * aw, b_line - centre * bw
    meets &= (a_side >= 0.0) != (b_side >= 0.0)
    part = a_side / tl.where(meets, a_side - b_side, 1.0)
    w, z = aw + part * (bw - aw), az + part * (bz - az)
    meets &= (w > 0.0) & (z >= -w) & (z <= w)
    x = -(along * centre + offset) / tl.where(meets, across, 1.0)
    place = ((x + 1.0) * size - 1.0) * 0.5
    meets &= (place >= 0.0) & (place < size - 1.0)
    place = tl.where(meets, place, 0.0)
    before = place.to(tl.int32)
    row, column = tl.where(upright, line, before), tl.where(upright, before, line)
    pixel = (image * height + row) * width + column
    face, depth = pixel_depth(rasterized, pixel, meets)
    next_face, next_depth = pixel_depth(rasterized, pixel + tl.where(upright, 1, width), meets)
    forward = depth <= next_depth
    # Towards the first pixel the line equation has the sign of -across.
    meets &= (face != next_face) & (forward == ((across < 0.0) == (surface > 0)))
    meets &= z / tl.where(meets, w, 1.0) < tl.maximum(depth, next_depth).to(tl.float64)
    key = key_of((place - before).to(tl.float32), forward, edge)
    pair = ((image * 2 + tl.where(upright, 0, 1)) * height + row) * width + column
    tl.atomic_min(keys + pair, key, mask=meets, sem="relaxed")


@triton.jit(
    do_not_specialize=["total", "edge_count", "vertex_count", "face_count", "height", "width", "capacity"]
)
@no_type_check
def find_crossings(
    clip, faces, edges, side_offsets, side_faces, side_forward, rasterized, keys, work, work_count,
    total, edge_count, vertex_count, face_count, height, width, capacity,
    LINES_PER_LANE: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """Enter the silhouette edges of all images into `keys`, and list the longer ones in `work`."""
    lane = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    image, edge = lane // edge_count, lane % edge_count
    active = lane < total
    surface = silhouette(
        clip, faces, side_offsets, side_faces, side_forward, image, edge, vertex_count, face_count, active
    )
    a_line, az, aw, b_line, bz, bw, across, along, offset, upright, first, end = load_edge(
        clip, edges, image, edge, vertex_count, height, width, active & (surface != 0)
    )
    lines = end - first
    items = tl.minimum(tl.cdiv(lines, LINES_PER_LANE), MOST_ITEMS)
    items = tl.where(items > 1, items, 0).to(tl.int64)
    listed = list_work(
        work, work_count, (lane * 2 + (surface > 0).to(tl.int32)) * MOST_ITEMS, items, capacity
    )
    lines = tl.where(listed, 0, lines)
    for step in range(tl.max(lines, axis=0)):
        meet_line(
            rasterized, keys, image, edge, surface, first + step, height, width, step < lines,
            a_line, az, aw, b_line, bz, bw, across, along, offset, upright,
        )  # fmt: skip


@triton.jit(do_not_specialize=["edge_count", "vertex_count", "height", "width", "capacity"])
@no_type_check
def find_listed_crossings(
    clip, edges, rasterized, keys, work, work_count,
    edge_count, vertex_count, height, width, capacity, LINES_PER_LANE: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """Enter the work items of longer silhouette edges, item after item in each program."""
    count = tl.minimum(tl.load(work_count), capacity).to(tl.int32)
    for position in range(tl.program_id(0), count, tl.num_programs(0)):
        entry = tl.load(work + position) + tl.zeros([LANES], tl.int64)
        active, entry = entry >= 0, tl.maximum(entry, 0)
        item, edge = entry % MOST_ITEMS, entry // (2 * MOST_ITEMS)
        surface = tl.where(entry // MOST_ITEMS % 2 == 1, 1, -1)
        image, edge = edge // edge_count, edge % edge_count
        a_line, az, aw, b_line, bz, bw, across, along, offset, upright, first, end = load_edge(
            clip, edges, image, edge, vertex_count, height, width, active
        )
        items = tl.minimum(tl.cdiv(end - first, LINES_PER_LANE), MOST_ITEMS)
        begin, stop = part_of(end - first, item, items)
        line = first + begin + tl.arange(0, LANES)
        for start in range(0, tl.max(stop - begin, axis=0), LANES):
            meet_line(
                rasterized, keys, image, edge, surface, line + start, height, width,
                line + start < first + stop,
                a_line, az, aw, b_line, bz, bw, across, along, offset, upright,
            )  # fmt: skip

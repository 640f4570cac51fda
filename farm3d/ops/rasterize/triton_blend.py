"""Triton kernels that blend neighbouring pixels by the silhouettes between them, forward and backward."""

from typing import no_type_check

import triton
import triton.language as tl

from farm3d.ops.rasterize.triton_antialias import crossing_of
from farm3d.ops.rasterize.triton_geometry import NOTHING, line_through, load_vertex, locate, pixel_centre


@triton.jit
@no_type_check
def load_keys(keys, pixel, height, width, exists):
    """The keys of pixels' pairs with their left, right, upper and lower neighbour."""
    image, row, column = locate(pixel, height, width)
    beside = pixel + image * (height * width)
    above = beside + height * width
    left = tl.load(keys + beside - 1, mask=exists & (column > 0), other=NOTHING)
    right = tl.load(keys + beside, mask=exists, other=NOTHING)
    upper = tl.load(keys + above - width, mask=exists & (row > 0), other=NOTHING)
    lower = tl.load(keys + above, mask=exists, other=NOTHING)
    return left, right, upper, lower


@triton.jit
@no_type_check
def forward_weight(key):
    """How much the second pixel of a pair receives from the first."""
    return tl.maximum(crossing_of(key) - 0.5, 0.0)


@triton.jit
@no_type_check
def backward_weight(key):
    """How much the first pixel of a pair receives from the second."""
    return tl.maximum(0.5 - crossing_of(key), 0.0)


@triton.jit
@no_type_check
def load_colors(colors, pixel, channel, channels, active):
    """A block of channels (lanes x channels) of pixels."""
    pointers = colors + pixel[:, None] * channels + channel[None, :]
    return tl.load(pointers, mask=active[:, None] & (channel < channels)[None, :], other=0.0)


@triton.jit(do_not_specialize=["pixel_count", "height", "width"])
@no_type_check
def blend(
    colors, keys, out, totals, pixel_count, height, width, channels,
    LANES: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """Blend into each pixel what it receives from its neighbours; `totals` are its weights' sums."""
    pixel = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    exists = pixel < pixel_count
    left, right, upper, lower = load_keys(keys, pixel, height, width, exists)
    left, right = forward_weight(left), backward_weight(right)
    upper, lower = forward_weight(upper), backward_weight(lower)
    total = left + right + upper + lower
    tl.store(totals + pixel, total, mask=exists)
    scale = 1.0 / tl.maximum(total, 1.0)
    for start in range(0, channels, CHANNELS):
        channel = start + tl.arange(0, CHANNELS)
        own = load_colors(colors, pixel, channel, channels, exists)
        change = left[:, None] * (load_colors(colors, pixel - 1, channel, channels, left > 0.0) - own)
        change += right[:, None] * (load_colors(colors, pixel + 1, channel, channels, right > 0.0) - own)
        change += upper[:, None] * (load_colors(colors, pixel - width, channel, channels, upper > 0.0) - own)
        change += lower[:, None] * (load_colors(colors, pixel + width, channel, channels, lower > 0.0) - own)
        mask = exists[:, None] & (channel < channels)[None, :]
        tl.store(out + pixel[:, None] * channels + channel[None, :], own + scale[:, None] * change, mask=mask)


@triton.jit
@no_type_check
def scaled(weight, totals, neighbour):
    """The weight with which a neighbour receives, after its weights are scaled to at most 1 in all."""
    return weight / tl.maximum(tl.load(totals + neighbour, mask=weight > 0.0, other=1.0), 1.0)


@triton.jit(do_not_specialize=["pixel_count", "height", "width"])
@no_type_check
def blend_backward(
    keys, totals, grad_out, grad_colors, pixel_count, height, width, channels,
    LANES: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """The transpose of `blend` in the colours: each pixel gathers what it gave to its neighbours."""
    pixel = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    exists = pixel < pixel_count
    left, right, upper, lower = load_keys(keys, pixel, height, width, exists)
    left, right = backward_weight(left), forward_weight(right)
    upper, lower = backward_weight(upper), forward_weight(lower)
    left, right = scaled(left, totals, pixel - 1), scaled(right, totals, pixel + 1)
    upper, lower = scaled(upper, totals, pixel - width), scaled(lower, totals, pixel + width)
    total = tl.load(totals + pixel, mask=exists, other=0.0)
    keep = 1.0 - total / tl.maximum(total, 1.0)
    for start in range(0, channels, CHANNELS):
        channel = start + tl.arange(0, CHANNELS)
        grad = keep[:, None] * load_colors(grad_out, pixel, channel, channels, exists)
        grad += left[:, None] * load_colors(grad_out, pixel - 1, channel, channels, left > 0.0)
        grad += right[:, None] * load_colors(grad_out, pixel + 1, channel, channels, right > 0.0)
        grad += upper[:, None] * load_colors(grad_out, pixel - width, channel, channels, upper > 0.0)
        grad += lower[:, None] * load_colors(grad_out, pixel + width, channel, channels, lower > 0.0)
        mask = exists[:, None] & (channel < channels)[None, :]
        tl.store(grad_colors + pixel[:, None] * channels + channel[None, :], grad, mask=mask)


@triton.jit
@no_type_check
def move_silhouette(
    clip, edges, grad_clip, key, slope, active, image, row, column, vertex_count, height, width,
    UPRIGHT: tl.constexpr,
):  # fmt: skip
    """Add `slope`, the derivative of the loss by the crossing of a pair, to that by the edge's vertices.

    `row` and `column` are the pair's first pixel; UPRIGHT edges pass between pixels beside each other.
    """
    active &= slope != 0.0
    edge, crossing = tl.where(active, key & 0xFFFFFFFF, 0), crossing_of(key).to(tl.float64)
    a = image * vertex_count + tl.load(edges + edge * 2, mask=active, other=0).to(tl.int64)
    b = image * vertex_count + tl.load(edges + edge * 2 + 1, mask=active, other=0).to(tl.int64)
    ax, ay, _, aw = load_vertex(clip, a, active)
    bx, by, _, bw = load_vertex(clip, b, active)
    across, along, _ = line_through(ax, ay, aw, bx, by, bw)
    x, y = pixel_centre(column, width), pixel_centre(row, height)
    # line . p = 0 at p, with line = a x b: d line . p = da . (b x p) + db . (p x a).
    if UPRIGHT:
        x += 2.0 * crossing / width
        scale = slope.to(tl.float64) * (-0.5 * width) / tl.where(active, across, 1.0)
    else:
        y += 2.0 * crossing / height
        scale = slope.to(tl.float64) * (-0.5 * height) / tl.where(active, along, 1.0)
    a_x, a_y, a_w = line_through(bx, by, bw, x, y, 1.0)
    b_x, b_y, b_w = line_through(x, y, 1.0, ax, ay, aw)
    tl.atomic_add(grad_clip + a * 4, scale * a_x, mask=active, sem="relaxed")
    tl.atomic_add(grad_clip + a * 4 + 1, scale * a_y, mask=active, sem="relaxed")
    tl.atomic_add(grad_clip + a * 4 + 3, scale * a_w, mask=active, sem="relaxed")
    tl.atomic_add(grad_clip + b * 4, scale * b_x, mask=active, sem="relaxed")
    tl.atomic_add(grad_clip + b * 4 + 1, scale * b_y, mask=active, sem="relaxed")
    tl.atomic_add(grad_clip + b * 4 + 3, scale * b_w, mask=active, sem="relaxed")


@triton.jit(do_not_specialize=["pixel_count", "vertex_count", "height", "width"])
@no_type_check
def crossings_backward(
    clip, edges, colors, keys, totals, grad_out, grad_clip,
    pixel_count, vertex_count, height, width, channels,
    LANES: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """Add the gradient of `blend` by the silhouettes' vertices to `grad_clip` (float64)."""
    pixel = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    exists = pixel < pixel_count
    left, right, upper, lower = load_keys(keys, pixel, height, width, exists)
    # A pixel moves the silhouettes through which it receives; 0.5 belongs to the second pixel of a pair.
    from_left = (left != NOTHING) & (crossing_of(left) >= 0.5)
    from_right = (right != NOTHING) & (crossing_of(right) < 0.5)
    from_upper = (upper != NOTHING) & (crossing_of(upper) >= 0.5)
    from_lower = (lower != NOTHING) & (crossing_of(lower) < 0.5)
    if tl.max((from_left | from_right | from_upper | from_lower).to(tl.int32), axis=0) > 0:
        by_left, by_right = tl.zeros([LANES], tl.float32), tl.zeros([LANES], tl.float32)
        by_upper, by_lower = tl.zeros([LANES], tl.float32), tl.zeros([LANES], tl.float32)
        for start in range(0, channels, CHANNELS):
            channel = start + tl.arange(0, CHANNELS)
            receives = from_left | from_right | from_upper | from_lower
            grad = load_colors(grad_out, pixel, channel, channels, receives)
            own = load_colors(colors, pixel, channel, channels, receives)
            color = load_colors(colors, pixel - 1, channel, channels, from_left)
            by_left += tl.sum(grad * (color - own), axis=1)
            color = load_colors(colors, pixel + 1, channel, channels, from_right)
            by_right += tl.sum(grad * (color - own), axis=1)
            color = load_colors(colors, pixel - width, channel, channels, from_upper)
            by_upper += tl.sum(grad * (color - own), axis=1)
            color = load_colors(colors, pixel + width, channel, channels, from_lower)
            by_lower += tl.sum(grad * (color - own), axis=1)
        # Weights of more than 1 in all are divided by their total, which the others then share.
        total = tl.maximum(tl.load(totals + pixel, mask=exists, other=1.0), 1.0)
        shared = forward_weight(left) * by_left + backward_weight(right) * by_right
        shared += forward_weight(upper) * by_upper + backward_weight(lower) * by_lower
        shared = tl.where(total > 1.0, shared / total, 0.0)
        image, row, column = locate(pixel, height, width)
        move_silhouette(
            clip, edges, grad_clip, left, (by_left - shared) / total, from_left,
            image, row, column - 1, vertex_count, height, width, True,
        )  # fmt: skip
        move_silhouette(
            clip, edges, grad_clip, right, (shared - by_right) / total, from_right,
            image, row, column, vertex_count, height, width, True,
        )  # fmt: skip
        move_silhouette(
            clip, edges, grad_clip, upper, (by_upper - shared) / total, from_upper,
            image, row - 1, column, vertex_count, height, width, False,
        )  # fmt: skip
        move_silhouette(
            clip, edges, grad_clip, lower, (shared - by_lower) / total, from_lower,
            image, row, column, vertex_count, height, width, False,
        )  # fmt: skip

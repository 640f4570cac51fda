"""Triton kernels of `interpolate`: a program takes LANES pixels and goes through their channels in blocks."""

from typing import no_type_check

import triton
import triton.language as tl

from farm3d.ops.rasterize.triton_geometry import add, load_face, plan_sums


@triton.jit
@no_type_check
def load_pixels(rasterized, pixel, exists):
    """u, v and triangle of pixels; -1 where nothing is drawn."""
    u = tl.load(rasterized + pixel * 4, mask=exists, other=0.0)
    v = tl.load(rasterized + pixel * 4 + 1, mask=exists, other=0.0)
    return u, v, tl.load(rasterized + pixel * 4 + 3, mask=exists, other=0.0).to(tl.int64) - 1


@triton.jit
@no_type_check
def load_channels(attributes, vertex, channel, channels, active):
    """A block of channels (lanes x channels) of one vertex for each lane."""
    pointers = attributes + vertex[:, None] * channels + channel[None, :]
    return tl.load(pointers, mask=active[:, None] & (channel < channels)[None, :], other=0.0)


@triton.jit(do_not_specialize=["pixel_count", "image_pixels", "vertex_count", "face_count"])
@no_type_check
def interpolate_forward(
    attributes, rasterized, faces, out,
    pixel_count, image_pixels, vertex_count, face_count, channels,
    SHARED: tl.constexpr, LANES: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """`out` = u A + v B + (1 - u - v) C at each drawn pixel, in a form exact for constants, 0 elsewhere."""
    pixel = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    exists = pixel < pixel_count
    u, v, face = load_pixels(rasterized, pixel, exists)
    a, b, c, drawn = load_face(faces, face, vertex_count, (face >= 0) & (face < face_count))
    if not SHARED:
        first = pixel // image_pixels * vertex_count
        a, b, c = a + first, b + first, c + first
    for start in range(0, channels, CHANNELS):
        channel = start + tl.arange(0, CHANNELS)
        base = load_channels(attributes, c, channel, channels, drawn)
        from_a = load_channels(attributes, a, channel, channels, drawn) - base
        from_b = load_channels(attributes, b, channel, channels, drawn) - base
        value = tl.where(drawn[:, None], base + u[:, None] * from_a + v[:, None] * from_b, 0.0)
        mask = exists[:, None] & (channel < channels)[None, :]
        tl.store(out + pixel[:, None] * channels + channel[None, :], value, mask=mask)


@triton.jit(do_not_specialize=["pixel_count", "image_pixels", "vertex_count", "face_count"])
@no_type_check
def interpolate_backward(
    attributes, rasterized, faces, grad_out, grad_attributes, grad_rasterized,
    pixel_count, image_pixels, vertex_count, face_count, channels,
    SHARED: tl.constexpr, TO_ATTRIBUTES: tl.constexpr, LANES: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """Add to `grad_attributes` (zeros, left alone unless TO_ATTRIBUTES); set u, v of `grad_rasterized`."""
    pixel = tl.program_id(0).to(tl.int64) * LANES + tl.arange(0, LANES)
    u, v, face = load_pixels(rasterized, pixel, pixel < pixel_count)
    a, b, c, drawn = load_face(faces, face, vertex_count, (face >= 0) & (face < face_count))
    if tl.max(drawn.to(tl.int32), axis=0) > 0:
        image = pixel // image_pixels
        if SHARED:
            image = image * 0
        a, b, c = image * vertex_count + a, image * vertex_count + b, image * vertex_count + c
        together, writes = plan_sums(image * face_count + face, drawn, LANES)
        grad_u, grad_v = tl.zeros([LANES], tl.float32), tl.zeros([LANES], tl.float32)
        for start in range(0, channels, CHANNELS):
            channel = start + tl.arange(0, CHANNELS)
            mask = drawn[:, None] & (channel < channels)[None, :]
            grad = tl.load(grad_out + pixel[:, None] * channels + channel[None, :], mask=mask, other=0.0)
            base = load_channels(attributes, c, channel, channels, drawn)
            from_a = load_channels(attributes, a, channel, channels, drawn) - base
            from_b = load_channels(attributes, b, channel, channels, drawn) - base
            grad_u += tl.sum(grad * from_a, axis=1)
            grad_v += tl.sum(grad * from_b, axis=1)
            if TO_ATTRIBUTES:
                to_write = writes[:, None] & (channel < channels)[None, :]
                offset_a = a[:, None] * channels + channel[None, :]
                offset_b = b[:, None] * channels + channel[None, :]
                offset_c = c[:, None] * channels + channel[None, :]
                add(grad_attributes, offset_a, grad * u[:, None], mask, together, to_write)
                add(grad_attributes, offset_b, grad * v[:, None], mask, together, to_write)
                add(grad_attributes, offset_c, grad * (1.0 - u - v)[:, None], mask, together, to_write)
        tl.store(grad_rasterized + pixel * 4, grad_u, mask=drawn)
        tl.store(grad_rasterized + pixel * 4 + 1, grad_v, mask=drawn)

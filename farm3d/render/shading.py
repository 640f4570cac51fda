"""Shading and the one place where linear light becomes sRGB."""

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.types import DirectionalLight


def linear_to_srgb(linear: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The sRGB transfer function (IEC 61966-2-1) of linear values, negative ones cut off."""
    positive = linear.clamp_min(0.0)
    # The inner clamp keeps the power's gradient finite where the other branch is taken.
    curve = 1.055 * positive.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(positive <= 0.0031308, 12.92 * positive, curve)


def srgb_to_linear(srgb: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The inverse of `linear_to_srgb`."""
    positive = srgb.clamp_min(0.0)
    curve = ((positive.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(positive <= 0.04045, positive / 12.92, curve)


def shade(
    albedo: Float[Tensor, "points 3"],
    normals: Float[Tensor, "points 3"],
    light: DirectionalLight,
) -> Float[Tensor, "points 3"]:
    """`linear_to_srgb(albedo (ambient + diffuse max(0, n . direction)))`, point by point.

    Albedo is linear RGB, normals are unit vectors in the camera frame. The light is one for all points
    or has one entry a point (`light_of`). Not clamped above 1. Source: MagicPony (arXiv 2211.12497)
    section 3.3, with the sRGB transfer added.
    """
    facing = (normals * light.direction).sum(-1).clamp_min(0.0)
    return linear_to_srgb(albedo * (light.ambient + light.diffuse * facing)[..., None])


def light_of(light: DirectionalLight, index: Tensor) -> DirectionalLight:
    """The lights of the images that `index` names: one entry a point."""
    return DirectionalLight(light.direction[index], light.ambient[index], light.diffuse[index])

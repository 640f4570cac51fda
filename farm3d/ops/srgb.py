"""The sRGB transfer function and its inverse."""

import torch
from jaxtyping import Float
from torch import Tensor


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

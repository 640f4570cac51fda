"""Harmonic position encoding.

Source: NeRF (arXiv 2003.08934) equation 4, with MagicPony's base frequency.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

BASE_FREQUENCY = 2.0 * math.pi / 7.0 * 0.9
"""The lowest angular frequency (radians per object unit): nine tenths of one wave across the cube."""


def encoded_size(channels: int, harmonics: int) -> int:
    """Channels after encoding: the raw ones, and a sine and a cosine a harmonic."""
    return channels * (1 + 2 * harmonics)


def fourier_encode(
    values: Float[Tensor, "*batch channels"], harmonics: int, base_frequency: float = BASE_FREQUENCY
) -> Float[Tensor, "*batch encoded"]:
    """`[x, sin(w 2^k x) ..., cos(w 2^k x) ...]` for k in [0, harmonics), channel-major."""
    frequencies = base_frequency * 2.0 ** torch.arange(harmonics, dtype=values.dtype, device=values.device)
    phase = (values[..., None] * frequencies).flatten(-2)
    return torch.cat([values, torch.sin(phase), torch.cos(phase)], dim=-1)

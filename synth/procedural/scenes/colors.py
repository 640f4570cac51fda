"""Colours of scenes: sRGB as one names them, linear as light adds up."""

import numpy as np
import torch
from jaxtyping import Float

from farm3d.ops.srgb import linear_to_srgb, srgb_to_linear

Rgb = tuple[float, float, float]


def to_linear(srgb: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """The linear values of sRGB ones."""
    return srgb_to_linear(torch.from_numpy(np.ascontiguousarray(srgb))).numpy()


def to_srgb(linear: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
    """The sRGB values of linear ones."""
    return linear_to_srgb(torch.from_numpy(np.ascontiguousarray(linear))).numpy()


def varied(color: Rgb, generator: np.random.Generator, amount: float = 0.15) -> Float[np.ndarray, "3"]:
    """A linear colour like this sRGB one: lighter or darker, warmer or colder, more or less saturated."""
    base = np.asarray(color) * np.exp(generator.normal() * amount + generator.normal(size=3) * amount / 4)
    base = base.mean() + (base - base.mean()) * generator.uniform(0.7, 1.2)
    return to_linear(np.clip(base, 0.02, 0.97))


def picked(colors: tuple[Rgb, ...], generator: np.random.Generator) -> Float[np.ndarray, "3"]:
    """One of these sRGB colours, varied, linear."""
    return varied(colors[int(generator.integers(len(colors)))], generator)

"""Procedural features: an honest stand-in for a self-supervised network's where no weights are there.

Like DINO's keys (Caron et al. 2021, arXiv 2104.14294) they say which part of the animal a patch shows,
alike for both sides and similar (cosine about 0.7), not equal, for two animals: functions of the
folded canonical position and the body part, with smooth noise of each individual and noise of each
patch, turned by a random orthogonal matrix of each data set so that no channel means anything by itself.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from .noise import smooth_noise
from .quadruped import Individual

CHANNELS = 16
GRID = 32
"""Patches a side."""

INDIVIDUAL_NOISE = 0.55
PATCH_NOISE = 0.32
"""Lengths of the two noises beside features of length 1: 1 / (1 + 0.55^2 + 0.32^2) is about 0.7."""

_CODE_SEED = 20240913
"""The waves and part codes are the same in every data set; only their mixture is the data set's own."""


def feature_mixture(seed: int) -> Float[np.ndarray, "channels channels"]:
    """A data set's random orthogonal matrix (Haar measure: QR of a Gaussian with positive diagonal)."""
    gaussian = np.random.default_rng([seed, 3]).normal(size=(CHANNELS, CHANNELS))
    orthogonal, triangle = np.linalg.qr(gaussian)
    return orthogonal * np.sign(np.diag(triangle))


def part_features(individual: Individual) -> Float[np.ndarray, "vertices channels"]:
    """Unit vectors that depend on the place on the mean animal and the body part, alike on both sides."""
    generator = np.random.default_rng(_CODE_SEED)
    frequencies = generator.normal(size=(3, CHANNELS)) * np.array([[0.45], [0.22], [0.22]])
    waves = np.cos(2 * np.pi * _folded(individual) @ frequencies + generator.uniform(0, 2 * np.pi, CHANNELS))
    codes = generator.normal(size=(individual.membership.shape[1], CHANNELS))
    return _unit(waves + 0.6 * individual.membership.numpy() @ codes)


def individual_features(
    individual: Individual, mixture: Float[np.ndarray, "channels channels"], generator: np.random.Generator
) -> Float[Tensor, "vertices channels"]:
    """The features of every vertex of one animal: shared ones and its own smooth deviation from them."""
    folded = _folded(individual)
    own = np.stack([smooth_noise(folded, 0.5, generator, waves=12) for _ in range(CHANNELS)], axis=1)
    mixed = (part_features(individual) + INDIVIDUAL_NOISE / np.sqrt(CHANNELS) * own) @ mixture
    return torch.tensor(mixed, dtype=torch.float32)


def patch_features(
    features: Float[Tensor, "height width channels"],
    covered: Float[Tensor, "height width 1"],
    generator: np.random.Generator,
) -> Float[np.ndarray, "channels grid grid"]:
    """Per-pixel features pooled to patches, with noise: unit vectors on the animal, 0 beside it."""
    side = features.shape[0] // GRID
    blocks = torch.cat([features * covered, covered], dim=-1).numpy().reshape(GRID, side, GRID, side, -1)
    pooled = np.moveaxis(blocks.mean(axis=(1, 3)), -1, 0)
    share = pooled[-1:]
    mean = pooled[:-1] / np.maximum(share, 1e-6)
    noisy = mean + PATCH_NOISE / np.sqrt(CHANNELS) * generator.normal(size=mean.shape)
    return (_unit(noisy, axis=0) * (share > 0.25)).astype(np.float16)


def _folded(individual: Individual) -> Float[np.ndarray, "vertices 3"]:
    """Canonical positions with the right side laid on the left: (|x|, y, z)."""
    canonical = individual.canonical.numpy().astype(float)
    return np.concatenate([np.abs(canonical[:, :1]), canonical[:, 1:]], axis=1)


def _unit(values: np.ndarray, axis: int = 1) -> np.ndarray:
    return values / np.maximum(np.linalg.norm(values, axis=axis, keepdims=True), 1e-9)

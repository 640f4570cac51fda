"""Procedural features behave as DINO's do: by part, alike on both sides, similar between individuals."""

import numpy as np
import pytest
import torch
from farm3d.synth.procedural.features import (
    CHANNELS,
    GRID,
    feature_mixture,
    individual_features,
    part_features,
    patch_features,
)
from scipy.spatial import cKDTree


def unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def two_animals(mean) -> tuple[torch.Tensor, torch.Tensor]:
    mixture = feature_mixture(0)
    first, second = (individual_features(mean, mixture, np.random.default_rng(seed)) for seed in (1, 2))
    return first, second


def patched(features: torch.Tensor, seed: int) -> np.ndarray:
    """Features of a picture in which every patch shows one vertex."""
    grid = features[:: len(features) // GRID**2][: GRID**2].reshape(GRID, GRID, CHANNELS)
    pixels = grid.repeat_interleave(2, 0).repeat_interleave(2, 1)
    return patch_features(pixels, torch.ones(2 * GRID, 2 * GRID, 1), np.random.default_rng(seed))


def test_the_mixture_is_orthogonal_and_each_data_sets_own():
    mixture = feature_mixture(5)
    np.testing.assert_allclose(mixture @ mixture.T, np.eye(CHANNELS), atol=1e-12)
    assert np.abs(mixture - feature_mixture(6)).max() > 0.1


def test_mirror_points_share_their_features(mean):
    _, mirror = cKDTree(mean.vertices.numpy()).query((mean.vertices * torch.tensor([-1.0, 1, 1])).numpy())
    features = individual_features(mean, feature_mixture(0), np.random.default_rng(0))
    difference = (features - features[torch.from_numpy(mirror)]).norm(dim=1)
    assert difference.max() < 0.02


def test_the_same_part_of_two_animals_has_a_cosine_of_about_0_7(mean):
    first, second = (patched(features, seed) for seed, features in enumerate(two_animals(mean)))
    cosine = (first.astype(float) * second.astype(float)).sum(axis=0)
    assert cosine.mean() == pytest.approx(0.7, abs=0.06)


def test_different_parts_differ(mean):
    features = part_features(mean)
    order = np.random.default_rng(0).permutation(len(features))
    apart = (mean.vertices - mean.vertices[order]).norm(dim=1).numpy() > 1.0
    assert abs((features * features[order]).sum(axis=1)[apart].mean()) < 0.35


def test_patches_are_unit_vectors_on_the_animal_and_zero_beside_it(mean):
    side = 4 * GRID
    covered = torch.zeros(side, side, 1)
    covered[: side // 2] = 1.0
    pixels = torch.ones(side, side, CHANNELS)
    patches = patch_features(pixels, covered, np.random.default_rng(0))
    assert patches.dtype == np.float16
    assert patches.shape == (CHANNELS, GRID, GRID)
    lengths = np.linalg.norm(patches.astype(float), axis=0)
    np.testing.assert_allclose(lengths[: GRID // 2], 1.0, atol=2e-3)
    assert (patches[:, GRID // 2 :] == 0).all()

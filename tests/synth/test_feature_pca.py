"""The features' projection is the principal component analysis of all patches, in constant memory."""

import resource
from pathlib import Path

import numpy as np
import pytest
import torch
from farm3d.synth.feature_pca import (
    CHANNELS,
    GRID,
    add_patches,
    coverage,
    foreground_patches,
    merge_moments,
    no_moments,
    on_grid,
    principal_components,
    project,
    read_feature_pca,
    write_feature_pca,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from farm3d.errors import CheckpointError, InputError
from farm3d.io.checkpoint import write_checkpoint
from farm3d.seeding import torch_generator

WIDTH = 40


def patches(count: int, seed: int = 0) -> Tensor:
    """Patches whose variance differs from direction to direction, away from the origin."""
    generator = torch_generator(seed, "patches")
    mixing = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=torch_generator(9)))[0]
    spread = torch.linspace(3.0, 0.1, WIDTH)
    return torch.randn(count, WIDTH, generator=generator) * spread @ mixing + 5.0


def moments_of(values: Tensor, sizes: list[int]):
    moments = no_moments(values.shape[1])
    for part in values.split(sizes):
        moments = add_patches(moments, part)
    return moments


def test_components_are_those_of_the_plain_decomposition() -> None:
    values = patches(700)
    moments = moments_of(values, [100, 1, 299, 0, 300])
    components, shares = principal_components(moments)
    stacked = values.double().numpy()
    centred = stacked - stacked.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    assert moments.count == 700
    np.testing.assert_allclose(moments.mean, stacked.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(moments.scatter, centred.T @ centred, atol=1e-8)
    np.testing.assert_allclose(shares, (singular**2 / (singular**2).sum())[:CHANNELS], atol=1e-12)
    cosines = np.abs((components.numpy() * directions[:CHANNELS]).sum(axis=1))
    np.testing.assert_allclose(cosines, 1.0, atol=1e-9)
    np.testing.assert_allclose(components @ components.T, np.eye(CHANNELS), atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_any_division_into_pictures_gives_the_same_moments(sizes: list[int]) -> None:
    values = patches(sum(sizes))
    whole, parts = moments_of(values, [len(values)]), moments_of(values, sizes)
    assert parts.count == whole.count
    torch.testing.assert_close(parts.mean, whole.mean)
    torch.testing.assert_close(parts.scatter, whole.scatter, atol=1e-8, rtol=1e-10)


def test_moments_of_two_sets_merge() -> None:
    values = patches(90)
    merged = merge_moments(moments_of(values[:20], [20]), moments_of(values[20:], [70]))
    whole = moments_of(values, [90])
    torch.testing.assert_close(merged.scatter, whole.scatter)
    empty = merge_moments(no_moments(WIDTH), no_moments(WIDTH))
    assert empty.count == 0


def test_the_same_order_gives_the_same_bits_with_any_number_of_threads() -> None:
    values = patches(600)
    before = torch.get_num_threads()
    results = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        results.append(principal_components(moments_of(values, [200, 400]))[0])
    torch.set_num_threads(before)
    assert torch.equal(results[0], results[1])


def test_signs_are_settled() -> None:
    components, _ = principal_components(moments_of(patches(300), [300]))
    mirrored, _ = principal_components(moments_of(10.0 - patches(300), [300]))
    largest = torch.take_along_dim(components, components.abs().argmax(dim=1, keepdim=True), dim=1)
    assert (largest > 0).all()
    torch.testing.assert_close(components, mirrored, atol=1e-6, rtol=0.0)


def test_memory_does_not_grow_with_the_pictures() -> None:
    """150 pictures' keys are 90 MB."""
    generator = torch_generator(0)
    moments = no_moments(384)
    peaks = []
    for number in range(160):
        moments = add_patches(moments, torch.randn(400, 384, generator=generator))
        if number in (9, 159):
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert peaks[1] - peaks[0] < 20_000, "kB"


def test_too_few_patches_are_refused() -> None:
    with pytest.raises(InputError, match="too few"):
        principal_components(moments_of(patches(CHANNELS), [CHANNELS]))


def test_a_feature_space_is_named_by_its_contents(tmp_path: Path) -> None:
    moments = moments_of(patches(100), [100])
    facts = {"stride": 8, "weights": "abc"}
    first = write_feature_pca(tmp_path / "a.safetensors", moments, facts)
    second = write_feature_pca(tmp_path / "b.safetensors", moments, facts)
    other = write_feature_pca(tmp_path / "c.safetensors", moments, facts | {"stride": 4})
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert first.name == second.name != other.name
    assert first.name.startswith("dino-vits8-keys-") and len(first.name) == len("dino-vits8-keys-") + 8
    again = read_feature_pca(tmp_path / "a.safetensors")
    assert torch.equal(again.components, first.components)
    assert again.metadata["patches"] == 100 and again.metadata["stride"] == 8


def test_what_is_no_feature_space_is_refused(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "model.safetensors", {"mean": torch.zeros(3)}, {"category": "cow"})
    with pytest.raises(InputError, match="not a projection"):
        read_feature_pca(tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="no such"):
        read_feature_pca(tmp_path / "none.safetensors")


def test_features_are_unit_vectors_on_the_animal_and_nothing_beside_it(tmp_path: Path) -> None:
    keys = patches(GRID * GRID).reshape(GRID, GRID, WIDTH)
    mask = np.zeros((256, 256), dtype=bool)
    mask[64:192, 32:160] = True
    covered = coverage(mask)
    animal = foreground_patches(keys, covered)
    assert len(animal) == 16 * 16
    assert torch.equal(animal, keys[8:24, 4:20].reshape(-1, WIDTH))
    pca = write_feature_pca(tmp_path / "f.safetensors", add_patches(no_moments(WIDTH), animal), {})
    features = project(pca, keys, covered)
    assert features.shape == (CHANNELS, GRID, GRID) and features.dtype == np.float16
    length = np.linalg.norm(features.astype(np.float64), axis=0)
    np.testing.assert_allclose(length[8:24, 4:20], 1.0, atol=2e-3)
    assert length.sum() == pytest.approx(256, abs=0.5)
    expected = (animal[0] - pca.mean) @ pca.components.T
    np.testing.assert_allclose(features[:, 8, 4], expected / expected.norm(), atol=1e-3)


def test_a_patch_counts_from_a_quarter_on() -> None:
    mask = np.zeros((64, 64), dtype=bool)
    mask[0, 0], mask[2, 2:4] = True, True
    covered = coverage(mask)
    assert covered[0, 0] == pytest.approx(0.25) and covered[1, 1] == pytest.approx(0.5)
    assert len(foreground_patches(torch.zeros(GRID, GRID, 3), covered)) == 1


def test_overlapping_patches_are_brought_to_the_grid() -> None:
    keys = torch.zeros(63, 63, 2)
    keys[..., 0] = 1.0
    keys[31, 31] = torch.tensor([0.0, 1.0])
    grid = on_grid(keys)
    assert grid.shape == (GRID, GRID, 2)
    torch.testing.assert_close(grid.norm(dim=-1), torch.ones(GRID, GRID))
    assert (grid[..., 1] > 0).sum() == 4, "a patch between four others counts for each"
    assert torch.equal(on_grid(torch.ones(GRID, GRID, 2)), torch.ones(GRID, GRID, 2))
    with pytest.raises(InputError, match="28 patches"):
        on_grid(torch.ones(28, 28, 2))

"""Streams of random numbers: the same for the same names everywhere, independent for different names."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from farm3d.seeding import deterministic_algorithms, numpy_rng, torch_generator

GOLDEN_NUMPY = [1727350650, 2081706228, 1270850853]
GOLDEN_TORCH = [617679729, 596246078, 1230361201]


def test_the_streams_are_the_same_on_every_machine() -> None:
    """Golden values: a change of the hash or the generator would silently change every data set."""
    assert numpy_rng(0, "poses", 3).integers(0, 2**32, 3).tolist() == GOLDEN_NUMPY
    assert torch.randint(2**31, (3,), generator=torch_generator(0, "poses", 3)).tolist() == GOLDEN_TORCH


def test_the_streams_do_not_depend_on_the_process() -> None:
    code = "from farm3d.seeding import numpy_rng; print(numpy_rng(5, 'coat').random())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) == numpy_rng(5, "coat").random()


def test_different_names_are_different_streams() -> None:
    names: list[tuple[str | int, ...]] = [
        (),
        ("a",),
        ("b",),
        ("a", "b"),
        ("ab",),
        (1,),
        ("1",),
        (1, 2),
        (12,),
    ]
    draws = {numpy_rng(seed, *keys).random() for keys in names for seed in (0, 1, 2**40)}
    assert len(draws) == 3 * len(names)
    torch_draws = {float(torch.rand(1, generator=torch_generator(0, *keys))) for keys in names}
    assert len(torch_draws) == len(names)


def test_neighbouring_streams_are_uncorrelated() -> None:
    streams = np.stack([numpy_rng(0, "image", index).standard_normal(4000) for index in range(20)])
    correlations = np.corrcoef(streams)[np.triu_indices(20, 1)]
    assert abs(correlations).max() < 5 / np.sqrt(4000)


def test_gradients_of_gathered_vertices_repeat_within_deterministic_algorithms() -> None:
    """Two million values added into a few thousand places: their order shows in the last bits."""
    index = torch.randint(5000, (2_000_000,), generator=torch.Generator().manual_seed(0))
    values = torch.randn(5000, generator=torch.Generator().manual_seed(1)).requires_grad_()

    def gradient() -> torch.Tensor:
        return torch.autograd.grad((values[index] * torch.linspace(-1, 1, len(index))).sin().sum(), values)[0]

    with deterministic_algorithms():
        first = gradient()
        assert all(torch.equal(gradient(), first) for _ in range(5))


def test_deterministic_algorithms_end_with_their_block() -> None:
    @deterministic_algorithms()
    def fails() -> None:
        assert torch.are_deterministic_algorithms_enabled()
        raise ValueError

    assert not torch.are_deterministic_algorithms_enabled()
    with pytest.raises(ValueError):
        fails()
    assert not torch.are_deterministic_algorithms_enabled()

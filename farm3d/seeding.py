"""What makes runs repeat: named streams of random numbers from one seed, and sums in one order."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def numpy_rng(seed: int, *keys: str | int) -> np.random.Generator:
    """NumPy's generator of the stream that `keys` name under `seed`; the same on every machine.

    Streams of different keys, of the string "1" and the number 1, and of ("a", "b") and ("ab",) are
    independent, so that a sample does not depend on how many were drawn before it or in which process.
    """
    return np.random.Generator(np.random.PCG64(_entropy(seed, keys)))


def torch_generator(seed: int, *keys: str | int) -> torch.Generator:
    """torch's CPU generator of the stream that `keys` name under `seed`; see `numpy_rng`."""
    return torch.Generator().manual_seed(_entropy(seed, keys) % 2**63)


@contextmanager
def deterministic_algorithms() -> Iterator[None]:
    """Let torch use only algorithms that repeat bit for bit while the block (or decorated function) runs.

    Otherwise threads add the gradients of gathered vertices in whatever order they come. Filling memory
    before it is written, which torch then does as well, finds mistakes and costs a step 3 %: it is left out.
    """
    memory: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True)
    memory.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        memory.fill_uninitialized_memory = before[1]


def _entropy(seed: int, keys: tuple[str | int, ...]) -> int:
    """128 bits that depend on every key, its type and its place."""
    canonical = "".join(f"{type(key).__name__}:{len(str(key))}:{key};" for key in (int(seed), *keys))
    return int.from_bytes(hashlib.blake2b(canonical.encode(), digest_size=16).digest(), "little")

"""Compile numba kernels and run them on every core, without numba's own threading layers.

Kernels are plain `nogil` functions over a range of tasks; Python threads share the tasks out. Numba's own
layers each fail somewhere that farm3d is used: GNU OpenMP kills forked data-loader workers, workqueue
dies when two Python threads launch at once, TBB is not on every machine. Threads live only as long as a
launch, so a fork between launches finds nothing to break.
"""

import functools
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import torch

_logger = logging.getLogger(__name__)

_TASKS_PER_LAUNCH = 16

_SHARES_PER_THREAD = 4
"""Tasks differ in size: a thread that is done early takes the next share."""


def compile_kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """`numba.njit` without the GIL and without fast-math, cached on disk where a cache can be written.

    Fast-math stays off: that an edge shared by two triangles leaves no crack rests on IEEE arithmetic.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": False, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:
        _say_uncached()
        return numba.njit(**options)(function)


@functools.cache
def _say_uncached() -> None:
    """One line for all kernels."""
    _logger.warning("no writable folder for numba's cache (set NUMBA_CACHE_DIR): compiling at each start")


def bands_per_image(images: int, height: int) -> int:
    """How many row bands each image is cut into.

    The answer does not depend on the number of threads, so neither do the sums made per band.
    """
    return max(1, min(height, -(-_TASKS_PER_LAUNCH // max(images, 1))))


def launch(kernel: Callable[..., None], tasks: int, *arguments: object) -> None:
    """Run `kernel(first_task, end_task, *arguments)` over all tasks, on `torch.get_num_threads()` threads."""
    threads = min(torch.get_num_threads(), tasks)
    if threads <= 1:
        kernel(0, tasks, *arguments)
        return
    shares = min(tasks, _SHARES_PER_THREAD * threads)
    remaining = iter([(tasks * share // shares, tasks * (share + 1) // shares) for share in range(shares)])

    def work() -> None:
        for first, end in remaining:
            kernel(first, end, *arguments)

    with ThreadPoolExecutor(threads - 1) as pool:
        helpers = [pool.submit(work) for _ in range(threads - 1)]
        work()
        for helper in helpers:
            helper.result()

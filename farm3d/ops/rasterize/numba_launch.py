"""Compile numba kernels and run them on every core, without numba's own threading layers.

Kernels are plain `nogil` functions of a task; Python threads share the tasks out. Numba's own
layers each fail somewhere that farm3d is used: GNU OpenMP kills forked data-loader workers, workqueue
dies when two Python threads launch at once, TBB is not on every machine. Threads live only as long as a
launch, so a fork between launches finds nothing to break.
"""

import functools
import logging
import threading
from collections.abc import Callable
from typing import Any

import numba
import torch

_logger = logging.getLogger(__name__)

_BANDS_PER_THREAD = 2
"""Bands differ in what they show: a thread that is done early takes the next."""

_GRADIENT_SUMS = 4
"""Gradients of vertices are summed in this many row bands of a batch at least, on as many threads at most."""


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


def drawing_bands(images: int, height: int) -> int:
    """How many row bands each image is cut into where the results do not depend on it.

    Each band looks at all triangles again, so images are cut only where there are too few of them to
    give every thread as many.
    """
    threads = torch.get_num_threads()
    if images % threads == 0 or images > 4 * threads:
        return 1
    return min(height, -(-_BANDS_PER_THREAD * threads // images))


def gradient_bands(images: int, height: int) -> int:
    """How many row bands each image is cut into where each band sums a gradient of its own.

    The answer does not depend on the number of threads, so neither do the sums.
    """
    return max(1, min(height, -(-_GRADIENT_SUMS // max(images, 1))))


def launch(kernel: Callable[..., Any], tasks: int, *arguments: object) -> list[Any]:
    """The results of `kernel(task, *arguments)` for all tasks, run on `torch.get_num_threads()` threads."""
    results: list[Any] = [None] * tasks
    failures: list[BaseException] = []
    remaining = iter(range(tasks))

    def work() -> None:
        try:
            for task in remaining:
                results[task] = kernel(task, *arguments)
        except BaseException as failure:
            failures.append(failure)

    helpers = [threading.Thread(target=work) for _ in range(min(torch.get_num_threads(), tasks) - 1)]
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()
    if failures:
        raise failures[0]
    return results

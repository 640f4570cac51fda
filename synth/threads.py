"""One thread, for bytes that do not depend on the number of cores."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import numba
import torch


@contextmanager
def single_threaded() -> Iterator[None]:
    """One thread while the block runs: sums are taken in one order, and threads that wait for each other
    over small arrays cost more than they bring."""
    before = torch.get_num_threads(), numba.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        numba.set_num_threads(before[1])
        cv2.setNumThreads(before[2])

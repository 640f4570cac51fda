"""Measure what calls cost: median time and its spread, calls in turn, and peak memory.

Contenders of a ratio are called in turn (A B A B), so that a machine that warms up, throttles or is
shared for a moment slows both. Accelerators are waited for before every look at the clock.
"""

import ctypes
import gc
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from farm3d.config import StrictConfig

Call = Callable[[], object]
Clock = Callable[[], float]
Name = TypeVar("Name", bound=str)


class Timing(StrictConfig):
    """Median and quartiles (seconds) of the repeats of one call."""

    median: float
    first_quartile: float
    third_quartile: float
    repeats: int


@dataclass(frozen=True)
class Effort:
    """How long a call is measured: `least` repeats, then until `seconds` are spent or `most` is reached.

    Where `patience` (seconds) ends before that, `LEAST_OF_SLOW` repeats will do; warming up ends there too.
    """

    seconds: float
    least: int = 5
    most: int = 200
    warm_up: int = 2
    patience: float = 10.0


LEAST_OF_SLOW = 3


QUICK = Effort(seconds=0.05, least=2, most=3, warm_up=1)
"""For tests and for a first look: too few repeats to compare anything by."""


def timing(seconds: list[float]) -> Timing:
    """Median and quartiles of at least one duration (linear interpolation between neighbours)."""
    first, middle, third = np.quantile(seconds, [0.25, 0.5, 0.75])
    return Timing(
        median=float(middle),
        first_quartile=float(first),
        third_quartile=float(third),
        repeats=len(seconds),
    )


def measure(call: Call, *, device: torch.device, effort: Effort) -> Timing:
    """The time that one call takes, after `effort.warm_up` calls that do not count."""
    return measure_in_turn({"call": call}, device=device, effort=effort)["call"]


def measure_in_turn(
    calls: Mapping[Name, Call],
    *,
    device: torch.device,
    effort: Effort,
    clock: Clock = time.perf_counter,
) -> dict[Name, Timing]:
    """The time that each call takes, measured in turn; `effort.seconds` counts for each of them.

    A call that has had its seconds and its least repeats drops out, the others go on. Garbage is
    collected before and not during.
    """
    for call in calls.values():
        _warm_up(call, effort)
    durations: dict[Name, list[float]] = {name: [] for name in calls}
    with _collected_garbage():
        while running := [name for name in calls if not _is_done(durations[name], effort)]:
            for name in running:
                synchronize(device)
                started = clock()
                calls[name]()
                synchronize(device)
                durations[name].append(clock() - started)
    return {name: timing(seconds) for name, seconds in durations.items()}


def synchronize(device: torch.device) -> None:
    """Wait until an accelerator has done what it was asked to; the CPU is never behind."""
    if device.type != "cpu":
        torch.get_device_module(device).synchronize(device)


def peak_memory(call: Call, device: torch.device) -> int | None:
    """Bytes that a call held at most above what was held before it; `None` where nobody counts them.

    On Linux this is the resident memory of the process, so libraries that never return what they once
    took hide what they take again: call once before. On accelerators it is what torch has allocated.
    """
    if device.type != "cpu":
        return _peak_on_accelerator(call, device)
    if not sys.platform.startswith("linux"):
        return None
    gc.collect()
    _return_free_memory()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again at what is resident now
    except OSError:
        return None
    before = _status_bytes("VmRSS")
    call()
    return max(0, _status_bytes("VmHWM") - before)


def _warm_up(call: Call, effort: Effort) -> None:
    started = time.perf_counter()
    for _ in range(effort.warm_up):
        call()
        if time.perf_counter() - started > effort.patience:
            return


def _is_done(durations: list[float], effort: Effort) -> bool:
    if len(durations) >= effort.least:
        return len(durations) >= effort.most or sum(durations) >= effort.seconds
    return len(durations) >= LEAST_OF_SLOW and sum(durations) >= effort.patience


@contextmanager
def _collected_garbage() -> Iterator[None]:
    """Collect garbage, then leave it lie while the block runs."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _peak_on_accelerator(call: Call, device: torch.device) -> int | None:
    module = torch.get_device_module(device)
    if not hasattr(module, "reset_peak_memory_stats"):
        return None
    synchronize(device)
    module.reset_peak_memory_stats(device)
    before = module.memory_allocated(device)
    call()
    synchronize(device)
    return int(module.max_memory_allocated(device) - before)


def _return_free_memory() -> None:
    """Give freed memory back to the system: what an allocator keeps would hide what the call takes."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _status_bytes(field: str) -> int:
    """A field of /proc/self/status, given there in kB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024

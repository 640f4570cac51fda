"""Durations become medians and quartiles, contenders take turns, and memory that is taken is found."""

import gc
from collections.abc import Callable
from itertools import accumulate, cycle

import numpy as np
import pytest
import torch
from farm3d.eval.benchmarks.harness import (
    LEAST_OF_SLOW,
    Effort,
    measure,
    measure_in_turn,
    peak_memory,
    synchronize,
    timing,
)
from hypothesis import given
from hypothesis import strategies as st

CPU = torch.device("cpu")
SECONDS = st.floats(min_value=1e-6, max_value=1e3)


def clock_of(durations: list[float]) -> Callable[[], float]:
    """A clock by which successive calls take these durations, over and over; nothing passes between calls."""
    ticks = accumulate(step for duration in cycle(durations) for step in (0.0, duration))
    return lambda: next(ticks)


@pytest.mark.parametrize(
    ("seconds", "quartiles"),
    [
        ([3.0], (3.0, 3.0, 3.0)),
        ([2.0, 1.0], (1.25, 1.5, 1.75)),
        ([5.0, 1.0, 4.0, 2.0, 3.0], (2.0, 3.0, 4.0)),
        ([1.0, 1.0, 1.0, 1.0, 100.0], (1.0, 1.0, 1.0)),
    ],
)
def test_quartiles_of_known_durations(seconds: list[float], quartiles: tuple[float, float, float]) -> None:
    found = timing(seconds)
    assert (found.first_quartile, found.median, found.third_quartile) == pytest.approx(quartiles)
    assert found.repeats == len(seconds)


@given(st.lists(SECONDS, min_size=1, max_size=30), SECONDS)
def test_quartiles_enclose_the_median_and_scale_with_the_durations(seconds: list[float], by: float) -> None:
    found, scaled = timing(seconds), timing([by * value for value in seconds])
    assert min(seconds) <= found.first_quartile <= found.median <= found.third_quartile <= max(seconds)
    assert scaled.median == pytest.approx(by * found.median)


def test_contenders_take_turns_after_warming_up_one_by_one() -> None:
    calls: list[str] = []
    measure_in_turn(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")},
        device=CPU,
        effort=Effort(seconds=0.0, least=3, warm_up=2),
    )
    assert "".join(calls) == "aabb" + "ababab"


def test_each_contender_gets_its_own_durations() -> None:
    effort = Effort(seconds=0.0, least=4, warm_up=1)
    found = measure_in_turn(
        {"a": lambda: None, "b": lambda: None}, device=CPU, effort=effort, clock=clock_of([1.0, 7.0])
    )
    assert (found["a"].median, found["b"].median) == (1.0, 7.0)


@pytest.mark.parametrize(
    ("duration", "repeats"),
    [(0.001, 20), (0.1, 10), (0.15, 7), (0.3, 5), (3.0, 4), (100.0, LEAST_OF_SLOW)],
)
def test_repeats_fit_the_seconds(duration: float, repeats: int) -> None:
    """At most 20; 1 second's worth; but 5 at least, or 3 where 10 seconds pass before."""
    effort = Effort(seconds=0.999, least=5, most=20, warm_up=0, patience=10.0)
    found = measure_in_turn({"a": lambda: None}, device=CPU, effort=effort, clock=clock_of([duration]))
    assert found["a"].repeats == repeats


def test_a_slow_contender_does_not_stop_the_others() -> None:
    calls = {"slow": 0, "fast": 0}

    def count(name: str) -> Callable[[], object]:
        def call() -> None:
            calls[name] += 1

        return call

    effort = Effort(seconds=0.0, least=6, warm_up=0, patience=10.0)
    found = measure_in_turn(
        {"slow": count("slow"), "fast": count("fast")},
        device=CPU,
        effort=effort,
        clock=clock_of([20.0, 1.0, 20.0, 1.0, 20.0, 1.0, 1.0, 1.0, 1.0]),
    )
    assert calls == {"slow": LEAST_OF_SLOW, "fast": 6}
    assert found["fast"].median == 1.0


def test_a_call_that_fails_is_told_and_garbage_is_collected_again() -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        measure(fail, device=CPU, effort=Effort(seconds=0.0, warm_up=0))
    assert gc.isenabled()


def test_garbage_waits_while_the_clock_runs() -> None:
    states: list[bool] = []
    measure(lambda: states.append(gc.isenabled()), device=CPU, effort=Effort(seconds=0.0, warm_up=0))
    assert not any(states)
    assert gc.isenabled()


def test_the_cpu_needs_no_waiting_for() -> None:
    synchronize(CPU)


@pytest.mark.parametrize(
    "allocate",
    [
        lambda size: torch.ones(size // 4),
        lambda size: np.ones(size, np.uint8),
        lambda size: [np.ones(1000, np.uint8) for _ in range(size // 1000)],
    ],
    ids=["torch", "numpy", "many small arrays"],
)
def test_memory_that_a_call_holds_is_found(allocate: Callable[[int], object]) -> None:
    size = 40_000_000
    allocate(size)
    found = peak_memory(lambda: allocate(size), CPU)
    if found is None:
        pytest.skip("this system does not count peak memory")
    assert found == pytest.approx(size, rel=0.2)


def test_memory_that_was_given_back_before_does_not_count() -> None:
    """The peak is that of the call, not that of the process."""
    np.ones(100_000_000, np.uint8)
    found = peak_memory(lambda: np.ones(5_000_000, np.uint8), CPU)
    if found is None:
        pytest.skip("this system does not count peak memory")
    assert found < 10_000_000


def test_only_what_is_held_at_once_counts() -> None:
    def one_after_the_other() -> None:
        for _ in range(10):
            np.ones(20_000_000, np.uint8)

    found = peak_memory(one_after_the_other, CPU)
    if found is None:
        pytest.skip("this system does not count peak memory")
    assert found < 60_000_000

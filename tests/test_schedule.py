"""Schedules are values: what a config writes is what every step gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from farm3d.schedule import Constant, Linear, Schedule, Steps, ramp

steps = st.integers(min_value=0, max_value=10**6)
values = st.floats(min_value=-1e6, max_value=1e6)


@given(values, steps)
def test_a_constant_never_changes(value: float, step: int) -> None:
    assert Constant(value).value(step) == value


@given(values, values, st.integers(0, 1000), st.integers(1, 1000))
def test_a_linear_schedule_starts_and_ends_exactly(from_: float, to: float, start: int, length: int) -> None:
    schedule = Linear(start=start, end=start + length, from_=from_, to=to)
    assert schedule.value(0) == schedule.value(start) == from_
    assert schedule.value(start + length) == schedule.value(10**9) == to


def test_a_linear_schedule_is_a_straight_line_between() -> None:
    schedule = Linear(start=100, end=300, from_=1.0, to=3.0)
    assert [schedule.value(step) for step in (100, 150, 200, 250, 300)] == [1.0, 1.5, 2.0, 2.5, 3.0]


def test_each_step_value_holds_until_the_next_one() -> None:
    schedule = Steps(steps=((0, 64.0), (10, 128.0), (20, 256.0)))
    assert [schedule.value(step) for step in (0, 9, 10, 19, 20, 999)] == [64, 64, 128, 128, 256, 256]


@pytest.mark.parametrize(
    ("written", "schedule"),
    [
        (3, Constant(3.0)),
        ({"from": 0, "to": 1, "start": 5, "end": 9}, Linear(start=5, end=9, from_=0.0, to=1.0)),
        ({"steps": [[0, 1], [5, 2]]}, Steps(steps=((0, 1.0), (5, 2.0)))),
    ],
)
def test_the_written_form_tells_which_schedule_it_is_and_dumps_back(
    written: object, schedule: Schedule
) -> None:
    adapter: TypeAdapter[Schedule] = TypeAdapter(Schedule)
    parsed = adapter.validate_python(written)
    assert parsed == schedule
    assert adapter.validate_python(adapter.dump_python(parsed, mode="json", by_alias=True)) == schedule


@pytest.mark.parametrize(
    "written",
    [
        {"from": 0, "to": 1, "start": 9, "end": 9},
        {"from": 0, "to": 1, "start": -1, "end": 9},
        {"from": 0, "to": 1, "start": 0},
        {"from": 0, "to": 1, "start": 0, "end": 9, "middle": 3},
        {"steps": []},
        {"steps": [[1, 2.0]]},
        {"steps": [[0, 2.0], [5, 1.0], [3, 1.0]]},
        "soon",
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Schedule).validate_python(written)


def test_a_schedule_may_begin_again() -> None:
    schedule = Linear(start=0, end=10, from_=4.0, to=2.0, then=Linear(start=10, end=20, from_=3.0, to=1.0))
    assert [schedule.value(step) for step in (0, 5, 9, 10, 15, 20, 99)] == [4.0, 3.0, 2.2, 3.0, 2.0, 1.0, 1.0]
    with pytest.raises(ValidationError, match="must start at 10 or later, not at 9"):
        Linear(start=0, end=10, from_=4.0, to=2.0, then=Linear(start=9, end=20, from_=3.0, to=1.0))


def test_a_ramp_is_the_schedule_that_yaml_writes() -> None:
    schedule = ramp(1.0, 0.0, start=10, end=20)
    assert [schedule.value(step) for step in (0, 10, 15, 20, 99)] == [1.0, 1.0, 0.5, 0.0, 0.0]

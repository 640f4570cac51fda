"""How a number changes over training steps: the trainer evaluates a schedule, all else gets the number.

In YAML a plain number is a `Constant`, `{from: 0, to: 1, start: 100, end: 500}` a `Linear` and
`{steps: [[0, 64], [1000, 128]]}` a `Steps`. A `Linear` may have another one as `then`: a restart.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, Tag, model_validator


class Constant(RootModel[float]):
    """The same value at every step."""

    model_config = ConfigDict(frozen=True)

    def value(self, step: int) -> float:
        """The value at `step`."""
        return self.root


class Linear(BaseModel):
    """`from_` up to step `start`, `to` from step `end` on, a straight line between, and then `then`."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    start: int = Field(ge=0)
    end: int
    from_: float = Field(alias="from")
    to: float
    then: "Linear | None" = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Linear":
        if self.end <= self.start:
            raise ValueError(f"end ({self.end}) must be after start ({self.start})")
        if self.then is not None and self.then.start < self.end:
            raise ValueError(f"what comes then must start at {self.end} or later, not at {self.then.start}")
        return self

    def value(self, step: int) -> float:
        """The value at `step`."""
        if self.then is not None and step >= self.then.start:
            return self.then.value(step)
        fraction = min(max((step - self.start) / (self.end - self.start), 0.0), 1.0)
        return (1.0 - fraction) * self.from_ + fraction * self.to


def ramp(before: float, after: float, *, start: int, end: int) -> Linear:
    """The schedule that YAML writes `{from: before, to: after, start: start, end: end}`."""
    return Linear.model_validate({"from": before, "to": after, "start": start, "end": end})


class Steps(BaseModel):
    """Pairs (step, value): each value holds from its step until the next pair's; the first step is 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: tuple[tuple[int, float], ...]

    @model_validator(mode="after")
    def _steps_rise_from_zero(self) -> "Steps":
        starts = [start for start, _ in self.steps]
        if starts[:1] != [0] or sorted(set(starts)) != starts:
            raise ValueError(f"the steps must rise from 0, not {starts}")
        return self

    def value(self, step: int) -> float:
        """The value at `step`."""
        return next(value for start, value in reversed(self.steps) if start <= max(step, 0))


def _form(value: object) -> str:
    if isinstance(value, Steps) or (isinstance(value, dict) and "steps" in value):
        return "steps"
    return "linear" if isinstance(value, Linear | dict) else "constant"


Schedule = Annotated[
    Annotated[Constant, Tag("constant")] | Annotated[Linear, Tag("linear")] | Annotated[Steps, Tag("steps")],
    Discriminator(_form),
]
"""The type of a config's field that may change over the steps."""

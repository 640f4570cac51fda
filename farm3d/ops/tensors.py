"""One change to every tensor of a value: a move to a device, another precision."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar, cast

from torch import Tensor

Value = TypeVar("Value")


def with_tensors(value: Value, change: Callable[[Tensor], Tensor]) -> Value:
    """The same value with `change` of every tensor in it: in dataclasses, tuples, and nothing else."""
    if isinstance(value, Tensor):
        return cast(Value, change(value))
    if isinstance(value, tuple):
        return cast(Value, tuple(with_tensors(part, change) for part in value))
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: with_tensors(getattr(value, field.name), change) for field in fields(value)}
        return cast(Value, replace(value, **parts))
    return value

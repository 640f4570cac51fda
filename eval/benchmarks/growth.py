"""How a figure grows when one thing grows and all others stay as they are at a headline setting."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .records import Case


@dataclass(frozen=True)
class Growth:
    """The cases of one contender at one task whose `along` (a key of `Case.numbers`) rises.

    `exponent` is the k of the fit seconds ~ along^k.
    """

    contender: str
    task: str
    along: str
    cases: tuple[Case, ...]

    @property
    def sizes(self) -> list[float]:
        """What grows, ascending."""
        return [case.numbers[self.along] for case in self.cases]

    @property
    def exponent(self) -> float:
        """The growth of the median time: 1 is linear, 0 does not depend on the size."""
        return growth_exponent(self.sizes, [case.timing.median for case in self.cases if case.timing])


def growths(cases: Iterable[Case], headline: Mapping[str, float], tasks: Sequence[str]) -> list[Growth]:
    """A growth along each key of `headline`, of each contender and task with two cases or more."""
    timed = [case for case in cases if case.timing is not None and case.task in tasks]
    contenders = dict.fromkeys(case.contender for case in timed)
    found = []
    for along in headline:
        others = [key for key in headline if key != along]
        for contender in contenders:
            for task in tasks:
                chosen = [
                    case
                    for case in timed
                    if (case.contender, case.task) == (contender, task)
                    and all(case.numbers.get(key) == headline[key] for key in others)
                ]
                chosen.sort(key=_number(along))
                if len(chosen) > 1:
                    found.append(Growth(contender, task, along, tuple(chosen)))
    return found


def growth_exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The k of the least-squares fit of log seconds = k log size + constant.

    Raises ValueError for fewer than two different sizes.
    """
    x, y = [math.log(size) for size in sizes], [math.log(value) for value in seconds]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    spread = sum((a - x_mean) ** 2 for a in x)
    if spread == 0.0:
        raise ValueError("a growth needs two different sizes")
    return sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True)) / spread


def _number(key: str) -> Callable[[Case], float]:
    return lambda case: case.numbers[key]

"""How long the stages of a run take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stopwatch:
    """Seconds by `clock` per named stage, in the order in which they began; `on_stage` is told of each."""

    seconds: dict[str, float] = field(default_factory=dict)
    on_stage: Callable[[str], None] = lambda name: None
    clock: Callable[[], float] = time.perf_counter

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to the stage's."""
        self.on_stage(name)
        started = self.clock()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + self.clock() - started

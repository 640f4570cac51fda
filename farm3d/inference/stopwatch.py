"""How long the stages of a run take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stopwatch:
    """Seconds per named stage, in the order in which they began; `on_stage` is told when one begins."""

    seconds: dict[str, float] = field(default_factory=dict)
    on_stage: Callable[[str], None] = lambda name: None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to the stage's."""
        self.on_stage(name)
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started

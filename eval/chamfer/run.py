"""Measure many pairs, in several processes, so that the result does not depend on how many or on breaks."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from farm3d.errors import Farm3DError, InputError

from .journal import Journal
from .pairs import Pair, fingerprint, load_triangles
from .protocol import ChamferProtocol, random_stream
from .rows import FailedPair, Row, pair_row
from .score import chamfer_score

Progress = Callable[[Row], None]

AHEAD = 2
"""Pairs handed to the processes for each of them: no process waits, and an interruption loses few."""


@dataclass(frozen=True)
class ChamferRun:
    """How pairs are measured: the protocol, the seed of all random numbers, and in how many processes."""

    protocol: ChamferProtocol
    seed: int
    workers: int = 1


def measure_pair(pair: Pair, run: ChamferRun) -> Row:
    """The row of a pair; what is wrong with a mesh becomes the row's reason, not an exception."""
    try:
        score = chamfer_score(
            load_triangles(pair.reconstruction),
            load_triangles(pair.target),
            protocol=run.protocol,
            random=random_stream(run.seed, pair.name),
        )
    except Farm3DError as error:
        return FailedPair(pair.name, " ".join(str(error).split()))
    except (ArithmeticError, MemoryError, ValueError) as error:  # thousands of other pairs wait
        return FailedPair(pair.name, f"{type(error).__name__}: {' '.join(str(error).split())}")
    return pair_row(pair.name, score)


def measure_pairs(
    pairs: Sequence[Pair], run: ChamferRun, *, journal: Journal | None, progress: Progress
) -> list[Row]:
    """The rows of all pairs in their order, those that the journal has already from there.

    `progress` hears of every row, in whatever order they come. Raises InputError where a process dies.
    """
    done: dict[str, Row] = {}
    prints: dict[str, str] = {}
    if journal is not None:
        prints = {pair.name: fingerprint(pair) for pair in pairs}
        known = journal.read()
        done = {name: known[name, prints[name]] for name in prints if (name, prints[name]) in known}
        journal.start({(name, prints[name]): row for name, row in done.items()})
    for row in done.values():
        progress(row)
    for row in _measured([pair for pair in pairs if pair.name not in done], run):
        done[row.name] = row
        if journal is not None:
            journal.append(row, prints[row.name])
        progress(row)
    return [done[pair.name] for pair in pairs]


def _measured(pairs: Sequence[Pair], run: ChamferRun) -> Iterator[Row]:
    """Rows as they are finished; one process measures in this one."""
    if run.workers == 1 or len(pairs) < 2:
        yield from (measure_pair(pair, run) for pair in pairs)
        return
    waiting = iter(pairs)
    executor = ProcessPoolExecutor(
        min(run.workers, len(pairs)), mp_context=multiprocessing.get_context("spawn"), initializer=_prepare
    )
    try:
        running: set[Future[Row]] = set()
        while True:
            for pair in waiting:
                running.add(executor.submit(measure_pair, pair, run))
                if len(running) >= AHEAD * run.workers:
                    break
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in finished)
    except BrokenProcessPool as error:
        raise InputError(
            "a process that measured died (out of memory?); the same command goes on, with fewer --workers"
        ) from error
    finally:
        executor.shutdown(cancel_futures=True)


def _prepare() -> None:
    """Leave Ctrl-C to the parent, and leave with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), daemon=True).start()


def _follow(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)

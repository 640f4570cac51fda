"""Work shared out to processes of this machine, and to the ranks that a launcher started elsewhere."""

import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import NoReturn, TypeVar

from farm3d.errors import ConfigError, Farm3DError

Progress = Callable[[int], None]
"""Is told how many pictures more are done."""

Item = TypeVar("Item")
Task = Callable[[Item, Progress], None]
POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Team:
    """Who works on a data set: this is process `rank` of `ranks`, and it may start `workers` of its own."""

    rank: int = 0
    ranks: int = 1
    workers: int = 1

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """The items that fall to this rank: neighbours stay together."""
        return portion(items, self.rank, self.ranks)


def portion(items: Sequence[Item], number: int, count: int) -> Sequence[Item]:
    """The part `number` of `count` parts of nearly the same length, in order."""
    return items[number * len(items) // count : (number + 1) * len(items) // count]


def team_from_environment(workers: int) -> Team:
    """The team that a launcher (`accelerate launch`, torchrun) describes by RANK and WORLD_SIZE.

    Raises ConfigError where these are no rank and no size.
    """
    rank, ranks = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if not (rank.isdecimal() and ranks.isdecimal() and int(rank) < int(ranks)):
        raise ConfigError(f"the environment's RANK={rank} and WORLD_SIZE={ranks} do not name a process")
    return Team(int(rank), int(ranks), workers)


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when `condition` holds; other ranks make it true by writing files."""
    while not condition():
        time.sleep(POLL_SECONDS)


def run_tasks(task: Task[Item], items: Sequence[Item], *, workers: int, progress: Progress) -> None:
    """Run `task(item, progress)` for every item, in `workers` processes where there are as many items.

    Processes are spawned, for forked ones cannot use compiled parallel code; so the task must be
    picklable. Raises what a task raised, and Farm3DError where a process died without a word. However
    this function ends, no process of it is left.
    """
    workers = min(workers, len(items))
    if workers <= 1:
        for item in items:
            task(item, progress)
        return
    with _started(task, [portion(items, k, workers) for k in range(workers)]) as team:
        _listen(dict(team), progress)


@contextmanager
def _started(
    task: Task[Item], shares: Sequence[Sequence[Item]]
) -> Iterator[list[tuple[Connection, BaseProcess]]]:
    """A process for every share; stopped, if need be, when the block ends."""
    context = multiprocessing.get_context("spawn")
    team: list[tuple[Connection, BaseProcess]] = []
    try:
        for share in shares:
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(task, share, sender), daemon=True)
            process.start()
            # Only the worker holds the sending end now, so that its death ends the stream.
            sender.close()
            team.append((receiver, process))
        yield team
    finally:
        for _, started in team:
            started.terminate()
        for _, started in team:
            started.join()


def _listen(team: dict[Connection, BaseProcess], progress: Progress) -> None:
    """Pass on what the workers report until each has said that it is done."""
    while team:
        for receiver in wait(list(team)):
            assert isinstance(receiver, Connection)
            try:
                report = receiver.recv()
            except EOFError:
                team[receiver].join()
                raise Farm3DError(
                    f"a worker process died (exit code {team[receiver].exitcode}; was memory short?);"
                    " run the same command again to continue, with fewer --workers"
                ) from None
            if isinstance(report, BaseException):
                raise report
            if report is None:
                team.pop(receiver).join()
            else:
                progress(report)


def _work(task: Task[Item], items: Sequence[Item], sender: Connection) -> None:
    """A worker's life: it reports pictures done, then its end or what went wrong.

    It learns that its parent was killed when a report cannot be sent, and leaves.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    try:
        try:
            for item in items:
                task(item, sender.send)
            sender.send(None)
        except BrokenPipeError:
            raise
        except Exception as error:
            if not isinstance(error, Farm3DError | OSError):
                error.add_note(traceback.format_exc())
            sender.send(error)
    except BrokenPipeError:
        return
    finally:
        # From here on nothing is half-written.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _leave(signal_number: int, frame: FrameType | None) -> NoReturn:
    """End by an exception, so that half-written folders are removed on the way."""
    raise SystemExit(128 + signal_number)

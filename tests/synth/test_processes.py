"""Several processes do what one does, and none is left behind however the work ends."""

import multiprocessing
import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest
from farm3d.synth.processes import Team, run_tasks, team_from_environment

from farm3d.errors import ConfigError, Farm3DError, InputError


@pytest.fixture(autouse=True)
def importable_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A spawned process imports this file by its name, which starts at the repository's root."""
    monkeypatch.syspath_prepend(Path(__file__).parents[2])


def touch(folder: Path, item: int, progress) -> None:
    (folder / str(item)).write_text(str(os.getpid()))
    progress(2)


def refuse(item: int, progress) -> None:
    if item == 3:
        raise InputError("cannot write 3: No space left on device")
    time.sleep(60)


def stumble(item: int, progress) -> None:
    raise ZeroDivisionError("a bug")


def die(item: int, progress) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wait_and_note(folder: Path, item: int, progress) -> None:
    try:
        progress(1)
        time.sleep(60)
    finally:
        (folder / f"cleaned_{item}").write_text("")


@pytest.mark.parametrize("workers", [1, 2])
def test_every_item_is_done_once_and_counted(workers, tmp_path):
    counts: list[int] = []
    run_tasks(partial(touch, tmp_path), range(5), workers=workers, progress=counts.append)
    assert sorted(path.name for path in tmp_path.iterdir()) == list("01234")
    assert sum(counts) == 10
    pids = {path.read_text() for path in tmp_path.iterdir()}
    assert len(pids) == workers and (str(os.getpid()) in pids) == (workers == 1)


def test_a_users_mistake_comes_back_as_it_is_and_stops_the_others():
    start = time.perf_counter()
    with pytest.raises(InputError, match="No space left"):
        run_tasks(refuse, [1, 3], workers=2, progress=lambda done: None)
    assert time.perf_counter() - start < 30
    assert not multiprocessing.active_children()


def test_a_bug_comes_back_with_the_traceback_of_its_process():
    with pytest.raises(ZeroDivisionError) as caught:
        run_tasks(stumble, [1, 2], workers=2, progress=lambda done: None)
    assert any("in stumble" in note for note in caught.value.__notes__)


def test_a_worker_that_dies_is_one_line():
    with pytest.raises(Farm3DError, match=r"worker process died \(exit code -9"):
        run_tasks(die, [1, 2], workers=2, progress=lambda done: None)


def test_an_interruption_lets_workers_clean_up(tmp_path):
    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tasks(partial(wait_and_note, tmp_path), [1, 2], workers=2, progress=interrupt)
    assert list(tmp_path.glob("cleaned_*"))
    assert not multiprocessing.active_children()


def test_ranks_share_all_items(monkeypatch):
    teams = []
    for rank in range(3):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", "3")
        teams.append(team_from_environment(1))
    assert [item for team in teams for item in team.share(range(10))] == list(range(10))
    monkeypatch.delenv("RANK")
    monkeypatch.delenv("WORLD_SIZE")
    assert team_from_environment(4) == Team(0, 1, 4)


@pytest.mark.parametrize(("rank", "size"), [("2", "2"), ("x", "2"), ("-1", "2"), ("0", "")])
def test_an_environment_that_names_no_process_is_refused(rank, size, monkeypatch):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", size)
    with pytest.raises(ConfigError, match="RANK"):
        team_from_environment(1)

"""Every command leaves with one line and the right exit code, whatever goes wrong."""

import argparse
import errno
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from farm3d.cli.main import (
    Action,
    Messages,
    add_common_options,
    command_parser,
    deferred_stop,
    non_negative_int,
    positive_int,
    run_command,
)
from farm3d.errors import InputError


def make_parser() -> argparse.ArgumentParser:
    parser = command_parser("farm3d-demo", "A demonstration.", examples=("farm3d-demo a", "farm3d-demo b"))
    parser.add_argument("--refine", type=non_negative_int, default=0)
    parser.add_argument("--count", type=positive_int, default=1)
    add_common_options(parser, out="results")
    return parser


def raising(error: BaseException) -> Action:
    def action(arguments: argparse.Namespace, messages: Messages) -> int:
        raise error

    return action


def start_demo(body: str, **environment: str) -> subprocess.Popen[str]:
    """A command in a process of its own; `body` is what its action does."""
    code = f"""
import sys
from farm3d.cli.main import command_parser, add_common_options, run_command
from farm3d.errors import InputError
def make_parser():
    parser = command_parser("demo", "", examples=("", ""))
    add_common_options(parser, out=None)
    return parser
def action(arguments, messages):
{body}
sys.exit(run_command(make_parser, action, []))
"""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_actions_exit_code_is_the_commands() -> None:
    assert run_command(make_parser, lambda arguments, messages: 2, []) == 2
    assert run_command(make_parser, lambda arguments, messages: arguments.seed, ["--seed", "7"]) == 7


@pytest.mark.parametrize(
    ("error", "exit_code", "line"),
    [
        (InputError("a.jpg: empty\nfile"), 2, "farm3d-demo: a.jpg: empty file\n"),
        (OSError(errno.ENOSPC, "No space left on device", "out"), 2, "out: No space left on device\n"),
        (PermissionError(errno.EACCES, "Permission denied", "/root/x"), 2, "/root/x: Permission denied\n"),
        (KeyboardInterrupt(), 130, "farm3d-demo: interrupted\n"),
    ],
)
def test_a_failure_is_one_line_on_stderr(
    error: BaseException, exit_code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(make_parser, raising(error), []) == exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith(line)
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "argv",
    [["--refine", "-3"], ["--count", "0"], ["--refine", "many"], ["--unknown"], ["--ref", "1"], ["a.jpg"]],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(make_parser, raising(AssertionError("must not run")), argv) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_of_a_launchers_processes_the_first_tells_a_mistake_that_all_meet() -> None:
    """The launcher ends the others when the first fails."""
    code = """
    print("here", flush=True)
    raise InputError("no such folder")
"""
    team = [start_demo(code, RANK=str(rank), LOCAL_RANK=str(rank)) for rank in range(2)]
    first, second = team
    assert first.communicate(timeout=30.0) == ("here\n", "demo: no such folder\n")
    assert second.stdout is not None and second.stdout.readline() == "here\n"
    time.sleep(0.5)
    assert second.poll() is None
    second.terminate()
    assert second.communicate(timeout=30.0) == ("", "")
    assert [process.returncode for process in team] == [2, 2]


def test_a_process_whose_mistake_is_its_own_tells_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr("farm3d.cli.main.FIRST_SPEAKS_SECONDS", 0.1)
    assert run_command(make_parser, raising(InputError("a.jpg: damaged")), []) == 2
    assert capsys.readouterr().err == "farm3d-demo: a.jpg: damaged\n"
    assert run_command(make_parser, raising(KeyboardInterrupt()), []) == 130
    assert capsys.readouterr().err == "", "the first says that all were interrupted"


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run_command(make_parser, raising(ZeroDivisionError()), [])


def test_the_environment_asks_for_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FARM3D_TRACEBACK", "1")
    assert run_command(make_parser, raising(InputError("bad")), []) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("Traceback")
    assert lines[-1] == "farm3d-demo: bad"


def test_quiet_hides_notices_but_neither_results_nor_errors(capsys: pytest.CaptureFixture[str]) -> None:
    def action(arguments: argparse.Namespace, messages: Messages) -> int:
        messages.say("a notice")
        messages.result("a result")
        raise InputError("a mistake")

    run_command(make_parser, action, ["--quiet"])
    assert capsys.readouterr() == ("a result\n", "farm3d-demo: a mistake\n")
    run_command(make_parser, action, [])
    assert capsys.readouterr().err == "a notice\nfarm3d-demo: a mistake\n"


def test_sigterm_reaches_the_actions_clean_up(capsys: pytest.CaptureFixture[str]) -> None:
    cleaned = []

    def action(arguments: argparse.Namespace, messages: Messages) -> int:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        finally:
            cleaned.append(True)
        return 0

    assert run_command(make_parser, action, []) == 143
    assert cleaned == [True]
    assert capsys.readouterr().err == "farm3d-demo: terminated\n"


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_loop_finishes_its_step_before_a_deferred_stop(number: signal.Signals, exit_code: int) -> None:
    finished_steps: list[int] = []

    def action(arguments: argparse.Namespace, messages: Messages) -> int:
        with deferred_stop() as stop_requested:
            for step in range(5):
                if step == 2:
                    os.kill(os.getpid(), number)
                finished_steps.append(step)
                if stop_requested():
                    break
        return 0

    assert run_command(make_parser, action, []) == exit_code
    assert finished_steps == [0, 1, 2]


def test_a_second_signal_interrupts_a_deferred_stop_at_once() -> None:
    def action(arguments: argparse.Namespace, messages: Messages) -> int:
        with deferred_stop():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            raise AssertionError("the second signal did not interrupt")

    assert run_command(make_parser, action, []) == 130


def test_commands_run_outside_the_main_thread() -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(run_command(make_parser, in_thread, [])))

    def in_thread(arguments: argparse.Namespace, messages: Messages) -> int:
        with deferred_stop() as stop_requested:
            return int(stop_requested())

    thread.start()
    thread.join()
    assert codes == [0]


def test_help_shows_two_examples_and_every_common_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        run_command(make_parser, raising(AssertionError("must not run")), ["--help"])
    assert leaving.value.code == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("farm3d-demo a", "farm3d-demo b"))
    assert all(option in text for option in ("--config", "--out", "--device", "--seed", "--quiet"))


def test_the_plumbing_imports_nothing_heavy() -> None:
    heavy = "{'torch', 'numpy', 'cv2', 'pydantic', 'yaml', 'PIL', 'numba'}"
    code = f"import sys, farm3d.cli.main; sys.exit(len({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_reader_that_leaves_ends_the_command_quietly() -> None:
    code = """
    for _ in range(100000):
        messages.result("x" * 100)
    return 0
"""
    with start_demo(code) as done:
        assert done.stdout is not None and done.stderr is not None
        done.stdout.readline()
        done.stdout.close()
        assert done.stderr.read() == ""

"""The plumbing of every command: arguments in, one line per mistake out, exit codes.

A command is a parser factory and an action. The action gets the parsed arguments and the command's
`Messages`, does the work (importing what is heavy only then, so that `--help` answers at once) and
returns the exit code: 0, or 2 where a part of the input could not be used and was reported.
"""

import argparse
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from farm3d.errors import ConfigError, Farm3DError

USER_MISTAKE, INTERRUPTED, TERMINATED = 2, 130, 143
"""Exit codes: a mistake that one line explains; Ctrl-C and SIGTERM by the shell's rule, 128 + signal."""

FIRST_SPEAKS_SECONDS = 10.0
"""How long the other processes of a launcher wait for the first to tell a mistake."""


@dataclass(frozen=True)
class Messages:
    """Where a command's words go: notices to stderr unless `quiet`, errors to stderr, results to stdout."""

    program: str
    quiet: bool = False

    def say(self, line: str) -> None:
        """One notice: what was chosen and why, what is doubtful, how far the work is."""
        if not self.quiet:
            sys.stderr.write(f"{_one_line(line)}\n")
            sys.stderr.flush()

    def error(self, line: str) -> None:
        """One mistake, named with the program; `quiet` does not hide it."""
        sys.stderr.write(f"{self.program}: {_one_line(line)}\n")
        sys.stderr.flush()

    def result(self, text: str) -> None:
        """A result line or table."""
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


Action = Callable[[argparse.Namespace, Messages], int]


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived: what cleans up after Ctrl-C cleans up after it too."""


class _CommandParser(argparse.ArgumentParser):
    """argparse, with its mistakes told as every other mistake: one line, no usage text before it."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see {self.prog} --help")


def command_parser(program: str, description: str, *, examples: tuple[str, str]) -> argparse.ArgumentParser:
    """The parser of a command; `examples` are two command lines to copy, shown at the end of `--help`."""
    return _CommandParser(
        prog=program,
        description=description,
        epilog=_epilog(examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def add_subcommand(
    subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    action: Action,
    *,
    description: str,
    examples: tuple[str, str],
) -> argparse.ArgumentParser:
    """The parser of one subcommand; the parsed arguments carry its `action`."""
    parser = subcommands.add_parser(
        name,
        help=description,
        description=description,
        epilog=_epilog(examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(action=action)
    return parser


def add_common_options(
    parser: argparse.ArgumentParser,
    *,
    out: str | None,
    config: bool = True,
    device: bool = True,
    seed: bool = True,
) -> None:
    """Add --config, --out (with the default's description `out`), --device, --seed and --quiet, as asked."""
    group = parser.add_argument_group("common options")
    if config:
        group.add_argument("--config", metavar="NAME|FILE", help="a packaged preset or a YAML file")
    if out is not None:
        group.add_argument("--out", type=_named, metavar="DIR", help=f"folder to write (default: {out})")
    if device:
        group.add_argument("--device", default="auto", help="auto (default), cpu or an accelerator's name")
    if seed:
        group.add_argument("--seed", type=non_negative_int, metavar="N", help="seed of every random choice")
    group.add_argument("--quiet", action="store_true", help="no notices and no progress bars")


def _named(text: str) -> str:
    """A path that is not empty: an unset variable of a shell must not mean the default."""
    if not text:
        raise argparse.ArgumentTypeError("is empty; give a path, or leave the option out")
    return text


def non_negative_int(text: str) -> int:
    """An option's value that counts something: 0, 1, 2, ..."""
    value = _integer(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is negative; give 0 or more")
    return value


def positive_int(text: str) -> int:
    """An option's value that counts something of which there must be one: 1, 2, ..."""
    value = _integer(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is too small; give 1 or more")
    return value


def run_command(
    make_parser: Callable[[], argparse.ArgumentParser], action: Action, argv: Sequence[str] | None = None
) -> int:
    """Parse `argv` (default: the process's), run the action, return the exit code.

    A `Farm3DError`, an error of the operating system (full disk, no permission), Ctrl-C and SIGTERM end
    in one line on stderr; `FARM3D_TRACEBACK=1` shows the traceback before it. Any other exception is a
    bug and stays one. Of several processes of a launcher that meet the same the first tells it.
    """
    parser = make_parser()
    messages = Messages(parser.prog)
    # Read at torch's first allocation: large pages for large tensors, of which training makes many anew.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    try:
        arguments = parser.parse_args(argv)
        messages = Messages(parser.prog, quiet=arguments.quiet)
        with _signal_handlers({signal.SIGTERM: _raise_interruption}):
            return action(arguments, messages)
    except BrokenPipeError:
        # The reader of stdout left (`| head`); without this Python complains again while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USER_MISTAKE
    except (Farm3DError, OSError) as error:
        return _leave(messages, _describe(error), USER_MISTAKE)
    except Terminated:
        return _leave(messages, "terminated", TERMINATED)
    except KeyboardInterrupt:
        return _leave(messages, "interrupted", INTERRUPTED)


def _leave(messages: Messages, line: str, exit_code: int) -> int:
    """Tell why the command ends, unless another process of the same launcher does."""
    if os.environ.get("FARM3D_TRACEBACK", "0") not in ("", "0"):
        traceback.print_exc()
    if not _told_by_the_first(exit_code):
        messages.error(line)
    return exit_code


def _told_by_the_first(exit_code: int) -> bool:
    """Whether this is one of several processes of a launcher here, of which the first met the same.

    A launcher ends all processes when one of them fails. So the others wait for that, and speak where it does
    not happen: then the mistake was theirs alone. Of interruptions, which reach all, only the first speaks.
    """
    if os.environ.get("LOCAL_RANK", "0") in ("", "0"):
        return False
    if exit_code != USER_MISTAKE:
        return True
    try:
        with _signal_handlers({signal.SIGTERM: _raise_interruption}):
            time.sleep(FIRST_SPEAKS_SECONDS)
    except KeyboardInterrupt:
        return True
    return False


@contextmanager
def deferred_stop() -> Iterator[Callable[[], bool]]:
    """Hold back the first Ctrl-C or SIGTERM while a loop finishes its step.

    Yields a function that says whether the loop should stop; the loop then writes its checkpoint and
    returns, and the held-back interruption is raised at the end of the `with` block. A second signal
    interrupts at once. Outside the main thread signals never arrive, and nothing is held back.
    """
    received: list[int] = []

    def note(signal_number: int, frame: FrameType | None) -> None:
        received.append(signal_number)
        if len(received) > 1:
            _raise_interruption(signal_number, frame)

    with _signal_handlers({signal.SIGINT: note, signal.SIGTERM: note}):
        yield lambda: bool(received)
    if received:
        _raise_interruption(received[0], None)


def _epilog(examples: tuple[str, str]) -> str:
    return "examples:\n" + "\n".join(f"  {example}" for example in examples)


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _describe(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = "" if error.filename is None else f"{os.fspath(error.filename)}: "
        return f"{where}{error.strerror}"
    return str(error) or type(error).__name__


def _raise_interruption(signal_number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated if signal_number == signal.SIGTERM else KeyboardInterrupt


@contextmanager
def _signal_handlers(handlers: dict[int, Callable[[int, FrameType | None], None]]) -> Iterator[None]:
    """Handle these signals while the block runs; only the main thread may, others leave them alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

"""`farm3d-synth inspect` and `farm3d-synth verify`: look at a data set, and check every file of it."""

import argparse
from pathlib import Path

from farm3d.cli.main import USER_MISTAKE, Messages, add_common_options, add_subcommand

SHOWN_PROBLEMS = 20


def add_inspect(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand `inspect`."""
    parser = add_subcommand(
        subcommands,
        "inspect",
        _inspect,
        description="Count what a data set holds and why pictures were rejected, and make a page to look at.",
        examples=("farm3d-synth inspect data/cow", "farm3d-synth inspect data/cow --out reports/cow"),
    )
    parser.add_argument("folder", type=Path, help="a data set")
    add_common_options(parser, out="DIR_inspection", config=False, device=False, seed=False)


def add_verify(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand `verify`."""
    parser = add_subcommand(
        subcommands,
        "verify",
        _verify,
        description="Check every file of a data set: there, whole, readable and of the right size.",
        examples=("farm3d-synth verify data/cow", "farm3d-synth verify data/cow --quiet && echo whole"),
    )
    parser.add_argument("folder", type=Path, help="a data set")
    add_common_options(parser, out=None, config=False, device=False, seed=False)


def _inspect(arguments: argparse.Namespace, messages: Messages) -> int:
    from farm3d.synth.inspection import inspect, summary, write_inspection

    folder: Path = arguments.folder
    out = Path(arguments.out) if arguments.out else folder.with_name(f"{folder.resolve().name}_inspection")
    found = inspect(folder)
    write_inspection(found, out)
    messages.result("\n".join(summary(found)))
    messages.say(f"look at {out / 'index.html'}")
    return 0


def _verify(arguments: argparse.Namespace, messages: Messages) -> int:
    from tqdm import tqdm

    from farm3d.synth.verification import verify

    count = 0
    with tqdm(unit="picture", disable=arguments.quiet, delay=1.0) as bar:
        for problem in verify(arguments.folder, bar.update):
            count += 1
            if count <= SHOWN_PROBLEMS:
                messages.error(problem)
    if count > SHOWN_PROBLEMS:
        messages.error(f"and {count - SHOWN_PROBLEMS} more problems")
    if count:
        return USER_MISTAKE
    messages.result(f"{arguments.folder}: every file is there and whole")
    return 0

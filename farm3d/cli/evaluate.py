"""`farm3d-eval`: figures that the field accepts, for one's own model or anybody's results."""

import argparse
import shlex
import sys

from farm3d.cli.evaluate_animodel import add_animodel
from farm3d.cli.evaluate_chamfer import add_chamfer
from farm3d.cli.evaluate_clips import add_clips
from farm3d.cli.evaluate_keypoints import add_keypoint_transfer
from farm3d.cli.evaluate_masks import add_masks
from farm3d.cli.evaluate_model import add_photos
from farm3d.cli.evaluate_procedural import add_procedural
from farm3d.cli.main import Messages, command_parser, run_command


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(lambda: _recording_parser(argv), _evaluate, argv)


def _recording_parser(argv: list[str] | None) -> argparse.ArgumentParser:
    """The parser, whose arguments carry the command line for reports."""
    parser = _parser()
    words = sys.argv[1:] if argv is None else argv
    parser.set_defaults(command_line=shlex.join([parser.prog, *words]))
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "farm3d-eval",
        "Measure reconstructions against the truth, and a checkpoint on pictures.",
        examples=(
            "farm3d-eval photos ../photos --pattern 'horse_side_*'",
            "farm3d-eval procedural data/test --checkpoint runs/horse",
        ),
    )
    subcommands = parser.add_subparsers(required=True, metavar="WHAT", title="what to measure")
    add_animodel(subcommands)
    add_chamfer(subcommands)
    add_clips(subcommands)
    add_keypoint_transfer(subcommands)
    add_masks(subcommands)
    add_photos(subcommands)
    add_procedural(subcommands)
    return parser


def _evaluate(arguments: argparse.Namespace, messages: Messages) -> int:
    return int(arguments.action(arguments, messages))


if __name__ == "__main__":
    raise SystemExit(main())

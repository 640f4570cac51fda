"""`farm3d-synth`: make a data set of animals, look at one, check one."""

import argparse
import sys

from farm3d.cli.main import Messages, add_common_options, command_parser, positive_int, run_command
from farm3d.cli.synth_look import add_inspect, add_verify

GENERATORS = ("auto", "procedural", "stable-diffusion")
FEATURES = ("auto", "dino", "procedural", "none")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_parser, _run, argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "farm3d-synth",
        "Make a data set of animal pictures with masks: drawn by the procedural farm (with the truth about\n"
        "every picture) or by Stable Diffusion, or cut out of your own photographs. The same command\n"
        "continues a set that was interrupted.",
        examples=(
            "farm3d-synth --category horse",
            "farm3d-synth --category cow --images photos/cows --out data/cow_photos",
        ),
    )
    parser.set_defaults(action=_make)
    parser.add_argument(
        "--category", metavar="NAME", help="the animal; any word with Stable Diffusion or --images"
    )
    parser.add_argument(
        "--generator",
        choices=GENERATORS,
        default="auto",
        help="who draws (default: auto, which says what it chose)",
    )
    parser.add_argument("--images", metavar="DIR", help="your own photographs in place of a generator")
    parser.add_argument("--count", type=positive_int, metavar="N", help="pictures to draw (default: 4096)")
    parser.add_argument(
        "--size",
        type=positive_int,
        metavar="N",
        help="pixels a side of the crops (default: 128 for the farm, 256 for others)",
    )
    parser.add_argument(
        "--workers",
        type=positive_int,
        metavar="N",
        help="processes (default: one a core; 1 for Stable Diffusion)",
    )
    parser.add_argument(
        "--shard-size",
        type=positive_int,
        default=256,
        metavar="N",
        help="pictures of a shard, which a killed run begins anew (default: 256)",
    )
    _add_groups(parser)
    add_common_options(parser, out="data/CATEGORY", config=False)
    subcommands = parser.add_subparsers(title="commands on a finished set", metavar="COMMAND")
    add_inspect(subcommands)
    add_verify(subcommands)
    return parser


def _add_groups(parser: argparse.ArgumentParser) -> None:
    """The options that only one kind of set has."""
    farm = parser.add_argument_group("the procedural farm")
    farm.add_argument(
        "--individuals",
        type=positive_int,
        metavar="N",
        help="different animals (default: count / 50, 8 to 64)",
    )
    diffusion = parser.add_argument_group("Stable Diffusion")
    diffusion.add_argument("--model", metavar="ID|DIR", help="a model of the Hugging Face hub, or its folder")
    diffusion.add_argument(
        "--config",
        metavar="NAME|FILE",
        help="scheduler, steps, guidance, size ... (default: synthesis/stable_diffusion)",
    )
    diffusion.add_argument("--prompt-file", metavar="FILE", help="your own prompts, one a line")
    masks = parser.add_argument_group("masks, filter and features (Stable Diffusion and photographs)")
    masks.add_argument(
        "--segmenter", metavar="NAME", help="auto (default), alpha, file, pointrend, maskrcnn, farm, grabcut"
    )
    masks.add_argument("--segmenter-weights", metavar="FILE", help="weights of pointrend or maskrcnn")
    masks.add_argument(
        "--filter", metavar="FILE", help="thresholds that differ from the filter's defaults (YAML)"
    )
    masks.add_argument(
        "--features", choices=FEATURES, default="auto", help="auto (default) is DINO where weights are given"
    )
    masks.add_argument(
        "--dino-weights",
        metavar="FILE|ID",
        help="weights of DINO ViT-S/8, a file or a hub id",
    )


def _run(arguments: argparse.Namespace, messages: Messages) -> int:
    return arguments.action(arguments, messages)


def _make(arguments: argparse.Namespace, messages: Messages) -> int:
    from farm3d.cli.synth_make import make_data_set

    return make_data_set(arguments, messages)


if __name__ == "__main__":
    sys.exit(main())

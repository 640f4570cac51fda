"""`farm3d-synth`: draw a data set of animals with their truth."""

import argparse
import sys
from pathlib import Path

from farm3d.cli.main import Messages, add_common_options, command_parser, positive_int, run_command
from farm3d.errors import ConfigError

SMALLEST, LARGEST = 32, 1024
"""Image sizes (pixels a side) that can be drawn; features are 32 patches a side."""


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_parser, _synthesise, argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "farm3d-synth",
        "Draw a data set of animal pictures with masks, features and the truth about every picture.",
        examples=(
            "farm3d-synth --category horse",
            "farm3d-synth --category cow --count 256 --out data/small_cow --seed 1",
        ),
    )
    parser.add_argument("--category", required=True, help="the animal: horse or cow")
    parser.add_argument(
        "--generator",
        choices=("auto", "procedural", "stable-diffusion"),
        default="auto",
        help="who draws (default: auto, which is procedural)",
    )
    parser.add_argument(
        "--count", type=positive_int, default=4096, metavar="N", help="pictures (default: 4096)"
    )
    parser.add_argument(
        "--size", type=positive_int, default=128, metavar="N", help="pixels a side (default: 128)"
    )
    parser.add_argument(
        "--individuals",
        type=positive_int,
        metavar="N",
        help="different animals (default: count / 50, 8 to 64)",
    )
    add_common_options(parser, out="data/CATEGORY", config=False, device=False)
    return parser


def _synthesise(arguments: argparse.Namespace, messages: Messages) -> int:
    if arguments.generator == "stable-diffusion":
        raise ConfigError("--generator stable-diffusion is not part of this version; use procedural or auto")
    size = arguments.size
    if size % 32 or not SMALLEST <= size <= LARGEST:
        raise ConfigError(f"--size {size}: give a multiple of 32 from {SMALLEST} to {LARGEST}")
    from tqdm import tqdm

    from farm3d.synth.dataset import FarmSettings, default_individuals, write_farm
    from farm3d.synth.procedural.species import species_of

    species = species_of(arguments.category)
    if arguments.generator == "auto":
        messages.say("generator: procedural (the only one in this version)")
    settings = FarmSettings(
        category=arguments.category,
        count=arguments.count,
        size=size,
        seed=arguments.seed or 0,
        individuals=arguments.individuals or default_individuals(arguments.count),
    )
    out = Path(arguments.out or f"data/{arguments.category}")
    with tqdm(total=settings.count, unit="picture", disable=arguments.quiet, delay=1.0) as bar:
        write_farm(settings, out, bar.update)
    messages.result(
        f"{out}: {_plural(settings.count, 'picture')} of {_plural(settings.individuals, species.name)}"
    )
    return 0


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")


if __name__ == "__main__":
    sys.exit(main())

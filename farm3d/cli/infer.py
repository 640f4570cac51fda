"""farm3d-infer: photographs, films or words in, rigged animals out."""

import argparse
from pathlib import Path

from farm3d.cli.main import (
    Messages,
    add_common_options,
    command_parser,
    non_negative_int,
    positive_int,
    run_command,
)
from farm3d.cli.model_options import add_model_options

SEGMENTERS = ("auto", "alpha", "file", "pointrend", "maskrcnn", "farm", "grabcut")


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "farm3d-infer",
        "Turn photographs of an animal into rigged, textured 3D models.",
        examples=(
            "farm3d-infer horse.jpg --relight --animate",
            "farm3d-infer photos/ --checkpoint runs/cow --refine 120 --out results/cows",
        ),
    )
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="photographs, folders of them, or videos")
    parser.add_argument(
        "--relight", action="store_true", help="also a video under a circling light, and a strip"
    )
    parser.add_argument(
        "--light",
        action="append",
        metavar="NAME=VALUE,...",
        help="a light of that strip: azimuth, elevation (degrees), ambient, diffuse, colour=#rrggbb;"
        " may be repeated",
    )
    parser.add_argument("--animate", action="store_true", help="also a video of a clip")
    parser.add_argument(
        "--clip",
        default="walk",
        metavar="NAME|FILE.json",
        help="what --animate plays: idle, walk (default), trot, gallop, graze, look_around or a file",
    )
    parser.add_argument(
        "--refine",
        type=non_negative_int,
        metavar="N",
        help="steps of test-time optimisation (default: 200; 0: none)",
    )
    _add_sources(parser)
    _add_edits(parser)
    add_common_options(parser, out="results")
    return parser


def _add_sources(parser: argparse.ArgumentParser) -> None:
    film = parser.add_argument_group("films and words")
    film.add_argument("--sequence", action="store_true", help="the images of a folder are frames of one film")
    film.add_argument(
        "--frame-rate",
        type=positive_int,
        metavar="N",
        help="frames a second of such a folder, or to take from a video (default: 12)",
    )
    film.add_argument("--prompt", metavar="TEXT", help="draw this: 'a spotted cow, side view'")
    film.add_argument(
        "--model", metavar="MODEL", help="Stable Diffusion (folder or hub id) that draws; else the farm does"
    )
    add_model_options(parser)
    mask = parser.add_argument_group("mask")
    mask.add_argument(
        "--mask", type=Path, metavar="FILE", help="mask of the animal, white on black, for a single image"
    )
    mask.add_argument(
        "--segmenter", default="auto", choices=SEGMENTERS, help="where masks come from (default: auto)"
    )
    mask.add_argument(
        "--segmenter-weights", type=Path, metavar="FILE", help="weights of PointRend or Mask R-CNN"
    )
    mask.add_argument(
        "--instance", type=positive_int, metavar="N", help="of several animals in the mask the N-th largest"
    )


def _add_edits(parser: argparse.ArgumentParser) -> None:
    edit = parser.add_argument_group("edit")
    edit.add_argument("--pose-from", type=Path, metavar="IMAGE", help="stand as the animal of another image")
    edit.add_argument("--albedo-from", type=Path, metavar="IMAGE", help="wear the coat of that animal")
    edit.add_argument(
        "--blend-with", type=Path, metavar="IMAGE", help="also videos of the way to that image's animal"
    )
    edit.add_argument("--faces", type=positive_int, metavar="N", help="triangles of the model, at most")
    edit.add_argument(
        "--length",
        metavar="NAME=CM",
        help="a known length in centimetres: shoulder_height, body_length or girth",
    )


def _infer(arguments: argparse.Namespace, messages: Messages) -> int:
    from farm3d.cli.infer_run import infer

    return infer(arguments, messages)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_parser, _infer, argv)


if __name__ == "__main__":
    raise SystemExit(main())

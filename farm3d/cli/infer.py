"""farm3d-infer: photographs in, rigged animals out."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from farm3d.cli.main import (
    Messages,
    add_common_options,
    command_parser,
    non_negative_int,
    positive_int,
    run_command,
)

if TYPE_CHECKING:
    from farm3d.inference.refine import RefineConfig
    from farm3d.inference.session import Session

SEGMENTERS = ("auto", "alpha", "file", "pointrend", "maskrcnn", "grabcut")


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "farm3d-infer",
        "Turn photographs of an animal into rigged, textured 3D models.",
        examples=(
            "farm3d-infer horse.jpg --relight --animate",
            "farm3d-infer photos/ --checkpoint runs/cow --refine 120 --out results/cows",
        ),
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="photographs, or folders of them")
    parser.add_argument("--relight", action="store_true", help="also a video under a circling light")
    parser.add_argument("--animate", action="store_true", help="also a video of a clip")
    parser.add_argument(
        "--clip",
        default="walk",
        metavar="NAME|FILE.json",
        help="what --animate plays: walk (default), idle or a file",
    )
    model = parser.add_argument_group("model")
    model.add_argument("--category", metavar="NAME", help="which shipped checkpoint (default: the only one)")
    model.add_argument(
        "--checkpoint",
        metavar="FILE|RUN|HUB_ID",
        help="a checkpoint file, a run's folder or a hub repository",
    )
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
    parser.add_argument(
        "--refine",
        type=non_negative_int,
        metavar="N",
        help="steps of test-time optimisation (default: 120; 0: none)",
    )
    add_common_options(parser, out="results")
    return parser


def _infer(arguments: argparse.Namespace, messages: Messages) -> int:
    import torch
    from tqdm import tqdm

    from farm3d.cli.device import choose_device
    from farm3d.errors import ConfigError, Farm3DError
    from farm3d.inference.clip_files import resolve_clip
    from farm3d.inference.export import ExportOptions
    from farm3d.inference.session import (
        MaskOptions,
        find_checkpoint,
        open_session,
        reconstruct_file,
        write_index,
    )
    from farm3d.io.inputs import list_input_images
    from farm3d.pretrained.segmentation import make_segmenter

    device = choose_device(arguments.device, messages)
    torch.manual_seed(arguments.seed or 0)
    images = list_input_images(arguments.images)
    if arguments.mask is not None and len(images) != 1:
        raise ConfigError(
            f"--mask fits one image, not {len(images)}; put NAME_mask.png beside each NAME.jpg instead"
        )
    masks = make_segmenter(arguments.segmenter, weights=arguments.segmenter_weights, device=device)
    session = open_session(
        Path(arguments.out or "results"),
        find_checkpoint(arguments.checkpoint, arguments.category),
        masks=MaskOptions(masks, arguments.mask, arguments.instance),
        refinement=_refinement(arguments),
        options=ExportOptions(arguments.relight, arguments.animate, resolve_clip(arguments.clip)),
    )
    if arguments.category not in (None, session.trained.category):
        raise ConfigError(
            f"{arguments.checkpoint} is a model of the category {session.trained.category!r},"
            f" not {arguments.category!r}"
        )
    entries, failed = [], 0
    for image in tqdm(images, unit="image", disable=arguments.quiet or len(images) == 1):
        try:
            outcome = reconstruct_file(session, image)
        except Farm3DError as error:
            messages.error(str(error))
            failed += 1
            continue
        for warning in outcome.warnings:
            messages.say(f"{image.path}: {warning}")
        if image.name != image.path.stem:
            messages.say(f"{image.path}: written as {image.name}, for an earlier image has its name")
        messages.say(outcome.summary)
        entries.append(outcome.entry)
    if entries:
        write_index(session, entries)
    messages.result(_last_line(session, len(entries), failed))
    return 2 if failed else 0


def _refinement(arguments: argparse.Namespace) -> "RefineConfig":
    """The settings of --config (a YAML file of refinement's), with the steps of --refine."""
    from farm3d.config import load_config
    from farm3d.inference.refine import RefineConfig

    steps = [] if arguments.refine is None else [f"steps={arguments.refine}"]
    return load_config(RefineConfig, preset_or_file=arguments.config, overrides=steps)


def _last_line(session: "Session", done: int, failed: int) -> str:
    animals = f"{done} animal{'' if done == 1 else 's'} in {session.out}"
    return f"{animals}, {failed} image{'' if failed == 1 else 's'} could not be used" if failed else animals


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_parser, _infer, argv)


if __name__ == "__main__":
    raise SystemExit(main())

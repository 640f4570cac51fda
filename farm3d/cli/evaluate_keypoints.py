"""`farm3d-eval keypoint-transfer`: PCK of keypoints carried from image to image by meshes."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm3d.cli.evaluation_output import add_output_options, provenance_of, refuse_outputs, write_outputs
from farm3d.cli.main import (
    Messages,
    add_common_options,
    add_subcommand,
    non_negative_int,
    positive_int,
)
from farm3d.cli.model_options import add_model_options, chosen_model

if TYPE_CHECKING:
    from farm3d.eval.keypoint_annotations import KeypointAnnotations
    from farm3d.eval.keypoint_transfer import TransferScore
    from farm3d.eval.projected_vertices import ProjectedVertices

PAIRS = 10_000


def add_keypoint_transfer(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand `keypoint-transfer`."""
    parser = add_subcommand(
        subcommands,
        "keypoint-transfer",
        _keypoint_transfer,
        description="Carry annotated keypoints from image to image by meshes: PCK@0.1.",
        examples=(
            "farm3d-eval keypoint-transfer data/test --checkpoint runs/horse --out pck.json",
            "farm3d-eval keypoint-transfer JPEGImages --annotations horse_val.mat --predictions theirs",
        ),
    )
    parser.add_argument("data", type=Path, help="a data set of farm3d-synth, or the folder of the images")
    parser.add_argument(
        "--annotations", type=Path, metavar="FILE", help="COCO-style .json, or A-CSM's <class>_<split>.mat"
    )
    parser.add_argument(
        "--annotated",
        metavar="NAME",
        help="which category's annotations of a COCO-style file (default: that of --category, or all)",
    )
    add_model_options(parser)
    parser.add_argument(
        "--predictions", type=Path, metavar="DIR", help="anybody's projected vertices instead of a model's"
    )
    parser.add_argument(
        "--refine",
        type=non_negative_int,
        default=0,
        metavar="N",
        help="steps of refinement of a checkpoint's predictions (default: 0)",
    )
    protocol = parser.add_argument_group("protocol")
    protocol.add_argument(
        "--pairs",
        type=positive_int,
        default=PAIRS,
        metavar="N",
        help="random pairs of images (default: 10000)",
    )
    protocol.add_argument(
        "--pad",
        type=_share,
        default=0.0,
        metavar="P",
        help="errors are divided by max(width, height) of the box times 1 + 2 P (default: 0)",
    )
    protocol.add_argument(
        "--check-target-visibility",
        action="store_true",
        help="a keypoint that arrives at a hidden vertex counts as wrong (default: not looked at)",
    )
    add_common_options(parser, out=None, config=False, device=False)
    add_output_options(parser)


@dataclass(frozen=True)
class _Source:
    """The projected vertices of every animal, and where they come from, for reports."""

    projections: "list[ProjectedVertices]"
    config: dict[str, Any]
    checkpoint: Path | None = None
    sha256: str | None = None


def _keypoint_transfer(arguments: argparse.Namespace, messages: Messages) -> int:
    refuse_outputs(arguments)
    from farm3d.eval.keypoint_report import transfer_report
    from farm3d.eval.keypoint_transfer import random_pairs, score_transfer, transfer_keypoints

    seed = arguments.seed or 0
    annotations = _annotations(arguments)
    pairs = random_pairs(len(annotations.animals), arguments.pairs, seed=seed)
    source = _source(arguments, annotations, messages)
    transfer = transfer_keypoints(
        annotations,
        source.projections,
        pairs,
        pad=arguments.pad,
        check_target_visibility=arguments.check_target_visibility,
    )
    score = score_transfer(transfer, seed=seed)
    for line in _table(score, arguments, images=len(annotations.animals)):
        messages.result(line)
    protocol = {
        "seed": seed,
        "pad": arguments.pad,
        "check_target_visibility": arguments.check_target_visibility,
    }
    provenance = provenance_of(
        arguments, source.config | protocol, checkpoint=source.checkpoint, sha256=source.sha256
    )
    pictures = arguments.report is not None and all(a.image.is_file() for a in annotations.animals)
    write_outputs(
        arguments,
        transfer_report(annotations, transfer, score, provenance=provenance, pictures=pictures),
    )
    return 0


def _annotations(arguments: argparse.Namespace) -> "KeypointAnnotations":
    from farm3d.data.image_folder import open_data_set
    from farm3d.eval.keypoint_annotations import data_set_annotations
    from farm3d.eval.keypoint_files import read_annotations

    if arguments.annotations is None:
        return data_set_annotations(open_data_set(arguments.data))
    category = arguments.annotated or arguments.category
    return read_annotations(arguments.annotations, arguments.data, category=category)


def _species_of(arguments: argparse.Namespace) -> str | None:
    """What the pictures show, as far as that is known."""
    from farm3d.data.image_folder import read_description

    if arguments.annotations is not None:
        return arguments.annotated
    return str(read_description(arguments.data)["category"])


def _source(arguments: argparse.Namespace, annotations: "KeypointAnnotations", messages: Messages) -> _Source:
    from farm3d.errors import ConfigError
    from farm3d.eval.vertex_predictions import read_predictions

    names = [animal.name for animal in annotations.animals]
    if arguments.predictions is not None:
        if arguments.refine or arguments.checkpoint is not None:
            raise ConfigError(
                "--checkpoint and --refine are for a model of farm3d; --predictions are taken as they are"
            )
        return _Source(
            read_predictions(arguments.predictions, names), {"predictions": str(arguments.predictions)}
        )
    import torch
    from tqdm import tqdm

    from farm3d.eval.model_vertices import check_images, predict_vertices
    from farm3d.inference.refine import RefineConfig

    check_images(annotations.animals)
    path, trained = chosen_model(arguments, _species_of(arguments))
    with torch.no_grad():
        prior = trained.model.prior()
    refinement = RefineConfig(steps=arguments.refine)
    animals = tqdm(annotations.animals, unit="image", disable=messages.quiet)
    projections = [predict_vertices(trained.model, prior, a, refinement=refinement) for a in animals]
    config = {"category": trained.category, "refinement_steps": arguments.refine}
    return _Source(projections, config, path, trained.sha256)


def _table(score: "TransferScore", arguments: argparse.Namespace, *, images: int) -> list[str]:
    """The figures as lines: a row a keypoint, the mean and under which protocol."""
    from farm3d.eval.keypoint_report import percent_interval

    width = max(len(keypoint.name) for keypoint in score.keypoints)
    lines = [f"{'keypoint':<{width}}  transfers  PCK@{score.threshold:g}  95 % interval"]
    for keypoint in score.keypoints:
        shown = f"{'-':>7}" if keypoint.pck is None else f"{100 * keypoint.pck:7.1f}"
        interval = percent_interval(keypoint.interval)
        lines.append(f"{keypoint.name:<{width}}  {keypoint.transfers:9d}  {shown}  {interval}")
    target = "checked" if arguments.check_target_visibility else "not checked"
    lines.append(
        f"mean over keypoints: PCK@{score.threshold:g} {100 * score.pck:.1f} %,"
        f" 95 % interval {percent_interval(score.interval)}; pad {arguments.pad:g},"
        f" {arguments.pairs} pairs of {images} animals, target visibility {target}"
    )
    return lines


def _share(text: str) -> float:
    """An option's value that is a share of something: 0 or more."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a share; give 0 or more")
    return value

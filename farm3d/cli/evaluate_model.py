"""`farm3d-eval photos`: what a checkpoint makes of photographs."""

import argparse
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING

from farm3d.cli.main import Messages, add_common_options, add_subcommand, non_negative_int

if TYPE_CHECKING:
    from farm3d.inference.refine import RefineConfig
    from farm3d.models.animal_model import AnimalModel


def add_photos(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand `photos`."""
    parser = add_subcommand(
        subcommands,
        "photos",
        _photos,
        description="Measure a checkpoint on photographs with masks.",
        examples=(
            "farm3d-eval photos ../photos --pattern 'horse_side_*'",
            "farm3d-eval photos ../photos --checkpoint runs/horse --refine 0",
        ),
    )
    parser.add_argument("folder", type=Path, help="photographs with NAME_mask.png beside them")
    parser.add_argument("--pattern", default="*", help="photographs to score, without .jpg (default: all)")
    _add_model_options(parser)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--category", metavar="NAME", help="which shipped checkpoint (default: the only one)")
    parser.add_argument("--checkpoint", metavar="FILE|RUN", help="another checkpoint")
    parser.add_argument("--refine", type=non_negative_int, metavar="N", help="steps of refinement")
    add_common_options(parser, out=None, config=False, device=False, seed=False)


def _model(arguments: argparse.Namespace) -> "AnimalModel":
    from farm3d.inference.session import find_checkpoint
    from farm3d.models.build import load_trained

    return load_trained(find_checkpoint(arguments.checkpoint, arguments.category)).model


def _photos(arguments: argparse.Namespace, messages: Messages) -> int:
    from farm3d.eval.photographs import score_photographs

    model, refinement = _model(arguments), _refinement(arguments)
    messages.result("photograph                     IoU  refined  head   said   deform  folded  seconds")
    scores = []
    for s in score_photographs(model, arguments.folder, pattern=arguments.pattern, refinement=refinement):
        scores.append(s)
        messages.result(
            f"{s.name:<28} {s.predicted_iou:5.3f}    {s.refined_iou:5.3f}  {s.head:<5}"
            f"  {s.annotated_head or '-':<5}  {s.deformation:6.4f}  {s.folded_faces:6d}  {s.seconds:7.1f}"
        )
    said = [s for s in scores if s.annotated_head]
    sides = ", ".join(
        f"{side} {sum(s.head == side for s in said if s.annotated_head == side)}"
        f" of {sum(s.annotated_head == side for s in said)}"
        for side in ("left", "right")
    )
    deformations = [s.deformation for s in scores]
    messages.result(
        f"mean of {len(scores)}: IoU {fmean(s.predicted_iou for s in scores):.3f},"
        f" refined {fmean(s.refined_iou for s in scores):.3f}; head side right: {sides};"
        f" deformation {fmean(deformations):.4f} (largest {max(deformations):.4f});"
        f" folded faces {sum(s.folded_faces for s in scores)};"
        f" median {median(s.seconds for s in scores):.1f} s"
    )
    return 0


def _refinement(arguments: argparse.Namespace) -> "RefineConfig":
    from farm3d.inference.refine import RefineConfig

    return RefineConfig() if arguments.refine is None else RefineConfig(steps=arguments.refine)

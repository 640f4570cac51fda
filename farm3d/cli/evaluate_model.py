"""`farm3d-eval photos`: what a checkpoint makes of photographs."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from farm3d.cli.evaluation_output import add_output_options, provenance_of, refuse_outputs, write_outputs
from farm3d.cli.main import USER_MISTAKE, Messages, add_common_options, add_subcommand, non_negative_int
from farm3d.cli.model_options import AUTO, add_model_options, chosen_reconstructor

if TYPE_CHECKING:
    from farm3d.eval.photographs import PhotographScore

SEGMENTERS = ("given", "auto")

HEADER = (
    "photograph                    model     IoU  refined  head   said   deform  folded  legs    asym."
    "  seconds  bound F  refined  keyp.  refined"
)


def add_photos(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand `photos`."""
    parser = add_subcommand(
        subcommands,
        "photos",
        _photos,
        description="Measure a checkpoint on photographs with masks and keypoints.",
        examples=(
            "farm3d-eval photos ../photos --pattern 'horse_side_*' --report report",
            "farm3d-eval photos ../photos --checkpoint runs/horse --refine 0",
        ),
    )
    parser.add_argument(
        "folder", type=Path, help="photographs NAME.jpg with NAME_mask.png, and annotations.json, beside them"
    )
    parser.add_argument("--pattern", default="*", help="photographs to score, without .jpg (default: all)")
    add_model_options(parser)
    parser.add_argument("--refine", type=non_negative_int, metavar="N", help="steps of refinement")
    parser.add_argument(
        "--segmenter",
        choices=SEGMENTERS,
        default="given",
        help="given: only photographs with a mask (default); auto: cut the animal out of the others",
    )
    add_common_options(parser, out=None, config=False, device=False, seed=False)
    add_output_options(parser)


def _photos(arguments: argparse.Namespace, messages: Messages) -> int:
    refuse_outputs(arguments)
    from farm3d.eval.photograph_report import photograph_report
    from farm3d.eval.photographs import FailedPhotograph, PhotographScore, score_photographs
    from farm3d.inference.refine import RefineConfig

    reconstructor = chosen_reconstructor(arguments)
    refinement = RefineConfig() if arguments.refine is None else RefineConfig(steps=arguments.refine)
    scores: list[PhotographScore] = []
    failed: list[FailedPhotograph] = []
    for found in score_photographs(
        reconstructor,
        arguments.folder,
        pattern=arguments.pattern,
        refinement=refinement,
        segmenter=arguments.segmenter,
    ):
        if isinstance(found, FailedPhotograph):
            failed.append(found)
            messages.error(found.reason)
            continue
        if not scores:
            messages.result(HEADER)
        scores.append(found)
        messages.result(_line(found))
    for line in _summary(scores):
        messages.result(line)
    config = {
        "category": reconstructor.category or AUTO,
        "checkpoints": reconstructor.sha256s,
        "pattern": arguments.pattern,
        "segmenter": arguments.segmenter,
        "refinement_steps": refinement.steps,
    }
    provenance = provenance_of(arguments, config)
    write_outputs(arguments, photograph_report(scores, failed, provenance=provenance))
    return USER_MISTAKE if failed else 0


def _line(score: "PhotographScore") -> str:
    from farm3d.eval.photograph_report import keypoint_error, legs_shown, shown

    overlaps, outlines = (
        [shown(mask and getattr(mask, figure)) for mask in (score.predicted, score.refined)]
        for figure in ("iou", "boundary_f")
    )
    keypoints = [shown(keypoint_error(score, reading)) for reading in ("predicted", "refined")]
    return (
        f"{score.name:<28} {score.species:<8} {overlaps[0]:>5}    {overlaps[1]:>5}  {score.head:<5}"
        f"  {score.annotated_head or '-':<5}  {score.deformation:6.4f}  {score.folded_faces:6d}"
        f"  {legs_shown(score.legs):>4}  {score.asymmetry:7.5f}  {score.seconds:7.1f}"
        f"    {outlines[0]:>5}    {outlines[1]:>5}  {keypoints[0]:>5}    {keypoints[1]:>5}"
    )


def _summary(scores: "Sequence[PhotographScore]") -> list[str]:
    """The means, the heads of both sides, and a table of keypoints where there are any."""
    from farm3d.eval.photograph_report import (
        head_counts,
        keypoint_summaries,
        photograph_metrics,
        shown,
    )

    if not scores:
        return ["no photograph was measured"]
    metrics = photograph_metrics(scores)
    sides = ", ".join(f"{side} {right} of {of}" for side, (right, of) in head_counts(scores).items())
    lines = [
        f"mean of {len(scores)}: IoU {shown(metrics['iou']['predicted'])},"
        f" refined {shown(metrics['iou']['refined'])}; head side right: {sides};"
        f" deformation {metrics['deformation']['mean']:.4f}"
        f" (largest {metrics['deformation']['largest']:.4f});"
        f" folded faces {metrics['folded_faces']}; four legs: {metrics['four_legs']} of {len(scores)};"
        f" largest asymmetry {metrics['largest_asymmetry']:.5f};"
        f" mean {metrics['mean_seconds']:.1f} s, median {metrics['median_seconds']:.1f} s",
        f"boundary F-score {shown(metrics['boundary_f']['predicted'])},"
        f" refined {shown(metrics['boundary_f']['refined'])}",
    ]
    keypoints = metrics["keypoints"]
    if keypoints["count"]:
        mean, within = keypoints["mean_error"], keypoints["pck_0.1"]
        lines.append(
            f"{keypoints['count']} keypoints: error {shown(mean['predicted'])}, refined"
            f" {shown(mean['refined'])} of the box's longer side; within 0.1:"
            f" {100 * within['predicted']:.1f} %, refined {100 * within['refined']:.1f} %"
        )
        lines.append("keypoint          compared with         count  error  refined")
        lines += [
            f"{entry.name:<16}  {entry.point:<20}  {entry.count:5d}"
            f"  {entry.predicted:5.3f}    {entry.refined:5.3f}"
            for entry in keypoint_summaries(scores)
        ]
    return lines

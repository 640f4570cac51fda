"""`farm3d-eval masks`: how well a segmenter cuts animals out of photographs."""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from farm3d.cli.main import Messages, add_common_options, add_subcommand

if TYPE_CHECKING:
    from farm3d.eval.mask_scores import SegmentedPhotograph

SEGMENTERS = ("auto", "pointrend", "maskrcnn", "farm", "grabcut")
HEADER = "photograph                    mask by       IoU  bound F  confid.  rival  filter           seconds"


def add_masks(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand `masks`."""
    parser = add_subcommand(
        subcommands,
        "masks",
        _masks,
        description="Measure a segmenter on photographs whose masks are known.",
        examples=(
            "farm3d-eval masks ../photos --segmenter farm",
            "farm3d-eval masks ../photos --segmenter pointrend --segmenter-weights model_final.pkl",
        ),
    )
    parser.add_argument(
        "folder", type=Path, help="photographs NAME.jpg with NAME_mask.png, the truth, beside"
    )
    parser.add_argument("--pattern", default="*", help="photographs to score, without .jpg (default: all)")
    parser.add_argument("--category", metavar="NAME", help="what the animals are (default: any animal)")
    parser.add_argument(
        "--segmenter", default="auto", choices=SEGMENTERS, help="what makes the masks (default: auto)"
    )
    parser.add_argument(
        "--segmenter-weights", type=Path, metavar="FILE", help="weights of PointRend or Mask R-CNN"
    )
    add_common_options(parser, out=None, config=False, seed=False)


def _masks(arguments: argparse.Namespace, messages: Messages) -> int:
    from farm3d.cli.device import present_device
    from farm3d.eval.mask_scores import SegmentedPhotograph, score_segmenter
    from farm3d.pretrained.segmentation import make_segmenter

    device = present_device(arguments.device)
    segmenter = make_segmenter(arguments.segmenter, weights=arguments.segmenter_weights, device=device)
    if segmenter.notice:
        messages.say(segmenter.notice)
    scores: list[SegmentedPhotograph] = []
    for photograph in score_segmenter(
        arguments.folder, pattern=arguments.pattern, segmenter=segmenter, category=arguments.category
    ):
        if not scores:
            messages.result(HEADER)
        scores.append(photograph)
        messages.result(_line(photograph))
        if photograph.failure is not None:
            messages.say(photograph.failure)
    for line in _summary(scores):
        messages.result(line)
    return 0


def _line(photograph: "SegmentedPhotograph") -> str:
    found, score = photograph.segmentation, photograph.score
    confidence, rival = ("-", "-")
    if found is not None:
        confidence, rival = f"{found.confidence:.2f}", f"{found.rival_share:.2f}"
    iou, outline = ("-", "-") if score is None else (f"{score.iou:.3f}", f"{score.boundary_f:.3f}")
    return (
        f"{photograph.name:<28}  {'-' if found is None else found.source:<10}  {iou:>5}    {outline:>5}"
        f"    {confidence:>5}  {rival:>5}  {photograph.rejection or 'kept':<15}  {photograph.seconds:7.1f}"
    )


def _summary(photographs: "Sequence[SegmentedPhotograph]") -> Iterator[str]:
    """The means over those with a truth, and the filter's decisions over all."""
    scores = [photograph.score for photograph in photographs if photograph.score is not None]
    if scores:
        kept = [one.score.iou for one in photographs if one.score is not None and one.rejection is None]
        among = f"; {fmean(kept):.3f} of the {len(kept)} that the filter keeps" if kept else ""
        yield (
            f"mean of {len(scores)} with a true mask: IoU {fmean(score.iou for score in scores):.3f},"
            f" boundary F-score {fmean(score.boundary_f for score in scores):.3f}{among}"
        )
    decisions = Counter(photograph.rejection or "kept" for photograph in photographs)
    counted = ", ".join(f"{decision} {count}" for decision, count in decisions.most_common())
    yield f"the filter's decisions on {len(photographs)}: {counted}"

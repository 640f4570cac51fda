"""`farm3d-eval procedural`: what a checkpoint makes of pictures whose truth is known, in one table."""

import argparse
import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm3d.cli.main import Messages, add_common_options, add_subcommand, non_negative_int

if TYPE_CHECKING:
    from farm3d.data.image_folder import ImageDataSet
    from farm3d.eval.procedural import ProceduralScore, ReadingSummary
    from farm3d.eval.viewpoint import GlobalAlignment
    from farm3d.inference.refine import RefineConfig
    from farm3d.models.build import TrainedModel

SCHEMA_VERSION = 1


def add_procedural(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand `procedural`."""
    parser = add_subcommand(
        subcommands,
        "procedural",
        _procedural,
        description="Measure a checkpoint on pictures of the procedural farm, whose truth is known.",
        examples=(
            "farm3d-eval procedural --checkpoint runs/horse --out horse.json",
            "farm3d-eval procedural data/test --refine 0",
        ),
    )
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        help="a data set of farm3d-synth (default: 100 pictures of the category's fixed test seed)",
    )
    parser.add_argument("--category", metavar="NAME", help="which shipped checkpoint (default: the only one)")
    parser.add_argument("--checkpoint", metavar="FILE|RUN", help="another checkpoint")
    parser.add_argument("--refine", type=non_negative_int, metavar="N", help="steps of refinement")
    parser.add_argument(
        "--align-on",
        type=Path,
        metavar="DIR",
        help="training pictures on which the model's rotation and scale are fitted, the first 100"
        " (default: 100 pictures of farm3d-synth's seed 0)",
    )
    add_common_options(parser, out=None, config=False, device=False)
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="also write all figures to a JSON file")


@dataclass(frozen=True)
class _Figures:
    """What is shown and written."""

    pictures: int
    seed: int
    steps: int
    alignment: "GlobalAlignment"
    predicted: "ReadingSummary"
    refined: "ReadingSummary"


def _procedural(arguments: argparse.Namespace, messages: Messages) -> int:
    from farm3d.inference.refine import RefineConfig
    from farm3d.inference.session import find_checkpoint
    from farm3d.models.build import load_trained

    trained = load_trained(find_checkpoint(arguments.checkpoint, arguments.category))
    refinement = RefineConfig() if arguments.refine is None else RefineConfig(steps=arguments.refine)
    figures = _measure(arguments, trained, refinement, messages=messages)
    for line in _table(figures):
        messages.result(line)
    if arguments.out is not None:
        _write_figures(arguments.out, figures, trained)
    return 0


def _measure(
    arguments: argparse.Namespace, trained: "TrainedModel", refinement: "RefineConfig", *, messages: Messages
) -> _Figures:
    from farm3d.data.image_folder import open_data_set
    from farm3d.eval.keypoint_annotations import data_set_annotations
    from farm3d.eval.procedural import fit_alignment, score_procedural, summarise
    from farm3d.eval.procedural_sets import PICTURES, alignment_set, fixed_test_set
    from farm3d.inference.refine import RefineConfig

    with tempfile.TemporaryDirectory() as scratch:
        folders = [arguments.folder, arguments.align_on]
        test, training = (
            draw(trained.category, Path(scratch) / name, lambda done: None)
            if folder is None
            else open_data_set(folder)
            for folder, draw, name in zip(
                folders, (fixed_test_set, alignment_set), ("test", "fit"), strict=True
            )
        )
        training = replace(training, samples=training.samples[:PICTURES])
        unrefined = score_procedural(
            trained.model, training, refinement=RefineConfig(steps=0), novel_views=False
        )
        alignment = fit_alignment(_watched(unrefined, training, messages))
        scores = _watched(score_procedural(trained.model, test, refinement=refinement), test, messages)
        annotations = data_set_annotations(test)
    seed = arguments.seed or 0
    predicted, refined = (
        summarise(readings, scores, alignment=alignment, annotations=annotations, seed=seed)
        for readings in ([s.predicted for s in scores], [s.refined for s in scores])
    )
    return _Figures(len(scores), test.description["seed"], refinement.steps, alignment, predicted, refined)


def _watched(
    scores: "Iterator[ProceduralScore]", data: "ImageDataSet", messages: Messages
) -> "list[ProceduralScore]":
    from tqdm import tqdm

    return list(tqdm(scores, total=len(data), unit="picture", disable=messages.quiet))


def _table(figures: _Figures) -> Iterator[str]:
    """The figures of the networks and of refinement side by side, and what they mean."""
    rotation = figures.alignment.rotation
    angle = math.degrees(math.acos(max(-1.0, min(1.0, (float(rotation.trace()) - 1.0) / 2.0))))
    yield (
        f"{figures.pictures} pictures of seed {figures.seed}, {figures.steps} steps of refinement; aligned by"
        f" one rotation ({angle:.1f} degrees) and one scale ({figures.alignment.scale:.3f}) fitted on"
        " training pictures"
    )
    yield f"{'':<42}  predicted  refined"
    pair = (figures.predicted, figures.refined)
    for label, values in (
        ("mask IoU", [f"{s.iou:.3f}" for s in pair]),
        ("boundary F-score (0.8 % of the diagonal)", [f"{s.boundary_f:.3f}" for s in pair]),
        *_viewpoint_rows("viewpoint", [s.viewpoint for s in pair]),
        *_viewpoint_rows("aligned viewpoint", [s.aligned_viewpoint for s in pair]),
        ("size error, median (%)", [f"{100 * s.size_error:.1f}" for s in pair]),
        ("aligned size error, median (%)", [_percent(s.aligned_size_error) for s in pair]),
        ("keypoint transfer, PCK@0.1, pad 0 (%)", [_percent(s.keypoints and s.keypoints.pck) for s in pair]),
        ("novel views, PSNR (dB, range 1)", [_decimals(s.psnr, 2) for s in pair]),
        ("novel views, SSIM", [_decimals(s.ssim, 3) for s in pair]),
        ("novel views, L1 on the animals", [_decimals(s.masked_l1, 3) for s in pair]),
    ):
        yield f"{label:<42}  {values[0]:>9}  {values[1]:>7}"


def _viewpoint_rows(name: str, scores: Sequence[Any]) -> Iterator[tuple[str, list[str]]]:
    yield f"{name}, median error (degrees)", [f"{score.median_degrees:.1f}" for score in scores]
    yield f"{name}, within 30 degrees (%)", [_percent(score.within_30_degrees) for score in scores]
    yield f"{name}, front/back confused (%)", [_percent(score.front_back_confused) for score in scores]


def _decimals(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _write_figures(out: Path, figures: _Figures, trained: "TrainedModel") -> None:
    from farm3d import __version__
    from farm3d.io.atomic import write_bytes_atomically

    record = {
        "schema_version": SCHEMA_VERSION,
        "farm3d_version": __version__,
        "measure": "procedural",
        "category": trained.category,
        "checkpoint_sha256": trained.sha256,
        "pictures": figures.pictures,
        "seed": figures.seed,
        "refinement_steps": figures.steps,
        "alignment": {"rotation": figures.alignment.rotation.tolist(), "scale": figures.alignment.scale},
        "predicted": asdict(figures.predicted),
        "refined": asdict(figures.refined),
    }
    write_bytes_atomically(out, (json.dumps(record, indent=2) + "\n").encode())

"""`farm3d-eval procedural`: what a checkpoint makes of pictures whose truth is known, in one table."""

import argparse
import math
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from farm3d.cli.evaluation_output import add_output_options, provenance_of, refuse_outputs, write_outputs
from farm3d.cli.main import Messages, add_common_options, add_subcommand, non_negative_int
from farm3d.cli.model_options import add_model_options, chosen_model

if TYPE_CHECKING:
    from farm3d.data.image_folder import ImageDataSet
    from farm3d.eval.procedural import ProceduralScore
    from farm3d.eval.procedural_report import ProceduralFigures
    from farm3d.inference.refine import RefineConfig
    from farm3d.models.animal_model import AnimalModel


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
    add_model_options(parser)
    parser.add_argument("--refine", type=non_negative_int, metavar="N", help="steps of refinement")
    parser.add_argument(
        "--align-on",
        type=Path,
        metavar="DIR",
        help="training pictures on which the model's rotation and scale are fitted, the first 100"
        " (default: 100 pictures of farm3d-synth's seed 0)",
    )
    add_common_options(parser, out=None, config=False, device=False, seed=False)
    add_output_options(parser)


def _procedural(arguments: argparse.Namespace, messages: Messages) -> int:
    refuse_outputs(arguments)
    from farm3d.data.image_folder import read_description
    from farm3d.eval.procedural_report import procedural_report
    from farm3d.inference.refine import RefineConfig

    shown = None if arguments.folder is None else str(read_description(arguments.folder)["category"])
    checkpoint, trained = chosen_model(arguments, shown)
    refinement = RefineConfig() if arguments.refine is None else RefineConfig(steps=arguments.refine)
    with tempfile.TemporaryDirectory() as scratch:
        test, training = _data_sets(arguments, trained.category, Path(scratch))
        figures = _measure(trained.model, test, training, refinement=refinement, messages=messages)
        seed = test.description["seed"]
        config = {"category": trained.category, "seed": seed, "refinement_steps": refinement.steps}
        provenance = provenance_of(arguments, config, checkpoint=checkpoint, sha256=trained.sha256)
        report = procedural_report(figures, provenance=provenance)
    for line in _table(figures, seed=seed, steps=refinement.steps):
        messages.result(line)
    write_outputs(arguments, report)
    return 0


def _data_sets(
    arguments: argparse.Namespace, category: str, scratch: Path
) -> "tuple[ImageDataSet, ImageDataSet]":
    """Test and training pictures: the given ones, or the fixed ones drawn into `scratch`."""
    from farm3d.data.image_folder import open_data_set
    from farm3d.eval.procedural_sets import PICTURES, alignment_set, fixed_test_set

    def done(count: int) -> None:
        pass

    if arguments.folder is not None:
        test = open_data_set(arguments.folder)
    else:
        test = fixed_test_set(category, scratch / "test", done)
    if arguments.align_on is not None:
        training = open_data_set(arguments.align_on)
    else:
        training = alignment_set(category, scratch / "fit", done)
    return test, replace(training, samples=training.samples[:PICTURES])


def _measure(
    model: "AnimalModel",
    test: "ImageDataSet",
    training: "ImageDataSet",
    *,
    refinement: "RefineConfig",
    messages: Messages,
) -> "ProceduralFigures":
    from farm3d.eval.keypoint_annotations import data_set_annotations
    from farm3d.eval.procedural import fit_alignment, score_procedural, summarise
    from farm3d.eval.procedural_report import ProceduralFigures
    from farm3d.inference.refine import RefineConfig

    unrefined = score_procedural(model, training, refinement=RefineConfig(steps=0))
    alignment = fit_alignment(_watched(unrefined, training, messages))
    scored = score_procedural(model, test, refinement=refinement, alignment=alignment)
    scores = _watched(scored, test, messages)
    annotations = data_set_annotations(test)
    predicted, refined = (
        summarise(readings, scores, alignment=alignment, annotations=annotations)
        for readings in ([s.predicted for s in scores], [s.refined for s in scores])
    )
    return ProceduralFigures(scores, alignment, predicted, refined)


def _watched(
    scores: "Iterator[ProceduralScore]", data: "ImageDataSet", messages: Messages
) -> "list[ProceduralScore]":
    from tqdm import tqdm

    return list(tqdm(scores, total=len(data), unit="picture", disable=messages.quiet))


def _table(figures: "ProceduralFigures", *, seed: int, steps: int) -> Iterator[str]:
    """The figures of the networks and of refinement side by side, and what they mean."""
    from farm3d.eval.procedural_report import procedural_rows

    rotation = figures.alignment.rotation
    angle = math.degrees(math.acos(max(-1.0, min(1.0, (float(rotation.trace()) - 1.0) / 2.0))))
    yield (
        f"{len(figures.scores)} pictures of seed {seed}, {steps} steps of refinement; aligned by"
        f" one rotation ({angle:.1f} degrees) and one scale ({figures.alignment.scale:.3f}) fitted on"
        " training pictures"
    )
    yield f"{'':<42}  predicted  refined"
    for label, predicted, refined in procedural_rows(figures):
        yield f"{label:<42}  {predicted:>9}  {refined:>7}"

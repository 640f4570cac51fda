"""`farm3d-eval animodel`: a checkpoint on the public benchmark, images in, table out."""

import argparse
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm3d.cli.evaluate_chamfer import chamfer_run, measured_rows
from farm3d.cli.evaluation_output import add_output_options, provenance_of, refuse_outputs, write_outputs
from farm3d.cli.main import (
    USER_MISTAKE,
    Messages,
    add_common_options,
    add_subcommand,
    non_negative_int,
    positive_int,
)
from farm3d.cli.model_options import add_model_options, chosen_model

if TYPE_CHECKING:
    from farm3d.eval.animodel import SampleReconstruction
    from farm3d.inference.refine import RefineConfig
    from farm3d.models.build import TrainedModel


def add_animodel(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand `animodel`."""
    parser = add_subcommand(
        subcommands,
        "animodel",
        _animodel,
        description="Reconstruct Animodel's images and measure the Chamfer distance to its meshes.",
        examples=(
            "farm3d-eval animodel animodel/horse --category horse --meshes ours --out horse.json",
            "farm3d-eval animodel animodel --checkpoint runs/cow --workers 4 --report report",
        ),
    )
    parser.add_argument(
        "folder", type=Path, help="a category's folder with images/ and meshes/, or the benchmark's"
    )
    add_model_options(parser)
    parser.add_argument("--refine", type=non_negative_int, metavar="N", help="steps of refinement")
    parser.add_argument(
        "--meshes",
        type=Path,
        metavar="DIR",
        help="where reconstructions are kept: run again, it goes on where it was (default: they are not)",
    )
    parser.add_argument(
        "--workers", type=positive_int, default=1, metavar="N", help="processes that measure (default: 1)"
    )
    add_common_options(parser, out=None, config=False, device=False)
    add_output_options(parser)


def _animodel(arguments: argparse.Namespace, messages: Messages) -> int:
    refuse_outputs(arguments)
    from farm3d.inference.refine import RefineConfig

    checkpoint, trained = chosen_model(arguments, _species_of(arguments.folder))
    refinement = RefineConfig() if arguments.refine is None else RefineConfig(steps=arguments.refine)
    kept = arguments.meshes
    with tempfile.TemporaryDirectory() if kept is None else nullcontext(str(kept)) as meshes:
        found = _reconstructed(arguments, trained, refinement, meshes=Path(meshes), messages=messages)
        config = {
            "category": trained.category,
            "refinement_steps": refinement.steps,
            "frame of the meshes": "object frame: y up, the head towards +z",
        }
        provenance = provenance_of(arguments, config, checkpoint=checkpoint, sha256=trained.sha256)
        return _measured(arguments, found, provenance, messages=messages)


def _species_of(folder: Path) -> str | None:
    """The species that ships whose folder this is, or the only one with a folder in it."""
    from farm3d.models.build import shipped_categories

    inside = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    found = set(shipped_categories()).intersection([folder.name, *inside])
    return found.pop() if len(found) == 1 else None


def _reconstructed(
    arguments: argparse.Namespace,
    trained: "TrainedModel",
    refinement: "RefineConfig",
    *,
    meshes: Path,
    messages: Messages,
) -> "list[SampleReconstruction]":
    from tqdm import tqdm

    from farm3d.eval.animodel import find_samples, reconstruct_samples

    samples = find_samples(arguments.folder, trained.category)
    made = reconstruct_samples(trained, samples, meshes, refinement=refinement)
    found = list(tqdm(made, total=len(samples), unit="image", disable=arguments.quiet))
    for entry in found:
        if entry.failure is not None:
            messages.error(entry.failure)
    return found


def _measured(
    arguments: argparse.Namespace,
    found: "list[SampleReconstruction]",
    provenance: Any,
    *,
    messages: Messages,
) -> int:
    from farm3d.eval.chamfer.pairs import Pair
    from farm3d.eval.chamfer.rows import FailedPair, to_table
    from farm3d.eval.chamfer_report import chamfer_report

    pairs = [Pair(entry.sample.name, entry.mesh, entry.sample.mesh) for entry in found if not entry.failure]
    run, journal = chamfer_run(arguments)
    by_name = {row.name: row for row in measured_rows(pairs, run, journal, messages=messages)}
    rows = [
        by_name.get(entry.sample.name) or FailedPair(entry.sample.name, entry.failure or "")
        for entry in found
    ]
    report = chamfer_report(
        rows,
        pairs,
        provenance=provenance,
        images={entry.sample.name: entry.sample.image for entry in found},
        azimuths_degrees={
            entry.sample.name: entry.azimuth_degrees for entry in found if entry.azimuth_degrees is not None
        },
    )
    write_outputs(arguments, report)
    if journal is not None:
        journal.remove()
    messages.result(to_table(rows))
    return USER_MISTAKE if any(isinstance(row, FailedPair) for row in rows) else 0

"""A run of farm3d-infer: one model, many photographs, one folder of results."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from farm3d.errors import CheckpointError, InputError
from farm3d.inference.export import ExportOptions, Stopwatch, write_result
from farm3d.inference.reconstruct import reconstruct
from farm3d.inference.refine import RefineConfig
from farm3d.io.atomic import replacing_folder, write_bytes_atomically
from farm3d.io.html_report import IndexEntry, index_html
from farm3d.io.image import read_image
from farm3d.io.inputs import InputImage
from farm3d.models.build import TrainedModel, load_trained, shipped_checkpoint
from farm3d.pretrained.hub import fetch_checkpoint, is_hub_id
from farm3d.pretrained.segmentation import GIVEN_OR_GRABCUT, MaskSource, segment
from farm3d.types import ShapePrior


@dataclass(frozen=True)
class MaskOptions:
    """Where masks come from, a mask file for a single photograph, and which of several animals is meant."""

    source: MaskSource = GIVEN_OR_GRABCUT
    mask_path: Path | None = None
    instance: int | None = None


@dataclass(frozen=True)
class Session:
    """What all photographs of a run share."""

    out: Path
    trained: TrainedModel
    prior: ShapePrior
    masks: MaskOptions
    refinement: RefineConfig
    options: ExportOptions
    loading_seconds: float


@dataclass(frozen=True)
class Outcome:
    """One finished result: its line for the index, what to doubt, and how it went in one line."""

    entry: IndexEntry
    warnings: tuple[str, ...]
    summary: str


def open_session(
    out: Path, checkpoint: Path, *, masks: MaskOptions, refinement: RefineConfig, options: ExportOptions
) -> Session:
    """Load the model and make the folder `out`; raises a Farm3DError where that cannot be."""
    stopwatch = Stopwatch()
    with stopwatch.stage("load"):
        trained = load_trained(checkpoint)
        with torch.no_grad():
            prior = trained.model.prior()
    _make_folder(out)
    return Session(out, trained, prior, masks, refinement, options, stopwatch.seconds["load"])


def find_checkpoint(checkpoint: str | None, category: str | None) -> Path:
    """The file or run folder that --checkpoint names, or the shipped checkpoint of the category."""
    if checkpoint is None:
        return shipped_checkpoint(category)
    path = Path(checkpoint)
    if path.exists():
        return path
    if is_hub_id(checkpoint):
        return fetch_checkpoint(checkpoint)
    raise CheckpointError(f"{checkpoint}: no such file or folder, and not a hub id (owner/name)")


def reconstruct_file(session: Session, image: InputImage) -> Outcome:
    """Read, segment, reconstruct and write one photograph; the result folder appears when complete."""
    stopwatch = Stopwatch({"load": session.loading_seconds})
    with stopwatch.stage("read"):
        source = read_image(image.path)
    with stopwatch.stage("segment"):
        segmentation = segment(
            source,
            image.path,
            segmenter=session.masks.source,
            category=session.trained.category,
            mask_path=session.masks.mask_path,
            number=session.masks.instance,
        )
    with stopwatch.stage("reconstruct"):
        result = reconstruct(
            session.trained.model,
            session.prior,
            source.pixels,
            segmentation=segmentation,
            refinement=session.refinement,
        )
    with replacing_folder(session.out / image.name) as folder:
        write_result(
            folder,
            image.name,
            result,
            pixels=source.pixels,
            trained=session.trained,
            options=session.options,
            stopwatch=stopwatch,
        )
    seconds = sum(stopwatch.seconds.values())
    warnings = segmentation.warnings
    entry = IndexEntry(
        title=image.name,
        folder=image.name,
        thumbnail="overlay.png",
        links=(("report", "report.html"), ("GLB", "animal.glb"), ("turntable", "turntable.mp4")),
        warnings=warnings,
    )
    summary = (
        f"{image.path}: mask from {session.masks.source.maker_of(segmentation)},"
        f" IoU {result.initial_iou:.2f} predicted, {result.iou:.2f} refined,"
        f" {seconds:.1f} s -> {session.out / image.name}"
    )
    return Outcome(entry, warnings, summary)


def write_index(session: Session, entries: Sequence[IndexEntry]) -> None:
    """Write index.html over the results of this run."""
    write_bytes_atomically(session.out / "index.html", index_html(entries).encode())


def _make_folder(out: Path) -> None:
    """Make `out` before minutes of work, so that a folder that cannot be written says so at once."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot write results there ({error.strerror or error})") from None

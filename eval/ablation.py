"""The rows of the ablation: what of the training method is left out in each, and what it scored.

A row is a run of farm3d-train with a preset and overrides; so every figure has a command.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from farm3d.config import StrictConfig, parse_config
from farm3d.errors import InputError
from farm3d.io.atomic import write_bytes_atomically

from .leg_count import LegCount

PRESET = "small/ablation"

SEEDS = (0, 1, 2)
"""Of the rows that are repeated; the others take the first."""

NEVER = 10**9
"""A step that no run reaches."""


@dataclass(frozen=True)
class Row:
    """One row: the settings that differ from the preset's, `None` for a baseline that is not trained."""

    name: str
    title: str
    overrides: tuple[str, ...] | None = ()
    repeated: bool = False


NO_GUIDANCE = ("guidance.source=none", "weights.distillation=0")
WITH_TRUTH = ("supervision=truth", "prior_steps=300", *NO_GUIDANCE)

ROWS = (
    Row("full", "the full method", repeated=True),
    Row("no-sds", "without virtual views (SDS)", NO_GUIDANCE, repeated=True),
    Row("no-view-words", "SDS without view words", ("guidance.view_words=false",)),
    Row("no-features", "without features", ("weights.features=0",), repeated=True),
    Row("no-hypotheses", "one direct viewpoint, no hypotheses", ("model.viewpoint=direct",)),
    Row("no-articulation", "without articulation", (f"images.articulation_from={NEVER}",)),
    Row("no-deformation", "without deformation", (f"images.deformation_from={NEVER}",)),
    Row("supervised", "with supervised terms (upper reference)", WITH_TRUTH),
    Row("mean-shape", "mean shape at rest, constant view (no training)", None),
)


class Values(StrictConfig):
    """Of every test picture, in the order of the set; `None` where a prediction has no volume.

    `psnr` and `unseen_iou` are means over the novel views, viewpoint errors are in degrees.
    """

    chamfer: tuple[float | None, ...]
    unseen_side: tuple[float | None, ...]
    mean_shape_chamfer: tuple[float | None, ...]
    iou: tuple[float, ...]
    viewpoint_error: tuple[float, ...]
    raw_viewpoint_error: tuple[float, ...]
    psnr: tuple[float, ...]
    unseen_iou: tuple[float, ...]


class RunScore(StrictConfig):
    """What one run scored; `checkpoint` is the SHA-256 of what was measured (of the mean shape: "")."""

    row: str
    seed: int
    command: str
    checkpoint: str
    steps: int
    minutes: float
    """Of training, from the seconds of the steps that were logged."""
    values: Values
    pck: float
    legs: LegCount
    """Of the category's shape."""


def seeds_of(row: Row, seeds: Sequence[int]) -> Sequence[int]:
    """The seeds with which a row is run."""
    return seeds if row.repeated else seeds[:1]


def run_folder(out: Path, row: Row, seed: int) -> Path:
    """Where a row is trained."""
    return out / f"{row.name}-{seed}"


def score_file(out: Path, row: Row, seed: int) -> Path:
    """Where a run's score is kept."""
    return out / "scores" / f"{row.name}-{seed}.json"


def write_score(score: RunScore, path: Path) -> None:
    """Write a score; raises InputError where the file cannot be written."""
    write_bytes_atomically(path, (json.dumps(score.model_dump(mode="json")) + "\n").encode())


def read_score(path: Path) -> RunScore:
    """The score in a file; raises InputError where it cannot be read, ConfigError where it is none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(
            f"{path}: not a score of farm3d-bench ablation; remove it to measure again"
        ) from None
    return parse_config(RunScore, values, source=str(path))


def read_scores(out: Path) -> dict[str, list[RunScore]]:
    """All scores in the folder by the names of their rows, both in order; rows without one are left out."""
    found = {row.name: sorted((out / "scores").glob(f"{row.name}-*.json")) for row in ROWS}
    read = {name: [read_score(path) for path in paths] for name, paths in found.items() if paths}
    return {name: sorted(scores, key=lambda score: score.seed) for name, scores in read.items()}

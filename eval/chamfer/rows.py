"""What a run writes: a row for each pair or why there is none, summaries, JSON, CSV and a table."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from statistics import fmean, stdev
from typing import Any

import numpy as np

import farm3d

from .protocol import ChamferProtocol
from .score import ChamferScore

SCHEMA = 1
"""Version of the JSON."""

FLOOR = 0.0024
"""About what identical surfaces score (scaled): 60,000 points are drawn of each; for slender ones less."""


@dataclass(frozen=True)
class PairRow:
    """The figures of one pair: distances in units of the target, `chamfer_scaled` of its largest extent."""

    name: str
    chamfer: float
    chamfer_scaled: float
    target_to_reconstruction: float
    reconstruction_to_target: float
    rotated_180: bool
    f_score: float
    precision: float
    recall: float
    volumetric_iou: float
    rms_chamfer: float


@dataclass(frozen=True)
class FailedPair:
    """A pair that could not be measured."""

    name: str
    reason: str


Row = PairRow | FailedPair
FIGURES = tuple(field.name for field in fields(PairRow) if field.name not in ("name", "rotated_180"))

_TABLE = (
    ("Chamfer distance", "chamfer"),
    ("  target to reconstruction", "target_to_reconstruction"),
    ("  reconstruction to target", "reconstruction_to_target"),
    ("Chamfer distance, scaled", "chamfer_scaled"),
    ("F-score at 1 % of the extent", "f_score"),
    ("  precision", "precision"),
    ("  recall", "recall"),
    ("volumetric IoU", "volumetric_iou"),
    ("RMS Chamfer distance", "rms_chamfer"),
)


def pair_row(name: str, score: ChamferScore) -> PairRow:
    """The row of a measured pair."""
    return PairRow(
        name=name,
        chamfer=score.chamfer,
        chamfer_scaled=score.chamfer_scaled,
        target_to_reconstruction=score.distances.to_reconstruction,
        reconstruction_to_target=score.distances.to_target,
        rotated_180=score.rotated_180,
        **asdict(score.measures),
    )


def to_json(rows: Sequence[Row], *, protocol: ChamferProtocol, seed: int) -> bytes:
    """The document of a run: no times and no paths, so that equal results are equal bytes.

    `std` divides by one less than the number of pairs, and is null for a single one.
    """
    measured = [row for row in rows if isinstance(row, PairRow)]
    document: dict[str, Any] = {
        "schema_version": SCHEMA,
        "measure": "chamfer",
        "versions": {"farm3d": farm3d.__version__, "numpy": np.__version__},
        "protocol": asdict(protocol),
        "seed": seed,
        "floor_chamfer_scaled": FLOOR,
        "mean": {figure: mean(measured, figure) for figure in FIGURES},
        "std": {figure: deviation(measured, figure) for figure in FIGURES},
        "failed": [asdict(row) for row in rows if isinstance(row, FailedPair)],
        "pairs": [asdict(row) for row in measured],
    }
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def to_csv(rows: Sequence[Row]) -> bytes:
    """One line for each measured pair, under the names of the JSON."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(PairRow)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        if isinstance(row, PairRow):
            writer.writerow(asdict(row) | {"rotated_180": int(row.rotated_180)})
    return text.getvalue().encode()


def to_table(rows: Sequence[Row]) -> str:
    """Mean and deviation of every figure, with the counts."""
    measured = [row for row in rows if isinstance(row, PairRow)]
    rotated = sum(row.rotated_180 for row in measured)
    head = (
        f"{len(measured)} pairs, {rotated} of them turned by 180 degrees; {len(rows) - len(measured)} failed"
    )
    if not measured:
        return head
    lines = [
        f"{title:<30} {mean(measured, figure):.6f} +- {_shown(deviation(measured, figure))}"
        for title, figure in _TABLE
    ]
    note = (
        f"distances in units of the targets (Animodel: metres); identical surfaces score about {FLOOR} scaled"
    )
    return "\n".join((head, *lines, note))


def mean(rows: Sequence[PairRow], figure: str) -> float | None:
    """The mean of a figure; `None` of none."""
    return fmean(getattr(row, figure) for row in rows) if rows else None


def deviation(rows: Sequence[PairRow], figure: str) -> float | None:
    """The sample's standard deviation (divided by one less than their number); `None` of fewer than two."""
    return stdev([getattr(row, figure) for row in rows]) if len(rows) > 1 else None


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.6f}"

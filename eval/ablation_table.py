"""The ablation's scores as a table: for reading (Markdown) and for machines (JSON)."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import numpy as np

from farm3d.io.atomic import write_bytes_atomically

from .ablation import ROWS, Row, RunScore
from .benchmarks.tables import Table, as_markdown
from .bootstrap import RelativeDifference, paired_difference
from .viewpoint import WITHIN_DEGREES

Scores = Mapping[str, Sequence[RunScore]]
"""Of every row, one a seed."""

Figure = Callable[[RunScore], float | None]


def _mean(values: Sequence[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return fmean(found) if found else None


def _within(errors: Sequence[float]) -> float:
    return fmean(error <= WITHIN_DEGREES for error in errors)


FIGURES: dict[str, Figure] = {
    "chamfer": lambda score: _mean(score.values.chamfer),
    "viewpoint_median": lambda score: median(score.values.viewpoint_error),
    "viewpoint_within_30": lambda score: _within(score.values.viewpoint_error),
    "raw_viewpoint_median": lambda score: median(score.values.raw_viewpoint_error),
    "raw_viewpoint_within_30": lambda score: _within(score.values.raw_viewpoint_error),
    "iou": lambda score: fmean(score.values.iou),
    "pck": lambda score: score.pck,
    "psnr": lambda score: fmean(score.values.psnr),
    "unseen_iou": lambda score: fmean(score.values.unseen_iou),
    "unseen_side": lambda score: _mean(score.values.unseen_side),
    "without_volume": lambda score: float(sum(value is None for value in score.values.chamfer)),
    "minutes": lambda score: score.minutes,
}
"""One number a run. Chamfer distances are scaled and their means leave out pictures `without_volume`."""

COLUMNS = {
    "chamfer": ("Chamfer", 4, 1.0),
    "viewpoint_median": ("viewpoint error, degrees", 1, 1.0),
    "viewpoint_within_30": ("within 30 degrees, %", 1, 100.0),
    "iou": ("mask IoU", 3, 1.0),
    "pck": ("PCK@0.1, %", 1, 100.0),
    "psnr": ("unseen: PSNR, dB", 2, 1.0),
    "unseen_iou": ("unseen: mask IoU", 3, 1.0),
    "unseen_side": ("unseen: Chamfer", 4, 1.0),
}
"""Of each figure shown: heading, decimals, and what it is multiplied by."""


def write_tables(scores: Scores, out: Path) -> str:
    """Write table.md and table.json into `out`; returns the former."""
    text = as_markdown(ablation_table(scores)) + "\n\n" + _commands(scores)
    write_bytes_atomically(out / "table.md", text.encode())
    data = json.dumps(
        {"rows": [_row_values(scores[r.name]) | {"row": r.name} for r in _rows(scores)]}, indent=1
    )
    write_bytes_atomically(out / "table.json", f"{data}\n".encode())
    return text


def ablation_table(scores: Scores) -> Table:
    """A row for each row that has a score: means over the seeds, with their standard deviation from two on.

    "less mean shape" is the paired difference of the Chamfer distance from the mean shape's, with the 95 %
    bootstrap interval over pictures; "legs" are the components of a cut through the category's shape.
    """
    head = ["row", "seeds", *(heading for heading, _, _ in COLUMNS.values()), "less mean shape, %", "legs"]
    return [head, *([row.title, *_cells(scores[row.name])] for row in _rows(scores))]


def against_mean_shape(scores: Sequence[RunScore]) -> RelativeDifference | None:
    """A row's Chamfer distances, means over its seeds, against the mean shape's on the same pictures.

    Pictures in which a seed's prediction has no volume are left out.
    """
    values = np.array([score.values.chamfer for score in scores], dtype=np.float64).mean(axis=0)
    others = np.array(scores[0].values.mean_shape_chamfer, dtype=np.float64)
    kept = np.isfinite(values) & np.isfinite(others)
    return paired_difference(values[kept], others[kept]) if kept.any() else None


def _rows(scores: Scores) -> list[Row]:
    return [row for row in ROWS if row.name in scores]


def _cells(scores: Sequence[RunScore]) -> list[str]:
    cells = [", ".join(str(score.seed) for score in scores)]
    for name, (_, digits, factor) in COLUMNS.items():
        values = [value * factor for score in scores if (value := FIGURES[name](score)) is not None]
        spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
        cells.append(f"{fmean(values):.{digits}f}{spread}" if values else "-")
    cells.append(_difference(against_mean_shape(scores)))
    cells.append(", ".join(f"{s.legs.components}{' (four legs)' * s.legs.four_legs}" for s in scores))
    return cells


def _difference(found: RelativeDifference | None) -> str:
    if found is None:
        return "-"
    share, low, high = (100.0 * value for value in (found.share, found.interval.low, found.interval.high))
    return f"{share:+.1f} ({low:+.1f} to {high:+.1f})"


def _row_values(scores: Sequence[RunScore]) -> dict[str, Any]:
    found = against_mean_shape(scores)
    return {
        "seeds": [score.seed for score in scores],
        "figures": {name: [figure(score) for score in scores] for name, figure in FIGURES.items()},
        "less_mean_shape": None
        if found is None
        else {
            "share": found.share,
            "interval": [found.interval.low, found.interval.high],
            "pictures": found.images,
        },
        "legs": [score.legs.model_dump() | {"four_legs": score.legs.four_legs} for score in scores],
        "commands": [score.command for score in scores],
        "checkpoints": [score.checkpoint for score in scores],
    }


def _commands(scores: Scores) -> str:
    lines = [score.command for row in _rows(scores) for score in scores[row.name] if score.command]
    return "```sh\n" + "\n".join(lines) + "\n```\n"

"""Figures over many photographs, and their report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from farm3d.io.html_report import Table

from .leg_count import LegCount
from .photographs import FailedPhotograph, PhotographScore
from .report import Case, Plot, Provenance, Report
from .report_figures import histogram, pck_curve, share_within

SIDES = ("left", "right")
READINGS = ("predicted", "refined")
PCK_THRESHOLD = 0.1

HEADER = (
    *("photograph", "model", "IoU", "refined", "boundary F", "refined", "keypoints", "error", "refined"),
    *("head", "said", "deformation", "folded", "legs", "asymmetry", "seconds"),
)
LEGEND = "the silhouette's outline in orange, the given mask's in white"
KEYPOINT_LEGEND = "annotated keypoints as blue dots, projected ones as yellow crosses"


@dataclass(frozen=True)
class KeypointSummary:
    """Mean errors (shares of the box's longer side) of one keypoint, before and after refinement."""

    name: str
    point: str
    count: int
    predicted: float
    refined: float


def head_counts(scores: Sequence[PhotographScore]) -> dict[str, tuple[int, int]]:
    """For each annotated side of the head how many are right, and of how many."""
    counts = {}
    for side in SIDES:
        said = [score for score in scores if score.annotated_head == side]
        counts[side] = (sum(score.head == side for score in said), len(said))
    return counts


def keypoint_summaries(scores: Sequence[PhotographScore]) -> list[KeypointSummary]:
    """One entry for each annotated name, sorted."""
    found = [keypoint for score in scores for keypoint in score.keypoints]
    summaries = []
    for name in sorted({keypoint.name for keypoint in found}):
        chosen = [keypoint for keypoint in found if keypoint.name == name]
        points = sorted({keypoint.point for keypoint in chosen})
        summaries.append(
            KeypointSummary(
                name,
                "/".join(points),
                len(chosen),
                fmean(keypoint.predicted_error for keypoint in chosen),
                fmean(keypoint.refined_error for keypoint in chosen),
            )
        )
    return summaries


def keypoint_error(score: PhotographScore, reading: str) -> float | None:
    """The mean error of a photograph's keypoints before (`predicted`) or after refinement (`refined`)."""
    return _mean([getattr(keypoint, f"{reading}_error") for keypoint in score.keypoints])


def photograph_metrics(scores: Sequence[PhotographScore]) -> dict[str, Any]:
    """The means over photographs, heads by side, and keypoints; `None` where nothing could be measured."""
    masked = [score for score in scores if score.refined is not None]
    errors = {reading: _errors(scores, reading) for reading in READINGS}
    return {
        "photographs": len(scores),
        "masks": len(masked),
        "iou": {reading: _mean([getattr(s, reading).iou for s in masked]) for reading in READINGS},
        "boundary_f": {
            reading: _mean([getattr(s, reading).boundary_f for s in masked]) for reading in READINGS
        },
        "head": {side: {"right": right, "of": of} for side, (right, of) in head_counts(scores).items()},
        "keypoints": {
            "count": len(errors["refined"]),
            "mean_error": {reading: _mean(errors[reading]) for reading in READINGS},
            f"pck_{PCK_THRESHOLD:g}": {reading: _within(errors[reading]) for reading in READINGS},
            "by_name": [vars(summary) for summary in keypoint_summaries(scores)],
        },
        "deformation": {
            "mean": _mean([score.deformation for score in scores]),
            "largest": max((score.deformation for score in scores), default=None),
        },
        "folded_faces": sum(score.folded_faces for score in scores),
        "four_legs": sum(score.legs.four_legs for score in scores),
        "largest_asymmetry": max((score.asymmetry for score in scores), default=None),
        "mean_seconds": _mean([score.seconds for score in scores]),
        "median_seconds": median(score.seconds for score in scores) if scores else None,
    }


def photograph_report(
    scores: Sequence[PhotographScore], failed: Sequence[FailedPhotograph], *, provenance: Provenance
) -> Report:
    """The report of scored photographs, the worst first."""
    ordered = sorted(scores, key=_badness, reverse=True)
    return Report(
        benchmark="photos",
        title="Reconstructions of photographs",
        provenance=provenance,
        metrics=photograph_metrics(scores) | {"failed": [vars(entry) for entry in failed]},
        rows=[_row(score) for score in scores],
        tables=_tables(scores, ordered),
        plots=_plots(scores),
        cases={"Photographs, the worst first": [_case(score) for score in ordered]},
        warnings=tuple(f"{entry.name}: {entry.reason}" for entry in failed),
    )


def _badness(score: PhotographScore) -> tuple[float, float]:
    """Small silhouettes' overlap is bad; photographs without a mask come last, by their keypoints."""
    error = keypoint_error(score, "refined") or 0.0
    return (-1.0 if score.refined is None else 1.0 - score.refined.iou, error)


def _row(score: PhotographScore) -> dict[str, Any]:
    row: dict[str, Any] = {"name": score.name, "species": score.species}
    for reading in READINGS:
        mask = getattr(score, reading)
        row[reading] = {
            "iou": None if mask is None else mask.iou,
            "boundary_f": None if mask is None else mask.boundary_f,
            "keypoint_error": keypoint_error(score, reading),
        }
    row |= {"head": score.head, "annotated_head": score.annotated_head}
    row |= {"deformation": score.deformation, "folded_faces": score.folded_faces}
    row["legs"] = score.legs.model_dump() | {"four_legs": score.legs.four_legs}
    row |= {"asymmetry": score.asymmetry, "seconds": score.seconds}
    row["doubts"] = list(score.doubts)
    row["keypoints"] = [
        {
            "name": keypoint.name,
            "point": keypoint.point,
            "annotated": keypoint.annotated.tolist(),
            "projected": [round(value, 2) for value in keypoint.projected.tolist()],
            "predicted_error": keypoint.predicted_error,
            "refined_error": keypoint.refined_error,
        }
        for keypoint in score.keypoints
    ]
    return row


def _tables(scores: Sequence[PhotographScore], ordered: Sequence[PhotographScore]) -> tuple[Table, ...]:
    metrics = photograph_metrics(scores)
    pairs: tuple[tuple[str, Mapping[str, float | None]], ...] = (
        ("mask IoU", metrics["iou"]),
        ("boundary F-score (0.8 % of the diagonal)", metrics["boundary_f"]),
        ("keypoint error (share of the box's longer side)", metrics["keypoints"]["mean_error"]),
        ("keypoints within 0.1 of it", metrics["keypoints"][f"pck_{PCK_THRESHOLD:g}"]),
    )
    means = [(label, *(shown(values[reading]) for reading in READINGS)) for label, values in pairs]
    for side, (right, of) in head_counts(scores).items():
        means.append((f"head side correct, of those that point {side}", "", f"{right} of {of}"))
    means.append(("four legs at rest", "", f"{metrics['four_legs']} of {len(scores)}"))
    tables = [Table("Means", ("", *READINGS), tuple(means))]
    rows = tuple(_cells(score) for score in ordered)
    tables.append(Table("Photographs, the worst first", HEADER, rows))
    keypoints = tuple(
        (entry.name, entry.point, str(entry.count), f"{entry.predicted:.3f}", f"{entry.refined:.3f}")
        for entry in keypoint_summaries(scores)
    )
    if keypoints:
        tables.append(
            Table("Keypoints", ("annotated", "compared with", "count", "error", "refined"), keypoints)
        )
    return tuple(tables)


def _cells(score: PhotographScore) -> tuple[str, ...]:
    masks = (score.predicted, score.refined)
    return (
        score.name,
        score.species,
        *(shown(None if mask is None else mask.iou) for mask in masks),
        *(shown(None if mask is None else mask.boundary_f) for mask in masks),
        str(len(score.keypoints) or "-"),
        *(shown(keypoint_error(score, reading)) for reading in READINGS),
        score.head,
        score.annotated_head or "-",
        f"{score.deformation:.4f}",
        str(score.folded_faces),
        legs_shown(score.legs),
        f"{score.asymmetry:.5f}",
        f"{score.seconds:.1f}",
    )


def _plots(scores: Sequence[PhotographScore]) -> tuple[Plot, ...]:
    plots = []
    masked = [score for score in scores if score.refined is not None]
    if masked:
        overlaps = {reading: [getattr(s, reading).iou for s in masked] for reading in READINGS}
        plots.append(
            Plot(
                "iou",
                f"Mask IoU of {len(masked)} photographs",
                f"Histograms of the mask IoU; medians {_medians(overlaps)}",
                histogram(overlaps, label="mask IoU"),
            )
        )
    errors = {reading: _errors(scores, reading) for reading in READINGS}
    if errors["refined"]:
        within = ", ".join(f"{name} {100 * (_within(values) or 0):.0f} %" for name, values in errors.items())
        plots += [
            Plot(
                "keypoint_errors",
                f"Errors of {len(errors['refined'])} keypoints",
                f"Histograms of keypoint errors; medians {_medians(errors)} of the box's longer side",
                histogram(errors, label="keypoint error, share of the box's longer side"),
            ),
            Plot(
                "pck",
                "Keypoints within a threshold (dotted: 0.1)",
                f"Curves of keypoints within a threshold; at 0.1: {within}",
                pck_curve({name: share_within(values) for name, values in errors.items()}),
            ),
        ]
    return tuple(plots)


def _case(score: PhotographScore) -> Case:
    parts = ["no mask given" if score.refined is None else f"IoU {score.refined.iou:.3f}"]
    error = keypoint_error(score, "refined")
    if error is not None:
        parts.append(f"{len(score.keypoints)} keypoints off by {error:.3f}")
    if score.annotated_head not in (None, score.head):
        parts.append(f"head {score.head} instead of {score.annotated_head}")
    legend = LEGEND if not score.keypoints else f"{LEGEND}, {KEYPOINT_LEGEND}"
    return Case(
        f"{score.name}: {', '.join([*parts, *score.doubts])}",
        f"The photograph {score.name} with {legend}",
        score.picture,
    )


def _errors(scores: Sequence[PhotographScore], reading: str) -> list[float]:
    return [getattr(keypoint, f"{reading}_error") for score in scores for keypoint in score.keypoints]


def _within(errors: Sequence[float]) -> float | None:
    return _mean([float(error < PCK_THRESHOLD) for error in errors])


def _medians(values: Mapping[str, Sequence[float]]) -> str:
    return ", ".join(f"{name} {median(sample):.3f}" for name, sample in values.items())


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def legs_shown(legs: LegCount) -> str:
    """How many; an exclamation mark where they are not two on each side both ways."""
    return f"{legs.left + legs.right}{'' if legs.four_legs else '!'}"


def shown(value: float | None) -> str:
    """Three digits, or a dash where there is nothing."""
    return "-" if value is None else f"{value:.3f}"

"""The report of a keypoint transfer: figures, the curve, and the best and worst pairs as pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from farm3d.io.html_report import Table
from farm3d.io.image import read_image

from .bootstrap import Interval
from .keypoint_annotations import KeypointAnnotations
from .keypoint_transfer import KeypointTransfer, TransferScore
from .photograph_pictures import draw_photograph, enlarged
from .report import Case, Plot, Provenance, Report, best_median_worst
from .report_figures import histogram, pck_curve

SHOWN_ERROR = 0.5
"""Larger errors (shares of the box) all go into the last bin of the histogram."""

LEAST_KEYPOINTS = 3
"""Pairs with fewer keypoints visible in both images are not shown as cases."""


def transfer_report(
    annotations: KeypointAnnotations,
    transfer: KeypointTransfer,
    score: TransferScore,
    *,
    provenance: Provenance,
    pictures: bool,
) -> Report:
    """The report of one set of predictions; `pictures` adds pairs as pictures, which must be there."""
    errors = np.minimum(transfer.errors[transfer.counted], SHOWN_ERROR).tolist()
    return Report(
        benchmark="keypoint-transfer",
        title="Keypoint transfer",
        provenance=provenance,
        metrics=transfer_metrics(score) | {"animals": transfer.images, "pairs": len(transfer.pairs)},
        rows=_rows(annotations, transfer, threshold=score.threshold),
        tables=(_keypoint_table(score),),
        plots=(
            Plot(
                "pck",
                f"PCK, the mean over keypoints (dotted: {score.threshold:g})",
                f"PCK against its threshold; at {score.threshold:g} it is {100 * score.pck:.1f} %",
                pck_curve({"PCK": score.curve}),
            ),
            Plot(
                "errors",
                f"Errors of {len(errors)} transferred keypoints; those above {SHOWN_ERROR} in the last bin",
                "Histogram of the errors as shares of the box's longer side",
                histogram({"transferred": errors}, label="error, share of the box's longer side"),
            ),
        ),
        cases=_cases(annotations, transfer) if pictures else None,
    )


def transfer_metrics(score: TransferScore) -> dict[str, Any]:
    """A score as JSON values."""
    return {
        "threshold": score.threshold,
        "pck": score.pck,
        "pck_interval": interval_ends(score.interval),
        "interval": "95 %, percentiles of a bootstrap over images",
        "keypoints": [
            {
                "name": keypoint.name,
                "transfers": keypoint.transfers,
                "pck": keypoint.pck,
                "pck_interval": interval_ends(keypoint.interval),
            }
            for keypoint in score.keypoints
        ],
        "curve": [{"threshold": threshold, "pck": pck} for threshold, pck in score.curve],
    }


def interval_ends(interval: Interval | None) -> list[float] | None:
    """Low and high end; `None` of nothing."""
    return None if interval is None else [interval.low, interval.high]


def percent_interval(interval: Interval | None) -> str:
    """An interval of shares in percent, for people."""
    return "-" if interval is None else f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"


def _keypoint_table(score: TransferScore) -> Table:
    rows = [
        (
            keypoint.name,
            str(keypoint.transfers),
            "-" if keypoint.pck is None else f"{100 * keypoint.pck:.1f}",
            percent_interval(keypoint.interval),
        )
        for keypoint in score.keypoints
    ]
    rows.append(("mean over keypoints", "", f"{100 * score.pck:.1f}", percent_interval(score.interval)))
    header = ("keypoint", "transfers", f"PCK@{score.threshold:g} (%)", "95 % interval")
    return Table("Keypoints", header, tuple(rows))


def _rows(
    annotations: KeypointAnnotations, transfer: KeypointTransfer, *, threshold: float
) -> list[dict[str, Any]]:
    """For each animal how many keypoints came to it and to others from it, and the shares that are right."""
    correct = transfer.counted & (transfer.errors < threshold)
    counts = {}
    for role, indices in zip(("source", "target"), transfer.pairs.T, strict=True):
        transfers, right = (
            np.bincount(indices, weights=kept.sum(axis=1), minlength=transfer.images)
            for kept in (transfer.counted, correct)
        )
        counts[role] = [
            {"transfers": int(number), "right": None if number == 0 else float(good / number)}
            for number, good in zip(transfers, right, strict=True)
        ]
    return [
        {"name": animal.name, "as_source": counts["source"][k], "as_target": counts["target"][k]}
        for k, animal in enumerate(annotations.animals)
    ]


def _cases(annotations: KeypointAnnotations, transfer: KeypointTransfer) -> dict[str, Sequence[Case]]:
    """The best, middle and worst pairs by the mean error of their keypoints."""
    kept = np.flatnonzero(transfer.counted.sum(axis=1) >= LEAST_KEYPOINTS)
    _, first = np.unique(transfer.pairs[kept], axis=0, return_index=True)
    kept = kept[np.sort(first)]
    sums = np.where(transfer.counted[kept], np.minimum(transfer.errors[kept], 1.0), 0.0).sum(axis=1)
    means = sums / transfer.counted[kept].sum(axis=1)
    found = best_median_worst(means.tolist())
    return {
        f"The {heading} pairs": [
            _case(annotations, transfer, int(kept[index]), error=float(means[index])) for index in indices
        ]
        for heading, indices in found.items()
    }


def _case(annotations: KeypointAnnotations, transfer: KeypointTransfer, row: int, *, error: float) -> Case:
    """The target's picture with its annotated keypoints and where the source's came out."""
    source, target = (annotations.animals[index] for index in transfer.pairs[row])
    visible = np.flatnonzero(transfer.counted[row])
    pixels, factor = enlarged(read_image(target.image).pixels)
    pairs = [(factor * target.keypoints[k], factor * transfer.arrived[row, k]) for k in visible]
    return Case(
        f"{source.name} to {target.name}: {len(visible)} keypoints off by {error:.3f} of the box on average",
        f"{target.name} with annotated keypoints as blue dots and those from {source.name} as yellow crosses",
        draw_photograph(pixels, pairs=pairs),
    )

"""The plots of reports, as PNG files."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#8a8f98", "#c25b16", "#1f5fa8")
"""Of what comes first (as predicted), second (refined) and third."""

BINS = 24


def histogram(values: Mapping[str, Sequence[float]], *, label: str) -> bytes:
    """How often which value occurs: steps for each named set, in equal bins, with the medians marked."""
    from matplotlib.ticker import MaxNLocator

    figure, axes = _figure()
    everything = np.concatenate([np.asarray(sample, dtype=np.float64) for sample in values.values()])
    everything = everything[np.isfinite(everything)]
    edges = np.histogram_bin_edges(everything, bins=min(BINS, max(4, 2 * round(np.sqrt(len(everything))))))
    for color, (name, sample) in zip(COLORS, values.items(), strict=False):
        axes.hist(sample, bins=edges.tolist(), histtype="stepfilled", alpha=0.35, color=color)
        axes.hist(sample, bins=edges.tolist(), histtype="step", linewidth=1.6, color=color, label=name)
        if len(sample):
            axes.axvline(float(np.median(sample)), color=color, linestyle="--", linewidth=1.2)
    axes.set_xlabel(f"{label} (dashed: median)")
    axes.set_ylabel("count")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return _png(figure, axes)


def pck_curve(curves: Mapping[str, Sequence[tuple[float, float]]]) -> bytes:
    """The share of keypoints within a threshold against the threshold, for each named set."""
    figure, axes = _figure()
    for color, (name, curve) in zip(COLORS, curves.items(), strict=False):
        thresholds, shares = zip(*curve, strict=True)
        axes.plot(thresholds, [100.0 * share for share in shares], color=color, linewidth=1.8, label=name)
    axes.axvline(0.1, color="gray", linestyle=":", linewidth=1.0)
    axes.set_xlim(left=0.0)
    axes.set_ylim(0.0, 100.0)
    axes.set_xlabel("threshold, share of the box's longer side")
    axes.set_ylabel("keypoints within it, %")
    return _png(figure, axes)


def scatter(
    x: Sequence[float], y: Sequence[float], *, labels: tuple[str, str], ticks: Sequence[float]
) -> bytes:
    """One dot a sample; `ticks` mark the horizontal axis and are its ends."""
    figure, axes = _figure()
    axes.plot(x, y, "o", color=COLORS[2], markersize=4.0, alpha=0.7)
    axes.set_xticks(ticks)
    axes.set_xlim(ticks[0], ticks[-1])
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    return _png(figure, axes)


def share_within(
    errors: Sequence[float], *, largest: float = 0.3, steps: int = 60
) -> list[tuple[float, float]]:
    """The curve of thresholds from 0 to `largest` and the share of errors under each."""
    sample = np.sort(np.asarray(errors, dtype=np.float64))
    thresholds = np.linspace(0.0, largest, steps + 1)
    shares = np.searchsorted(sample, thresholds, side="left") / max(1, len(sample))
    return list(zip(thresholds.tolist(), shares.tolist(), strict=True))


def _figure() -> "tuple[Figure, Axes]":
    # The object interface leaves matplotlib's global state, and the user's display, alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: "Figure", axes: "Axes") -> bytes:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)
    data = io.BytesIO()
    figure.savefig(data, dpi=130, metadata={"Software": None})
    return data.getvalue()

"""Plots of records: time and memory against what grows, with the floors drawn in."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from farm3d.errors import InputError
from farm3d.io.atomic import write_bytes_atomically

from .growth import Growth
from .records import Record
from .tables import rasterize_growths

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLORS = ("#1f5fa8", "#c25b16", "#3a8a3f", "#8d3c96")
AXIS_NAMES = {"faces": "faces", "pixels": "pixels per image", "images": "images"}
MEGABYTE = 1e6


def plot_rasterize(record: Record, path: Path) -> None:
    """Time (above) and peak memory (below) against faces, pixels and images, as a PNG.

    Raises InputError for a record in which nothing grows, or where the file cannot be written.
    """
    found = rasterize_growths(record)
    if not found:
        raise InputError("nothing to plot: the record has no two cases along faces, pixels or images")
    # The object interface leaves matplotlib's global state, and the user's display, alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = list(dict.fromkeys(growth.along for growth in found))
    figure = Figure(figsize=(4.2 * len(names), 6.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(names), squeeze=False)
    for k, along in enumerate(names):
        chosen = [growth for growth in found if growth.along == along]
        _plot_times(axes[0, k], chosen, record)
        _plot_memory(axes[1, k], chosen)
        axes[1, k].set_xlabel(AXIS_NAMES[along])
    axes[0, 0].set_ylabel("milliseconds a call")
    axes[1, 0].set_ylabel("peak memory, MB")
    lines, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(lines, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    data = io.BytesIO()
    figure.savefig(data, dpi=100, metadata={"Software": None})
    write_bytes_atomically(path, data.getvalue())


def _plot_times(axes: "Axes", chosen: Sequence[Growth], record: Record) -> None:
    contenders = list(dict.fromkeys(growth.contender for growth in chosen))
    for growth in chosen:
        color, style = COLORS[contenders.index(growth.contender) % len(COLORS)], _style(growth)
        timings = [case.timing for case in growth.cases if case.timing]
        middles = [1e3 * timing.median for timing in timings]
        low = [1e3 * (timing.median - timing.first_quartile) for timing in timings]
        high = [1e3 * (timing.third_quartile - timing.median) for timing in timings]
        label = f"{growth.contender}, {growth.task}"
        axes.errorbar(
            growth.sizes, middles, yerr=[low, high], color=color, linestyle=style, marker="o", label=label
        )
        floors = [1e3 * case.work.floor_seconds(record.speed) for case in growth.cases if case.work]
        axes.plot(growth.sizes, floors, color="gray", linestyle=style, label=f"least, {growth.task}")
    _logarithmic(axes)


def _plot_memory(axes: "Axes", chosen: Sequence[Growth]) -> None:
    contenders = list(dict.fromkeys(growth.contender for growth in chosen))
    for growth in chosen:
        color = COLORS[contenders.index(growth.contender) % len(COLORS)]
        peaks = [case.peak_bytes for case in growth.cases]
        if all(peak is not None for peak in peaks):
            sizes = [peak / MEGABYTE for peak in peaks if peak is not None]
            axes.plot(growth.sizes, sizes, color=color, linestyle=_style(growth), marker="o")
        floors = [case.numbers["least_bytes"] / MEGABYTE for case in growth.cases]
        axes.plot(growth.sizes, floors, color="gray", linestyle=_style(growth))
    _logarithmic(axes)


def _style(growth: Growth) -> str:
    return "-" if growth.task == "forward" else "--"


def _logarithmic(axes: "Axes") -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.grid(alpha=0.3)

"""The learning curves of the ablation's runs side by side."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from farm3d.training.plots import Curves, read_metrics

from .ablation import ROWS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = ("mask", "inside_distance", "color", "features", "distillation", "score")
COLORS = ("#1f5fa8", "#c25b16", "#3a8a3f", "#8d3c96", "#b3a12c", "#4bb3b8", "#c0507a", "#6b6b6b")
SMOOTHED_SHARE = 0.05
"""Curves are running means over this share of the logged steps."""


def learning_curves(runs: Mapping[str, Sequence[Path]]) -> bytes:
    """A panel a term, before weighting, with a line a row: the mean over its runs. A PNG.

    Raises InputError for a run without metrics.
    """
    # The object interface leaves matplotlib's global state, and the user's display, alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    curves = {name: [read_metrics(run) for run in folders] for name, folders in runs.items()}
    titles = {row.name: (row.title, color) for row, color in zip(ROWS, COLORS, strict=False)}
    figure = Figure(figsize=(13.0, 7.6), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, term in zip(figure.subplots(2, 3).flat, PANELS, strict=True):
        for name, found in curves.items():
            title, color = titles[name]
            _draw(axes, [c for c in found if term in c], term, label=title, color=color)
        axes.set_title(term.replace("_", " "), loc="left", fontsize=10)
        axes.set_yscale("log")
        axes.grid(alpha=0.25)
        axes.set_xlabel("step")
    handles = {title: color for name, (title, color) in titles.items() if name in curves}
    lines = [figure.axes[0].plot([], [], color=color, label=title)[0] for title, color in handles.items()]
    figure.legend(lines, list(handles), loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    data = io.BytesIO()
    figure.savefig(data, dpi=100, metadata={"Software": None})
    return data.getvalue()


def _draw(axes: "Axes", found: Sequence[Curves], term: str, *, label: str, color: str) -> None:
    """Nothing where no run has the term; of runs of different lengths what all of them have."""
    if not found:
        return
    length = min(len(curves["step"]) for curves in found)
    values = np.stack([curves[term][:length] for curves in found]).mean(axis=0)
    axes.plot(found[0]["step"][:length], _smooth(values), color=color, linewidth=1.3, label=label)


def _smooth(values: Float[np.ndarray, " lines"]) -> Float[np.ndarray, " lines"]:
    """Running means over what there is, NaN where there is nothing."""
    width = max(1, round(SMOOTHED_SHARE * len(values)))
    window = np.ones(width)
    there = np.convolve(np.isfinite(values), window, mode="same")
    total = np.convolve(np.nan_to_num(values), window, mode="same")
    return np.where(np.isfinite(values), total / np.maximum(there, 1.0), np.nan)

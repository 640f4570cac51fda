"""The curves of a run: its loss, every term, learning rates and time a step, from its metrics and config."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from farm3d.config import load_config
from farm3d.errors import InputError
from farm3d.io.atomic import write_bytes_atomically
from farm3d.training.config import TrainConfig
from farm3d.training.metrics import HEAD_AGREEMENT, METRICS_FILE
from farm3d.training.plan import planned_changes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLOT_FILE = "metrics.png"
ACROSS, WIDTH, ROW_HEIGHT, MARGIN = 4, 15.0, 2.1, 1.2
"""Panels side by side, and inches: of a row of them, and above the first for the names of changes."""

CURVE, GRID, EVENT = "#1f5fa8", "#dddddd", "#8a8a8a"
SMOOTHED_SHARE = 0.06
"""The smoothed curves are medians over this share of the logged steps."""

LOG_FROM = 30.0
"""Values that spread over more than this factor get a logarithmic axis."""

Curves = Mapping[str, Float[np.ndarray, " lines"]]


def plot_metrics(run: Path) -> Path:
    """Draw the curves of `run` into its `metrics.png`, whose path is returned.

    Above, the loss with the plan's changes and each term's share of it; below, every term before weighting.
    Thin lines are the logged values, thick ones running medians. Raises InputError where the folder is not
    that of a run with metrics.
    """
    curves = read_metrics(run)
    config = load_config(TrainConfig, preset_or_file=str(run / "config.yaml"))
    data = io.BytesIO()
    _figure(curves, config, title=run.name).savefig(data, dpi=90, metadata={"Software": None})
    write_bytes_atomically(run / PLOT_FILE, data.getvalue())
    return run / PLOT_FILE


def read_metrics(run: Path) -> Curves:
    """The logged values of a run by their names, NaN in the steps that have none.

    A line that was cut, and the one of the head's check, are left out.
    """
    path = run / METRICS_FILE
    if not path.is_file():
        raise InputError(f"{run}: no {METRICS_FILE} here; give the folder of a run of farm3d-train")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    rows = [row for row in (_row(path, line) for line in lines) if HEAD_AGREEMENT not in row]
    if not rows:
        raise InputError(f"{path}: no steps have been logged yet")
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: np.array([row.get(name, np.nan) for row in rows], dtype=np.float64) for name in names}


def _row(path: Path, line: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
        row["step"]
    except (json.JSONDecodeError, KeyError, TypeError):
        raise InputError(f"{path}: not a line of metrics: {line[:60]!r}") from None
    return row


def _figure(curves: Curves, config: TrainConfig, *, title: str) -> "Figure":
    # The object interface leaves matplotlib's global state, and the user's display, alone.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    steps = curves["step"]
    small = {name: values for name, values in curves.items() if name not in ("step", "loss", "seconds")}
    panels = {**small, **_rates(config, steps), "seconds a step": curves["seconds"]}
    rows = -(-len(panels) // ACROSS)
    height = ROW_HEIGHT * (rows + 3.0) + MARGIN
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    # Placed by hand: matplotlib's own layouts take seconds, and place differently from time to time.
    room = {"left": 0.045, "right": 0.885, "bottom": 0.35 / height, "top": 1.0 - MARGIN / height}
    ratios = [1.7, 1.3, *[1.0] * rows]
    grid = figure.add_gridspec(rows + 2, ACROSS, height_ratios=ratios, hspace=0.42, wspace=0.25, **room)
    loss, shares = figure.add_subplot(grid[0, :]), figure.add_subplot(grid[1, :])
    _draw_curve(loss, steps, curves["loss"])
    loss.set_ylabel("loss")
    figure.text(0.01, 1.0 - 0.3 / height, title, fontsize=12)
    _draw_shares(shares, curves, config)
    axes = [loss, shares]
    for k, (name, values) in enumerate(panels.items()):
        axes.append(figure.add_subplot(grid[2 + k // ACROSS, k % ACROSS]))
        _draw_curve(axes[-1], steps, values)
        axes[-1].set_title(name, fontsize=10)
    for panel in axes:
        panel.set_xlim(steps[0], max(steps[-1], steps[0] + 1))
    _mark_changes(axes, config)
    return figure


def _rates(config: TrainConfig, steps: Float[np.ndarray, " lines"]) -> Curves:
    schedules = {"learning_rate": config.learning_rate, "field_learning_rate": config.field_learning_rate}
    return {name: np.array([s.value(int(step)) for step in steps]) for name, s in schedules.items()}


def _draw_curve(
    axes: "Axes", steps: Float[np.ndarray, " lines"], values: Float[np.ndarray, " lines"]
) -> None:
    """The values thin and their running median thick, over a logarithmic axis where they spread far."""
    there = np.isfinite(values)
    steps, values = steps[there], values[there]
    axes.plot(steps, values, color=CURVE, linewidth=0.6, alpha=0.35)
    axes.plot(steps, smoothed(values), color=CURVE, linewidth=1.6)
    positive = values[values > 0.0]
    if len(positive) == len(values) > 0 and positive.max() > LOG_FROM * positive.min():
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter("")
    else:
        axes.set_ylim(bottom=0.0 if len(positive) == len(values) else None)
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 4))
    axes.grid(color=GRID, linewidth=0.5)
    axes.set_axisbelow(True)


def smoothed(values: Float[np.ndarray, " lines"]) -> Float[np.ndarray, " lines"]:
    """The running median over a window of `SMOOTHED_SHARE` of the values, which is cut off at the ends."""
    reach = int(SMOOTHED_SHARE * len(values) / 2)
    return np.array([np.median(values[max(0, k - reach) : k + reach + 1]) for k in range(len(values))])


def _draw_shares(axes: "Axes", curves: Curves, config: TrainConfig) -> None:
    """How much each term contributes to the loss: its smoothed product with its weight, as a share."""
    steps = curves["step"]
    weights = [config.weights.at(int(step)) for step in steps]
    parts = {
        name: smoothed(np.nan_to_num(values) * [weight[name] for weight in weights])
        for name, values in curves.items()
        if name in weights[0]
    }
    used = {name: part for name, part in parts.items() if part.any()}
    total = np.maximum(sum(used.values(), start=np.zeros_like(steps)), 1e-12)
    colors = _colors(len(used))
    axes.stackplot(steps, [part / total for part in used.values()], labels=list(used), colors=colors)
    axes.set_ylim(0.0, 1.0)
    axes.set_ylabel("share of the loss")
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)


def _colors(count: int) -> Sequence[Any]:
    from matplotlib import colormaps

    return [colormaps["tab20"](k % 20) for k in range(count)]


def _mark_changes(axes: Sequence["Axes"], config: TrainConfig) -> None:
    """A vertical line at every change of the plan that the curves reach; the first panel names them."""
    first, last = axes[0].get_xlim()
    named: dict[int, list[str]] = {}
    for change in planned_changes(config):
        if first <= change.step <= last:
            key, _, rest = str(change).partition(" ")
            named.setdefault(change.step, []).append(f"{key.split('.')[-1]} {rest}")
    for step, names in named.items():
        for panel in axes:
            panel.axvline(step, color=EVENT, linewidth=0.8, linestyle="--")
        axes[0].text(
            step,
            1.02,
            "\n".join(names),
            transform=axes[0].get_xaxis_transform(),
            rotation=25,
            fontsize=8,
            va="bottom",
        )

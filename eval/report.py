"""The report of an evaluation: figures for programs (metrics.json) and for people (report.html)."""

import json
import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import farm3d
from farm3d.io.atomic import replacing_folder
from farm3d.io.html_report import EvaluationContent, Figure, Gallery, Table, evaluation_html

SCHEMA_VERSION = 1
"""Of metrics.json."""

VERSIONS_OF = ("torch", "numpy", "numba", "scipy", "trimesh")


@dataclass(frozen=True)
class Provenance:
    """Where figures come from: the command line, its settings, and the checkpoint's file and SHA-256."""

    command: str
    config: Mapping[str, Any]
    checkpoint: str | None = None
    checkpoint_sha256: str | None = None


@dataclass(frozen=True)
class Plot:
    """A PNG for the folder `figures`, with what it is called there and what it shows."""

    name: str
    caption: str
    alt: str
    png: bytes


@dataclass(frozen=True)
class Case:
    """A picture of one sample with what it is good or bad at."""

    caption: str
    alt: str
    image: bytes


@dataclass(frozen=True)
class Report:
    """One evaluation; `metrics` are its figures, `rows` one entry a sample, `cases` pictures by heading."""

    benchmark: str
    title: str
    provenance: Provenance
    metrics: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()
    cases: Mapping[str, Sequence[Case]] | None = None
    warnings: tuple[str, ...] = ()


def write_report(folder: Path, report: Report) -> None:
    """Write metrics.json, report.html and figures/ as the folder `folder`, which appears when complete.

    An older report in its place is replaced. Raises InputError where the folder cannot be written.
    """
    with replacing_folder(folder) as aside:
        (aside / "metrics.json").write_bytes(metrics_json(report))
        (aside / "report.html").write_text(report_page(report), encoding="utf-8")
        (aside / "figures").mkdir()
        for plot in report.plots:
            (aside / "figures" / f"{plot.name}.png").write_bytes(plot.png)


def metrics_json(report: Report) -> bytes:
    """The figures for programs; numbers that are not finite become null."""
    provenance = report.provenance
    document = {
        "schema_version": SCHEMA_VERSION,
        "benchmark": report.benchmark,
        "command": provenance.command,
        "config": provenance.config,
        "checkpoint": None
        if provenance.checkpoint is None
        else {"file": provenance.checkpoint, "sha256": provenance.checkpoint_sha256},
        "versions": versions(),
        "metrics": report.metrics,
        "rows": list(report.rows),
    }
    text = json.dumps(_finite(document), indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def report_page(report: Report) -> str:
    """The page for people, complete in itself."""
    provenance = report.provenance
    facts = [("command", provenance.command)]
    facts += [(str(name), str(value)) for name, value in provenance.config.items()]
    if provenance.checkpoint is not None:
        facts.append(("checkpoint", f"{provenance.checkpoint}, SHA-256 {provenance.checkpoint_sha256}"))
    facts.append(("versions", ", ".join(f"{name} {version}" for name, version in versions().items())))
    plots = Gallery("Figures", tuple(Figure(plot.caption, plot.alt, plot.png) for plot in report.plots))
    cases = tuple(
        Gallery(heading, tuple(Figure(case.caption, case.alt, case.image) for case in shown))
        for heading, shown in (report.cases or {}).items()
    )
    return evaluation_html(
        EvaluationContent(report.title, tuple(facts), report.tables, (plots, *cases), report.warnings)
    )


def versions() -> dict[str, str]:
    """The versions of farm3d, Python and the libraries that the figures depend on."""
    found = {"farm3d": farm3d.__version__, "python": platform.python_version()}
    return found | {name: metadata.version(name) for name in VERSIONS_OF}


def best_median_worst(
    values: Sequence[float], *, count: int = 3, largest_is_best: bool = False
) -> dict[str, list[int]]:
    """The indices of the best, the middle and the worst samples, best first; small sets share no index."""
    order = sorted(range(len(values)), key=values.__getitem__, reverse=largest_is_best)
    count = min(count, -(-len(order) // 3))
    best, worst = order[:count], order[count:][-count:]
    rest = order[count : len(order) - len(worst)]
    start = max(0, (len(rest) - count) // 2)
    return {"best": best, "median": rest[start : start + count], "worst": worst}


def _finite(value: Any) -> Any:
    """Plain JSON values, None in place of numbers that JSON cannot hold."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value

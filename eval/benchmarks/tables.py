"""Records as tables: for a terminal, and for docs/benchmarks.md."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from farm3d.errors import ConfigError

from .growth import Growth, growths
from .rasterize import BOTH, FORWARD, HEADLINES, TINY
from .records import ANY, Case, Comparison, Record, read_record

Table = list[list[str]]
"""A header and rows of equal length."""

BLOCK = re.compile(
    r"(<!-- benchmark: (?P<name>[\w.-]+\.json) -->\n).*?(<!-- end of benchmark -->)", re.DOTALL
)

COUNTS = {
    "evaluations": "evaluations",
    "fewer_evaluations": "fewer evaluations",
    "times_faster": "times faster",
    "frames_a_second": "frames/s",
    "percent": "% of all",
    "same_triangles": "same triangles",
    "same_mesh": "same mesh",
}
"""Keys of `Case.numbers` that are results, with their columns' headings."""


def record_table(record: Record) -> Table:
    """A row for each timed case; columns that would be empty are left out.

    Floor and share are those of the roofline, MB are millions of bytes.
    """
    cases = [case for case in record.cases if case.missing is None]
    columns: dict[str, Callable[[Case], str]] = {
        "what": lambda case: case.contender,
        "setting": lambda case: case.setting,
        "task": lambda case: case.task,
        "ms": lambda case: _milliseconds(case.timing.median) if case.timing else "",
        "quartiles": _quartiles,
        "ms/image": _per_image,
        "floor ms": lambda case: _milliseconds(_floor(case, record)),
        "reached": lambda case: _share(case, record),
        "peak MB": lambda case: "" if case.peak_bytes is None else f"{case.peak_bytes / 1e6:.1f}",
        "least MB": lambda case: _megabytes(case.numbers.get("least_bytes")),
        **{heading: _count(key) for key, heading in COUNTS.items()},
    }
    filled = {name: [cell(case) for case in cases] for name, cell in columns.items()}
    kept = {name: cells for name, cells in filled.items() if any(cells)}
    return [list(kept), *(list(row) for row in zip(*kept.values(), strict=True))]


def comparison_table(comparisons: Iterable[Comparison]) -> Table:
    """A row for each case of two records; the speed-up is old over new."""
    rows = [
        [
            comparison.name,
            _milliseconds(comparison.old.median if comparison.old else None),
            _milliseconds(comparison.new.median if comparison.new else None),
            "" if comparison.speedup is None else f"{comparison.speedup:.2f}",
            comparison.verdict,
        ]
        for comparison in comparisons
    ]
    return [["case", "old ms", "new ms", "old/new", ""], *rows]


def growth_table(record: Record) -> Table:
    """The exponents of the rasteriser's growth; a header alone for other benchmarks."""
    rows = [
        [
            found.contender,
            found.task,
            found.along,
            f"{found.sizes[0]:,.0f} to {found.sizes[-1]:,.0f}",
            f"{found.exponent:.2f}",
        ]
        for found in rasterize_growths(record)
    ]
    return [["what", "task", "along", "range", "exponent"], *rows]


def rasterize_growths(record: Record) -> list[Growth]:
    """How the rasteriser's time grows about its first headline setting (quick: about the tiny one)."""
    headline = TINY if record.quick else HEADLINES[0]
    centre = {
        "faces": float(headline.faces),
        "pixels": float(headline.size**2),
        "images": float(headline.batch),
    }
    return growths(record.cases, centre, (FORWARD, BOTH))


def missing_lines(record: Record) -> list[str]:
    """What could not be measured, and why."""
    lost = [case for case in record.cases if case.missing]
    named = [[part for part in (case.contender, case.setting, case.task) if part != ANY] for case in lost]
    return [
        f"Not measured: {', '.join(parts)}: {case.missing}." for parts, case in zip(named, lost, strict=True)
    ]


def environment_line(record: Record) -> str:
    """What a record was measured on, in one paragraph."""
    found, speed = record.environment, record.speed
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    commit = f" ({found.commit})" if found.commit else ""
    return (
        f"farm3d {found.farm3d}{commit}, {versions}; {found.system}, {found.processor},"
        f" {found.logical_cores} logical cores, {found.threads} threads; device: {found.device}."
        f" Measured: {speed.bandwidth / 1e9:.1f} GB/s, {speed.float32 / 1e9:,.0f} GFLOP/s in single and"
        f" {speed.float64 / 1e9:,.0f} in double precision."
    )


def as_text(table: Table) -> str:
    """Columns aligned for a terminal: words to the left, numbers to the right."""
    widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
    numeric = [all(_is_number(row[k]) for row in table[1:]) for k in range(len(table[0]))]

    def line(row: Sequence[str]) -> str:
        cells = zip(row, widths, numeric, strict=True)
        return "  ".join(f"{cell:>{w}}" if right else f"{cell:<{w}}" for cell, w, right in cells).rstrip()

    return "\n".join(line(row) for row in table)


def as_markdown(table: Table) -> str:
    """A table for Markdown, numbers to the right."""
    numeric = [all(_is_number(row[k]) for row in table[1:]) for k in range(len(table[0]))]
    rule = ["--:" if right else "---" for right in numeric]
    return "\n".join(f"| {' | '.join(row)} |" for row in [table[0], rule, *table[1:]])


def document(text: str, folder: Path) -> str:
    """A page with the block of every record that it names written anew from the record in `folder`.

    A block stands between `<!-- benchmark: NAME.json -->` and `<!-- end of benchmark -->`.
    Raises InputError or ConfigError for a record that cannot be read, ConfigError for a page without one.
    """
    if not BLOCK.search(text):
        raise ConfigError("the page has no block between <!-- benchmark: NAME.json --> and its end")

    def block(found: re.Match[str]) -> str:
        record = read_record(folder / found["name"])
        return f"{found[1]}{markdown_of(record)}\n{found[3]}"

    return BLOCK.sub(block, text)


def markdown_of(record: Record) -> str:
    """Environment, table, growth and what is missing."""
    growth = growth_table(record)
    parts = [environment_line(record), as_markdown(record_table(record))]
    parts += [as_markdown(growth)] if len(growth) > 1 else []
    return "\n\n".join([*parts, *missing_lines(record)]) + "\n"


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    value = 1000.0 * seconds
    return f"{value:,.0f}" if value >= 1000.0 else f"{value:.3g}" if value >= 100.0 else f"{value:.2f}"


def _quartiles(case: Case) -> str:
    if case.timing is None:
        return ""
    return f"{_milliseconds(case.timing.first_quartile)} to {_milliseconds(case.timing.third_quartile)}"


def _per_image(case: Case) -> str:
    images = case.numbers.get("images")
    return "" if images is None or case.timing is None else _milliseconds(case.timing.median / images)


def _floor(case: Case, record: Record) -> float | None:
    return None if case.work is None else case.work.floor_seconds(record.speed)


def _share(case: Case, record: Record) -> str:
    floor = _floor(case, record)
    return "" if floor is None or case.timing is None else f"{100.0 * floor / case.timing.median:.1f} %"


def _megabytes(size: float | None) -> str:
    return "" if size is None else f"{size / 1e6:.1f}"


def _count(key: str) -> Callable[[Case], str]:
    def cell(case: Case) -> str:
        value = case.numbers.get(key)
        if value is None:
            return ""
        return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"

    return cell


def _is_number(cell: str) -> bool:
    return not cell or cell[0].isdigit()

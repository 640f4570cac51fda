"""What the subcommands of farm3d-eval write besides their tables: --out FILE.json and --report DIR."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm3d.errors import ConfigError

if TYPE_CHECKING:
    from farm3d.eval.report import Provenance, Report


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add --out and --report."""
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="also write all figures to a JSON file")
    add_report_option(parser)


def add_report_option(parser: argparse.ArgumentParser) -> None:
    """Add --report alone, where --out has a meaning of its own."""
    parser.add_argument(
        "--report",
        type=Path,
        metavar="DIR",
        help="also write a page with plots and pictures there",
    )


def refuse_outputs(arguments: argparse.Namespace) -> None:
    """Raise ConfigError where what is asked for cannot be written: before the minutes of measuring."""
    if arguments.out is not None and arguments.out.is_dir():
        raise ConfigError(f"--out {arguments.out}: a folder; give a file to write")
    if arguments.report is None:
        return
    if arguments.report.exists() and not arguments.report.is_dir():
        raise ConfigError(f"--report {arguments.report}: a file; give a folder to write")
    others = arguments.report.is_dir() and any(arguments.report.iterdir())
    if others and not (arguments.report / "metrics.json").is_file():
        raise ConfigError(f"--report {arguments.report}: a folder with other things in it; give another one")


def provenance_of(
    arguments: argparse.Namespace,
    config: Mapping[str, Any],
    *,
    checkpoint: Path | None = None,
    sha256: str | None = None,
) -> "Provenance":
    """Where a run's figures come from."""
    from farm3d.eval.report import Provenance

    name = None if checkpoint is None else checkpoint.name
    return Provenance(arguments.command_line, config, name, sha256)


def write_outputs(arguments: argparse.Namespace, report: "Report") -> None:
    """Write what --out and --report ask for; both hold the same figures."""
    from farm3d.eval.report import metrics_json, write_report
    from farm3d.io.atomic import write_bytes_atomically

    if arguments.out is not None:
        write_bytes_atomically(arguments.out, metrics_json(report))
    if arguments.report is not None:
        write_report(arguments.report, report)

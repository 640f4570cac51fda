"""`farm3d-eval chamfer`: Animodel's Chamfer distance between two folders of meshes."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from farm3d.cli.evaluation_output import add_report_option, provenance_of, refuse_outputs
from farm3d.cli.main import Messages, add_common_options, add_subcommand, positive_int
from farm3d.errors import ConfigError

if TYPE_CHECKING:
    from farm3d.eval.chamfer.journal import Journal
    from farm3d.eval.chamfer.pairs import Pair
    from farm3d.eval.chamfer.rows import Row
    from farm3d.eval.chamfer.run import ChamferRun


def add_chamfer(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand `chamfer`."""
    parser = add_subcommand(
        subcommands,
        "chamfer",
        _chamfer,
        description="Measure the Chamfer distance of reconstructed meshes by Animodel's protocol.",
        examples=(
            "farm3d-eval chamfer --reconstructions results/meshes --targets animodel/horse",
            "farm3d-eval chamfer --reconstructions ours --targets truth --workers 4 --out chamfer.json",
        ),
    )
    parser.add_argument(
        "--reconstructions",
        type=Path,
        required=True,
        metavar="DIR",
        help="meshes to measure: OBJ, PLY or GLB",
    )
    parser.add_argument(
        "--targets", type=Path, required=True, metavar="DIR", help="the true meshes, of the same names; y up"
    )
    parser.add_argument("--workers", type=positive_int, default=1, metavar="N", help="processes (default: 1)")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.json",
        help="also write every pair's figures there and to FILE.csv; run again, it goes on where it was",
    )
    add_report_option(parser)
    add_common_options(parser, out=None, config=False, device=False)


def _chamfer(arguments: argparse.Namespace, messages: Messages) -> int:
    if arguments.out is not None and arguments.out.suffix.lower() != ".json":
        raise ConfigError(
            f"--out {arguments.out}: give a name that ends in .json (a .csv is written beside it)"
        )
    refuse_outputs(arguments)
    from dataclasses import asdict

    from farm3d.eval.chamfer.pairs import find_pairs
    from farm3d.eval.chamfer.rows import FailedPair, to_csv, to_json, to_table
    from farm3d.io.atomic import write_bytes_atomically

    pairs = find_pairs(arguments.reconstructions, arguments.targets)
    run, journal = chamfer_run(arguments)
    rows = measured_rows(pairs, run, journal, messages=messages)
    out: Path | None = arguments.out
    if out is not None and journal is not None:
        write_bytes_atomically(out.with_suffix(".csv"), to_csv(rows))
        write_bytes_atomically(out, to_json(rows, protocol=run.protocol, seed=run.seed))
        journal.remove()
    if arguments.report is not None:
        from farm3d.eval.chamfer_report import chamfer_report
        from farm3d.eval.report import write_report

        provenance = provenance_of(arguments, asdict(run.protocol) | {"seed": run.seed})
        write_report(arguments.report, chamfer_report(rows, pairs, provenance=provenance))
    messages.result(to_table(rows))
    return 2 if any(isinstance(row, FailedPair) for row in rows) else 0


def chamfer_run(arguments: argparse.Namespace) -> "tuple[ChamferRun, Journal | None]":
    """How pairs are measured, and the journal beside --out, if it is given."""
    from farm3d.eval.chamfer.journal import journal_beside
    from farm3d.eval.chamfer.protocol import ChamferProtocol
    from farm3d.eval.chamfer.run import ChamferRun

    run = ChamferRun(ChamferProtocol(), seed=arguments.seed or 0, workers=arguments.workers)
    if arguments.out is None:
        return run, None
    return run, journal_beside(arguments.out, protocol=run.protocol, seed=run.seed)


def measured_rows(
    pairs: "Sequence[Pair]", run: "ChamferRun", journal: "Journal | None", *, messages: Messages
) -> "list[Row]":
    """The rows of all pairs, under a progress bar."""
    from tqdm import tqdm

    from farm3d.eval.chamfer.run import measure_pairs

    with tqdm(total=len(pairs), unit="pair", disable=messages.quiet) as bar:
        return measure_pairs(pairs, run, journal=journal, progress=lambda row: _tell(row, bar, messages))


def _tell(row: "Row", bar: "tqdm[None]", messages: Messages) -> None:
    """Move the bar on; a pair that failed is told at once, above the bar."""
    from farm3d.eval.chamfer.rows import FailedPair

    if isinstance(row, FailedPair):
        with bar.external_write_mode():
            messages.error(f"{row.name}: {row.reason}")
    bar.update()

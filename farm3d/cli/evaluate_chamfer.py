"""`farm3d-eval chamfer`: Animodel's Chamfer distance between two folders of meshes."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from farm3d.cli.main import Messages, add_common_options, add_subcommand, positive_int
from farm3d.errors import ConfigError

if TYPE_CHECKING:
    from farm3d.eval.chamfer.rows import Row


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
    add_common_options(parser, out=None, config=False, device=False)


def _chamfer(arguments: argparse.Namespace, messages: Messages) -> int:
    if arguments.out is not None and arguments.out.suffix.lower() != ".json":
        raise ConfigError(
            f"--out {arguments.out}: give a name that ends in .json (a .csv is written beside it)"
        )
    if arguments.out is not None and arguments.out.is_dir():
        raise ConfigError(f"--out {arguments.out}: a folder; give a file to write")
    from tqdm import tqdm

    from farm3d.eval.chamfer.journal import journal_beside
    from farm3d.eval.chamfer.pairs import find_pairs
    from farm3d.eval.chamfer.protocol import ChamferProtocol
    from farm3d.eval.chamfer.rows import FailedPair, to_csv, to_json, to_table
    from farm3d.eval.chamfer.run import ChamferRun, measure_pairs
    from farm3d.io.atomic import write_bytes_atomically

    pairs = find_pairs(arguments.reconstructions, arguments.targets)
    run = ChamferRun(ChamferProtocol(), seed=arguments.seed or 0, workers=arguments.workers)
    out: Path | None = arguments.out
    journal = None if out is None else journal_beside(out, protocol=run.protocol, seed=run.seed)
    with tqdm(total=len(pairs), unit="pair", disable=arguments.quiet) as bar:
        rows = measure_pairs(pairs, run, journal=journal, progress=lambda row: _tell(row, bar, messages))
    if out is not None and journal is not None:
        write_bytes_atomically(out.with_suffix(".csv"), to_csv(rows))
        write_bytes_atomically(out, to_json(rows, protocol=run.protocol, seed=run.seed))
        journal.remove()
    messages.result(to_table(rows))
    return 2 if any(isinstance(row, FailedPair) for row in rows) else 0


def _tell(row: "Row", bar: "tqdm[None]", messages: Messages) -> None:
    """Move the bar on; a pair that failed is told at once, above the bar."""
    from farm3d.eval.chamfer.rows import FailedPair

    if isinstance(row, FailedPair):
        with bar.external_write_mode():
            messages.error(f"{row.name}: {row.reason}")
    bar.update()

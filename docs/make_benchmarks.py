"""Measure what docs/benchmarks.md shows and write its tables and plot; leave all cores free for it.

python docs/make_benchmarks.py                      measure all and write: about ten minutes on two cores
python docs/make_benchmarks.py rasterize --peer embree pytorch3d
python docs/make_benchmarks.py nothing              write the page from the records that are there

A record of another machine or device gets a name of its own in docs/benchmarks and a block in the page.
"""

import argparse
from pathlib import Path

from farm3d.eval.benchmarks.plots import plot_rasterize
from farm3d.eval.benchmarks.records import read_record
from farm3d.eval.benchmarks.tables import document

from farm3d.cli.bench import BENCHMARKS, PEERS
from farm3d.cli.bench import main as bench
from farm3d.io.atomic import write_bytes_atomically

DOCS = Path(__file__).parent
RECORDS = DOCS / "benchmarks"


def main() -> int:
    """Measure the benchmarks that were asked for, then write the page and the plot."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("benchmarks", nargs="*", default=list(BENCHMARKS), help="which (default: all)")
    parser.add_argument("--peer", nargs="+", default=[], choices=PEERS, help="other programs to measure too")
    arguments = parser.parse_args()
    for name in arguments.benchmarks if arguments.benchmarks != ["nothing"] else ():
        peers = ["--peer", *arguments.peer] if arguments.peer and name == "rasterize" else []
        code = bench([name, "--device", "cpu", "--out", str(RECORDS / f"{name}.json"), *peers])
        if code:
            return code
    page = DOCS / "benchmarks.md"
    written = document(page.read_text(encoding="utf-8"), RECORDS)
    write_bytes_atomically(page, written.encode())
    plot_rasterize(read_record(RECORDS / "rasterize.json"), DOCS / "images" / "benchmark_rasterize.png")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Finished pairs of a run that is not finished: lines of JSON, appended, so that a killed run can go on."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import farm3d
from farm3d.io.atomic import write_bytes_atomically

from .protocol import ChamferProtocol
from .rows import SCHEMA, FailedPair, PairRow, Row


@dataclass(frozen=True)
class Journal:
    """The journal of the run whose result goes to `out`; `conditions` say of what run it is."""

    path: Path
    conditions: dict[str, Any]

    def read(self) -> dict[tuple[str, str], Row]:
        """The rows of earlier runs by name and fingerprint; of other conditions none.

        A line that is not whole, or no line of a journal, counts as never written.
        """
        if not self.path.is_file():
            return {}
        first, *others = self.path.read_bytes().split(b"\n")
        if _parsed(first) != self.conditions:
            return {}
        entries = (_parsed(line) for line in others)
        return {
            (entry["row"]["name"], entry["fingerprint"]): _row(entry["row"])
            for entry in entries
            if isinstance(entry, dict) and {"row", "fingerprint"} <= entry.keys()
        }

    def start(self, rows: dict[tuple[str, str], Row]) -> None:
        """Write a journal with these rows in place of the old one.

        Raises InputError where it cannot be written.
        """
        lines = [_line(self.conditions)]
        lines += [_entry(row, fingerprint) for (_, fingerprint), row in rows.items()]
        write_bytes_atomically(self.path, b"".join(lines))

    def append(self, row: Row, fingerprint: str) -> None:
        """Add a row; it counts from when its line is whole."""
        with self.path.open("ab") as file:
            file.write(_entry(row, fingerprint))

    def remove(self) -> None:
        """The result is written, the journal has done its work."""
        self.path.unlink(missing_ok=True)


def journal_beside(out: Path, *, protocol: ChamferProtocol, seed: int) -> Journal:
    """The journal FILE.json.journal of the result FILE.json."""
    conditions = {
        "journal": "farm3d-eval chamfer",
        "schema_version": SCHEMA,
        "farm3d": farm3d.__version__,
        "protocol": asdict(protocol),
        "seed": seed,
    }
    return Journal(out.with_name(f"{out.name}.journal"), conditions)


def _entry(row: Row, fingerprint: str) -> bytes:
    return _line({"fingerprint": fingerprint, "row": asdict(row)})


def _line(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _row(values: dict[str, Any]) -> Row:
    return FailedPair(**values) if "reason" in values else PairRow(**values)

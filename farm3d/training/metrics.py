"""metrics.jsonl: what every logged step came to, one JSON object a line."""

import json
from collections.abc import Mapping
from pathlib import Path

from farm3d.errors import InputError
from farm3d.io.atomic import write_bytes_atomically

METRICS_FILE = "metrics.jsonl"

HEAD_AGREEMENT = "head_agreement"
"""The one line that is no step's has this beside its step: see `head_check`."""


def log_step(run: Path, step: int, values: Mapping[str, float], *, seconds: float) -> None:
    """Append a step; raises InputError where the file cannot be written (disk full)."""
    rounded = {name: round(value, 6) for name, value in values.items()}
    line = json.dumps({"step": step, **rounded, "seconds": round(seconds, 4)})
    path = run / METRICS_FILE
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error


def cut_log(run: Path, step: int) -> None:
    """Drop what a killed run logged after its last checkpoint: those steps are done again."""
    path = run / METRICS_FILE
    if not path.is_file():
        return
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.endswith("}")]
    kept = "".join(f"{line}\n" for line in lines if json.loads(line)["step"] < step)
    if kept != text:
        write_bytes_atomically(path, kept.encode())

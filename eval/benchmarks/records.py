"""What a benchmark found, as JSON and back, and one such record held against another."""

import json
from pathlib import Path

from pydantic import Field

from farm3d.config import StrictConfig, parse_config
from farm3d.errors import InputError
from farm3d.io.atomic import write_bytes_atomically

from .harness import Timing
from .machine import Environment, MachineSpeed

SCHEMA = 1
"""Version of the JSON; a file of another one is refused."""

ANY = "any"
"""Setting and task of a contender that could not be measured at all."""


class Work(StrictConfig):
    """The least that must be done: bytes read and written once each, and arithmetic operations.

    `float64` of the operations are in double precision, the others in single.
    """

    bytes: float = 0.0
    float32: float = 0.0
    float64: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        return Work(
            bytes=self.bytes + other.bytes,
            float32=self.float32 + other.float32,
            float64=self.float64 + other.float64,
        )

    def floor_seconds(self, speed: MachineSpeed) -> float:
        """The roofline (Williams et al. 2009): moving and computing overlap, the slower of them counts."""
        return max(self.bytes / speed.bandwidth, self.float32 / speed.float32 + self.float64 / speed.float64)


class Case(StrictConfig):
    """One measured call, or the reason why it could not be measured (`missing`).

    `contender` did `task` (what was timed) on `setting` (of what size). `numbers` are further figures:
    counts of faces, pixels and images, evaluations, sizes in bytes.
    """

    contender: str
    task: str
    setting: str
    timing: Timing | None = None
    peak_bytes: int | None = None
    work: Work | None = None
    numbers: dict[str, float] = Field(default_factory=dict)
    missing: str | None = None

    @property
    def name(self) -> str:
        """Unique in a record; the same in a later record of the same case."""
        return f"{self.contender}, {self.setting}: {self.task}"


class Record(StrictConfig):
    """All that one run of a benchmark found."""

    schema_version: int = SCHEMA
    benchmark: str
    quick: bool
    environment: Environment
    speed: MachineSpeed
    cases: tuple[Case, ...]


class Comparison(StrictConfig):
    """One case in two records; `None` where a record does not have it."""

    name: str
    old: Timing | None
    new: Timing | None

    @property
    def speedup(self) -> float | None:
        """Old median over new median: above 1 is faster."""
        return None if self.old is None or self.new is None else self.old.median / self.new.median

    @property
    def verdict(self) -> str:
        """`slower` or `faster` where the spans between the quartiles do not even touch."""
        if self.old is None or self.new is None:
            return "only in the new one" if self.old is None else "only in the old one"
        if self.new.first_quartile > self.old.third_quartile:
            return "slower"
        return "faster" if self.new.third_quartile < self.old.first_quartile else "as before"


def write_record(record: Record, path: Path) -> None:
    """Write a record; raises InputError where the file cannot be written."""
    write_bytes_atomically(path, (json.dumps(record.model_dump(mode="json"), indent=1) + "\n").encode())


def read_record(path: Path) -> Record:
    """The record in a file.

    Raises InputError for a file that cannot be read or is no JSON, ConfigError for JSON that is no record.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except ValueError:
        raise InputError(f"{path}: not a JSON file; give one that farm3d-bench wrote with --out") from None
    version = values.get("schema_version") if isinstance(values, dict) else None
    if version is None:
        raise InputError(f"{path}: not a result of farm3d-bench; give a file that it wrote with --out")
    if version != SCHEMA:
        raise InputError(
            f"{path}: its schema_version is {version}, this farm3d reads {SCHEMA}; measure again"
        )
    return parse_config(Record, values, source=str(path))


def compare(old: Record, new: Record) -> list[Comparison]:
    """Every timed case of either record, in the order of the new one, then what only the old one has.

    Raises InputError where the records are of different benchmarks.
    """
    if old.benchmark != new.benchmark:
        raise InputError(f"a record of {old.benchmark!r} cannot be compared with one of {new.benchmark!r}")
    before, after = ({case.name: case.timing for case in record.cases} for record in (old, new))
    names = [*after, *(name for name in before if name not in after)]
    found = [Comparison(name=name, old=before.get(name), new=after.get(name)) for name in names]
    return [comparison for comparison in found if comparison.old or comparison.new]


def same_conditions(old: Record, new: Record) -> bool:
    """Whether two records differ in nothing but farm3d itself: machine, libraries, threads and effort."""
    first, second = (
        record.environment.model_copy(update={"farm3d": "", "commit": None}) for record in (old, new)
    )
    return first == second and old.quick == new.quick

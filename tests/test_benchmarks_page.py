"""docs/benchmarks.md shows the records that stand in docs/benchmarks, all of them and nothing else."""

from pathlib import Path

import pytest
from farm3d.eval.benchmarks.records import read_record
from farm3d.eval.benchmarks.tables import BLOCK, document

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
RECORDS = sorted((DOCS / "benchmarks").glob("*.json"))


def test_the_tables_are_those_of_the_records() -> None:
    assert document(PAGE, DOCS / "benchmarks") == PAGE, "run: python docs/make_benchmarks.py nothing"


def test_every_record_is_shown() -> None:
    assert sorted(found["name"] for found in BLOCK.finditer(PAGE)) == [path.name for path in RECORDS]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_no_record_was_made_in_a_hurry(path: Path) -> None:
    assert not read_record(path).quick


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_a_record_names_no_folder_and_no_user(path: Path) -> None:
    assert not any(word in path.read_text(encoding="utf-8") for word in ("/home", "/root", "/Users", "/tmp"))

"""Records survive their file, foreign files are refused in one line, and two records are compared fairly."""

import json
from pathlib import Path
from typing import Any

import pytest
from farm3d.eval.benchmarks.records import (
    Comparison,
    Work,
    compare,
    read_record,
    same_conditions,
    write_record,
)

from farm3d.errors import ConfigError, Farm3DError, InputError

from .sample_records import SPEED, case, record, star, timing


def test_a_record_read_back_is_the_record(tmp_path: Path) -> None:
    written = star()
    write_record(written, tmp_path / "folder" / "record.json")
    assert read_record(tmp_path / "folder" / "record.json") == written


def changed(**values: Any) -> str:
    return json.dumps({**star().model_dump(mode="json"), **values})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a JSON file"),
        ("{", "not a JSON file"),
        ("[1, 2]", "not a result of farm3d-bench"),
        ('{"a": 1}', "not a result of farm3d-bench"),
        (changed(schema_version=99), "schema_version is 99"),
        (changed(surprise=1), "unknown key 'surprise'"),
        (changed(cases="none"), "cases"),
        (changed(cases=[{"contender": "numba"}]), "missing"),
        (changed(speed={"bandwidth": "fast"}), "speed"),
    ],
)
def test_a_file_that_is_no_record_is_refused_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "old.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises((InputError, ConfigError)) as refusal:
        read_record(file)
    message = str(refusal.value)
    assert words in message
    assert str(file) in message
    assert "\n" not in message


def test_a_file_of_bytes_or_none_at_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    for name in ("bytes.json", "nowhere.json", "."):
        with pytest.raises(Farm3DError):
            read_record(tmp_path / name)


def test_comparing_tells_what_got_slower_by_more_than_the_spread() -> None:
    old = record(case(1.0, faces=1), case(1.0, faces=2), case(1.0, faces=3), case(1.0, faces=4))
    new = record(case(1.5, faces=1), case(1.1, faces=2), case(0.5, faces=3), case(1.0, faces=5))
    found = {comparison.name: comparison for comparison in compare(old, new)}
    verdicts = {name.split(",")[1].strip(): found[name].verdict for name in found}
    assert verdicts == {
        "1 faces: forward": "slower",
        "2 faces: forward": "as before",
        "3 faces: forward": "faster",
        "5 faces: forward": "only in the new one",
        "4 faces: forward": "only in the old one",
    }
    assert found["numba, 3 faces: forward"].speedup == pytest.approx(2.0)
    assert found["numba, 4 faces: forward"].speedup is None


def test_a_record_compared_with_itself_is_as_before() -> None:
    assert {comparison.verdict for comparison in compare(star(), star())} == {"as before"}


def test_what_was_never_measured_is_not_compared() -> None:
    lost = case(1.0, faces=1).model_copy(update={"timing": None, "missing": "no such device"})
    assert compare(record(lost), record(lost)) == []
    (found,) = compare(record(lost), record(case(1.0, faces=1)))
    assert found.verdict == "only in the new one"


def test_different_benchmarks_are_not_compared() -> None:
    with pytest.raises(InputError, match="cannot be compared"):
        compare(record(benchmark="rasterize"), record(benchmark="isosurface"))


def test_touching_quartiles_are_no_difference() -> None:
    touching = Comparison(name="a", old=timing(1.0, 0.25), new=timing(1.5, 0.25))
    apart = Comparison(name="a", old=timing(1.0, 0.25), new=timing(1.6, 0.25))
    assert (touching.verdict, apart.verdict) == ("as before", "slower")


@pytest.mark.parametrize(
    ("work", "seconds"),
    [
        (Work(bytes=1e10), 1.0),
        (Work(float32=4e11), 2.0),
        (Work(float32=2e11, float64=1e11), 2.0),
        (Work(bytes=1e10, float64=3e11), 3.0),
        (Work(bytes=5e10, float64=3e11), 5.0),
    ],
)
def test_the_floor_is_the_slower_of_moving_and_computing(work: Work, seconds: float) -> None:
    assert work.floor_seconds(SPEED) == pytest.approx(seconds)
    assert (work + work).floor_seconds(SPEED) == pytest.approx(2 * seconds)


def test_conditions_are_the_machine_and_not_the_commit() -> None:
    old = star()

    def elsewhere(**values: Any) -> Any:
        return old.model_copy(update={"environment": old.environment.model_copy(update=values)})

    assert same_conditions(old, elsewhere(commit="abc", farm3d="9.9"))
    assert not same_conditions(old, elsewhere(threads=64))
    assert not same_conditions(old, elsewhere(processor="Another"))
    assert not same_conditions(old, elsewhere(versions={"python": "3.13.0"}))
    assert not same_conditions(old, old.model_copy(update={"quick": True}))

"""`farm3d-bench --quick` from end to end: tables, JSON, comparison, and mistakes in one line."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from farm3d.eval.benchmarks.isosurface import DENSE, HALVED, REUSED, SPARSE
from farm3d.eval.benchmarks.peers import Peer
from farm3d.eval.benchmarks.records import read_record

from farm3d.cli import bench
from farm3d.cli.bench import main
from farm3d.ops.rasterize import Backend


def quick(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main([*arguments, "--quick", "--device", "cpu"])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def isosurface_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("isosurface") / "record.json"
    assert main(["isosurface", "--quick", "--device", "cpu", "--quiet", "--out", str(file)]) == 0
    return file


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rasterize", "--backend", "numba"), ("forward + backward", "antialias backward", "exponent")),
        (("turntable",), ("frames/s", "texture")),
    ],
    ids=["rasterize", "turntable"],
)
def test_a_benchmark_shows_a_table_and_writes_what_it_showed(
    arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = quick(capsys, *arguments, "--out", str(tmp_path / "record.json"))
    assert code == 0
    assert all(word in out for word in words)
    assert "device: cpu" in err, "progress is on stderr"
    record = read_record(tmp_path / "record.json")
    assert record.quick
    assert record.benchmark == arguments[0]
    names = [case.name for case in record.cases]
    assert len(names) == len(set(names))
    assert all(case.timing is not None and case.timing.median > 0.0 for case in record.cases)
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_the_same_mesh_comes_from_fewer_evaluations(isosurface_run: Path) -> None:
    cases = read_record(isosurface_run).cases
    assert {case.contender for case in cases} > {DENSE, SPARSE, HALVED, REUSED}
    for case in cases:
        assert case.numbers["same_mesh"] == 1.0
        assert (case.numbers["evaluations"] < case.numbers["lattice_points"]) == (case.contender != DENSE)


def test_comparing_with_an_earlier_result_shows_ratios(
    isosurface_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = json.loads(isosurface_run.read_text())
    for case in values["cases"]:
        for key in ("median", "first_quartile", "third_quartile"):
            case["timing"][key] *= 1e-6
    faster = tmp_path / "faster.json"
    faster.write_text(json.dumps(values))
    code, out, err = quick(capsys, "isosurface", "--compare", str(faster))
    assert code == 0
    assert "old/new" in out
    assert "sparse, symmetric, reused" in out
    assert out.count("slower") == len(values["cases"])
    assert "careful" not in err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"benchmark": "isosurface"}, "a result of isosurface"),
        ({"schema_version": 0}, "schema_version is 0"),
        ({"cases": [{}]}, "missing"),
        (None, "not a JSON file"),
    ],
)
def test_a_result_that_cannot_be_compared_is_told_before_anything_is_measured(
    change: dict[str, Any] | None,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ..eval.benchmarks.sample_records import star

    old = tmp_path / "old.json"
    text = "no" if change is None else json.dumps({**star().model_dump(mode="json"), **change})
    old.write_text(text)
    monkeypatch.setattr(bench, "_measure", lambda *arguments: pytest.fail("measured"))
    code, out, err = quick(capsys, "rasterize", "--compare", str(old))
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["painting"], "invalid choice"),
        (["isosurface", "--backend", "numba"], "unrecognized arguments: --backend"),
        (["turntable", "--peer", "embree"], "unrecognized arguments: --peer"),
        (["rasterize", "--backend", "pencil"], "invalid choice"),
        (["rasterize", "--device", "abacus"], "--device abacus"),
        (["rasterize", "--compare", "nowhere.json"], "nowhere.json"),
        (["rasterize", "--out", "."], "--out .: a folder"),
        (["turntable", "--device", "meta"], "--device meta"),
    ],
)
def test_a_mistake_is_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1


def test_the_choices_are_those_of_the_library() -> None:
    assert set(bench.BACKENDS) == set(get_args(Backend))
    assert set(bench.PEERS) == set(get_args(Peer))

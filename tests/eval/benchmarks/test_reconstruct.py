"""What farm3d-bench reconstruct measures is what farm3d-infer does."""

import json
from pathlib import Path

import pytest
from farm3d.eval.benchmarks.harness import QUICK
from farm3d.eval.benchmarks.reconstruct import (
    ATLAS,
    PHOTOGRAPH,
    WHOLE,
    Plan,
    open_benchmark_session,
    parts,
    processor_seconds,
    stage_timings,
)

from farm3d.errors import InputError

REPOSITORY = Path(__file__).parents[3]


def test_the_stages_are_those_of_timings_json(tmp_path: Path) -> None:
    plan = Plan(steps=1, repeats=1, effort=QUICK, turntable=False)
    session = open_benchmark_session(REPOSITORY / PHOTOGRAPH, plan, tmp_path)
    started = processor_seconds()
    found = stage_timings(session, REPOSITORY / PHOTOGRAPH, plan, progress=lambda line: None)
    spent = processor_seconds() - started
    written = json.loads((tmp_path / "horse" / "timings.json").read_text())
    assert set(found) == {*written, WHOLE} - {"load"}
    assert {"segment", "reconstruct", "texture", "rig", "report"} < set(found)
    assert 0.0 < found["texture"].median < found[WHOLE].median < spent
    calls = parts(session, REPOSITORY / PHOTOGRAPH)
    assert list(calls) == [ATLAS, "encode", "refine", "fit albedo"]
    calls["encode"]()
    calls["fit albedo"]()


def test_without_the_photograph_it_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run farm3d-bench reconstruct in a checkout"):
        open_benchmark_session(tmp_path / "horse.jpg", Plan(), tmp_path)

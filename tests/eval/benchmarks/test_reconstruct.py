"""The stages that farm3d-bench reconstruct measures do what farm3d-infer does."""

from pathlib import Path

import pytest
from farm3d.eval.benchmarks.harness import QUICK
from farm3d.eval.benchmarks.reconstruct import PHOTOGRAPH, WHOLE, Plan, load_subject, stages

from farm3d.errors import InputError

REPOSITORY = Path(__file__).parents[3]


def test_stages_start_where_those_before_them_ended(tmp_path: Path) -> None:
    calls = stages(load_subject(REPOSITORY / PHOTOGRAPH), Plan(1, 64, QUICK), tmp_path)
    assert list(calls) == ["encode", "refine", "fit albedo", WHOLE, "bake", "video", "export"]
    calls["encode"]()
    calls["export"]()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["animal.glb", "posed.obj"]


def test_without_the_photograph_it_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run farm3d-bench reconstruct in a checkout"):
        load_subject(tmp_path / "horse.jpg")

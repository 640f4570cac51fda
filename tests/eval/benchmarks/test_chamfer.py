"""The benchmark of the Chamfer distance: both contenders in every step, one where a library is missing."""

import importlib.util
from dataclasses import replace

import pytest
from farm3d.eval.benchmarks.chamfer import FAST, LITERAL, QUICK_PLAN, WHOLE, measure_chamfer
from farm3d.eval.benchmarks.chamfer_pairs import PAIRS, pair_triangles

PLAN = replace(QUICK_PLAN, protocol=replace(QUICK_PLAN.protocol, cubes=8))


def test_both_contenders_do_every_step() -> None:
    pytest.importorskip("skimage")
    said: list[str] = []
    cases = measure_chamfer(PLAN, seed=0, progress=said.append)
    tasks = {case.task for case in cases}
    assert WHOLE in tasks
    assert len(said) == len(tasks) == 6
    assert {(case.task, case.contender) for case in cases} == {
        (task, contender) for task in tasks for contender in (FAST, LITERAL)
    }
    assert {case.timing.repeats for case in cases if case.timing and case.task == WHOLE} == {len(PLAN.pairs)}
    for case in cases:
        assert case.numbers["times_faster"] > 0.0
        assert case.contender != LITERAL or case.numbers["times_faster"] == 1.0


def test_without_scikit_image_the_fast_one_is_measured_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    cases = measure_chamfer(PLAN, seed=0, progress=lambda line: None)
    assert {case.contender: case.missing is None for case in cases} == {LITERAL: False, FAST: True}
    assert all("scikit-image" in case.missing for case in cases if case.missing)


def test_the_pairs_are_what_they_say() -> None:
    whole, cut = pair_triangles(PAIRS[1]), pair_triangles(PAIRS[5])
    assert len(cut[0]) < len(cut[1])
    assert len(whole[0]) == len(whole[1])
    small = next(pair for pair in PAIRS if pair.scale < 0.5)
    ours, theirs = pair_triangles(small)
    assert ours.max() < 0.5 * theirs.max()
    assert len({str(pair) for pair in PAIRS}) == len(PAIRS) == 10

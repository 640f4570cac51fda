"""Many pairs: by name, in several processes, resumed after a kill, bad meshes told and counted."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, stdev

import pytest
import trimesh
from farm3d.eval.chamfer.journal import Journal, journal_beside
from farm3d.eval.chamfer.pairs import Pair, find_pairs, fingerprint
from farm3d.eval.chamfer.protocol import ChamferProtocol
from farm3d.eval.chamfer.rows import FIGURES, FailedPair, PairRow, Row, to_csv, to_json, to_table
from farm3d.eval.chamfer.run import ChamferRun, measure_pair, measure_pairs

from farm3d.cli.evaluate import main
from farm3d.errors import InputError

RUN = ChamferRun(ChamferProtocol(cubes=12, align_points=200, align_iterations=10, chamfer_points=500), seed=3)
NAMES = ("a", "b", "c", "d", "e", "f")
SUFFIXES = (".obj", ".ply", ".glb")


def write_ball(path: Path, stretch: float) -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    ball.apply_scale((1.0, stretch, 1.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    ball.export(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pairs of balls, the files of a pair of different kinds."""
    for number, name in enumerate(NAMES):
        write_ball(tmp_path / "ours" / f"{name}{SUFFIXES[number % 3]}", 1.0 + 0.1 * number)
        write_ball(tmp_path / "theirs" / f"{name}{SUFFIXES[(number + 1) % 3]}", 1.3)
    return tmp_path


def pairs_of(folder: Path) -> list[Pair]:
    return find_pairs(folder / "ours", folder / "theirs")


def journal_of(folder: Path, run: ChamferRun = RUN) -> Journal:
    return journal_beside(folder / "out.json", protocol=run.protocol, seed=run.seed)


def ignore(row: Row) -> None:
    """Nobody watches."""


def stop_after(count: int) -> Callable[[Row], None]:
    seen: list[Row] = []

    def watch(row: Row) -> None:
        seen.append(row)
        if len(seen) == count:
            raise KeyboardInterrupt

    return watch


def as_bytes(rows: list[Row]) -> tuple[bytes, bytes]:
    return to_json(rows, protocol=RUN.protocol, seed=RUN.seed), to_csv(rows)


def command(folder: Path, *more: str) -> list[str]:
    return ["chamfer", "--reconstructions", str(folder / "ours"), "--targets", str(folder / "theirs"), *more]


def test_pairs_have_the_same_stem_whatever_their_kind(folder: Path) -> None:
    (folder / "ours" / "notes.txt").write_text("not a mesh")
    assert [pair.name for pair in pairs_of(folder)] == list(NAMES)
    assert pairs_of(folder)[1].reconstruction.name == "b.ply"
    assert pairs_of(folder)[1].target.name == "b.glb"


def test_meshes_without_partner_are_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ours" / "a.obj").unlink()
    write_ball(folder / "ours" / "extra.obj", 1.0)
    assert main(command(folder)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "extra.obj" in error
    assert "a.ply" in error


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "ours").rename(folder / "elsewhere"), "no such folder"),
        (lambda folder: [path.unlink() for path in (folder / "theirs").iterdir()], "no mesh in it"),
        (lambda folder: write_ball(folder / "ours" / "a.ply", 1.0), "both a.obj and a.ply"),
    ],
    ids=["no folder", "empty folder", "one name twice"],
)
def test_folders_that_cannot_be_used_are_told(
    change: Callable[[Path], object], said: str, folder: Path
) -> None:
    change(folder)
    with pytest.raises(InputError, match=said):
        pairs_of(folder)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\n", "no triangles"),
        ("a.obj", "", "no triangles|damaged"),
        ("a.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "flat"),
        ("a.obj", "v 0 0 0\nv 1 1 1\nv 2 2 2\nf 1 2 3\n", "no area"),
        ("a.obj", "v 0 0 0\nv nan 1 1\nv 2 0 2\nf 1 2 3\n", "not finite"),
        ("a.obj", "v 0 0 0\nv 9000 1 0\nv 0 0 1\nf 1 2 3\n", "edges longer"),
        ("a.glb", "this is no mesh", "damaged"),
    ],
    ids=["no faces", "empty", "flat", "no area", "nan", "coarse", "no mesh"],
)
def test_a_bad_mesh_is_a_reason_and_not_the_end(name: str, content: str, said: str, folder: Path) -> None:
    (folder / "ours" / "a.obj").unlink()
    (folder / "ours" / name).write_text(content)
    rows = measure_pairs(pairs_of(folder)[:2], RUN, journal=None, progress=ignore)
    assert isinstance(rows[0], FailedPair)
    assert any(word in rows[0].reason for word in said.split("|")), rows[0].reason
    assert "\n" not in rows[0].reason
    assert isinstance(rows[1], PairRow)


def test_the_number_of_processes_changes_nothing(folder: Path) -> None:
    (folder / "ours" / "d.obj").write_text("")
    pairs = pairs_of(folder)
    alone = measure_pairs(pairs, RUN, journal=None, progress=ignore)
    together = measure_pairs(
        pairs, ChamferRun(RUN.protocol, RUN.seed, workers=2), journal=None, progress=ignore
    )
    assert as_bytes(alone) == as_bytes(together)
    assert [row.name for row in alone] == list(NAMES)


def test_a_pair_does_not_depend_on_the_others(folder: Path) -> None:
    pairs = pairs_of(folder)
    assert measure_pairs(pairs, RUN, journal=None, progress=ignore)[4] == measure_pair(pairs[4], RUN)
    assert measure_pair(pairs[4], ChamferRun(RUN.protocol, seed=4)) != measure_pair(pairs[4], RUN)


@pytest.mark.parametrize("finished", [1, 3])
def test_interrupted_and_resumed_is_uninterrupted(finished: int, folder: Path) -> None:
    pairs, journal = pairs_of(folder), journal_of(folder)
    whole = measure_pairs(pairs, RUN, journal=None, progress=ignore)
    with pytest.raises(KeyboardInterrupt):
        measure_pairs(pairs, RUN, journal=journal, progress=stop_after(finished))
    with journal.path.open("ab") as file:
        file.write(b'{"fingerprint": "0", "row": {"name": "z", "cham')
    assert len(journal.read()) == finished, "a torn line was never written"
    assert as_bytes(measure_pairs(pairs, RUN, journal=journal, progress=ignore)) == as_bytes(whole)


def test_finished_pairs_come_from_the_journal_unless_their_files_changed(folder: Path) -> None:
    pairs, journal = pairs_of(folder), journal_of(folder)
    marked: dict[tuple[str, str], Row] = {
        (pair.name, fingerprint(pair)): FailedPair(pair.name, "from the journal") for pair in pairs[:2]
    }
    journal.start(marked)
    write_ball(pairs[1].reconstruction, 2.0)
    rows = measure_pairs(pairs, RUN, journal=journal, progress=ignore)
    assert [isinstance(row, FailedPair) for row in rows] == [True, False, False, False, False, False]


@pytest.mark.parametrize(
    "run", [ChamferRun(RUN.protocol, seed=4), ChamferRun(ChamferProtocol(), seed=RUN.seed)]
)
def test_the_journal_of_another_run_is_not_used(run: ChamferRun, folder: Path) -> None:
    pair = pairs_of(folder)[0]
    journal_of(folder).start({(pair.name, fingerprint(pair)): FailedPair(pair.name, "told")})
    assert len(journal_of(folder).read()) == 1
    assert not journal_of(folder, run).read()


def test_killed_and_run_again_is_one_run(folder: Path) -> None:
    """SIGKILL, when two pairs are done: no process is left, and the files are those of an unbroken run."""
    words = command(folder, "--workers", "2", "--quiet", "--out", str(folder / "killed.json"))
    first = subprocess.Popen(
        [sys.executable, "-m", "farm3d.cli.evaluate", *words],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    journal = folder / "killed.json.journal"
    deadline = time.monotonic() + 120
    while (
        (not journal.exists() or journal.read_bytes().count(b"\n") < 3)
        and time.monotonic() < deadline
        and first.poll() is None
    ):
        time.sleep(0.02)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    deadline = time.monotonic() + 30
    while left_over(first.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left_over(first.pid)
    assert not (folder / "killed.json").exists()
    for name in ("killed", "unbroken"):
        assert main(command(folder, "--quiet", "--out", str(folder / f"{name}.json"))) == 0
    for suffix in ("json", "csv"):
        assert (folder / f"killed.{suffix}").read_bytes() == (folder / f"unbroken.{suffix}").read_bytes()
    assert not list(folder.glob("*.journal"))


def left_over(session: int) -> bool:
    """Whether a process of the session still runs."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_command_writes_what_it_shows(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ours" / "b.ply").write_text("")
    assert main(command(folder, "--out", str(folder / "out.json"), "--seed", "3")) == 2, "one pair failed"
    captured = capsys.readouterr()
    document = json.loads((folder / "out.json").read_text())
    assert document["schema_version"] == 1
    assert document["seed"] == 3
    assert [pair["name"] for pair in document["pairs"]] == ["a", "c", "d", "e", "f"]
    assert [failed["name"] for failed in document["failed"]] == ["b"]
    assert "b: " in captured.err
    for figure in FIGURES:
        values = [pair[figure] for pair in document["pairs"]]
        assert document["mean"][figure] == pytest.approx(fmean(values))
        assert document["std"][figure] == pytest.approx(stdev(values))
    mean, std = document["mean"]["chamfer_scaled"], document["std"]["chamfer_scaled"]
    assert f"{mean:.6f} +- {std:.6f}" in captured.out
    assert "5 pairs" in captured.out
    assert "1 failed" in captured.out
    with (folder / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["chamfer"]) for row in rows] == [pair["chamfer"] for pair in document["pairs"]]
    assert not list(folder.glob("*.journal"))


def test_a_single_pair_has_no_deviation_and_failed_ones_no_mean(folder: Path) -> None:
    row = measure_pair(pairs_of(folder)[0], RUN)
    single = json.loads(as_bytes([row])[0])
    assert single["std"]["chamfer"] is None
    assert single["mean"]["chamfer"] == single["pairs"][0]["chamfer"]
    assert "+- -" in to_table([row])
    none = json.loads(as_bytes([FailedPair("a", "gone")])[0])
    assert none["mean"]["chamfer"] is None
    assert to_table([FailedPair("a", "gone")]) == "0 pairs, 0 of them turned by 180 degrees; 1 failed"


@pytest.mark.parametrize(
    ("more", "said"),
    [(["--out", "scores.txt"], "ends in .json"), (["--workers", "0"], "too small")],
)
def test_a_wrong_option_is_told_before_measuring(
    more: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(folder, *more)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1

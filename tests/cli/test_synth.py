"""`farm3d-synth` from its command line."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from farm3d.cli.synth import main
from farm3d.cli.train import main as train

from ..synth.photographs import write_photographs


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> Path:
    return write_photographs(tmp_path_factory.mktemp("input") / "photographs")


@pytest.fixture(scope="module")
def photograph_set(photographs: Path, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("sets") / "cow"
    arguments = ["--category", "cow", "--images", str(photographs), "--size", "32", "--out", str(out)]
    assert main([*arguments, "--segmenter", "file", "--workers", "1", "--quiet"]) == 0
    return out


def test_help_answers_at_once_with_two_examples():
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "farm3d.cli.synth", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.count("  farm3d-synth --category") == 2
    # One second on an idle machine; the tests share theirs.
    assert time.perf_counter() - start < 3.0


@pytest.mark.parametrize("command", [["--help"], ["inspect", "--help"], ["verify", "--help"]])
def test_help_imports_nothing_heavy(command):
    code = (
        "import sys\nfrom farm3d.cli.synth import main\n"
        f"try:\n    main({command})\nexcept SystemExit:\n    pass\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numba', 'cv2', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_small_data_set_is_one_result_line(tmp_path, capsys):
    out = tmp_path / "set"
    arguments = [
        "--category",
        "horse",
        "--count",
        "2",
        "--individuals",
        "1",
        "--size",
        "64",
        "--out",
        str(out),
    ]
    assert main([*arguments, "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{out}: 2 pictures of 1 individual (horse)\n"
    assert captured.err == ""
    assert len(list(out.glob("shard_00000/*.jpg"))) == 2
    assert main(["verify", str(out), "--quiet"]) == 0


def test_photographs_become_a_set_and_the_result_says_why_some_did_not(photographs, tmp_path, capsys):
    out = tmp_path / "set"
    arguments = ["--category", "cow", "--images", str(photographs), "--segmenter", "file", "--size", "32"]
    assert main([*arguments, "--workers", "1", "--out", str(out)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{out}: kept 4 of 11 pictures (rejected: ")
    assert "1 truncated" in captured.out and "1 duplicate" in captured.out
    assert "no features" in captured.err


def test_thresholds_come_from_a_file(photographs, tmp_path, capsys):
    thresholds = tmp_path / "filter.yaml"
    thresholds.write_text("max_border_contact: 1.0\nmax_duplicate_distance: -1\n")
    arguments = ["--category", "cow", "--images", str(photographs), "--segmenter", "file", "--size", "32"]
    arguments += ["--workers", "1", "--filter", str(thresholds), "--out", str(tmp_path / "set"), "--quiet"]
    assert main(arguments) == 0
    assert "kept 6 of 11" in capsys.readouterr().out


def test_inspect_prints_counts_and_writes_a_page(photograph_set, tmp_path, capsys):
    assert main(["inspect", str(photograph_set), "--out", str(tmp_path / "page")]) == 0
    captured = capsys.readouterr()
    assert "kept 4 of 11" in captured.out and "fragmented" in captured.out
    assert str(tmp_path / "page" / "index.html") in captured.err
    names = {path.name for path in (tmp_path / "page").iterdir()}
    assert names == {"index.html", "contact_sheet.png", "rejected.png"}


def test_verify_says_that_a_set_is_whole_or_what_is_wrong(photograph_set, tmp_path, capsys):
    assert main(["verify", str(photograph_set)]) == 0
    assert "every file is there and whole" in capsys.readouterr().out
    extra = photograph_set / "shard_00000" / "extra.txt"
    extra.write_text("")
    assert main(["verify", str(photograph_set)]) == 2
    assert capsys.readouterr().err == f"farm3d-synth: {extra}: does not belong to the set\n"
    extra.unlink()


def test_training_on_a_set_without_truth_says_what_is_missing(photograph_set, tmp_path, capsys):
    arguments = ["--category", "cow", "--config", "tiny", "--data", str(photograph_set)]
    assert train([*arguments, "--out", str(tmp_path / "run"), "--quiet"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "no truth" in captured.err and "--generator procedural" in captured.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--category", "hors"], "did you mean 'horse'"),
        (["--category", "okapi"], "--model or --images makes sets of any animal"),
        (["--category", "horse", "--images", ".", "--filter", "nowhere.yaml"], "nowhere.yaml: No such file"),
        (["--category", "horse", "--images", ".", "--features", "dino"], "DINO's weights are not here"),
        (
            ["--category", "horse", "--generator", "stable-diffusion", "--model", "nowhere"],
            "nowhere: no such folder",
        ),
        (
            ["--category", "horse", "--generator", "procedural", "--model", "x/y"],
            "--model is for stable-diffusion",
        ),
        (
            ["--category", "horse", "--images", ".", "--count", "3"],
            "--count is for procedural and stable-diffusion",
        ),
        (["--category", "horse", "--images", ".", "--generator", "procedural"], "exclude each other"),
        (["--category", "horse", "--images", "nowhere"], "nowhere: no such folder"),
        (["--category", "horse", "--images", "."], "no images in it"),
        (["--category", "horse", "--images", ".", "--features", "procedural"], "only the farm knows"),
        (["--category", "horse", "--features", "dino"], "give auto or procedural"),
        (["--category", "horse", "--size", "100"], "multiple of 32"),
        (["--category", "horse", "--count", "0"], "1 or more"),
        (["--category", "horse", "--device", "nonsense"], "--device"),
        (["inspect", "nowhere"], "nowhere: no data set here"),
        (["verify", "nowhere"], "nowhere: no data set here"),
        ([], "--category"),
    ],
)
def test_mistakes_are_one_line_and_write_nothing(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert words in captured.err
    assert list(tmp_path.iterdir()) == []


def test_an_output_in_the_way_is_one_line(tmp_path, capsys):
    file = tmp_path / "file"
    file.write_text("")
    assert main(["--category", "horse", "--out", str(file), "--quiet"]) == 2
    assert capsys.readouterr().err.count("\n") == 1

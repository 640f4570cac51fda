"""`farm3d-synth` from its command line."""

import subprocess
import sys
import time

import pytest

from farm3d.cli.synth import main


def test_help_answers_at_once_with_two_examples():
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "farm3d.cli.synth", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stdout.count("  farm3d-synth --category") == 2
    # One second on an idle machine; the tests share theirs.
    assert time.perf_counter() - start < 3.0


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom farm3d.cli.synth import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
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
    assert captured.out == f"{out}: 2 pictures of 1 horse\n"
    assert captured.err == ""
    assert len(list(out.glob("shard_00000/*.jpg"))) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--category", "hors"], "did you mean 'horse'"),
        (["--category", "horse", "--generator", "stable-diffusion"], "not part of this version"),
        (["--category", "horse", "--size", "100"], "multiple of 32"),
        (["--category", "horse", "--count", "0"], "1 or more"),
        (["--category", "horse", "--device", "nonsense"], "--device"),
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

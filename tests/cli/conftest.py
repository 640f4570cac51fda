"""Two runs of farm3d-infer that several tests look at."""

from pathlib import Path

import pytest

from .infer_runs import STEPS, Run, infer, secret_photograph


@pytest.fixture(scope="session")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return secret_photograph(tmp_path_factory.mktemp("photographs") / "first")


@pytest.fixture(scope="session")
def run(photograph: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The command as README gives it, with few steps."""
    out = tmp_path_factory.mktemp("results") / "one"
    return infer(out, photograph, "--relight", "--animate", "--refine", STEPS)


@pytest.fixture(scope="session")
def second_run(photograph: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same photograph again, then a bad file, then a photograph of the same name from another folder."""
    folder = tmp_path_factory.mktemp("more")
    other = secret_photograph(folder / "other")
    bad = folder / "bad.jpg"
    bad.write_text("not a picture")
    return infer(folder / "results", photograph, bad, other, "--refine", STEPS)

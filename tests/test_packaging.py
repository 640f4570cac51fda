"""What is installed is what stands in the tree: no file forgotten in the wheel, none too many."""

import configparser
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
SETUP_FILES = ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")


def package_folders() -> dict[str, str]:
    """Folders of the tree and where they are installed, from setup.cfg: synth -> farm3d/synth."""
    config = configparser.ConfigParser()
    config.read(REPOSITORY / "setup.cfg")
    lines = config["options"]["package_dir"].strip().splitlines()
    pairs = [[part.strip() for part in line.split("=")] for line in lines]
    return {folder: package.replace(".", "/") for package, folder in pairs}


def files_below(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in found if "__pycache__" not in path.parts and not path.name.startswith(".")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: setuptools leaves its own folders beside what it builds."""
    pytest.importorskip("setuptools")
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in SETUP_FILES:
        shutil.copy(REPOSITORY / name, copy / name)
    for folder in package_folders():
        shutil.copytree(REPOSITORY / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(out), str(copy)], check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_holds_the_tree(wheel: Path) -> None:
    expected = {
        f"{installed}/{path.relative_to(REPOSITORY / folder).as_posix()}"
        for folder, installed in package_folders().items()
        for path in files_below(REPOSITORY / folder)
    }
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert sorted(expected - names) == [], "in the tree, not in the wheel (see packages, package_data)"
    assert sorted(names - expected) == [], "in the wheel, not in the tree"


def test_the_wheel_holds_the_licence_and_the_commands(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    (entry_points,) = [name for name in names if name.endswith("entry_points.txt")]
    text = zipfile.ZipFile(wheel).read(entry_points).decode()
    for command in ("synth", "train", "infer", "bench", "app"):
        assert f"farm3d-{command} = farm3d.cli.{command}:main" in text
    assert "farm3d-eval = farm3d.cli.evaluate:main" in text


def test_the_shipped_checkpoints_are_small() -> None:
    for path in (REPOSITORY / "farm3d" / "checkpoints").glob("*.safetensors"):
        assert path.stat().st_size <= 15_000_000, path.name


@pytest.mark.parametrize("command", ["synth", "train", "infer", "bench", "eval", "app"])
def test_help_imports_nothing_heavy(command: str) -> None:
    module = "evaluate" if command == "eval" else command
    code = f"""
import sys
from farm3d.cli.{module} import main
sys.argv = ["farm3d-{command}", "--help"]
try:
    main()
except SystemExit as leaving:
    assert not leaving.code
heavy = {{"torch", "numpy", "cv2", "pydantic", "PIL", "numba"}} & set(sys.modules)
sys.exit(f"imported for --help: {{heavy}}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"  farm3d-{command} ") >= 2, "two examples to copy"

"""The code of docs/quickstart.md runs as it stands, from top to bottom."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from .io.gltf_reader import parse

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page's code has run."""
    place = tmp_path_factory.mktemp("quickstart")
    for name in ("horse.jpg", "horse_mask.png"):
        shutil.copy(DOCS / "images" / name, place)
    blocks = BLOCK.findall((DOCS / "quickstart.md").read_text(encoding="utf-8"))
    assert len(blocks) >= 6
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        for number, block in enumerate(blocks):
            exec(compile(block, f"quickstart.md, block {number + 1}", "exec"), names)
    return place


def test_the_results_are_there(folder: Path) -> None:
    for name in ("results/horse", "results/mixed"):
        animal = parse((folder / name / "animal.glb").read_bytes())
        assert "walk" in [clip["name"] for clip in animal.document["animations"]]
        assert (folder / name / "report.html").stat().st_size > 100_000
        assert not list((folder / name).glob("*.mp4"))
    assert (folder / "relight.mp4").stat().st_size > 1000 and (folder / "walk.mp4").stat().st_size > 1000


def test_the_saved_model_is_a_repository_of_the_hub(folder: Path) -> None:
    names = {path.name for path in (folder / "my_model").iterdir()}
    assert names == {"model.safetensors", "config.json", "README.md"}
    card = (folder / "my_model/README.md").read_text(encoding="utf-8")
    assert "library_name: farm3d" in card and "horse" in card

"""The docs keep their promises: links, references from the code, commands and examples all resolve."""

import argparse
import ast
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farm3d.cli import app, bench, evaluate, infer, synth, train
from farm3d.config import load_config
from farm3d.errors import ConfigError
from farm3d.geometry.clip import Clip
from farm3d.geometry.skeleton_estimation import BONE_NAMES
from farm3d.inference.clip_files import resolve_clip
from farm3d.losses.objective import LossTerms
from farm3d.training.config import TrainConfig
from farm3d.training.masks import MaskTraining
from farm3d.training.species import SpeciesTraining

REPOSITORY = Path(__file__).parent.parent
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
PARSERS: dict[str, Callable[[], argparse.ArgumentParser]] = {
    "farm3d-synth": synth._parser,
    "farm3d-train": train._parser,
    "farm3d-infer": infer._parser,
    "farm3d-bench": bench._parser,
    "farm3d-eval": evaluate._parser,
    "farm3d-app": app._parser,
}
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+\s+(.*?)\s*$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGE_NAMED = re.compile(r"docs/[\w/-]+\.\w+")
SECTION_NAMED = re.compile(r'(docs/[\w-]+\.md)(?:,[\s#]+"([^"]+)"|\s+section (\d+))')
SECTION_LINKED = re.compile(r'\[([\w-]+\.md)\]\([\w-]+\.md\),\s+"([^"]+)"')


def sources() -> list[Path]:
    folders = ("farm3d", "synth", "eval", "tests")
    found = [path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.py"))]
    return [path for path in found if path != Path(__file__)]


def headings(page: Path) -> list[str]:
    return HEADING.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))


def broken_links(text: str, folder: Path) -> list[str]:
    """Relative targets of Markdown links that are no file."""
    targets = (target.split("#")[0] for target in LINK.findall(text) if "://" not in target)
    return [target for target in targets if target and not (folder / target).is_file()]


def missing_sections(text: str) -> Iterator[str]:
    """Sections of docs/ that a text names and that are not headings there."""
    for page, title, number in SECTION_NAMED.findall(text):
        titles = headings(REPOSITORY / page)
        wanted = " ".join(title.split())
        found = wanted in titles if wanted else any(known.startswith(f"{number}. ") for known in titles)
        if not found:
            yield f"{page}: {wanted or number}"


def blocks(language: str) -> list[tuple[Path, str]]:
    """The fenced blocks of a language with the pages they stand in."""
    texts = [(page, page.read_text(encoding="utf-8")) for page in PAGES]
    return [(page, body) for page, text in texts for kind, body in BLOCK.findall(text) if kind == language]


def commands(script: str) -> Iterator[tuple[str, list[str]]]:
    """The farm3d commands of a shell script with their arguments."""
    for line in script.replace("\\\n", " ").splitlines():
        for part in re.split(r"&&|;|\|", line):
            words = shlex.split(part, comments=True)
            if words and Path(words[0]).name.startswith("farm3d-"):
                yield Path(words[0]).name, words[1:]


def all_commands() -> list[tuple[str, list[str]]]:
    documented = [command for _, script in blocks("sh") for command in commands(script)]
    examples = [command for make in PARSERS.values() for command in commands(make().epilog or "")]
    return documented + examples


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_to_files(page: Path) -> None:
    assert not broken_links(page.read_text(encoding="utf-8"), page.parent)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_sections_that_a_page_names_are_headings(page: Path) -> None:
    for other, title in SECTION_LINKED.findall(page.read_text(encoding="utf-8")):
        assert " ".join(title.split()) in headings(page.parent / other), f"{other} has no section {title!r}"


def test_what_the_code_says_of_docs_is_there() -> None:
    for path in sources():
        text = path.read_text(encoding="utf-8")
        missing = [name for name in PAGE_NAMED.findall(text) if not (REPOSITORY / name).is_file()]
        assert not missing, f"{path.relative_to(REPOSITORY)} refers to {missing}"
        assert not list(missing_sections(text)), f"{path.relative_to(REPOSITORY)}"


def test_every_documented_command_parses() -> None:
    assert len(all_commands()) >= len(PARSERS)
    for name, arguments in all_commands():
        PARSERS[name]().parse_args(arguments)


def test_every_documented_training_command_has_a_config() -> None:
    for name, words in all_commands():
        if name == "farm3d-train":
            arguments = train._parser().parse_args(words)
            if arguments.species is not None:
                load_config(SpeciesTraining, overrides=arguments.overrides)
                continue
            if arguments.masks is not None:
                load_config(MaskTraining, overrides=arguments.overrides)
                continue
            preset = arguments.config or f"small/{arguments.category}"
            load_config(TrainConfig, preset_or_file=preset, overrides=arguments.overrides)


def test_the_clip_in_the_docs_is_a_clip(tmp_path: Path) -> None:
    (example,) = [text for page, text in blocks("json") if page.name == "results.md"]
    file = tmp_path / "clip.json"
    file.write_text(example, encoding="utf-8")
    clip = resolve_clip(str(file))
    assert isinstance(clip, Clip)
    assert clip.name == json.loads(example)["name"]


def test_every_field_of_prediction_json_is_documented() -> None:
    """The keys of the dictionary that `describe` returns, read from its source."""
    tree = ast.parse((REPOSITORY / "farm3d/inference/description.py").read_text(encoding="utf-8"))
    describe = next(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "describe"
    )
    values = next(node.value for node in ast.walk(describe) if isinstance(node, ast.Return))
    assert isinstance(values, ast.Dict)
    page = (REPOSITORY / "docs/results.md").read_text(encoding="utf-8")
    for name in dotted_keys(values):
        assert f"`{name}`" in page, f"docs/results.md does not explain {name}"


def dotted_keys(values: ast.Dict, prefix: str = "") -> Iterator[str]:
    for key, value in zip(values.keys, values.values, strict=True):
        assert isinstance(key, ast.Constant)
        name = f"{prefix}{key.value}"
        if isinstance(value, ast.Dict):
            yield from dotted_keys(value, f"{name}.")
        elif name != "refinement":
            yield name


def test_every_bone_and_every_loss_is_named() -> None:
    conventions = (REPOSITORY / "docs/conventions.md").read_text(encoding="utf-8")
    assert all(f"`{bone}`" in conventions for bone in BONE_NAMES)
    method = (REPOSITORY / "docs/method.md").read_text(encoding="utf-8")
    assert all(f"| `{term}` |" in method for term in LossTerms.__dataclass_fields__)


def test_the_files_that_the_docs_name_exist() -> None:
    """`losses/objective.py: LossTerms` and the like: the file, and the name in it."""
    named = re.compile(r"[`\[]((?:[\w]+/)*\w+\.py)(?:: ([\w, ]+))?[`\]]")
    assert any(named.search(page.read_text(encoding="utf-8")) for page in PAGES)
    for page in PAGES:
        for file, names in named.findall(page.read_text(encoding="utf-8")):
            homes = [REPOSITORY / file, REPOSITORY / "farm3d" / file, REPOSITORY / "farm3d/cli" / file]
            homes += sorted((REPOSITORY / "farm3d").glob(f"*/{file}"))
            found = next((home for home in homes if home.is_file()), None)
            assert found, f"{page.name} names {file}"
            for name in filter(None, (names or "").split(", ")):
                assert re.search(rf"\b{name}\b", found.read_text(encoding="utf-8")), (
                    f"{page.name}: {file}: {name}"
                )


def test_the_checks_find_what_is_wrong() -> None:
    assert broken_links("[a](nowhere.md) [b](https://x.org) [c](#here)", REPOSITORY) == ["nowhere.md"]
    assert list(missing_sections('docs/method.md, "Alchemy"; docs/design.md section 99')) == [
        "docs/method.md: Alchemy",
        "docs/design.md: 99",
    ]
    assert not list(missing_sections('docs/method.md,\n    # "Losses"; docs/design.md section 7'))
    with pytest.raises(ConfigError):
        PARSERS["farm3d-infer"]().parse_args(["photo.jpg", "--no-such-option"])

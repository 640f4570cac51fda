"""Imports go down only: the table of docs/design.md section 1, read from the code with `ast`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
LAYERS: dict[int, tuple[str, ...]] = {
    0: ("errors", "config", "yaml_text", "schedule", "seeding", "shapes"),
    1: ("ops",),
    2: ("geometry",),
    3: ("types", "io"),
    4: ("fields", "predictors", "render", "losses", "guidance", "pretrained", "data"),
    5: ("models",),
    6: ("training", "inference"),
    7: ("synth",),
    8: ("eval",),
    9: ("cli",),
}
LAYER_OF = {room: layer for layer, rooms in LAYERS.items() for room in rooms}
INSTALLED_AT = {
    "farm3d": "farm3d",
    "synth": "farm3d.synth",
    "eval": "farm3d.eval",
    "configs": "farm3d.configs",
}


def modules() -> Iterator[tuple[str, Path]]:
    """Every Python file of the package with the dotted name that it is installed under."""
    for folder, package in INSTALLED_AT.items():
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            parts = path.relative_to(REPOSITORY / folder).with_suffix("").parts
            name = ".".join((package, *parts))
            yield name.removesuffix(".__init__"), path


def imported_modules(source: str, module: str, *, is_package: bool = False) -> Iterator[str]:
    """The dotted names of what a module imports, anywhere in it, relative ones resolved."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = module.split(".")
            ups = node.level - (1 if is_package else 0)
            base = ".".join(parents[: len(parents) - ups]) if node.level else ""
            target = ".".join(filter(None, (base, node.module)))
            yield from (f"{target}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str | None:
    """`geometry` for farm3d.geometry.camera; None for other packages and for farm3d itself."""
    parts = module.split(".")
    return parts[1] if parts[0] == "farm3d" and len(parts) > 1 and parts[1] in LAYER_OF else None


def violations(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """One line for every import that does not go down."""
    own = room_of(module)
    if own is None:
        return []
    found = []
    for target in imported_modules(source, module, is_package=is_package):
        other = room_of(target)
        allowed = other is None or other == own or LAYER_OF[other] < LAYER_OF[own] or LAYER_OF[own] == 0
        if not allowed:
            found.append(f"{module.replace('.', '/')}.py may not import {target}")
    return found


def test_every_room_has_its_layer() -> None:
    for module, path in modules():
        is_root = module in ("farm3d", "farm3d.checkpoints", "farm3d.configs")
        assert is_root or room_of(module), f"{path.relative_to(REPOSITORY)} is in no layer of the table"


def test_imports_go_down_only() -> None:
    found = [
        violation
        for module, path in modules()
        for violation in violations(path.read_text(), module, is_package=path.name == "__init__.py")
    ]
    assert not found, "\n".join(found)


def test_programs_import_their_own_modules_relatively() -> None:
    """An absolute import of farm3d.synth inside synth/ would hide the files from mypy."""
    for module, path in modules():
        room = room_of(module)
        if room in ("synth", "eval"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and not node.level:
                    assert not (node.module or "").startswith(f"farm3d.{room}"), f"{path}: {node.module}"


def test_layer_0_knows_only_errors_and_yaml_text() -> None:
    for module, path in modules():
        if LAYER_OF.get(room_of(module) or "") == 0:
            targets = {room_of(target) for target in imported_modules(path.read_text(), module)}
            assert targets <= {None, "errors", "yaml_text"}, f"{module} imports {targets}"


@pytest.mark.parametrize(
    ("module", "source", "message"),
    [
        ("farm3d.ops.x", "from farm3d.models.y import z", "farm3d/ops/x.py may not import farm3d.models.y.z"),
        ("farm3d.ops.x", "def f():\n    import farm3d.io.image", "may not import farm3d.io.image"),
        ("farm3d.io.x", "from farm3d import types", "may not import farm3d.types"),
        ("farm3d.data.x", "from farm3d.fields import sdf_field", "may not import farm3d.fields.sdf_field"),
        ("farm3d.synth.a.x", "from ...cli.main import y", "may not import farm3d.cli.main.y"),
        (
            "farm3d.training.x",
            "import farm3d.inference.refine as r",
            "may not import farm3d.inference.refine",
        ),
    ],
)
def test_the_check_finds_imports_that_do_not_go_down(module: str, source: str, message: str) -> None:
    (violation,) = violations(source, module)
    assert message in violation


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("farm3d.models.y", "from farm3d.ops.x import z"),
        ("farm3d.synth.a.x", "from .y import z\nfrom ..b import c\nfrom farm3d.io.image import write_png"),
        ("farm3d.io.x", "from farm3d.io.y import z\nimport numpy as np\nfrom farm3d import __version__"),
    ],
)
def test_the_check_allows_imports_that_go_down(module: str, source: str) -> None:
    assert violations(source, module) == []

"""The budgets of docs/design.md section 7: what can be counted is counted."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
FILE_LINES, FUNCTION_LINES, LONG_FUNCTION_LINES, PARAMETERS, POSITIONAL = 300, 60, 40, 8, 3
LONG_FUNCTIONS_SHARE = 0.03
OPERATORS = {"antialias", "__torch_function__"}
"""Functions that take their arguments in nvdiffrast's or torch's order."""

BANNED_NAMES = {"v_pos", "mtx_in", "lgt", "pdb", "_target_"}
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> list[Path]:
    return [path for top in ("farm3d", "synth", "eval") for path in sorted((REPOSITORY / top).rglob("*.py"))]


def report(check: Callable[[ast.Module], Iterator[str]]) -> None:
    """Fail with one line for every place that `check` names."""
    found = [
        f"{path.relative_to(REPOSITORY)}: {problem}"
        for path in sources()
        for problem in check(ast.parse(path.read_text()))
    ]
    assert not found, "\n".join(found)


def functions(tree: ast.AST) -> Iterator[FunctionNode]:
    """Every function but the kernels, which numba and Triton compile and Python's habits do not fit."""
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode) and not any(map(is_kernel_decorator, node.decorator_list)):
            yield node


def is_kernel_decorator(decorator: ast.expr) -> bool:
    return any(word in ast.unparse(decorator) for word in ("jit", "vectorize", "kernel"))


def length_without_docstring(function: FunctionNode) -> int:
    lines = (function.end_lineno or 0) - function.lineno + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or 0) - docstring.lineno + 1
    return lines


def long_functions(tree: ast.Module) -> Iterator[str]:
    for function in functions(tree):
        if (length := length_without_docstring(function)) > FUNCTION_LINES:
            yield f"{function.name} has {length} lines, over {FUNCTION_LINES}"


def parameters(tree: ast.Module) -> Iterator[str]:
    for function in functions(tree):
        arguments = function.args
        positional = [a.arg for a in arguments.posonlyargs + arguments.args if a.arg not in ("self", "cls")]
        free = function.name in OPERATORS or function.name == "forward" or is_autograd(function)
        if len(positional) > POSITIONAL and not free:
            yield f"{function.name} has {len(positional)} positional parameters; keyword-only after the third"
        if len(positional) + len(arguments.kwonlyargs) > PARAMETERS:
            yield f"{function.name} has {len(positional) + len(arguments.kwonlyargs)} parameters"


def is_autograd(function: FunctionNode) -> bool:
    """torch.autograd.Function calls its static methods with a context and positional arguments."""
    return bool(function.args.args) and function.args.args[0].arg in ("ctx", "context")


def late_state(tree: ast.Module) -> Iterator[str]:
    for function in functions(tree):
        if function.name == "__init__":
            continue
        for node in ast.walk(function):
            is_store = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
            if is_store and ast.unparse(node.value) == "self":
                yield f"line {node.lineno}: self.{node.attr} is set outside __init__"


def banned_calls_and_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in ("print", "breakpoint", "eval", "exec"):
                yield f"line {node.lineno}: {node.func.id}()"
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"line {node.lineno}: bare except"
        elif isinstance(node, ast.Name | ast.arg) and name_of(node) in BANNED_NAMES:
            yield f"line {node.lineno}: the name {name_of(node)}"
        elif isinstance(node, ast.Import) and any(alias.name in BANNED_NAMES for alias in node.names):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def name_of(node: ast.Name | ast.arg) -> str:
    return node.id if isinstance(node, ast.Name) else node.arg


def device_literals(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value == "cuda" or node.value.startswith("cuda:"):
                yield f"line {node.lineno}: the device {node.value!r}"
        elif isinstance(node, ast.Attribute) and ast.unparse(node).startswith("torch.cuda"):
            yield f"line {node.lineno}: {ast.unparse(node)}; torch.accelerator serves every device"


def modules_without_parameters(tree: ast.Module) -> Iterator[str]:
    """nn.Module subclasses whose __init__ makes neither a parameter nor a layer."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any(
            ast.unparse(base).endswith("nn.Module") for base in node.bases
        ):
            calls = [call for init in node.body if is_init(init) for call in calls_in(init)]
            if not any(makes_parameters(call) for call in calls):
                yield f"{node.name} is an nn.Module and owns no parameters"


def is_init(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "__init__"


def calls_in(node: ast.AST) -> Iterator[str]:
    return (ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call))


def makes_parameters(call: str) -> bool:
    """nn.Linear(...), Encoder(...), timm.create_model(...): a call of a class, or of a model's maker."""
    name = call.split(".")[-1]
    return call.split("(")[0] != "super" and (name[:1].isupper() or name == "create_model")


def test_files_are_short() -> None:
    lengths = {path.relative_to(REPOSITORY): len(path.read_text().splitlines()) for path in sources()}
    found = [f"{path}: {length} lines" for path, length in lengths.items() if length >= FILE_LINES]
    assert not found, "\n".join(found)


def test_functions_are_short() -> None:
    report(long_functions)


def test_few_functions_are_longer_than_a_screen() -> None:
    lengths = {
        f"{path.relative_to(REPOSITORY)}: {function.name}": length_without_docstring(function)
        for path in sources()
        for function in functions(ast.parse(path.read_text()))
    }
    long = [f"{name} has {length} lines" for name, length in lengths.items() if length > LONG_FUNCTION_LINES]
    assert len(long) <= LONG_FUNCTIONS_SHARE * len(lengths), "\n".join(long)


def test_functions_have_few_parameters_and_name_them() -> None:
    report(parameters)


def test_state_is_set_in_init_alone() -> None:
    report(late_state)


def test_no_print_no_debugger_no_bare_except() -> None:
    report(banned_calls_and_names)


def test_a_module_owns_parameters() -> None:
    report(modules_without_parameters)


def test_devices_are_named_only_where_their_kernels_are() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}: {problem}"
        for path in sources()
        if not (path.name.endswith("_cuda.py") and "ops" in path.parts)
        for problem in device_literals(ast.parse(path.read_text()))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("check", "source"),
    [
        (long_functions, "def f():\n" + "    x = 1\n" * 60),
        (parameters, "def f(a, b, c, d): ..."),
        (parameters, "def f(a, *, b, c, d, e, f, g, h, i): ..."),
        (late_state, "class A:\n    def f(self):\n        self.x, y = 1, 2"),
        (late_state, "class A:\n    def f(self):\n        self.x += 1"),
        (banned_calls_and_names, "print(1)"),
        (banned_calls_and_names, "try:\n    f()\nexcept:\n    g()"),
        (banned_calls_and_names, "import pdb"),
        (banned_calls_and_names, "def f(v_pos): ..."),
        (device_literals, "x.to('cuda:0')"),
        (device_literals, "torch.cuda.is_available()"),
        (
            modules_without_parameters,
            "class A(nn.Module):\n    def __init__(self):\n        super().__init__()",
        ),
    ],
)
def test_each_check_finds_what_it_looks_for(
    check: Callable[[ast.Module], Iterator[str]], source: str
) -> None:
    assert list(check(ast.parse(source)))


@pytest.mark.parametrize(
    ("check", "source"),
    [
        (long_functions, 'def f():\n    """' + "words\n" * 80 + '"""'),
        (long_functions, "@njit(cache=True)\ndef f():\n" + "    x = 1\n" * 60),
        (parameters, "class A:\n    def f(self, a, b, c, *, d): ..."),
        (
            late_state,
            "class A:\n    def __init__(self):\n        self.x = 1\n    def f(self, b):\n        b.x = 1",
        ),
        (
            modules_without_parameters,
            "class A(nn.Module):\n    def __init__(self):\n        self.a = nn.Linear(1, 1)",
        ),
    ],
)
def test_each_check_allows_what_is_fine(check: Callable[[ast.Module], Iterator[str]], source: str) -> None:
    assert not list(check(ast.parse(source)))

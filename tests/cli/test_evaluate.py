"""`farm3d-eval`: its subcommands explain themselves, and a mistake is one line."""

import argparse

import pytest

from farm3d.cli.evaluate import _parser, main


def subparsers() -> dict[str, argparse.ArgumentParser]:
    (action,) = [part for part in _parser()._actions if isinstance(part, argparse._SubParsersAction)]
    return dict(action.choices)


@pytest.mark.parametrize("name", sorted(subparsers()))
def test_a_subcommand_shows_two_examples_that_parse(name: str) -> None:
    examples = [line.strip() for line in (subparsers()[name].epilog or "").splitlines()[1:]]
    assert len(examples) == 2
    for example in examples:
        command, *arguments = example.replace("'", "").split()
        assert command == "farm3d-eval"
        assert arguments[0] == name
        assert callable(_parser().parse_args(arguments).action)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: WHAT"),
        (["portraits"], "invalid choice: 'portraits'"),
        (["photos"], "the following arguments are required: folder"),
        (["procedural", "data/test", "--pattern", "a"], "unrecognized arguments"),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert error.startswith("farm3d-eval")

"""`farm3d-bench ablation`: train without each part of the method in turn, and measure what is lost."""

import argparse
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from farm3d.cli.main import Messages, add_common_options, add_subcommand, non_negative_int, positive_int

if TYPE_CHECKING:
    from farm3d.eval.ablation import Row
    from farm3d.eval.ablation_score import Examination
    from farm3d.training.config import TrainConfig

ALIGNED_ON = 100
"""Training pictures, the first of the set, on which every checkpoint's rotation and scale are fitted."""


def add_ablation(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand `ablation`."""
    parser = add_subcommand(
        subcommands,
        "ablation",
        _ablation,
        description="Train without each part of the method in turn and write a table of what that costs; the"
        " same command goes on where it was interrupted.",
        examples=(
            "farm3d-bench ablation --data data/horse --views data/horse_views --out runs/ablation",
            "farm3d-bench ablation --data data/horse --out runs/ablation --rows no-sds supervised",
        ),
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="the farm's data set to train on")
    parser.add_argument("--views", metavar="DIR", help="another one, whose pictures judge virtual views")
    parser.add_argument("--rows", nargs="+", metavar="NAME", help="only these (default: all)")
    parser.add_argument(
        "--steps", type=positive_int, metavar="N", help="of every row (default: the preset's)"
    )
    parser.add_argument(
        "--seeds", nargs="+", type=non_negative_int, metavar="N", help="of the rows that are repeated"
    )
    parser.add_argument("--table", action="store_true", help="only write the table of what is measured")
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="key=value", help="settings of all rows, beside the preset's"
    )
    add_common_options(parser, out="runs/ablation", seed=False)


def _ablation(arguments: argparse.Namespace, messages: Messages) -> int:
    from farm3d.errors import ConfigError
    from farm3d.eval.ablation import ROWS, SEEDS, seeds_of

    names = [row.name for row in ROWS]
    unknown = [name for name in arguments.rows or () if name not in names]
    if unknown:
        raise ConfigError(f"--rows {unknown[0]}: no such row; there are {', '.join(names)}")
    out = Path(arguments.out or "runs/ablation")
    if not arguments.table:
        if arguments.data is None:
            raise ConfigError("give --data, the data set to train on")
        chosen = [row for row in ROWS if row.name in (arguments.rows or names)]
        with tempfile.TemporaryDirectory() as scratch:
            examination = _examinations(arguments, Path(scratch), messages)
            runs = [(row, seed) for row in chosen for seed in seeds_of(row, arguments.seeds or SEEDS)]
            for row, seed in runs:
                messages.say(f"ablation: {row.title}, seed {seed}")
                if code := _run(row, seed, out, arguments=arguments, examination=examination):
                    return code
                _write_table(out)
    messages.result(_write_table(out))
    return 0


def _run(
    row: "Row",
    seed: int,
    out: Path,
    *,
    arguments: argparse.Namespace,
    examination: "Callable[[int], Examination]",
) -> int:
    """Train and measure one run, what of that is still to do; the exit code of the training."""
    from farm3d.cli import train
    from farm3d.config import load_config
    from farm3d.eval.ablation import read_score, run_folder, score_file, write_score
    from farm3d.eval.ablation_score import score_mean_shape, score_run
    from farm3d.models.build import load_trained
    from farm3d.training.config import TrainConfig

    file, run = score_file(out, row, seed), run_folder(out, row, seed)
    preset, overrides = _settings(arguments, row, seed)
    config = load_config(TrainConfig, preset_or_file=preset, overrides=overrides)
    if row.overrides is None:
        if not file.exists():
            write_score(score_mean_shape(examination(config.model.image_size), row=row), file)
        return 0
    options = ["--config", preset, "--data", str(arguments.data), "--out", str(run), *overrides]
    quiet = ["--quiet"] if arguments.quiet else []
    if not _is_finished(run, config) and (
        code := train.main([*options, "--device", arguments.device, *quiet])
    ):
        return code
    trained = load_trained(run)
    if not file.exists() or read_score(file).checkpoint != trained.sha256:
        command = shlex.join(["farm3d-train", *options])
        score = score_run(trained, run, examination(config.model.image_size), row=row, command=command)
        write_score(score, file)
    return 0


def _settings(arguments: argparse.Namespace, row: "Row", seed: int) -> tuple[str, list[str]]:
    """The preset and the overrides of one run."""
    from farm3d.eval.ablation import PRESET

    # A row without the part that keeps head and tail in their places is measured as it comes out.
    overrides = ["guidance.head_check=false", *arguments.set, f"seed={seed}"]
    if arguments.views is not None:
        overrides.append(f"guidance.pictures={arguments.views}")
    if arguments.steps is not None:
        overrides.append(f"steps={arguments.steps}")
    return arguments.config or PRESET, [*overrides, *(row.overrides or ())]


def _is_finished(run: Path, config: "TrainConfig") -> bool:
    """Whether a run was made with these very settings and to its end; farm3d-train refuses other ones."""
    from farm3d.config import dump_config
    from farm3d.training.trainer import CONFIG_FILE

    done = (run / f"{config.category}.safetensors").is_file()
    return done and (run / CONFIG_FILE).read_text(encoding="utf-8") == dump_config(config)


def _examinations(
    arguments: argparse.Namespace, scratch: Path, messages: Messages
) -> "Callable[[int], Examination]":
    """The fixed test pictures, drawn into `scratch` once they are needed, by the size that networks see."""
    from farm3d.data.image_folder import open_data_set
    from farm3d.eval.ablation_score import prepare_examination
    from farm3d.eval.procedural_sets import fixed_test_set

    data = open_data_set(arguments.data)

    @cache
    def examination(image_size: int) -> "Examination":
        messages.say("ablation: drawing the test pictures and preparing their truth, which takes minutes")
        test = fixed_test_set(data.category, scratch / "test", lambda done: None)
        training = replace(data, samples=data.samples[:ALIGNED_ON])
        return prepare_examination(test, training, image_size=image_size)

    return examination


def _write_table(out: Path) -> str:
    """Write the tables and the curves of all that is measured so far; returns the table."""
    from farm3d.errors import InputError
    from farm3d.eval.ablation import ROWS, read_scores, run_folder
    from farm3d.eval.ablation_curves import learning_curves
    from farm3d.eval.ablation_table import write_tables
    from farm3d.io.atomic import write_bytes_atomically

    scores = read_scores(out)
    if not scores:
        raise InputError(f"{out}: no row of the ablation is measured here yet")
    runs = {
        row.name: [run_folder(out, row, score.seed) for score in scores[row.name]]
        for row in ROWS
        if row.name in scores and row.overrides is not None
    }
    if runs:
        write_bytes_atomically(out / "curves.png", learning_curves(runs))
    return write_tables(scores, out)

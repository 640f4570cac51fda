"""farm3d-train: train the networks of a category."""

import argparse
import json
import shlex
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farm3d.cli.main import Messages, add_common_options, command_parser, deferred_stop, run_command

if TYPE_CHECKING:
    import torch

    from farm3d.data.image_folder import ImageDataSet
    from farm3d.training.config import TrainConfig


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "farm3d-train",
        "Train the networks of a category on the data set that farm3d-synth made; the same command resumes.",
        examples=(
            "farm3d-train --category horse",
            "farm3d-train --config tiny --data data/horse --out runs/tiny steps=400",
        ),
    )
    parser.add_argument(
        "--category", metavar="NAME", help="the animal; picks the preset, the data and the run's folder"
    )
    parser.add_argument("--data", metavar="DIR", help="data set (default: data/<category>)")
    parser.add_argument(
        "--dino-weights",
        metavar="FILE",
        help="DINO ViT-S/8's weights, or a repository of the hub with them: for presets with backbone: dino",
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="settings that differ from the preset's"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only print the config, the plan of schedules, and an estimate of time and memory",
    )
    aside = parser.add_mutually_exclusive_group()
    aside.add_argument(
        "--species",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="train what tells species apart instead, on these data sets, into the file of --out",
    )
    aside.add_argument(
        "--masks",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="train what cuts animals out of pictures instead, on these data sets, into the file of --out",
    )
    parser.add_argument("--plot", metavar="RUN", help="only draw the curves of a run into its metrics.png")
    add_common_options(parser, out="runs/<category>")
    return parser


def _main(arguments: argparse.Namespace, messages: Messages, *, command: str) -> int:
    if arguments.plot is not None:
        from farm3d.training.plots import plot_metrics

        messages.result(f"drawn: {plot_metrics(Path(arguments.plot))}")
        return 0
    if arguments.species is not None or arguments.masks is not None:
        return _train_aside(arguments, messages, command=command)
    from farm3d.cli.device import present_device

    device = present_device(arguments.device)
    config = _config(arguments, messages)
    data = _open_data(arguments, config)
    if arguments.dry_run:
        return _dry_run(config, data, messages, device=device)
    return _train(arguments, messages, command=command, config=config, data=data, device=device)


def _open_data(arguments: argparse.Namespace, config: "TrainConfig") -> "ImageDataSet":
    """The data set of --data, or the category's."""
    from farm3d.data.image_folder import open_data_set
    from farm3d.errors import ConfigError, InputError

    folder = Path(arguments.data or f"data/{config.category}")
    if not folder.exists():
        raise InputError(
            f"{folder}: no data set here;"
            f" make it with farm3d-synth --category {config.category} --out {folder}"
        )
    data = open_data_set(folder)
    if data.category != config.category:
        raise ConfigError(
            f"{folder} shows the category {data.category!r}, the config trains {config.category!r}"
        )
    return data


def _dry_run(
    config: "TrainConfig", data: "ImageDataSet", messages: Messages, *, device: "torch.device"
) -> int:
    """Print what a run would be and take; real steps are taken, but nothing is written that stays."""
    from farm3d.config import dump_config
    from farm3d.training.estimate import estimate
    from farm3d.training.plan import plan_table

    messages.result(dump_config(config))
    messages.result(f"{plan_table(config)}\n")
    found = estimate(config, data, device=device, report=lambda work: messages.say(f"measuring: {work}"))
    messages.result(found.table())
    return 0


def _train(
    arguments: argparse.Namespace,
    messages: Messages,
    *,
    command: str,
    config: "TrainConfig",
    data: "ImageDataSet",
    device: "torch.device",
) -> int:
    from tqdm import tqdm

    from farm3d.training.metrics import METRICS_FILE
    from farm3d.training.plan import plan_line
    from farm3d.training.plots import plot_metrics
    from farm3d.training.ranks import joined_ranks
    from farm3d.training.trainer import Progress, train

    run = Path(arguments.out or f"runs/{config.category}")
    with joined_ranks(device) as ranks, deferred_stop() as stopping:
        messages = messages if ranks.writes else replace(messages, quiet=True)
        messages.say(plan_line(config))
        bar = tqdm(total=config.steps, disable=messages.quiet, unit="step")

        def report(progress: Progress) -> None:
            bar.update(progress.step + 1 - bar.n)
            bar.set_postfix(loss=f"{progress.loss:.3f}", refresh=False)

        def notice(line: str) -> None:
            bar.clear()
            messages.say(line)

        with bar:
            last = train(
                config,
                data,
                run,
                metadata=_metadata(config, data, command),
                should_stop=stopping,
                report=report,
                notice=notice,
                ranks=ranks,
            )
        if ranks.writes and (run / METRICS_FILE).is_file():
            plot_metrics(run)
    if ranks.writes:
        messages.result(f"trained: {last}")
    return 0


def _train_aside(arguments: argparse.Namespace, messages: Messages, *, command: str) -> int:
    """Train one of the small networks that stand beside the categories' models."""
    from tqdm import tqdm

    from farm3d import __version__
    from farm3d.config import load_config
    from farm3d.data.image_folder import open_data_set
    from farm3d.training.masks import MaskTraining, train_masks
    from farm3d.training.species import SpeciesTraining, train_species

    overrides = [*arguments.overrides, *([] if arguments.seed is None else [f"seed={arguments.seed}"])]
    told = {"preset_or_file": arguments.config, "overrides": overrides}
    folders: list[Path] = arguments.species or arguments.masks
    data_sets = [open_data_set(folder) for folder in folders]
    metadata = {"command": command, "data": [data.description for data in data_sets], "version": __version__}
    file = Path(
        arguments.out or ("runs/species.safetensors" if arguments.species else "runs/masks.safetensors")
    )
    with tqdm(disable=messages.quiet, unit="step") as bar:

        def report(step: int, loss: float) -> None:
            bar.update()
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)

        if arguments.species:
            species = load_config(SpeciesTraining, **told)
            bar.reset(species.steps)
            train_species(species, data_sets, file, metadata=metadata, report=report)
        else:
            masks = load_config(MaskTraining, **told)
            bar.reset(masks.steps)
            train_masks(masks, data_sets, file, metadata=metadata, report=report)
    messages.result(f"trained: {file}")
    return 0


def _metadata(config: "TrainConfig", data: "ImageDataSet", command: str) -> dict[str, Any]:
    """What every checkpoint of the run says about itself."""
    from farm3d import __version__
    from farm3d.config import plain_values

    return {
        "config": plain_values(config),
        "category": config.category,
        "feature_space": data.description.get("feature_space") if config.model.feature_channels else None,
        "command": command,
        "data": data.description,
        "version": __version__,
    }


def _config(arguments: argparse.Namespace, messages: Messages) -> "TrainConfig":
    """The preset of --config, or the category's small one where there is no accelerator."""
    from farm3d.config import load_config, preset_names
    from farm3d.errors import ConfigError
    from farm3d.training.config import TrainConfig

    preset = arguments.config
    if preset is None:
        if arguments.category is None:
            raise ConfigError("give --category or --config")
        preset = f"small/{arguments.category}"
        if preset not in preset_names():
            known = [name.removeprefix("small/") for name in preset_names() if name.startswith("small/")]
            raise ConfigError(
                f"no preset trains the category {arguments.category!r}; there are {', '.join(known)}"
            )
        messages.say(f"using the preset {preset}")
    overrides = list(arguments.overrides)
    if arguments.category is not None:
        overrides.append(f"category={arguments.category}")
    if arguments.seed is not None:
        overrides.append(f"seed={arguments.seed}")
    if arguments.dino_weights is not None:
        overrides.append(f"dino_weights={json.dumps(arguments.dino_weights)}")
    return load_config(TrainConfig, preset_or_file=preset, overrides=overrides)


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code. The checkpoints' metadata hold the command line."""
    command = shlex.join(["farm3d-train", *(sys.argv[1:] if argv is None else argv)])
    return run_command(_parser, partial(_main, command=command), argv)


if __name__ == "__main__":
    raise SystemExit(main())

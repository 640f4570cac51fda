"""`farm3d-bench`: what farm3d's parts cost on this machine, and what training's parts are good for."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from farm3d.cli.bench_ablation import add_ablation
from farm3d.cli.main import Messages, add_common_options, add_subcommand, command_parser, run_command
from farm3d.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from farm3d.eval.benchmarks.records import Case, Record

BENCHMARKS = {
    "rasterize": "Time and memory of rasterising, beside the least they could take.",
    "isosurface": "Time and memory of turning a signed distance into a mesh.",
    "turntable": "Frames a second of a textured animal.",
    "reconstruct": "Seconds a photograph, stage by stage.",
    "chamfer": "Time of the Chamfer protocol, beside the literal one.",
    "train-step": "Time of a step of training from images, part by part.",
}
ON_CPU_ALONE = ("turntable", "reconstruct", "chamfer")
BACKENDS = ("numba", "triton", "nvdiffrast", "reference")
PEERS = ("embree", "pytorch3d")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_parser, _bench, argv)


def _parser() -> argparse.ArgumentParser:
    parser = command_parser(
        "farm3d-bench",
        "Measure what farm3d's parts cost on this machine, and what the parts of its training are good for.",
        examples=(
            "farm3d-bench rasterize --out rasterize.json",
            "farm3d-bench ablation --data data/horse --views data/horse_views",
        ),
    )
    subcommands = parser.add_subparsers(
        required=True, metavar="WHAT", title="what to measure", dest="benchmark"
    )
    for name, description in BENCHMARKS.items():
        _add_benchmark(subcommands, name, description)
    add_ablation(subcommands)
    return parser


def _add_benchmark(
    subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, description: str
) -> None:
    parser = add_subcommand(
        subcommands,
        name,
        _measure_and_show,
        description=description,
        examples=(f"farm3d-bench {name} --out new.json", f"farm3d-bench {name} --compare old.json"),
    )
    parser.add_argument("--quick", action="store_true", help="a few seconds; too rough to compare")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="also write the result as JSON")
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="OLD.json",
        help="show ratios to an earlier result; slower ones marked",
    )
    if name == "rasterize":
        parser.add_argument(
            "--backend", nargs="+", choices=BACKENDS, help="only these (default: all that work)"
        )
        parser.add_argument("--peer", nargs="+", choices=PEERS, help="other programs too, where installed")
    if name == "train-step":
        parser.add_argument(
            "--set", nargs="+", default=[], metavar="key=value", help="settings beside the preset's"
        )
    add_common_options(parser, out=None, config=name == "train-step")


def _bench(arguments: argparse.Namespace, messages: Messages) -> int:
    return int(arguments.action(arguments, messages))


def _measure_and_show(arguments: argparse.Namespace, messages: Messages) -> int:
    from farm3d.eval.benchmarks.records import compare, read_record, same_conditions, write_record
    from farm3d.eval.benchmarks.tables import as_text, comparison_table

    # What cannot be is told before the minutes of measuring, not after.
    if arguments.out is not None and arguments.out.is_dir():
        raise ConfigError(f"--out {arguments.out}: a folder; give the name of a file")
    old = None if arguments.compare is None else read_record(arguments.compare)
    if old is not None and old.benchmark != arguments.benchmark:
        raise ConfigError(
            f"--compare {arguments.compare}: a result of {old.benchmark}, not of this benchmark"
        )
    record = _measure(arguments, messages)
    if arguments.out is not None:
        write_record(record, arguments.out)
    _show(record, messages)
    if old is not None:
        if not same_conditions(old, record):
            messages.say(f"careful: {arguments.compare} was not measured under the same conditions")
        messages.result("\n" + as_text(comparison_table(compare(old, record))))
    return 0


def _measure(arguments: argparse.Namespace, messages: Messages) -> "Record":
    from farm3d.cli.device import choose_device, present_device
    from farm3d.eval.benchmarks.harness import QUICK, Effort
    from farm3d.eval.benchmarks.machine import environment, machine_speed
    from farm3d.eval.benchmarks.records import Record

    on_cpu_alone = arguments.benchmark in ON_CPU_ALONE
    device = choose_device(arguments.device, messages) if on_cpu_alone else present_device(arguments.device)
    messages.say(f"device: {device}; measuring how fast this machine is")
    speed = machine_speed(device, effort=QUICK if arguments.quick else Effort(seconds=1.0))
    return Record(
        benchmark=arguments.benchmark,
        quick=arguments.quick,
        environment=environment(device),
        speed=speed,
        cases=tuple(_cases(arguments, device, messages)),
    )


def _cases(arguments: argparse.Namespace, device: "torch.device", messages: Messages) -> "list[Case]":
    if arguments.benchmark == "rasterize":
        return _rasterize(arguments, device, messages)
    seed = arguments.seed or 0
    if arguments.benchmark == "turntable":
        from farm3d.eval.benchmarks import turntable

        turn = turntable.QUICK_PLAN if arguments.quick else turntable.PLAN
        return turntable.measure_turntable(turn, seed=seed, progress=messages.say)
    if arguments.benchmark == "reconstruct":
        from farm3d.eval.benchmarks import reconstruct

        whole = reconstruct.QUICK_PLAN if arguments.quick else reconstruct.PLAN
        return reconstruct.measure_reconstruct(whole, progress=messages.say)
    if arguments.benchmark == "chamfer":
        from farm3d.eval.benchmarks import chamfer

        pairs = chamfer.QUICK_PLAN if arguments.quick else chamfer.PLAN
        return chamfer.measure_chamfer(pairs, seed=seed, progress=messages.say)
    if arguments.benchmark == "train-step":
        return _train_step(arguments, device, messages)
    from farm3d.eval.benchmarks import isosurface

    plan = isosurface.QUICK_PLAN if arguments.quick else isosurface.PLAN
    return isosurface.measure_isosurface(device, plan, seed=seed, progress=messages.say)


def _train_step(arguments: argparse.Namespace, device: "torch.device", messages: Messages) -> "list[Case]":
    from farm3d.config import load_config
    from farm3d.eval.benchmarks import train_step
    from farm3d.training.config import TrainConfig

    preset = arguments.config or "small/horse"
    config = load_config(
        TrainConfig, preset_or_file=preset, overrides=[*arguments.set, f"seed={arguments.seed or 0}"]
    )
    effort = train_step.QUICK_PLAN if arguments.quick else train_step.PLAN
    return train_step.measure_train_step(config, effort, device=device, name=preset, progress=messages.say)


def _rasterize(arguments: argparse.Namespace, device: "torch.device", messages: Messages) -> "list[Case]":
    from farm3d.eval.benchmarks import peers, rasterize

    missing = rasterize.missing_backends(device)
    for name in arguments.backend or ():
        if name in missing:
            raise ConfigError(f"--backend {name}: {missing[name]}")
    if arguments.peer and device.type != "cpu":
        raise ConfigError(f"--peer: other programs are measured on the CPU; give --device cpu, not {device}")
    plan = rasterize.QUICK_PLAN if arguments.quick else rasterize.PLAN
    settings = peers.QUICK_SETTINGS if arguments.quick else peers.SETTINGS
    seed = arguments.seed or 0
    # Peers come first: that one is missing is told at once. Their rows stand last.
    others = peers.measure_peers(
        arguments.peer or (), settings=settings, effort=plan.effort, seed=seed, progress=messages.say
    )
    ours = rasterize.measure_rasterize(
        device, plan, backends=arguments.backend, seed=seed, progress=messages.say
    )
    return ours + others


def _show(record: "Record", messages: Messages) -> None:
    from farm3d.eval.benchmarks import tables

    messages.result(tables.environment_line(record))
    messages.result("\n" + tables.as_text(tables.record_table(record)))
    growth = tables.growth_table(record)
    if len(growth) > 1:
        messages.result("\n" + tables.as_text(growth))
    for line in tables.missing_lines(record):
        messages.result(line)


if __name__ == "__main__":
    raise SystemExit(main())

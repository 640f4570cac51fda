"""What `farm3d-synth` does without a subcommand: make a data set."""

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from farm3d.cli.device import present_device
from farm3d.cli.main import Messages
from farm3d.config import load_config
from farm3d.errors import ConfigError
from farm3d.pretrained.dino import load_dino
from farm3d.pretrained.stable_diffusion import DiffusionSettings
from farm3d.synth.dataset import FarmSettings, default_individuals, write_farm
from farm3d.synth.dino_features import FeatureChoice
from farm3d.synth.filtering import FilterConfig
from farm3d.synth.image_sets import (
    ImageSet,
    ImageSetSettings,
    SegmenterChoice,
    Stages,
    describe,
    segmenter_of,
    write_image_set,
)
from farm3d.synth.procedural.species import species_of
from farm3d.synth.processes import Progress, Team, team_from_environment
from farm3d.synth.prompts import read_prompt_file
from farm3d.synth.samples import REJECTED, records
from farm3d.synth.sources import DrawnPictures, PictureSource, photographs_in

SMALLEST, LARGEST, SIZE_STEP = 32, 1024, 32
"""Sizes (pixels a side) of pictures; features are 32 patches a side."""

DEFAULT_COUNT, FARM_SIZE, PICTURE_SIZE = 4096, 128, 256
FARM, DIFFUSION, PHOTOGRAPHS = "procedural", "stable-diffusion", "photographs"
MADE_FROM = {
    "individuals": (FARM,),
    "count": (FARM, DIFFUSION),
    "seed": (FARM, DIFFUSION),
    "model": (DIFFUSION,),
    "config": (DIFFUSION,),
    "prompt_file": (DIFFUSION,),
    "segmenter": (DIFFUSION, PHOTOGRAPHS),
    "segmenter_weights": (DIFFUSION, PHOTOGRAPHS),
    "filter": (DIFFUSION, PHOTOGRAPHS),
    "dino_weights": (DIFFUSION, PHOTOGRAPHS),
}
"""The kinds of sets that have an option; for others it is a mistake, not ignored."""


def make_data_set(arguments: argparse.Namespace, messages: Messages) -> int:
    """Make the data set that the arguments describe; returns the exit code."""
    if arguments.category is None:
        raise ConfigError("give --category NAME (the animal), or inspect DIR or verify DIR; see --help")
    kind = _kind(arguments)
    _refuse_options(arguments, kind)
    team = team_from_environment(_workers(arguments, kind))
    if team.rank:
        messages = replace(messages, quiet=True)
    out = Path(arguments.out or f"data/{arguments.category}")
    if kind == FARM:
        line = _make_farm(arguments, messages, out, team=team)
    else:
        line = _make_image_set(arguments, messages, out, kind=kind, team=team)
    if team.rank == 0:
        messages.result(line)
    return 0


def _kind(arguments: argparse.Namespace) -> str:
    """Who makes the pictures: what the options name, otherwise the farm."""
    if arguments.images:
        if arguments.generator != "auto":
            raise ConfigError(f"--images and --generator {arguments.generator} exclude each other; give one")
        return PHOTOGRAPHS
    if arguments.generator == "auto":
        return DIFFUSION if arguments.model or arguments.config or arguments.prompt_file else FARM
    return str(arguments.generator)


def _refuse_options(arguments: argparse.Namespace, kind: str) -> None:
    for name, kinds in MADE_FROM.items():
        if getattr(arguments, name) is not None and kind not in kinds:
            option = f"--{name.replace('_', '-')}"
            raise ConfigError(
                f"{option} is for {' and '.join(kinds)}, this set is made from {kind}; leave it out"
            )
    size = arguments.size
    if size is not None and (size % SIZE_STEP or not SMALLEST <= size <= LARGEST):
        raise ConfigError(f"--size {size}: give a multiple of {SIZE_STEP} from {SMALLEST} to {LARGEST}")
    wanted = arguments.features
    if present_device(arguments.device).type != "cpu" and kind == FARM and arguments.device != "auto":
        raise ConfigError(f"--device {arguments.device}: the farm draws on the CPU; leave it out")
    if kind == FARM and wanted not in ("auto", "procedural"):
        raise ConfigError(
            f"--features {wanted}: the farm writes procedural features; give auto or procedural"
        )
    if kind != FARM and wanted == "procedural":
        raise ConfigError(
            "--features procedural: only the farm knows the surface that they need; give dino or none"
        )


def _workers(arguments: argparse.Namespace, kind: str) -> int:
    """Processes on this machine; those of a launcher share its cores among them."""
    if arguments.workers:
        return int(arguments.workers)
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1") or 1)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 1 if kind == DIFFUSION else max(1, cores // max(1, here))


def _make_farm(arguments: argparse.Namespace, messages: Messages, out: Path, *, team: Team) -> str:
    count = arguments.count or DEFAULT_COUNT
    try:
        species_of(arguments.category)
    except ConfigError as error:
        raise ConfigError(f"{error}; --model or --images makes sets of any animal") from None
    if arguments.generator == "auto":
        messages.say(
            "generator: procedural (it knows the truth that training needs; --model or --images: others)"
        )
    settings = FarmSettings(
        category=arguments.category,
        count=count,
        size=arguments.size or FARM_SIZE,
        seed=arguments.seed or 0,
        individuals=arguments.individuals or default_individuals(count),
        shard_size=arguments.shard_size,
    )
    with _stages(messages) as stages:
        write_farm(settings, out, stages("draw", -(-count // team.ranks)), team=team)
    animals = _plural(settings.individuals, "individual")
    return f"{out}: {_plural(count, 'picture')} of {animals} ({settings.category})"


def _make_image_set(
    arguments: argparse.Namespace, messages: Messages, out: Path, *, kind: str, team: Team
) -> str:
    device = _device(arguments.device)
    choice = SegmenterChoice(
        arguments.segmenter or "auto",
        Path(arguments.segmenter_weights) if arguments.segmenter_weights else None,
        device,
    )
    features = _features(arguments, device)
    settings = ImageSetSettings(
        category=arguments.category,
        size=arguments.size or PICTURE_SIZE,
        segmenter=choice,
        filter=load_config(FilterConfig, preset_or_file=arguments.filter),
        features=features,
        shard_size=arguments.shard_size,
    )
    source = _source(arguments, kind, device)
    data = ImageSet(settings, source, out)
    description = describe(data)
    if notice := segmenter_of(choice).notice:
        messages.say(notice)
    if features is None and arguments.features == "auto":
        messages.say("no features: DINO's need --dino-weights FILE")
    with _stages(messages) as stages:
        write_image_set(data, description, stages, team=team)
    return _summary(out)


def _source(arguments: argparse.Namespace, kind: str, device: torch.device) -> PictureSource:
    if kind == PHOTOGRAPHS:
        return photographs_in(Path(arguments.images), arguments.category)
    overrides = [f"model={arguments.model}"] if arguments.model else []
    preset = arguments.config or "synthesis/stable_diffusion"
    return DrawnPictures(
        category=arguments.category,
        count=arguments.count or DEFAULT_COUNT,
        seed=arguments.seed or 0,
        settings=load_config(DiffusionSettings, preset_or_file=preset, overrides=overrides),
        own=read_prompt_file(Path(arguments.prompt_file)) if arguments.prompt_file else (),
        device=device,
    )


def _features(arguments: argparse.Namespace, device: torch.device) -> FeatureChoice | None:
    """DINO where weights are given, and where it is asked for: then loading says how to get them."""
    if arguments.features == "dino" and not arguments.dino_weights:
        load_dino(None, device)
    if arguments.features == "none" or not arguments.dino_weights:
        return None
    return FeatureChoice(arguments.dino_weights, device)


def _device(name: str) -> torch.device:
    """The device asked for; each process of a launcher has an accelerator of its own."""
    device = present_device(name)
    if device.type != "cpu" and device.index is None:
        return torch.device(device.type, int(os.environ.get("LOCAL_RANK", "0") or 0))
    return device


@contextmanager
def _stages(messages: Messages) -> Iterator[Stages]:
    """Makes a progress bar for each pass: pictures a second and the time left."""
    bars: list[tqdm[Any]] = []

    def start(name: str, total: int) -> Progress:
        for bar in bars:
            bar.close()
        bars.append(tqdm(total=total, desc=name, unit="picture", disable=messages.quiet, delay=1.0))
        return bars[-1].update

    try:
        yield start
    finally:
        for bar in bars:
            bar.close()


def _summary(out: Path) -> str:
    """What was kept and what was rejected for which reasons."""
    kept = sum(1 for _ in records(out))
    reasons = Counter(record["reason"] for record in records(out / REJECTED))
    why = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in reasons.most_common())
    total = kept + reasons.total()
    return f"{out}: kept {kept} of {_plural(total, 'picture')}" + (f" (rejected: {why})" if why else "")


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")

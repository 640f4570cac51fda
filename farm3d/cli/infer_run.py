"""What farm3d-infer does after its options are read."""

import argparse
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from farm3d.cli.device import choose_device
from farm3d.cli.main import Messages
from farm3d.cli.model_options import chosen_reconstructor
from farm3d.config import load_config
from farm3d.errors import ConfigError, Farm3DError
from farm3d.inference.animal import Animal
from farm3d.inference.clip_files import resolve_clip
from farm3d.inference.edit import Part
from farm3d.inference.export import ExportOptions
from farm3d.inference.film import FRAME_RATE, Watch
from farm3d.inference.measure import parse_known_length
from farm3d.inference.refine import RefineConfig
from farm3d.inference.relight import parse_light
from farm3d.inference.session import (
    Edits,
    MaskOptions,
    Outcome,
    Session,
    open_session,
    read_animal,
    reconstruct_file,
    reconstruct_film,
    reconstruct_picture,
    write_index,
)
from farm3d.inference.stopwatch import Stopwatch
from farm3d.io.inputs import InputImage, is_film, list_input_images
from farm3d.models.build import shipped_categories
from farm3d.pretrained.segmentation import make_segmenter
from farm3d.pretrained.stable_diffusion import DiffusionSettings
from farm3d.synth.prompt_pictures import PromptPicture, draw_prompt

DIFFUSION_PRESET = "synthesis/stable_diffusion"
LONGEST_NAME = 60
"""Letters of a prompt that name its result."""


@dataclass(frozen=True)
class Task:
    """One result to be made: what it is called in messages, and what makes it."""

    image: InputImage
    work: Callable[[], Outcome]


def infer(arguments: argparse.Namespace, messages: Messages) -> int:
    """Reconstruct everything that the arguments name; returns the exit code."""
    device = choose_device(arguments.device, messages)
    torch.manual_seed(arguments.seed or 0)
    _check_sources(arguments)
    images = list_input_images(arguments.images, whole_folders=arguments.sequence)
    _check_mask(arguments, images)
    _check_film(arguments, images)
    length = None if arguments.length is None else parse_known_length(arguments.length)
    edits = Edits(known_length=length, faces=arguments.faces)
    lights = tuple(parse_light(text) for text in arguments.light or ())
    clip = resolve_clip(arguments.clip)
    maker = make_segmenter(arguments.segmenter, weights=arguments.segmenter_weights, device=device)
    drawn = _drawn(arguments, messages, device)
    loading = Stopwatch()
    with loading.stage("load"):
        reconstructor = chosen_reconstructor(arguments, _shipped(drawn))
    session = open_session(
        Path(arguments.out or "results"),
        reconstructor,
        masks=MaskOptions(maker, arguments.mask, arguments.instance),
        refinement=_refinement(arguments),
        loading_seconds=loading.seconds["load"],
    )
    _compare_categories(session, drawn, messages)
    pose, coat, partner = _others(arguments, session, edits)
    options = ExportOptions(
        relight=arguments.relight, lights=lights, animate=arguments.animate, clip=clip, blend_with=partner
    )
    wanted: tuple[tuple[Part, Animal | None], ...] = (("pose", pose), ("coat", coat))
    edits = replace(edits, taken=tuple((part, other) for part, other in wanted if other is not None))
    if drawn is not None:
        tasks = [_picture_task(session, drawn, edits=edits, options=options)]
    else:
        rate = float(arguments.frame_rate or FRAME_RATE)
        film = partial(reconstruct_film, session, frame_rate=rate, watch=_watch(messages))
        photograph = partial(reconstruct_file, session)
        tasks = [
            Task(
                image,
                partial(film if is_film(image.path) else photograph, image, options=options, edits=edits),
            )
            for image in images
        ]
    return _work_off(session, tasks, messages)


def _watch(messages: Messages) -> Watch:
    """Progress bars for what takes long in a film."""

    def watch(things: Iterable[Any], doing: str) -> Any:
        return tqdm(things, desc=doing, unit="step", leave=False, disable=messages.quiet)

    return watch


def _picture_task(session: Session, drawn: PromptPicture, *, edits: Edits, options: ExportOptions) -> Task:
    image = InputImage(Path(drawn.image.stem), drawn.image.stem)
    work = partial(
        reconstruct_picture,
        session,
        drawn.image,
        image,
        options=replace(options, keep_photograph=True),
        edits=edits,
        stopwatch=Stopwatch({"load": session.loading_seconds}),
    )
    return Task(image, work)


def _work_off(session: Session, tasks: list[Task], messages: Messages) -> int:
    """Make all results; what cannot be used is told and the others go on."""
    entries, failed = [], 0
    for task in tqdm(tasks, unit="image", disable=messages.quiet or len(tasks) == 1):
        image = task.image
        try:
            outcome = task.work()
        except Farm3DError as error:
            messages.error(str(error))
            failed += 1
            continue
        for warning in outcome.warnings:
            messages.say(f"{image.path}: {warning}")
        if image.name != image.path.stem:
            messages.say(f"{image.path}: written as {image.name}, for an earlier image has its name")
        messages.say(outcome.summary)
        entries.append(outcome.entry)
    if entries:
        write_index(session, entries)
    messages.result(_last_line(session, len(entries), failed))
    return 2 if failed else 0


def _check_sources(arguments: argparse.Namespace) -> None:
    if arguments.prompt is None and not arguments.images:
        raise ConfigError("give an IMAGE, or a picture to draw with --prompt; see farm3d-infer --help")
    if arguments.prompt is not None and not arguments.prompt.strip():
        raise ConfigError("--prompt is empty; say what to draw: 'a spotted cow, side view'")
    if arguments.prompt is not None and arguments.images:
        raise ConfigError("--prompt draws the picture; leave out IMAGE or --prompt")
    if arguments.model is not None and arguments.prompt is None:
        raise ConfigError("--model draws what --prompt says; give --prompt TEXT")


def _check_mask(arguments: argparse.Namespace, images: list[InputImage]) -> None:
    if arguments.mask is None:
        return
    if len(images) != 1:
        raise ConfigError(
            f"--mask fits one image, not {len(images)}; put NAME_mask.png beside each NAME.jpg instead"
        )
    if is_film(images[0].path):
        raise ConfigError("--mask fits one image, not a film; put NAME_mask.png beside each frame NAME.jpg")


def _check_film(arguments: argparse.Namespace, images: list[InputImage]) -> None:
    if not all(image.path.is_file() and not is_film(image.path) for image in images):
        return
    if arguments.sequence:
        raise ConfigError("--sequence makes the images of a folder one film; give a folder")
    if arguments.frame_rate is not None:
        raise ConfigError("--frame-rate is a film's; give a video, or a folder with --sequence")


def _compare_categories(session: Session, drawn: PromptPicture | None, messages: Messages) -> None:
    category = session.reconstructor.category
    if category is not None and drawn is not None and drawn.category not in (None, category):
        messages.say(f"the picture shows a {drawn.category}; the model knows {category} shapes only")


def _drawn(arguments: argparse.Namespace, messages: Messages, device: torch.device) -> PromptPicture | None:
    """The picture that the prompt asks for, and one line that says who drew it."""
    if arguments.prompt is None:
        return None
    name = re.sub(r"[^a-z0-9]+", "_", arguments.prompt.lower())[:LONGEST_NAME].strip("_") or "prompt"
    diffusion = None
    if arguments.model is not None:
        model = f"model={arguments.model}"
        diffusion = load_config(DiffusionSettings, preset_or_file=DIFFUSION_PRESET, overrides=[model])
    seed = arguments.seed or 0
    drawn = draw_prompt(arguments.prompt, name=name, seed=seed, diffusion=diffusion, device=device)
    messages.say(f"{name}: drawn by {drawn.drawn_by}, seed {seed}")
    for notice in drawn.notices:
        messages.say(f"{name}: {notice}")
    return drawn


def _shipped(drawn: PromptPicture | None) -> str | None:
    """The category of the prompt's animal, where a checkpoint of it ships."""
    return drawn.category if drawn is not None and drawn.category in shipped_categories() else None


def _others(arguments: argparse.Namespace, session: Session, edits: Edits) -> list[Animal | None]:
    """The animals to take a pose from and a coat, and that to blend with; each photograph is read once."""
    paths = (arguments.pose_from, arguments.albedo_from, arguments.blend_with)
    read = {
        path: edits.apply(read_animal(session, path)) for path in dict.fromkeys(paths) if path is not None
    }
    return [None if path is None else read[path] for path in paths]


def _refinement(arguments: argparse.Namespace) -> RefineConfig:
    """The settings of --config (a YAML file of refinement's), with the steps of --refine."""
    steps = [] if arguments.refine is None else [f"steps={arguments.refine}"]
    return load_config(RefineConfig, preset_or_file=arguments.config, overrides=steps)


def _last_line(session: Session, done: int, failed: int) -> str:
    animals = f"{done} animal{'' if done == 1 else 's'} in {session.out}"
    return f"{animals}, {failed} image{'' if failed == 1 else 's'} could not be used" if failed else animals

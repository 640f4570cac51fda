"""`farm3d-eval clips`: whether clips keep feet on the ground, where they land, and close."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from farm3d.cli.main import Messages, add_common_options, add_subcommand, non_negative_int
from farm3d.cli.model_options import add_model_options, chosen_reconstructor
from farm3d.errors import ConfigError

if TYPE_CHECKING:
    from farm3d.eval.clip_limits import ClipScore
    from farm3d.inference.legs import Body
    from farm3d.shapes import Faces

HEADER = "animal        clip          deepest    slide      gap   jolt"


def add_clips(subcommands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand `clips`."""
    parser = add_subcommand(
        subcommands,
        "clips",
        _clips,
        description="Measure the clips of animals: feet that sink or slide, loops that do not close.",
        examples=(
            "farm3d-eval clips docs/images/horse.jpg cow sheep dog giraffe pig",
            "farm3d-eval clips horse.jpg --sheets sheets",
        ),
    )
    parser.add_argument(
        "animals",
        nargs="*",
        metavar="IMAGE|SPECIES",
        help="photographs, or the farm's mean animals by their species (default: those of all species)",
    )
    parser.add_argument("--refine", type=non_negative_int, metavar="N", help="steps of refinement")
    parser.add_argument(
        "--sheets", type=Path, metavar="DIR", help="also a picture an animal: eight moments of every clip"
    )
    add_model_options(parser)
    add_common_options(parser, out=None, config=False, device=False, seed=False)


def _clips(arguments: argparse.Namespace, messages: Messages) -> int:
    from farm3d.eval.clip_limits import clip_score, contact_sheet
    from farm3d.inference.clips import body_clips
    from farm3d.io.image import write_png
    from farm3d.synth.procedural.species import SPECIES

    if arguments.sheets is not None:
        if arguments.sheets.exists() and not arguments.sheets.is_dir():
            raise ConfigError(f"--sheets {arguments.sheets}: a file; give a folder to write")
        arguments.sheets.mkdir(parents=True, exist_ok=True)
    names = arguments.animals or [species.name for species in SPECIES]
    bodies = _bodies(arguments, names)
    messages.result(HEADER)
    for name, (body, faces) in bodies.items():
        clips = body_clips(body)
        for clip in clips:
            messages.result(_line(name, clip_score(body, clip)))
        if arguments.sheets is not None:
            write_png(arguments.sheets / f"{name}.png", contact_sheet(body, faces, clips))
    messages.result("deepest, slide, gap: percent of the withers' height; jolt: share of the clip's largest")
    return 0


def _bodies(arguments: argparse.Namespace, names: Sequence[str]) -> "dict[str, tuple[Body, Faces]]":
    """The animals at rest; the model is loaded where one of them is a photograph."""
    import farm3d
    from farm3d.eval.clip_limits import species_body
    from farm3d.inference.clips import prediction_body
    from farm3d.synth.procedural.species import SPECIES

    species = {species.name for species in SPECIES}
    model = None if species.issuperset(names) else chosen_reconstructor(arguments)
    bodies = {}
    for name in names:
        if name in species:
            bodies[name] = species_body(name)
            continue
        seen = farm3d.reconstruct(name, model=model, refine=arguments.refine).prediction
        bodies[Path(name).stem] = prediction_body(seen), seen.rest_mesh.faces
    return bodies


def _line(name: str, score: "ClipScore") -> str:
    lengths = [f"{100.0 * length:7.2f}" for length in (score.deepest, score.slide, score.gap)]
    return f"{name:<12}  {score.name:<12}  {'  '.join(lengths)}  {score.jolt:5.2f}"

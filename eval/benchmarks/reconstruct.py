"""What a photograph costs farm3d-infer, stage by stage: the documentation's horse, the shipped checkpoint.

The stages are those of farm3d-infer's own timings.json, of a run as that command makes it. "reconstruct" is
taken apart once more: "encode" (the networks, to the first posed animal), "refine" (camera, pose and shape)
and "fit albedo"; what is left of it are the silhouettes. What a run does once has its own rows. Time is the
processor's, of this process and of the video's encoder, so that work beside it does not count.
"""

import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

import farm3d
from farm3d.data.transforms import batch_of_crops, crop_box, crop_image
from farm3d.errors import InputError
from farm3d.inference.export import ExportOptions
from farm3d.inference.fit_albedo import fit_albedo
from farm3d.inference.reconstructor import Reconstructor
from farm3d.inference.refine import RefineConfig, refine
from farm3d.inference.session import MaskOptions, Session, open_session, reconstruct_file
from farm3d.inference.stopwatch import Stopwatch
from farm3d.io.image import read_image
from farm3d.io.inputs import InputImage
from farm3d.io.texture_atlas import unwrap
from farm3d.models.animal_model import ImageReading
from farm3d.models.build import load_trained, shipped_checkpoint
from farm3d.models.read_pose import read_pose
from farm3d.pretrained.segmentation import make_segmenter, segment
from farm3d.types import AnimalPrediction, Batch

from .harness import QUICK, Call, Effort, Timing, measure_in_turn, timing
from .records import Case

CATEGORY = "horse"
PHOTOGRAPH = Path("docs/images/horse.jpg")
WHOLE = "a photograph, all stages"
LOAD, ATLAS = "load the model, once a run", "atlas, once a run"

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Plan:
    """How many steps of refinement (of the albedo's fit as many), how many photographs, what is written."""

    steps: int = RefineConfig().steps
    repeats: int = 3
    effort: Effort = field(default_factory=lambda: Effort(seconds=10.0, least=3, warm_up=1, patience=15.0))
    turntable: bool = True


PLAN = Plan()
QUICK_PLAN = Plan(steps=2, repeats=1, effort=QUICK, turntable=False)


def measure_reconstruct(plan: Plan, *, progress: Callable[[str], None]) -> list[Case]:
    """A case for each stage and each part of "reconstruct", and one for all stages of a photograph.

    Raises InputError where the photograph is missing: it comes with the repository, not with the package.
    """
    photograph = Path(farm3d.__file__).parents[1] / PHOTOGRAPH
    with tempfile.TemporaryDirectory() as folder:
        session = open_benchmark_session(photograph, plan, Path(folder))
        progress("reconstruct: parts")
        calls = {LOAD: _load, **parts(session, photograph)}
        timings = measure_in_turn(calls, device=CPU, effort=plan.effort, clock=processor_seconds)
        timings |= stage_timings(session, photograph, plan, progress=progress)
    width, height = read_image(photograph).pixels.shape[1::-1]
    faces = len(session.reconstructor.prior.mesh.faces)
    setting = f"{PHOTOGRAPH.name}, {width} x {height}, {faces:,} faces, {plan.steps} steps of refinement"
    return [
        Case(contender="farm3d", task=task, setting=setting, timing=found) for task, found in timings.items()
    ]


def processor_seconds() -> float:
    """The processor's time so far, of this process and of those that it started and waited for."""
    spent = os.times()
    return time.process_time() + spent.children_user + spent.children_system


def open_benchmark_session(photograph: Path, plan: Plan, folder: Path) -> Session:
    """A run as farm3d-infer's, masks beside photographs; raises InputError where a photograph is missing."""
    if not photograph.is_file():
        raise InputError(f"{photograph} is missing: run farm3d-bench reconstruct in a checkout of farm3d")
    return open_session(
        folder,
        _load(),
        masks=MaskOptions(make_segmenter("file")),
        refinement=RefineConfig(steps=plan.steps),
        loading_seconds=0.0,
    )


def stage_timings(
    session: Session, photograph: Path, plan: Plan, *, progress: Callable[[str], None]
) -> dict[str, Timing]:
    """The processor's time of each stage of farm3d-infer over `plan.repeats` photographs, one beside them."""
    image = InputImage(photograph, photograph.stem)
    runs = []
    for repeat in range(plan.repeats + 1):
        progress(f"reconstruct: photograph {repeat + 1} of {plan.repeats + 1}")
        stopwatch = Stopwatch(clock=processor_seconds)
        options = ExportOptions(turntable=plan.turntable)
        reconstruct_file(session, image, options=options, stopwatch=stopwatch)
        stages = {stage: seconds for stage, seconds in stopwatch.seconds.items() if stage != "load"}
        runs.append(stages | {WHOLE: sum(stages.values())})
    # The first photograph waits for what is made once: the atlas, compiled kernels.
    return {stage: timing([run[stage] for run in runs[1:]]) for stage in runs[0]}


def parts(session: Session, photograph: Path) -> Mapping[str, Call]:
    """The calls inside "reconstruct"; each starts from what those before it made, which is made once here."""
    trained, prior = session.reconstructor.trained, session.reconstructor.prior
    model, config = trained.model, session.refinement
    source = read_image(photograph)
    mask = segment(source, photograph, segmenter=session.masks.source).mask.numpy()

    def crop(size: int) -> Batch:
        return batch_of_crops([crop_image(source.pixels, mask, crop_box(mask), size=size)])

    coarse, fine = crop(model.config.image_size), crop(config.albedo_size)

    def encode() -> tuple[ImageReading, AnimalPrediction]:
        with torch.no_grad():
            reading = model.read(coarse.images, coarse.masks)
            return reading, model.assemble(reading, read_pose(model, prior, reading), prior)

    reading, first = encode()
    refined = refine(model, prior, reading, initial=first, batch=coarse, config=config)
    return {
        ATLAS: lambda: unwrap(prior.mesh),
        "encode": encode,
        "refine": lambda: refine(model, prior, reading, initial=first, batch=coarse, config=config),
        "fit albedo": lambda: fit_albedo(model, reading, refined, batch=fine, config=config),
    }


def _load() -> Reconstructor:
    return Reconstructor(load_trained(shipped_checkpoint(CATEGORY)))

"""What a photograph costs, stage by stage: the documentation's horse, the shipped checkpoint, on the CPU.

Stages: "encode" (the networks, to the first posed animal), "refine" (the camera, pose and shape), "fit
albedo", "bake" (the texture), "video" (the turntable, drawn and encoded), "export" (GLB and OBJ). Reading the
file and the mask is not among them, nor is the category's shape, which a run makes once.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

import farm3d
from farm3d.data.transforms import batch_of_crops, crop_box, crop_image
from farm3d.errors import InputError
from farm3d.geometry.mesh import Mesh
from farm3d.inference.clips import standard_clips
from farm3d.inference.fit_albedo import fit_albedo
from farm3d.inference.reconstruct import reconstruct
from farm3d.inference.refine import RefineConfig, refine
from farm3d.inference.rig import rigged_glb, world_scale
from farm3d.inference.texture import bake
from farm3d.inference.videos import FRAMES_PER_SECOND, turntable_frames
from farm3d.io.image import SourceImage, read_image
from farm3d.io.mesh_files import write_obj
from farm3d.io.video import write_mp4
from farm3d.models.animal_model import ImageReading
from farm3d.models.build import TrainedModel, load_trained, shipped_checkpoint
from farm3d.pretrained.segmentation import make_segmenter, segment
from farm3d.types import AnimalPrediction, Batch, Segmentation, ShapePrior

from .harness import QUICK, Call, Effort, measure
from .records import Case

CATEGORY = "horse"
PHOTOGRAPH = Path("docs/images/horse.jpg")
WHOLE = "all of reconstruct"

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Plan:
    """How many steps of refinement (of the albedo's fit as many), the texture's size, how long."""

    steps: int
    texture_size: int
    effort: Effort


PLAN = Plan(RefineConfig().steps, 1024, Effort(seconds=10.0, least=3, warm_up=1, patience=15.0))
QUICK_PLAN = Plan(2, 128, QUICK)


@dataclass(frozen=True)
class Subject:
    """The photograph with its mask, and the model with its category's shape."""

    source: SourceImage
    segmentation: Segmentation
    trained: TrainedModel
    prior: ShapePrior

    def crop(self, size: int) -> Batch:
        """The square about the animal, `size` pixels a side."""
        mask = self.segmentation.mask.numpy()
        return batch_of_crops([crop_image(self.source.pixels, mask, crop_box(mask), size=size)])


def measure_reconstruct(plan: Plan, *, progress: Callable[[str], None]) -> list[Case]:
    """One case for each stage, and one for `reconstruct`, which is the first three and the silhouettes.

    Raises InputError where the photograph is missing: it comes with the repository, not with the package.
    """
    subject = load_subject(Path(farm3d.__file__).parents[1] / PHOTOGRAPH)
    steps = f"{plan.steps} steps of refinement"
    height, width = subject.source.pixels.shape[:2]
    setting = f"{PHOTOGRAPH.name}, {width} x {height}, {len(subject.prior.mesh.faces):,} faces, {steps}"
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        for stage, call in stages(subject, plan, Path(folder)).items():
            progress(f"reconstruct: {stage}")
            timing = measure(call, device=CPU, effort=plan.effort)
            cases.append(Case(contender="farm3d", task=stage, setting=setting, timing=timing))
    return cases


def load_subject(photograph: Path) -> Subject:
    """The photograph, its mask beside it, the shipped checkpoint; raises InputError where one is missing."""
    if not photograph.is_file():
        raise InputError(f"{photograph} is missing: run farm3d-bench reconstruct in a checkout of farm3d")
    source = read_image(photograph)
    trained = load_trained(shipped_checkpoint(CATEGORY))
    with torch.no_grad():
        prior = trained.model.prior()
    return Subject(source, segment(source, photograph, segmenter=make_segmenter("file")), trained, prior)


def stages(subject: Subject, plan: Plan, folder: Path) -> Mapping[str, Call]:
    """The call of each stage; every one starts from what those before it made, which is made once here."""
    model, prior = subject.trained.model, subject.prior
    config = RefineConfig(steps=plan.steps)
    crop, fine = subject.crop(model.config.image_size), subject.crop(config.albedo_size)

    def encode() -> tuple[ImageReading, AnimalPrediction]:
        with torch.no_grad():
            reading = model.read(crop.images, crop.masks)
            return reading, model.assemble(reading, model.pose(reading, prior), prior)

    reading, first = encode()
    refined = refine(model, prior, reading, initial=first, batch=crop, config=config)
    fitted = fit_albedo(model, reading, refined, batch=fine, config=config)
    texture = bake(fitted, resolution=plan.texture_size)

    def export() -> None:
        scale = world_scale(fitted, subject.trained.shoulder_height_metres)
        clips = standard_clips(fitted, scale.metres_per_unit)
        (folder / "animal.glb").write_bytes(rigged_glb(fitted, texture, clips=clips, scale=scale))
        write_obj(folder / "posed.obj", Mesh(fitted.posed_mesh.vertices[0], fitted.posed_mesh.faces))

    def video() -> None:
        frames = turntable_frames(fitted, texture)
        write_mp4(folder / "turntable.mp4", frames, frames_per_second=FRAMES_PER_SECOND)

    return {
        "encode": encode,
        "refine": lambda: refine(model, prior, reading, initial=first, batch=crop, config=config),
        "fit albedo": lambda: fit_albedo(model, reading, refined, batch=fine, config=config),
        WHOLE: lambda: reconstruct(
            model, prior, subject.source.pixels, segmentation=subject.segmentation, refinement=config
        ),
        "bake": lambda: bake(fitted, resolution=plan.texture_size),
        "video": video,
        "export": export,
    }

"""How many frames of a turntable are drawn a second: the shipped horse, textured and shaded, on the CPU.

Rendering alone: the animal stands and its texture is baked before, and no video is encoded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from farm3d.synth.procedural.features import feature_mixture
from farm3d.synth.procedural.images import draw, random_animal, random_shot
from farm3d.synth.procedural.species import species_of

from farm3d.data.transforms import batch_of_crops, crop_box, crop_image
from farm3d.inference.texture import bake
from farm3d.inference.videos import BACKGROUND, SIZE, FrameSource, turntable_frames
from farm3d.models.animal_model import AnimalModel
from farm3d.models.build import load_trained, shipped_checkpoint
from farm3d.ops.mesh_topology import unique_edges
from farm3d.types import AnimalPrediction

from . import rasterize_work as least
from .harness import QUICK, Call, Effort, measure, peak_memory
from .records import Case, Work

CATEGORY = "horse"

SHADED = 100
"""Operations a covered pixel: a unit normal, a cosine, a bilinear look-up, three sRGB powers."""

CHANNELS = 6
"""Interpolated: texture coordinates and normals."""


@dataclass(frozen=True)
class Plan:
    """The resolution of the lattice (192 gives 21,000 faces), of the texture, how many frames, how long."""

    grid_resolution: int
    texture_size: int
    frames: int | None
    effort: Effort


PLAN = Plan(192, 1024, None, Effort(seconds=15.0))
QUICK_PLAN = Plan(64, 128, 8, QUICK)


def measure_turntable(plan: Plan, *, seed: int, progress: Callable[[str], None]) -> list[Case]:
    """One case: the whole turn (or its first frames) of one animal."""
    progress("turntable: reconstructing a made-up horse and baking its texture")
    prediction = farm_animal(plan.grid_resolution, seed=seed)
    with torch.no_grad():
        texture = bake(prediction, resolution=plan.texture_size)
    progress("turntable: drawing")

    def frames() -> FrameSource:
        return islice(turntable_frames(prediction, texture), plan.frames)

    drawn = list(frames())
    call, cpu = _exhausting(frames), torch.device("cpu")
    timing = measure(call, device=cpu, effort=plan.effort)
    faces = len(prediction.rest_mesh.faces)
    numbers = {
        "faces": faces,
        "size": SIZE,
        "images": len(drawn),
        "frames_a_second": len(drawn) / timing.median,
    }
    return [
        Case(
            contender="farm3d",
            task=f"{len(drawn)} frames of a turntable",
            setting=f"{faces:,} faces, {SIZE}², texture {plan.texture_size}²",
            timing=timing,
            peak_bytes=peak_memory(call, cpu),
            work=_turn_work(prediction, drawn),
            numbers=numbers,
        )
    ]


def farm_animal(grid_resolution: int, *, seed: int) -> AnimalPrediction:
    """What the shipped horse's networks say of a picture that the procedural farm drew."""
    trained = load_trained(shipped_checkpoint(CATEGORY))
    config = trained.model.config.model_copy(update={"grid_resolution": grid_resolution})
    model = AnimalModel(config).eval()
    model.load_state_dict(trained.model.state_dict())
    species, generator = species_of(CATEGORY), np.random.default_rng(seed)
    animal = random_animal(species, 0, seed=seed, mixture=feature_mixture(seed))
    (sample,) = draw(animal, [random_shot(animal, CATEGORY, generator, seed=seed)], config.image_size)
    mask = sample.mask > 127
    batch = batch_of_crops([crop_image(sample.image, mask, crop_box(mask), size=config.image_size)])
    with torch.no_grad():
        return model.predict(batch.images, batch.masks, model.prior())


def _exhausting(frames: Callable[[], FrameSource]) -> Call:
    """Draw and drop: frames that are kept would be memory that the renderer did not need."""
    return lambda: sum(1 for _ in frames())


def _turn_work(prediction: AnimalPrediction, drawn: list[np.ndarray]) -> Work:
    """Rasterise, interpolate and shade covered pixels, antialias three channels and a mask, write bytes."""
    covered = np.mean([(frame != round(255 * BACKGROUND)).any(axis=-1).sum() for frame in drawn])
    mesh = prediction.rest_mesh
    amounts = least.Amounts(
        images=len(drawn),
        vertices=mesh.vertices.shape[1],
        faces=len(mesh.faces),
        edges=len(unique_edges(mesh.faces)),
        pixels=SIZE**2,
        covered=float(covered),
        channels=4,
    )
    operations = (SHADED + least.BLENDED * CHANNELS) * amounts.covered
    shaded = Work(bytes=amounts.images * 3 * SIZE**2, float32=amounts.images * operations)
    return least.rasterize_forward(amounts) + shaded + least.antialias_forward(amounts)

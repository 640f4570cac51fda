"""Videos of the way from one animal to another and back, part by part."""

import math
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import Camera
from farm3d.inference.animal import Animal
from farm3d.inference.edit import Part
from farm3d.inference.videos import (
    FRAMES_PER_SECOND,
    SHOWN_AZIMUTH,
    FrameSource,
    draw_frames,
    framing_cameras,
)
from farm3d.render.shading import light_of

SECONDS = 4.0


def blend_frames(animal: Animal, other: Animal, part: Part) -> FrameSource:
    """The animal turning into the other in one respect, and back: four seconds that loop.

    Raises ConfigError for animals of two models.
    """
    shares = _there_and_back()
    stations = [animal.take(part, other, share).prediction for share in (0.0, 0.5, 1.0)]
    azimuths = torch.full((len(shares),), SHOWN_AZIMUTH)
    camera = framing_cameras(torch.cat([station.posed_mesh.vertices for station in stations]), azimuths)
    # Each frame has a coat or a shape of its own, so each is drawn alone.
    for number, share in enumerate(shares):
        step = animal.take(part, other, share)
        seen = Camera(camera.world_to_camera[[number]], camera.field_of_view)
        scene = partial(_scene, step.prediction.posed_mesh.vertices, seen)
        light = light_of(step.prediction.light, torch.zeros(1, dtype=torch.long))
        yield from draw_frames(step.prediction, step.texture, scene, lights=light)


def _scene(
    vertices: Float[Tensor, "1 vertices 3"], camera: Camera, part: Tensor
) -> tuple[Float[Tensor, "1 vertices 3"], Camera]:
    return vertices, camera


def _there_and_back() -> list[float]:
    """Shares that rise from 0 to 1 and fall again, slow at both ends; the last leads to the first."""
    count = round(SECONDS * FRAMES_PER_SECOND)
    return [0.5 - 0.5 * math.cos(2.0 * math.pi * k / count) for k in range(count)]

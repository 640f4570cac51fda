"""Pictures of procedural animals with their whole truth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from farm3d.geometry.framing import fit_cameras
from farm3d.geometry.viewpoint import view_word, viewpoint_rotation
from farm3d.ops.rasterize import interpolate

from .anatomy import GROUND
from .animals import Animal, random_animal
from .cameras import Viewpoint, random_light, random_viewpoint
from .drawing import SUPERSAMPLING, body_shade, draw_body, random_guests
from .features import patch_features
from .footing import SUNK
from .keypoints import keypoints_in_image
from .poses import Pose, random_pose
from .quadruped import posed_vertices
from .scenes.composition import backdrop, front, random_setting
from .scenes.lighting import scene_light
from .scenes.photography import photographed, random_gain
from .scenes.views import view_of

__all__ = ["Animal", "Sample", "Shot", "draw", "random_animal", "random_shot"]


@dataclass(frozen=True)
class Sample:
    """One picture: 8-bit sRGB image and mask (0 or 255), patch features, and the truth as JSON values."""

    identifier: str
    image: UInt8[np.ndarray, "size size 3"]
    mask: UInt8[np.ndarray, "size size"]
    features: Float[np.ndarray, "channels grid grid"]
    truth: dict[str, object]
    jpeg_quality: int


@dataclass(frozen=True)
class Shot:
    """What is decided before a picture is drawn; `generator` decides the rest."""

    identifier: str
    seed: int
    pose: Pose
    viewpoint: Viewpoint
    scale: float
    shift: tuple[float, float]
    light_direction: tuple[float, float, float]
    ambient: float
    diffuse: float
    generator: np.random.Generator


def random_shot(animal: Animal, identifier: str, generator: np.random.Generator, *, seed: int) -> Shot:
    """A pose, a viewpoint and a light."""
    pose = random_pose(animal.species, animal.shape, generator)
    viewpoint = random_viewpoint(generator, height=pose.height)
    light = random_light(viewpoint, generator)
    return Shot(
        identifier,
        seed,
        pose,
        viewpoint,
        scale=float(generator.uniform(0.99, 1.06)),
        shift=(float(generator.uniform(-0.04, 0.04)), float(generator.uniform(-0.04, 0.04))),
        light_direction=light.direction,
        ambient=light.ambient,
        diffuse=light.diffuse,
        generator=generator,
    )


def draw(animal: Animal, shots: Sequence[Shot], size: int) -> list[Sample]:
    """The pictures of these shots of one animal, `size` pixels a side, each drawn for itself."""
    return [_draw_one(animal, shot, size) for shot in shots]


def _draw_one(animal: Animal, shot: Shot, size: int) -> Sample:
    faces, generator = animal.shape.faces, shot.generator
    vertices, offsets = _posed_on_ground(animal, [shot])
    camera = fit_cameras(
        vertices,
        faces,
        viewpoint_rotation(torch.tensor([shot.viewpoint.azimuth]), torch.tensor([shot.viewpoint.elevation])),
        field_of_view=torch.tensor([shot.viewpoint.field_of_view]),
        scale=torch.tensor([shot.scale]),
        shift=torch.tensor([shot.shift]),
    )
    view = view_of(camera, size)
    light = scene_light(
        view, shot.light_direction, ambient=shot.ambient, diffuse=shot.diffuse, generator=generator
    )
    setting = random_setting(view, light, generator)
    body = draw_body(animal, vertices, camera, light=light, ground=setting.ground.near, size=size)
    shade = body_shade(body, setting.places)
    guests, shade = random_guests(animal, camera, setting, shade=shade, generator=generator)
    behind = backdrop(setting, shade=shade, guests=guests, generator=generator)
    image = behind * (1.0 - body.layer[..., 3:]) + body.layer[..., :3]
    image = front(image, behind, setting, generator=generator)
    gain = random_gain(image, generator)
    truth = _truth(animal, shot, world_to_camera=camera.world_to_camera[0], offset=offsets[0], gain=gain)
    truth["keypoints"] = keypoints_in_image(animal.keypoints, body.clip, body.rasterized, size=size)[0]
    coarse = body.rasterized[:, ::SUPERSAMPLING, ::SUPERSAMPLING].contiguous()
    features = interpolate(animal.features[None], coarse, faces)[0]
    return Sample(
        shot.identifier,
        photographed(gain * image, generator),
        np.where(body.layer[..., 3] >= 0.5, 255, 0).astype(np.uint8),
        patch_features(features, (coarse[0, ..., 3:] > 0).float(), generator),
        truth | {"crop_box": [0, 0, size, size]},
        int(generator.integers(85, 97)),
    )


def _posed_on_ground(
    animal: Animal, shots: Sequence[Shot]
) -> tuple[Float[Tensor, "images vertices 3"], Float[Tensor, "images 3"]]:
    """The posed vertices, no foot far under the ground, and the root offsets used."""
    angles = torch.stack([shot.pose.joint_angles for shot in shots])
    hanging = posed_vertices(animal.shape, angles, torch.zeros(len(shots), 3))
    offsets = torch.zeros(len(shots), 3)
    lifted = GROUND - SUNK - hanging[..., 1].amin(dim=1)
    offsets[:, 1] = torch.maximum(torch.tensor([shot.pose.rise for shot in shots]), lifted)
    return hanging + offsets[:, None], offsets


def _truth(
    animal: Animal,
    shot: Shot,
    *,
    world_to_camera: Float[Tensor, "4 4"],
    offset: Float[Tensor, "3"],
    gain: float,
) -> dict[str, object]:
    """What <id>.json says but for keypoints and crop box (docs/data_sets.md, "A sample's JSON").

    The light's strengths are those that the picture's exposure leaves of it.
    """
    word = view_word(shot.viewpoint.azimuth, shot.viewpoint.elevation)
    return {
        "id": shot.identifier,
        "seed": shot.seed,
        "individual": animal.number,
        "prompt": f"{animal.species.name}, {word} view",
        "score": 1.0,
        "camera": {
            "world_to_camera": _rounded(world_to_camera),
            "field_of_view_degrees": round(math.degrees(shot.viewpoint.field_of_view), 6),
            "azimuth": round(shot.viewpoint.azimuth, 6),
            "elevation": round(shot.viewpoint.elevation, 6),
        },
        "light": {
            "direction": [round(value, 6) for value in shot.light_direction],
            "ambient": round(gain * shot.ambient, 6),
            "diffuse": round(gain * shot.diffuse, 6),
        },
        "pose": {
            "gait": shot.pose.gait,
            "joint_angles": _rounded(shot.pose.joint_angles),
            "root_offset": _rounded(offset),
        },
    }


def _rounded(values: Tensor) -> list[object]:
    """Nested lists with six decimals."""
    return np.round(values.double().numpy(), 6).tolist()

"""Pictures of procedural animals with their whole truth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from farm3d.geometry.camera import Camera, project_to_clip
from farm3d.geometry.viewpoint import view_word, viewpoint_rotation
from farm3d.ops.mesh_topology import vertex_normals
from farm3d.ops.rasterize import interpolate, rasterize
from farm3d.render.shading import shade
from farm3d.types import DirectionalLight

from .anatomy import GROUND
from .animals import Animal, Surface, random_animal, seen_surface
from .backgrounds import background
from .cameras import Viewpoint, fit_cameras, horizon_row, random_light, random_viewpoint
from .features import patch_features
from .keypoints import keypoints_in_image
from .poses import SUNK, Pose, random_pose
from .quadruped import posed_vertices

__all__ = ["Animal", "Sample", "Shot", "draw", "random_animal", "random_shot"]

SUPERSAMPLING = 2
"""Rendered pixels along each side of an image pixel."""

SHADOW_SIZE = 64


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
    faces = animal.shape.faces
    vertices, offsets = _posed_on_ground(animal, [shot])
    camera = fit_cameras(
        vertices,
        faces,
        viewpoint_rotation(torch.tensor([shot.viewpoint.azimuth]), torch.tensor([shot.viewpoint.elevation])),
        field_of_view=torch.tensor([shot.viewpoint.field_of_view]),
        scale=torch.tensor([shot.scale]),
        shift=torch.tensor([shot.shift]),
    )
    clip = project_to_clip(camera, vertices)
    rasterized = rasterize(clip, faces, (SUPERSAMPLING * size, SUPERSAMPLING * size))
    surface = seen_surface(
        animal, vertices, vertex_normals(vertices, faces), camera=camera, rasterized=rasterized
    )
    light = _stacked_light([shot])
    layers = _shaded(surface, light)
    coarse = rasterized[:, ::SUPERSAMPLING, ::SUPERSAMPLING].contiguous()
    features = interpolate(animal.features[None], coarse, faces)
    shadows = _shadows(faces, vertices, camera=camera, light=light)
    keypoints = keypoints_in_image(animal.keypoints, clip, rasterized, size=size)
    truth = _truth(animal, shot, world_to_camera=camera.world_to_camera[0], offset=offsets[0])
    return _sample(
        shot,
        layers=layers.numpy(),
        shadow=shadows[0].numpy(),
        features=patch_features(features[0], (coarse[0, ..., 3:] > 0).float(), shot.generator),
        truth=truth | {"keypoints": keypoints[0]},
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


def _stacked_light(shots: Sequence[Shot]) -> DirectionalLight:
    return DirectionalLight(
        torch.tensor([shot.light_direction for shot in shots]),
        torch.tensor([shot.ambient for shot in shots]),
        torch.tensor([shot.diffuse for shot in shots]),
    )


def _shaded(surface: Surface, light: DirectionalLight) -> Float[Tensor, "size size 4"]:
    """sRGB (premultiplied) and coverage, averaged over the finer pixels."""
    colors = shade(surface.albedo, surface.normals, light).clamp(0.0, 1.0)
    layers = torch.zeros(*surface.covered.shape, 4)
    layers[surface.covered] = torch.cat([colors, torch.ones_like(colors[:, :1])], dim=1)
    return torch.nn.functional.avg_pool2d(layers.movedim(-1, 0), SUPERSAMPLING).movedim(0, -1)


def _shadows(
    faces: Int[Tensor, "faces 3"],
    vertices: Float[Tensor, "images vertices 3"],
    *,
    camera: Camera,
    light: DirectionalLight,
) -> Float[Tensor, "images small small"]:
    """Coverage of the shadow that each animal throws on the ground, the sun held at 40 degrees or higher."""
    toward = (camera.world_to_camera[:, :3, :3].transpose(-1, -2) @ light.direction[..., None]).squeeze(-1)
    slope = toward[:, [0, 2]] / toward[:, 1:2].clamp_min(0.15)
    slope = slope / (slope.norm(dim=1, keepdim=True) / 1.2).clamp_min(1.0)
    height = vertices[..., 1] - GROUND
    flat = vertices.clone()
    flat[..., 1] = GROUND
    flat[..., [0, 2]] -= slope[:, None] * height[..., None]
    drawn = rasterize(project_to_clip(camera, flat), faces, (SHADOW_SIZE, SHADOW_SIZE))
    return (drawn[..., 3] > 0).float()


def _sample(
    shot: Shot,
    *,
    layers: Float[np.ndarray, "size size 4"],
    shadow: Float[np.ndarray, "small small"],
    features: Float[np.ndarray, "channels grid grid"],
    truth: dict[str, object],
) -> Sample:
    """Put the animal before a background and through a camera's imperfections."""
    size, generator = len(layers), shot.generator
    scene = background(size, horizon_row(shot.viewpoint, size), generator)
    sunlight = shot.diffuse / (shot.diffuse + shot.ambient)
    soft = cv2.GaussianBlur(shadow, (0, 0), 0.8 + 2.5 * (1.0 - sunlight))
    soft = np.clip(cv2.resize(soft, (size, size), interpolation=cv2.INTER_LINEAR), 0.0, 1.0)
    scene = scene * (1.0 - (0.15 + 0.6 * sunlight) * generator.uniform(0.6, 1.0) * soft[..., None])
    image = scene * (1.0 - layers[..., 3:]) + layers[..., :3]
    mask = np.where(layers[..., 3] >= 0.5, 255, 0).astype(np.uint8)
    truth = truth | {"crop_box": [0, 0, size, size]}
    picture = _photographed(image, generator)
    return Sample(shot.identifier, picture, mask, features, truth, int(generator.integers(70, 96)))


def _photographed(
    image: Float[np.ndarray, "size size 3"], generator: np.random.Generator
) -> UInt8[np.ndarray, "size size 3"]:
    """Colour cast, contrast, a little blur and noise; 8 bits."""
    size = len(image)
    image = image * (1.0 + generator.normal(size=3) * 0.04)
    image = 0.45 + (image - 0.45) * generator.uniform(0.85, 1.15) + generator.normal() * 0.02
    blur = generator.uniform(0.0, 0.8) * size / 128
    if blur > 0.2:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    image = image + generator.uniform(0.0, 0.025) * generator.normal(size=image.shape)
    return (np.clip(image, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def _truth(
    animal: Animal, shot: Shot, *, world_to_camera: Float[Tensor, "4 4"], offset: Float[Tensor, "3"]
) -> dict[str, object]:
    """What <id>.json says but for keypoints and crop box (docs/data_sets.md, "A sample's JSON")."""
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
            "ambient": round(shot.ambient, 6),
            "diffuse": round(shot.diffuse, 6),
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

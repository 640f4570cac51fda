"""A posed animal in a scene's light: what it looks like, and what it keeps off the ground."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import Camera, project_to_clip
from farm3d.ops.mesh_topology import vertex_normals
from farm3d.ops.rasterize import interpolate, rasterize
from farm3d.shapes import ClipPositions, Rasterized

from .anatomy import GROUND
from .animals import Animal, seen_surface
from .poses import random_pose
from .quadruped import posed_vertices
from .scenes.composition import Setting
from .scenes.lighting import SceneLight, lit_body
from .scenes.scenery import Guest
from .scenes.shadows import (
    BELOW_MARGIN,
    BELOW_RESOLUTION,
    SUN_RESOLUTION,
    DepthMap,
    Shade,
    depth_map,
    sky_on_ground,
    sky_on_surface,
    sun_on_ground,
    sun_on_surface,
)
from .scenes.views import on_ground

SUPERSAMPLING = 2
"""Rendered pixels along each side of an image pixel."""

DOWN = np.array([0.0, -1.0, 0.0])

GUEST_SHARE = 0.22
"""Share of the pictures in which other animals stand behind."""


@dataclass(frozen=True)
class Body:
    """An animal as a picture shows it: linear light times cover, and cover, a pixel; how it was rasterised;
    and how the sun and the ground see it."""

    layer: Float[np.ndarray, "size size 4"]
    clip: ClipPositions
    rasterized: Rasterized
    from_sun: DepthMap
    from_below: DepthMap
    light: SceneLight


def draw_body(
    animal: Animal,
    vertices: Float[Tensor, "1 vertices 3"],
    camera: Camera,
    *,
    light: SceneLight,
    ground: Float[np.ndarray, "3"],
    size: int,
    in_detail: bool = True,
) -> Body:
    """The posed animal in this light over ground of this albedo.

    Only `in_detail` does it keep the sky's light from its own surface.
    """
    faces = animal.shape.faces
    clip = project_to_clip(camera, vertices)
    rasterized = rasterize(clip, faces, (SUPERSAMPLING * size, SUPERSAMPLING * size))
    normals = vertex_normals(vertices, faces)
    from_sun = depth_map(vertices[0], faces, light.toward, resolution=SUN_RESOLUTION)
    from_below = depth_map(vertices[0], faces, DOWN, resolution=BELOW_RESOLUTION, margin=BELOW_MARGIN)
    surface = seen_surface(animal, vertices, normals, camera=camera, rasterized=rasterized)
    sky = 0.4 + 0.4 * normals[0, :, 1]
    if in_detail:
        sky = torch.from_numpy(sky_on_surface(vertices[0], normals[0]))
    normal = surface.normals.numpy()
    radiance = lit_body(
        surface.albedo.numpy(),
        normal,
        light,
        up=normal @ camera.world_to_camera[0, :3, 1].numpy(),
        sun_visible=sun_on_surface(
            from_sun,
            surface.places.numpy(),
            facing=normal @ light.facing,
            spread=0.02 + 0.2 * light.cloudiness,
        ),
        sky_visible=interpolate(sky[None, :, None], rasterized, faces)[0, ..., 0][surface.covered].numpy(),
        ground=ground,
    )
    layer = _pooled(surface.covered.numpy(), radiance, size)
    return Body(layer, clip, rasterized, from_sun, from_below, light)


def _pooled(
    covered: np.ndarray, radiance: Float[np.ndarray, "points 3"], size: int
) -> Float[np.ndarray, "size size 4"]:
    """Light times cover, and cover: the mean of each pixel's finer pixels."""
    fine = np.zeros((*covered.shape, 4), np.float32)
    fine[covered, :3] = radiance
    fine[covered, 3] = 1.0
    return np.asarray(cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA))


def body_shade(body: Body, places: Float[np.ndarray, "size size 3"]) -> Shade:
    """What the body leaves of sun and sky for these places on the ground."""
    return Shade(
        sun_on_ground(body.from_sun, places, body.light.penumbra), sky_on_ground(body.from_below, places)
    )


def random_guests(
    animal: Animal, camera: Camera, setting: Setting, *, shade: Shade, generator: np.random.Generator
) -> tuple[list[Guest], Shade]:
    """Herd mates behind the animal, now and then, and the ground's shade with theirs."""
    guests: list[Guest] = []
    if setting.kind != "open" or generator.random() > GUEST_SHARE:
        return guests, shade
    stage = setting.stage
    for _ in range(int(generator.integers(1, 3))):
        behind = float(generator.uniform(5.0, 22.0))
        across = float(generator.uniform(-1.0, 1.0) * (1.5 + 0.9 * behind * stage.view.reach))
        place = on_ground(stage.view, np.array([across]), np.array([behind]))[0]
        vertices = _mate(animal, place, generator)
        body = draw_body(
            animal,
            vertices,
            camera,
            light=stage.light,
            ground=setting.ground.near,
            size=stage.view.size,
            in_detail=False,
        )
        tone = np.array([*np.exp(generator.normal() * 0.3 + generator.normal(size=3) * 0.05), 1.0])
        guests.append(Guest(behind, (body.layer * tone).astype(np.float32)))
        shade = shade.under(body_shade(body, setting.places))
    return guests, shade


def _mate(
    animal: Animal, place: Float[np.ndarray, "3"], generator: np.random.Generator
) -> Float[Tensor, "1 vertices 3"]:
    """The animal in another pose, turned and set on the ground elsewhere."""
    pose = random_pose(animal.species, animal.shape, generator)
    vertices = posed_vertices(animal.shape, pose.joint_angles[None], torch.zeros(1, 3))
    turn = generator.uniform(0.0, 2.0 * np.pi)
    cosine, sine = np.cos(turn), np.sin(turn)
    matrix = torch.tensor([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]]) * generator.uniform(
        0.85, 1.05
    )
    vertices = vertices @ matrix.to(vertices.dtype).T
    low = vertices[..., 1].amin()
    return vertices + torch.tensor([place[0], GROUND - float(low), place[2]], dtype=vertices.dtype)

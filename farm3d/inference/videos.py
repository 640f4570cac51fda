"""Videos of one animal: turning, under a circling light, moving."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import FIELD_OF_VIEW, Camera, camera_from_rotation
from farm3d.geometry.clip import Clip, sample_clip
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skinning import skin
from farm3d.geometry.viewpoint import viewpoint_rotation
from farm3d.inference.texture import BakedTexture
from farm3d.render.mesh_renderer import render_surface
from farm3d.types import AnimalPrediction, DirectionalLight

FRAMES_PER_SECOND = 24.0
TURN_SECONDS = 4.0
SIZE = 512
BACKGROUND = 0.93
"""sRGB grey level behind the animal."""

BATCH = 8
ELEVATION = math.radians(12.0)
SHOWN_AZIMUTH = math.radians(60.0)
"""Where the camera stands for the animation: between side and front, so that all legs are seen."""

FrameSource = Iterator[np.ndarray]


def turntable_frames(prediction: AnimalPrediction, texture: BakedTexture) -> FrameSource:
    """The posed animal turned once about its vertical axis, lit as in the photograph."""
    azimuths = _turn()
    vertices = prediction.posed_mesh.vertices[0]
    camera = _framing(vertices[None], azimuths)
    return _draw(
        prediction,
        texture,
        lambda part: (vertices.expand(len(part), -1, -1), _pick(camera, part)),
        count=len(azimuths),
    )


def relight_frames(prediction: AnimalPrediction, texture: BakedTexture) -> FrameSource:
    """The animal as the photograph shows it, with the light circling about it from above."""
    angles = _turn()
    direction = torch.stack([torch.sin(angles), torch.full_like(angles, 0.5), torch.cos(angles)], dim=-1)
    lights = DirectionalLight(
        torch.nn.functional.normalize(direction, dim=-1),
        torch.full_like(angles, 0.3),
        torch.full_like(angles, 0.8),
    )
    vertices = prediction.posed_mesh.vertices[0]

    def scene(part: Tensor) -> tuple[Tensor, Camera]:
        return vertices.expand(len(part), -1, -1), _repeat(prediction.camera, len(part))

    return _draw(prediction, texture, scene, count=len(angles), lights=lights)


def clip_frames(prediction: AnimalPrediction, texture: BakedTexture, clip: Clip) -> FrameSource:
    """The clip played for about four seconds, whole loops of it, from a fixed camera."""
    duration = float(clip.times[-1])
    loops = max(1, round(TURN_SECONDS / duration))
    count = max(1, round(duration * FRAMES_PER_SECOND)) * loops
    times = torch.arange(count, dtype=torch.float64) * (duration * loops / count) % duration
    angles, offsets = sample_clip(clip, times)
    skeleton = prediction.skeleton.at(prediction.skeleton.rest_joints[0])
    transforms = bone_transforms(skeleton, angles.float())
    rest = prediction.rest_mesh.vertices[0].expand(count, -1, -1)
    moved = skin(rest, transforms, prediction.skinning_weights) + offsets.float()[:, None]
    azimuths = torch.full((count,), SHOWN_AZIMUTH)
    camera = _framing(moved, azimuths)
    return _draw(prediction, texture, lambda part: (moved[part], _pick(camera, part)), count=count)


def _draw(
    prediction: AnimalPrediction,
    texture: BakedTexture,
    scene: Callable[[Tensor], tuple[Float[Tensor, "frames vertices 3"], Camera]],
    *,
    count: int,
    lights: DirectionalLight | None = None,
) -> FrameSource:
    """Render frames in small batches, so that memory does not grow with their number."""
    atlas = texture.atlas
    with torch.no_grad():
        for part in torch.arange(count).split(BATCH):
            vertices, camera = scene(part)
            buffers = render_surface(
                Mesh(atlas.split(vertices), atlas.faces),
                camera,
                SIZE,
                rest_positions=texture.uv_positions(),
                albedo_fn=texture.albedo,
                light=_pick_light(
                    prediction.light if lights is None else lights, part, shared=lights is None
                ),
            )
            assert buffers.rgb is not None
            frames = buffers.rgb.clamp(0.0, 1.0) + (1.0 - buffers.mask) * BACKGROUND
            yield from (frames.clamp(0.0, 1.0) * 255.0).round().byte().numpy()


def _turn() -> Float[Tensor, " frames"]:
    count = round(TURN_SECONDS * FRAMES_PER_SECOND)
    return torch.arange(count) * (2.0 * math.pi / count)


def _framing(vertices: Float[Tensor, "poses vertices 3"], azimuths: Float[Tensor, " frames"]) -> Camera:
    """Cameras around the middle of everything that moves, far enough to see all of it from all sides."""
    low, high = vertices.amin(dim=(0, 1)), vertices.amax(dim=(0, 1))
    centre = (low + high) / 2.0
    radius = float((vertices - centre).norm(dim=-1).max())
    distance = 1.05 * radius / math.sin(FIELD_OF_VIEW / 2.0)
    rotation = viewpoint_rotation(azimuths, torch.full_like(azimuths, ELEVATION))
    toward = torch.tensor([0.0, 0.0, -distance])
    camera = camera_from_rotation(rotation, torch.zeros(len(azimuths), 3))
    matrix = camera.world_to_camera.clone()
    matrix[:, :3, 3] = toward - rotation @ centre
    return Camera(matrix)


def _pick(camera: Camera, part: Tensor) -> Camera:
    return Camera(camera.world_to_camera[part], camera.field_of_view)


def _repeat(camera: Camera, count: int) -> Camera:
    return Camera(camera.world_to_camera.expand(count, -1, -1), camera.field_of_view)


def _pick_light(light: DirectionalLight, part: Tensor, *, shared: bool) -> DirectionalLight:
    index = torch.zeros_like(part) if shared else part
    return DirectionalLight(light.direction[index], light.ambient[index], light.diffuse[index])

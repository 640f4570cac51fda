"""Videos of one animal: turning, under a circling light, moving."""

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import FIELD_OF_VIEW, Camera, camera_from_rotation
from farm3d.geometry.clip import Clip, root_transforms, sample_clip
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skinning import skin
from farm3d.geometry.viewpoint import viewpoint_rotation
from farm3d.inference.texture import BakedTexture
from farm3d.ops.mesh_topology import edge_topology
from farm3d.render.mesh_renderer import render_surface
from farm3d.render.shading import light_of
from farm3d.types import AnimalPrediction, DirectionalLight

FRAMES_PER_SECOND = 24.0
TURN_SECONDS = 4.0
SIZE = 512
BACKGROUND = 0.93
"""sRGB grey level behind the animal."""

BATCH = 2
ELEVATION = math.radians(12.0)
SHOWN_AZIMUTH = math.radians(60.0)
"""Where the camera stands for the animation: between side and front, so that all legs are seen."""

FrameSource = Iterator[np.ndarray]


def turntable_frames(prediction: AnimalPrediction, texture: BakedTexture) -> FrameSource:
    """The posed animal turned once about its vertical axis, lit as in the photograph."""
    azimuths = _turn()
    vertices = prediction.posed_mesh.vertices
    camera = framing_cameras(vertices, azimuths)
    return draw_frames(
        prediction,
        texture,
        lambda part: (vertices, _pick(camera, part)),
        lights=_steady(prediction.light, azimuths),
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
    return lit_frames(prediction, texture, lights)


def lit_frames(prediction: AnimalPrediction, texture: BakedTexture, lights: DirectionalLight) -> FrameSource:
    """The animal as the photograph shows it, a frame for each light."""
    vertices = prediction.posed_mesh.vertices

    def scene(part: Tensor) -> tuple[Tensor, Camera]:
        return vertices, _repeat(prediction.camera, len(part))

    return draw_frames(prediction, texture, scene, lights=lights)


def clip_frames(prediction: AnimalPrediction, texture: BakedTexture, clip: Clip) -> FrameSource:
    """The clip played for about four seconds, whole loops of it, from a fixed camera."""
    duration = float(clip.times[-1])
    loops = max(1, round(TURN_SECONDS / duration))
    count = max(1, round(duration * FRAMES_PER_SECOND)) * loops
    times = torch.arange(count, dtype=torch.float64) * (duration * loops / count) % duration
    skeleton = prediction.skeleton.at(prediction.skeleton.rest_joints[0])
    bones = bone_transforms(skeleton, sample_clip(clip, times)[0].float())
    transforms = root_transforms(clip, times).float()[:, None] @ bones
    rest = prediction.rest_mesh.vertices[0].expand(count, -1, -1)
    moved = skin(rest, transforms, prediction.skinning_weights)
    azimuths = torch.full((count,), SHOWN_AZIMUTH)
    camera = framing_cameras(moved, azimuths)
    return draw_frames(
        prediction,
        texture,
        lambda part: (moved[part], _pick(camera, part)),
        lights=_steady(prediction.light, azimuths),
    )


def draw_frames(
    prediction: AnimalPrediction,
    texture: BakedTexture,
    scene: Callable[[Tensor], tuple[Float[Tensor, "meshes vertices 3"], Camera]],
    *,
    lights: DirectionalLight,
) -> FrameSource:
    """Render frames in small batches: they stay in the processor's caches, whatever their number.

    There is a light a frame; `scene` gives the cameras of some frames, and a mesh for each or one for all.
    """
    faces, albedo_fn, uvs = prediction.posed_mesh.faces, texture.albedo_fn(), texture.uv_positions()
    topology = edge_topology(faces)
    with torch.no_grad():
        for part in torch.arange(len(lights.ambient)).split(BATCH):
            vertices, camera = scene(part)
            buffers = render_surface(
                Mesh(vertices, faces),
                camera,
                SIZE,
                rest_positions=uvs,
                albedo_fn=albedo_fn,
                light=light_of(lights, part),
                rest_faces=texture.atlas.faces,
                topology=topology,
            )
            assert buffers.rgb is not None
            # Light may be brighter than white.
            frames = (buffers.rgb + BACKGROUND * (1.0 - buffers.mask)).clamp_max_(1.0)
            yield from frames.mul_(255.0).round_().byte().numpy()


def _turn() -> Float[Tensor, " frames"]:
    count = round(TURN_SECONDS * FRAMES_PER_SECOND)
    return torch.arange(count) * (2.0 * math.pi / count)


def framing_cameras(
    vertices: Float[Tensor, "poses vertices 3"], azimuths: Float[Tensor, " frames"]
) -> Camera:
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


def _steady(light: DirectionalLight, frames: Tensor) -> DirectionalLight:
    """The light of a prediction of one image, the same in every frame."""
    return light_of(light, torch.zeros(len(frames), dtype=torch.long))

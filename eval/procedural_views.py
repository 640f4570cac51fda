"""Novel views: what a prediction shows from where no picture was taken, against the farm's truth.

The camera turns alike for both: about the true animal's vertical axis as the picture's camera sees it, so
that a model's object frame does not matter. It circles each animal's own origin, because one picture cannot
tell a large animal far away from a small one nearby. The light stays with the animal. Both are drawn over
black, each with its own light, without the picture's background, blur, noise and colour cast.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from farm3d.synth.procedural.mesh_colors import MeshColors, SurfacePoints, look_up
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import Camera, orbit
from farm3d.geometry.mesh import Mesh
from farm3d.inference.texture import BakedTexture
from farm3d.render.mesh_renderer import render_surface
from farm3d.shapes import Faces
from farm3d.types import AlbedoFn, AnimalPrediction, DirectionalLight, RenderBuffers

from .novel_views import ViewScore, score_view
from .procedural_truth import TrueAnimal

TURNS_DEGREES = (90.0, 180.0, 270.0)
"""How far the camera circles: the two other sides and the one that the picture does not show at all."""

VIEW_SIZE = 128
"""Side (pixels) of the views that are compared."""


def true_views(true: TrueAnimal, coat: MeshColors) -> tuple[RenderBuffers, ...]:
    """What the true animal looks like in each novel view."""
    return tuple(draw_truth(true, coat, turn) for turn in turns(true))


def score_novel_views(
    prediction: AnimalPrediction, true: TrueAnimal, views: Sequence[RenderBuffers]
) -> tuple[ViewScore, ...]:
    """The scores of one picture's prediction in each novel view; `views` are those of `true_views`."""
    scores = []
    for turn, expected in zip(turns(true), views, strict=True):
        found = draw_prediction(prediction, turn)
        mask, true_mask = ((view.mask[0, ..., 0] > 0.5).numpy() for view in (found, expected))
        scores.append(score_view(_pixels(found), _pixels(expected), mask=mask, true_mask=true_mask))
    return tuple(scores)


def turns(true: TrueAnimal) -> list[Float[Tensor, "3 3"]]:
    """The turns of the camera frame of the novel views."""
    return [camera_turn(true.camera, math.radians(degrees)) for degrees in TURNS_DEGREES]


def camera_turn(camera: Camera, angle: float) -> Float[Tensor, "3 3"]:
    """The rotation of the camera frame that turns the seen animal by `angle` (radians) about its y axis."""
    before = camera.world_to_camera[:3, :3]
    return orbit(camera, angle).world_to_camera[:3, :3] @ before.T


def true_rest(coat: MeshColors) -> tuple[Float[Tensor, "corners 3"], Faces]:
    """What takes the place of rest positions: every corner's face and barycentrics, and the faces of these.

    Within a face the number of the face is constant and the barycentrics are those of the pixel.
    """
    count = len(coat.samples)
    face = torch.arange(count, dtype=torch.float32)[:, None, None].expand(count, 3, 1)
    corners = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]).expand(count, 3, 2)
    return torch.cat([face, corners], dim=-1).flatten(0, 1), torch.arange(3 * count).view(count, 3)


def true_albedo(coat: MeshColors) -> AlbedoFn:
    """The coat as a function of faces and barycentrics in the place of positions."""

    def albedo_fn(positions: Float[Tensor, "points 3"], image_index: Tensor) -> Float[Tensor, "points 3"]:
        return look_up(coat, SurfacePoints(positions[:, 0].round().long(), positions[:, 1:]))[0]

    return albedo_fn


def draw_truth(true: TrueAnimal, coat: MeshColors, turn: Float[Tensor, "3 3"]) -> RenderBuffers:
    """The true animal after a turn of the camera frame."""
    rest, rest_faces = true_rest(coat)
    return render_surface(
        Mesh(true.mesh.vertices[None], true.mesh.faces),
        _turned(replace(true.camera, world_to_camera=true.camera.world_to_camera[None]), turn),
        VIEW_SIZE,
        rest_positions=rest,
        rest_faces=rest_faces,
        albedo_fn=true_albedo(coat),
        light=_turned_light(true.light, turn),
    )


def draw_prediction(
    prediction: AnimalPrediction, turn: Float[Tensor, "3 3"], *, texture: BakedTexture | None = None
) -> RenderBuffers:
    """A prediction of one image after a turn of the camera frame, with its texture or its albedo field."""
    with torch.no_grad():
        return render_surface(
            prediction.posed_mesh,
            _turned(prediction.camera, turn),
            VIEW_SIZE,
            rest_positions=prediction.rest_positions if texture is None else texture.uv_positions(),
            rest_faces=None if texture is None else texture.atlas.faces,
            albedo_fn=prediction.albedo_fn if texture is None else texture.albedo_fn(),
            light=_turned_light(prediction.light, turn),
        )


def _turned(camera: Camera, turn: Float[Tensor, "3 3"]) -> Camera:
    """A batch's cameras after the turn; the animals' origins keep their places in the view."""
    matrix = camera.world_to_camera.clone()
    matrix[:, :3, :3] = turn @ matrix[:, :3, :3]
    return replace(camera, world_to_camera=matrix)


def _turned_light(light: DirectionalLight, turn: Float[Tensor, "3 3"]) -> DirectionalLight:
    """The light of one image in the frame of the turned camera, as a batch of one."""
    direction = (light.direction.reshape(1, 3) @ turn.T).detach()
    return DirectionalLight(direction, light.ambient.detach().reshape(1), light.diffuse.detach().reshape(1))


def _pixels(view: RenderBuffers) -> Float[np.ndarray, "height width 3"]:
    assert view.rgb is not None
    return view.rgb[0].clamp(0.0, 1.0).numpy()

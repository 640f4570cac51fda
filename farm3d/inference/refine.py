"""Test-time optimisation: bend the predicted animal until its silhouette and colours fit the photograph.

Source: MagicPony (arXiv 2211.12497) section 3.5 finetunes the texture at test time; here the camera,
the pose and the deformation are optimised too (docs/method.md, "Test time").
"""

from copy import deepcopy
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.config import StrictConfig
from farm3d.geometry.camera import Camera, camera_from_rotation
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import Skeleton, bone_transforms
from farm3d.geometry.skinning import skin
from farm3d.geometry.viewpoint import azimuth_elevation, viewpoint_rotation
from farm3d.losses.reconstruction import (
    color_loss,
    eroded_overlap,
    inside_distance_loss,
    mask_loss,
    outside_distance_loss,
)
from farm3d.models.animal_model import AnimalModel, ImageReading
from farm3d.render.mesh_renderer import render_surface
from farm3d.types import AnimalPrediction, Batch, ShapePrior


class RefineConfig(StrictConfig):
    """How far and how fast refinement goes. Weights multiply the terms of `_objective`."""

    steps: int = 80
    size: int = 96
    """Side (pixels) of the renders that are compared with the crop."""
    camera_rate: float = 0.01
    angle_rate: float = 0.02
    field_rate: float = 2e-4
    mask: float = 10.0
    inside_distance: float = 100.0
    outside_distance: float = 50.0
    color: float = 2.0
    angle_change: float = 0.5
    """Weight of the mean squared change of the angles (radians) from the prediction."""
    offset_change: float = 100.0
    """Weight of the mean squared change of the deformation (object units) from the prediction."""


@dataclass(frozen=True)
class _Variables:
    """What is optimised; angles go through tanh so that they keep their limits."""

    azimuth: Tensor
    elevation: Tensor
    translation: Tensor
    raw_angles: Tensor

    def camera(self) -> Camera:
        return camera_from_rotation(viewpoint_rotation(self.azimuth, self.elevation), self.translation)

    def angles(self, skeleton: Skeleton) -> Tensor:
        return torch.tanh(self.raw_angles) * skeleton.angle_limits


def refine(
    model: AnimalModel,
    prior: ShapePrior,
    reading: ImageReading,
    initial: AnimalPrediction,
    *,
    batch: Batch,
    config: RefineConfig,
) -> AnimalPrediction:
    """The prediction after `config.steps` steps of Adam; with 0 steps the prediction itself.

    Camera, joint angles and copies of the deformation and albedo networks are optimised; the model is
    not changed, and the rest shape stays mirror-symmetric because the networks are.
    """
    if config.steps == 0:
        return initial
    own = deepcopy(model).requires_grad_(False)
    variables = _start(initial)
    fields = [*own.deformation.parameters(), *own.albedo.parameters()]
    for parameter in fields:
        parameter.requires_grad_(True)
    optimizer = torch.optim.Adam(
        [
            {
                "params": [variables.azimuth, variables.elevation, variables.translation],
                "lr": config.camera_rate,
            },
            {"params": [variables.raw_angles], "lr": config.angle_rate},
            {"params": fields, "lr": config.field_rate},
        ]
    )
    target = _shrink(batch, config.size)
    for _ in range(config.steps):
        prediction = _predict(own, prior, reading, initial, variables=variables)
        loss = _objective(prediction, initial, target, config=config)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return _predict(own, prior, reading, initial, variables=variables)


def _start(initial: AnimalPrediction) -> _Variables:
    azimuth, elevation = azimuth_elevation(initial.camera.world_to_camera[:, :3, :3])
    offset = camera_from_rotation(torch.eye(3), torch.zeros(3)).world_to_camera[:3, 3]
    translation = initial.camera.world_to_camera[:, :3, 3] - offset
    share = (initial.joint_angles / initial.skeleton.angle_limits).clamp(-0.99, 0.99)
    values = (azimuth, elevation, translation, torch.atanh(share))
    return _Variables(*(value.detach().clone().requires_grad_() for value in values))


def _predict(
    model: AnimalModel,
    prior: ShapePrior,
    reading: ImageReading,
    initial: AnimalPrediction,
    *,
    variables: _Variables,
) -> AnimalPrediction:
    """The prediction under the present values of what is optimised."""
    from dataclasses import replace

    rest = prior.mesh.vertices + model.offsets(prior.mesh.vertices, reading)
    angles = variables.angles(initial.skeleton)
    transforms = bone_transforms(initial.skeleton, angles)
    features = reading.encoded.features

    def albedo_fn(positions: Tensor, image_index: Tensor) -> Tensor:
        return model.albedo(positions, features, image_index)

    return replace(
        initial,
        rest_mesh=Mesh(rest, prior.mesh.faces),
        posed_mesh=Mesh(skin(rest, transforms, prior.skinning_weights), prior.mesh.faces),
        joint_angles=angles,
        bone_transforms=transforms,
        camera=variables.camera(),
        albedo_fn=albedo_fn,
    )


def _objective(
    prediction: AnimalPrediction, initial: AnimalPrediction, target: Batch, *, config: RefineConfig
) -> Float[Tensor, ""]:
    """Silhouette and colour terms, and what keeps pose and shape near the prediction."""
    buffers = render_surface(
        prediction.posed_mesh,
        prediction.camera,
        config.size,
        rest_positions=prediction.rest_positions,
        albedo_fn=prediction.albedo_fn,
        light=prediction.light,
    )
    assert buffers.rgb is not None
    overlap = eroded_overlap(buffers.mask, target.masks)
    # What the border of the photograph cuts off is neither there nor missing.
    visible = buffers.mask * target.valid
    terms = (
        config.mask * mask_loss(buffers.mask, target.masks, target.valid),
        config.inside_distance * inside_distance_loss(buffers.mask, target.inside_distance),
        config.outside_distance * outside_distance_loss(visible, target.outside_distance),
        config.color * color_loss(buffers.rgb, target.images, overlap),
        config.angle_change * (prediction.joint_angles - initial.joint_angles).square().mean(),
        config.offset_change * (prediction.rest_mesh.vertices - initial.rest_mesh.vertices).square().mean(),
    )
    return sum((term.mean() for term in terms[1:]), start=terms[0].mean())


def _shrink(batch: Batch, size: int) -> Batch:
    """The batch at another size, by area."""

    def resized(images: Tensor) -> Tensor:
        channels_first = images.permute(0, 3, 1, 2)
        return torch.nn.functional.interpolate(channels_first, (size, size), mode="area").permute(0, 2, 3, 1)

    return Batch(
        images=resized(batch.images),
        masks=resized(batch.masks),
        valid=resized(batch.valid),
        inside_distance=resized(batch.inside_distance),
        outside_distance=resized(batch.outside_distance),
    )

"""Test-time optimisation: bend the predicted animal until its silhouette fits the mask.

The published method finetunes the texture alone (farm3d.inference.fit_albedo does that); here the
camera, the pose and the shape are optimised first (docs/method.md, "Test time").
"""

from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from farm3d.config import StrictConfig
from farm3d.geometry.camera import Camera, camera_from_rotation, project_to_ndc
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.viewpoint import azimuth_elevation, viewpoint_rotation
from farm3d.inference.unfold import unfold
from farm3d.losses.reconstruction import (
    inside_distance_loss,
    mask_loss,
    outside_distance_loss,
)
from farm3d.models.animal_model import AnimalModel, ImageReading, InstancePose
from farm3d.ops.mesh_topology import EdgeTopology, edge_topology, face_normals
from farm3d.render.mesh_renderer import render_mask
from farm3d.types import AnimalPrediction, Batch, ShapePrior

MAX_TURN_COSINE = 0.3
"""Cosine of the angle (about 73 degrees) by which deformation may turn a face of the rest shape."""


class RefineConfig(StrictConfig):
    """How far and how fast refinement goes. Weights multiply the terms of `_objective`."""

    steps: int = 120
    size: int = 96
    """Side (pixels) of the renders that are compared with the crop."""
    camera_rate: float = 0.01
    angle_rate: float = 0.03
    shape_rate: float = 0.02
    """Learning rate of the shape code, whose entries are of order one."""
    deformation_rate: float = 1e-4
    albedo_rate: float = 2e-3
    albedo_size: int = 256
    """Side (pixels) of the crop whose colours the albedo is fitted to."""
    mask: float = 10.0
    inside_distance: float = 100.0
    outside_distance: float = 50.0
    reach: float = 10.0
    """Weight of the distance from the mask's pixels to the nearest projected vertex: it draws legs into
    parts of the mask that no silhouette edge is near."""
    angle_change: float = 0.5
    """Weight of the mean squared change of the angles (radians) from the prediction."""
    sideways_change: float = 20.0
    """The same, in addition, for side bending and twist: one silhouette says little about them."""
    offset_change: float = 50.0
    """Weight of the mean squared change of the deformation (object units) from the prediction."""
    fold: float = 1.0
    """Weight, per face, of rest faces that turn by more than about 73 degrees from the category's."""


@dataclass(frozen=True)
class _Variables:
    """What is optimised.

    Angles go through tanh so that they keep their limits. Most of the shape's change goes through the
    feature vector that conditions the deformation, so it stays near the shapes that training knows.
    """

    azimuth: Tensor
    elevation: Tensor
    translation: Tensor
    raw_angles: Tensor
    shape_code: Tensor

    def camera(self) -> Camera:
        return camera_from_rotation(viewpoint_rotation(self.azimuth, self.elevation), self.translation)


def refine(
    model: AnimalModel,
    prior: ShapePrior,
    reading: ImageReading,
    *,
    initial: AnimalPrediction,
    batch: Batch,
    config: RefineConfig,
) -> AnimalPrediction:
    """The prediction after `config.steps` steps of Adam; with 0 steps the prediction itself.

    Camera, joint angles, shape code and a copy of the deformation network are optimised; the model is
    not changed, and the rest shape stays mirror-symmetric because the deformation field is.
    """
    if config.steps == 0:
        return initial
    own = deepcopy(model).requires_grad_(False)
    own.deformation.requires_grad_(True)
    variables = _start(initial, reading)
    camera = [variables.azimuth, variables.elevation, variables.translation]
    optimizer = torch.optim.Adam(
        [
            {"params": camera, "lr": config.camera_rate},
            {"params": [variables.raw_angles], "lr": config.angle_rate},
            {"params": [variables.shape_code], "lr": config.shape_rate},
            {"params": list(own.deformation.parameters()), "lr": config.deformation_rate},
        ]
    )
    target, topology = _shrink(batch, config.size), edge_topology(prior.mesh.faces)
    for _ in range(config.steps):
        prediction = _predict(own, prior, reading, initial=initial, variables=variables)
        loss = _objective(prediction, initial, target, topology=topology, config=config)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return unfold(_predict(own, prior, reading, initial=initial, variables=variables), prior)


def _start(initial: AnimalPrediction, reading: ImageReading) -> _Variables:
    azimuth, elevation = azimuth_elevation(initial.camera.world_to_camera[:, :3, :3])
    offset = camera_from_rotation(torch.eye(3), torch.zeros(3)).world_to_camera[:3, 3]
    translation = initial.camera.world_to_camera[:, :3, 3] - offset
    share = (initial.joint_angles / initial.skeleton.angle_limits).clamp(-0.99, 0.99)
    values = (azimuth, elevation, translation, torch.atanh(share), reading.encoded.features)
    return _Variables(*(value.detach().clone().requires_grad_() for value in values))


def _predict(
    model: AnimalModel,
    prior: ShapePrior,
    reading: ImageReading,
    *,
    initial: AnimalPrediction,
    variables: _Variables,
) -> AnimalPrediction:
    """The prediction under the present values of what is optimised."""
    shaped = replace(reading, encoded=replace(reading.encoded, features=variables.shape_code))
    skeleton = model.skeleton(shaped, prior)
    angles = torch.tanh(variables.raw_angles) * skeleton.angle_limits
    transforms = bone_transforms(skeleton, angles)
    pose = InstancePose(skeleton, angles, transforms, variables.camera(), initial.hypothesis)

    def albedo_fn(
        positions: Float[Tensor, "points 3"], image_index: Int[Tensor, " points"]
    ) -> Float[Tensor, "points 3"]:
        return model.albedo(positions, reading.encoded.features, image_index)

    return replace(model.assemble(shaped, pose, prior), albedo_fn=albedo_fn)


def _objective(
    prediction: AnimalPrediction,
    initial: AnimalPrediction,
    target: Batch,
    *,
    topology: EdgeTopology,
    config: RefineConfig,
) -> Float[Tensor, ""]:
    """Silhouette terms, and what keeps pose and shape near the prediction."""
    rendered = render_mask(prediction.posed_mesh, prediction.camera, config.size, topology=topology)
    # What the border of the photograph cuts off is neither there nor missing.
    visible = rendered * target.valid
    turned = (prediction.joint_angles - initial.joint_angles).square()
    terms = (
        config.mask * mask_loss(rendered, target.masks, target.valid),
        config.inside_distance * inside_distance_loss(rendered, target.inside_distance),
        config.outside_distance * outside_distance_loss(visible, target.outside_distance),
        config.reach * _reach(prediction, target),
        config.angle_change * turned.mean(),
        config.sideways_change * turned[..., 1:].mean(),
        config.offset_change * (prediction.rest_mesh.vertices - initial.rest_mesh.vertices).square().mean(),
    )
    fold = config.fold * _folds(prediction)
    return sum((term.mean() for term in terms), start=fold)


def _reach(prediction: AnimalPrediction, target: Batch) -> Float[Tensor, ""]:
    """Mean distance (half image sides) from the pixels of the mask to the nearest projected vertex."""
    size = target.masks.shape[1]
    rows, columns = torch.nonzero(target.masks[0, ..., 0] > 0.5, as_tuple=True)
    pixels = (torch.stack([columns, rows], dim=-1) + 0.5) * (2.0 / size) - 1.0
    vertices = project_to_ndc(prediction.camera, prediction.posed_mesh.vertices)[0]
    with torch.no_grad():
        nearest = torch.from_numpy(cKDTree(vertices.numpy()).query(pixels.numpy())[1])
    return (pixels - vertices[nearest]).square().sum(-1).add(1e-8).sqrt().mean()


def _folds(prediction: AnimalPrediction) -> Float[Tensor, ""]:
    """How far faces of the rest shape are beyond the largest turn, summed over faces: 0 for most shapes."""
    faces = prediction.rest_mesh.faces
    before = face_normals(prediction.rest_positions, faces)
    after = face_normals(prediction.rest_mesh.vertices, faces)
    cosine = torch.nn.functional.cosine_similarity(before, after, dim=-1)
    return (MAX_TURN_COSINE - cosine).clamp_min(0.0).sum()


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

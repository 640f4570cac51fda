"""Test-time optimisation: bend the predicted animal until its silhouette fits the mask.

The published method finetunes the texture alone (farm3d.inference.fit_albedo does that); here the
camera, the pose and the shape are optimised first (docs/method.md, "Test time").
"""

import math
from copy import deepcopy
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.data.transforms import resized
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skinning import skin
from farm3d.inference.silhouette_fit import (
    PoseVariables,
    SilhouetteWeights,
    leaning,
    pose_change,
    silhouette_misfit,
)
from farm3d.inference.starts import Trial, best_start
from farm3d.inference.unfold import unfold
from farm3d.models.animal_model import AnimalModel, ImageReading
from farm3d.models.joint_fit import SeenJoints, rest_joints, seen_joints
from farm3d.ops.mesh_topology import EdgeTopology, edge_topology, face_normals
from farm3d.types import AnimalPrediction, Batch, ShapePrior

MAX_TURN_COSINE = 0.3
"""Cosine of the angle (about 73 degrees) by which deformation may turn a face of the rest shape."""


class RefineConfig(SilhouetteWeights):
    """How far and how fast refinement goes, and the weights of what it minimises."""

    body_change: float = 5.0
    """Not needed in films, whose frames hold each other: a neck folds up where a silhouette is short."""
    steps: int = 200
    """Most steps of the fit; it ends before where nothing is gained any more."""
    sizes: tuple[int, ...] = (48, 96, 128)
    """Sides (pixels) of the renders that are compared with the crop, an equal share of the steps each."""
    trial_steps: int = 30
    """Steps in which every viewpoint hypothesis may show how well it fits, at the first size."""
    trial_factor: float = 2.0
    """Learning rates of the trial, relative to those of the fit."""
    trial_bow: float = 40.0
    """Degrees by which necks are bowed beyond the networks' reading, for a second trial of frontal views."""
    improbability: float = 0.5
    """Cost of how implausible a hypothesis is (`poses_under`) beside its misfit, which hardly tells ends."""
    camera_rate: float = 0.01
    angle_rate: float = 0.03
    shape_rate: float = 0.02
    """Learning rate of the shape code, whose entries are of order one."""
    deformation_rate: float = 1e-3
    last_rate: float = 0.2
    """Share of the learning rates that is left at the last step; it falls linearly."""
    albedo_rate: float = 2e-3
    albedo_size: int = 256
    """Side (pixels) of the crop whose colours the albedo is fitted to."""
    deformation: float = 10.0
    """Weight of the mean squared distance (object units) from the category's shape: breeds differ, but a
    shape far from all others is more often a wrong pose, viewpoint or species."""
    fold: float = 1.0
    """Weight, per face, of rest faces that turn by more than about 73 degrees from the category's."""
    patience: int = 20
    """Steps without gain after which the fit goes on to the next size, and ends after the last."""
    gain: float = 0.002
    """What counts as gain, as a share of the misfit."""


@dataclass(frozen=True)
class _Subject:
    """What stays while one animal is fitted; of `model`, a copy, the deformation may learn."""

    model: AnimalModel
    prior: ShapePrior
    reading: ImageReading
    initial: AnimalPrediction
    joints: SeenJoints | None


def refine(
    model: AnimalModel,
    prior: ShapePrior,
    reading: ImageReading,
    *,
    initial: AnimalPrediction,
    batch: Batch,
    config: RefineConfig,
) -> AnimalPrediction:
    """The prediction after at most `config.steps` steps of Adam; with 0 steps `initial` itself.

    Every viewpoint hypothesis is tried first. Camera, joint angles, shape code and a copy of the deformation
    network are optimised; the model is not changed, and the rest shape stays mirror-symmetric because the
    deformation field is.
    """
    if config.steps == 0:
        return initial
    trial = Trial(
        config.trial_steps,
        config.trial_factor * config.camera_rate,
        config.trial_factor * config.angle_rate,
        config.improbability,
        math.radians(config.trial_bow),
    )
    target = resized(batch, config.sizes[0])
    start = best_start(model, prior, reading, target=target, trial=trial, weights=config)
    own = deepcopy(model).requires_grad_(False)
    own.deformation.requires_grad_(True)
    joints = seen_joints(model, prior, reading)
    subject = _Subject(own, prior, reading, initial=start.prediction, joints=joints)
    code = reading.encoded.features.detach().clone().requires_grad_()
    return _fit(subject, start.variables, code, batch=batch, config=config)


def _fit(
    subject: _Subject, pose: PoseVariables, code: Tensor, *, batch: Batch, config: RefineConfig
) -> AnimalPrediction:
    """Adam from coarse to fine; the prediction at the end."""
    optimizer = torch.optim.Adam(
        [
            *pose.groups(camera_rate=config.camera_rate, angle_rate=config.angle_rate),
            {"params": [code], "lr": config.shape_rate},
            {"params": list(subject.model.deformation.parameters()), "lr": config.deformation_rate},
        ]
    )
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, config.last_rate, total_iters=config.steps)
    topology = edge_topology(subject.prior.mesh.faces)
    for k, size in enumerate(config.sizes):
        target, best, since = resized(batch, size), float("inf"), 0
        for _ in range(_steps_of(k, config)):
            prediction = _predict(subject, pose, code)
            loss = _objective(prediction, subject, target, topology=topology, config=config)
            loss = loss + config.joints * _joints_off(subject, prediction, code)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            misfit = loss.item()
            since = 0 if misfit < best * (1.0 - config.gain) else since + 1
            best = min(best, misfit)
            if since >= config.patience:
                break
    with torch.no_grad():
        return unfold(_predict(subject, pose, code), subject.prior)


def _steps_of(stage: int, config: RefineConfig) -> int:
    """The steps of one size: as equal shares as can be."""
    stages = len(config.sizes)
    return config.steps * (stage + 1) // stages - config.steps * stage // stages


def _predict(subject: _Subject, pose: PoseVariables, code: Tensor) -> AnimalPrediction:
    """The prediction under the present values of what is optimised."""
    model, prior, reading = subject.model, subject.prior, subject.reading
    shaped = _shaped(reading, code)
    skeleton = model.skeleton(shaped, prior)
    angles = torch.tanh(pose.raw_angles) * skeleton.angle_limits
    transforms = bone_transforms(skeleton, angles)
    rest = prior.mesh.vertices + model.offsets(prior.mesh.vertices, shaped)
    return replace(
        subject.initial,
        rest_mesh=Mesh(rest, prior.mesh.faces),
        posed_mesh=Mesh(skin(rest, transforms, prior.skinning_weights), prior.mesh.faces),
        skeleton=skeleton,
        joint_angles=angles,
        bone_transforms=transforms,
        camera=pose.camera(),
    )


def _shaped(reading: ImageReading, code: Tensor) -> ImageReading:
    """The reading with another shape code."""
    return replace(reading, encoded=replace(reading.encoded, features=code))


def _joints_off(subject: _Subject, prediction: AnimalPrediction, code: Tensor) -> Float[Tensor, ""]:
    """How many joints are not where the networks see them; 0 where they see none."""
    if subject.joints is None:
        return torch.zeros(())
    rest = rest_joints(subject.model, _shaped(subject.reading, code))
    return subject.joints.misfit(rest, prediction.bone_transforms, prediction.camera).mean()


def _objective(
    prediction: AnimalPrediction,
    subject: _Subject,
    target: Batch,
    *,
    topology: EdgeTopology,
    config: RefineConfig,
) -> Float[Tensor, ""]:
    """Silhouette terms, and what keeps the pose near the prediction and the shape near the category's."""
    fit = silhouette_misfit(
        prediction.posed_mesh, prediction.camera, target, topology=topology, weights=config
    )
    change = pose_change(prediction.joint_angles, subject.initial.joint_angles, config)
    deformed = (prediction.rest_mesh.vertices - prediction.rest_positions).square().mean()
    lean = leaning(prediction.joint_angles, config).mean()
    shape = config.deformation * deformed + config.fold * _folds(prediction)
    return fit.mean() + change.mean() + lean + shape


def _folds(prediction: AnimalPrediction) -> Float[Tensor, ""]:
    """How far faces of the rest shape are beyond the largest turn, summed over faces: 0 for most shapes."""
    faces = prediction.rest_mesh.faces
    before = face_normals(prediction.rest_positions, faces)
    after = face_normals(prediction.rest_mesh.vertices, faces)
    cosine = torch.nn.functional.cosine_similarity(before, after, dim=-1)
    return (MAX_TURN_COSINE - cosine).clamp_min(0.0).sum()

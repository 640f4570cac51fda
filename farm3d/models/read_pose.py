"""Poses as they are read off a picture: the networks' first word, bones at the joints, second looks."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.models.animal_model import AnimalModel, ImageReading, InstancePose
from farm3d.models.joint_fit import fitted, rest_joints, seen_joints
from farm3d.models.second_look import look_again
from farm3d.ops.tensors import with_tensors
from farm3d.types import ShapePrior


def read_pose(model: AnimalModel, prior: ShapePrior, reading: ImageReading) -> InstancePose:
    """The pose that the networks read, of each image under its most plausible hypothesis.

    Of a model that sees joints every hypothesis is fitted to them, and how well that went tells which is
    plausible, together with its probability.
    """
    logits = reading.viewpoint.logits
    if reading.encoded.joint_maps is None:
        return poses_under(model, prior, reading, hypothesis=logits.argmax(dim=-1))[0]
    images, several = logits.shape
    repeated = with_tensors(reading, lambda tensor: tensor.repeat_interleave(several, dim=0))
    every = torch.arange(several, device=logits.device).repeat(images)
    pose, implausible = _first_poses(model, prior, repeated, hypothesis=every)
    best = implausible.unflatten(0, (images, several)).argmin(dim=1)
    chosen = best + several * torch.arange(images, device=logits.device)
    return _looked_at(model, prior, reading, pose=pose.each(lambda tensor: tensor[chosen]))


def poses_under(
    model: AnimalModel, prior: ShapePrior, reading: ImageReading, *, hypothesis: Int[Tensor, " images"]
) -> tuple[InstancePose, Float[Tensor, " images"]]:
    """Each image's pose under the hypothesis given for it, and how implausible that is.

    That is its negative log probability, and what the fit to the joints costs of a model that sees them.
    Gradients reach nothing.
    """
    pose, implausible = _first_poses(model, prior, reading, hypothesis=hypothesis)
    return _looked_at(model, prior, reading, pose=pose), implausible


def pose_before_looks(
    model: AnimalModel, prior: ShapePrior, reading: ImageReading, *, hypothesis: Int[Tensor, " images"]
) -> InstancePose:
    """The same without second looks, from which these learn."""
    return _first_poses(model, prior, reading, hypothesis=hypothesis)[0]


@torch.no_grad()
def _first_poses(
    model: AnimalModel, prior: ShapePrior, reading: ImageReading, *, hypothesis: Int[Tensor, " images"]
) -> tuple[InstancePose, Float[Tensor, " images"]]:
    improbable = -torch.log_softmax(reading.viewpoint.logits, dim=-1).gather(1, hypothesis[:, None])[:, 0]
    pose = model.pose(reading, prior, hypothesis)
    joints = seen_joints(model, prior, reading)
    if joints is None:
        return pose, improbable
    pose, cost = fitted(pose, joints, rest_joints(model, reading))
    return pose, improbable + cost


@torch.no_grad()
def _looked_at(
    model: AnimalModel, prior: ShapePrior, reading: ImageReading, *, pose: InstancePose
) -> InstancePose:
    """The pose after all looks that the model takes."""
    for _ in range(model.config.second_looks):
        pose = look_again(model, prior, reading, pose)
    return pose

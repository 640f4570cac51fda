"""Poses as they are read off a picture: the networks' first word, bones at the joints, second looks."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.models.animal_model import AnimalModel, ImageReading, InstancePose
from farm3d.models.joint_fit import fitted, rest_joints, seen_joints
from farm3d.models.second_look import look_again
from farm3d.ops.tensors import with_tensors
from farm3d.types import ShapePrior


@torch.no_grad()
def read_pose(model: AnimalModel, prior: ShapePrior, reading: ImageReading) -> InstancePose:
    """The pose that the networks read, of each image under its most plausible hypothesis.

    Of a model that sees joints every hypothesis is fitted to them, and how well that went tells which is
    plausible, together with its probability. A model that takes second looks takes them at that one.
    """
    logits = reading.viewpoint.logits
    images, several = logits.shape
    if reading.encoded.joint_maps is None:
        pose = model.pose(reading, prior)
    else:
        repeated = with_tensors(reading, lambda tensor: tensor.repeat_interleave(several, dim=0))
        every = torch.arange(several, device=logits.device).repeat(images)
        poses, implausible = poses_under(model, prior, repeated, hypothesis=every)
        best = implausible.unflatten(0, (images, several)).argmin(dim=1)
        chosen = best + several * torch.arange(images, device=logits.device)
        pose = poses.each(lambda tensor: tensor[chosen])
    return after_looks(model, prior, reading, pose=pose)


@torch.no_grad()
def after_looks(
    model: AnimalModel, prior: ShapePrior, reading: ImageReading, *, pose: InstancePose
) -> InstancePose:
    """The pose after as many second looks as the model takes; `pose` is one before the first."""
    if model.second_look is None:
        return pose
    rest = model.rest_shape(reading, pose, prior)
    *_, (_, last) = looks(model, prior, reading, rest=rest, pose=pose)
    return last


def looks(
    model: AnimalModel,
    prior: ShapePrior,
    reading: ImageReading,
    *,
    rest: Float[Tensor, "images vertices 3"],
    pose: InstancePose,
) -> Iterator[tuple[InstancePose, InstancePose]]:
    """The poses before and after each second look; `rest` is the model's `rest_shape` of the first one.

    Looks follow the outline, which tells little of what lies within it: before the last of them the bones
    go back to the joints, from a camera that is better than the one that the first fit had.
    """
    assert model.second_look is not None
    joints = seen_joints(model, prior, reading)
    for left in reversed(range(model.config.second_looks)):
        if left == 0 and joints is not None:
            pose, _ = fitted(pose, joints, rest_joints(model, reading).detach())
        before, pose = pose, look_again(model.second_look, prior, reading.masks, rest=rest, pose=pose)
        yield before, pose
        pose = pose.each(Tensor.detach)


@torch.no_grad()
def poses_under(
    model: AnimalModel, prior: ShapePrior, reading: ImageReading, *, hypothesis: Int[Tensor, " images"]
) -> tuple[InstancePose, Float[Tensor, " images"]]:
    """Each image's pose under the hypothesis given for it before second looks, and how implausible that is.

    That is its negative log probability, and what the fit to the joints costs of a model that sees them.
    """
    improbable = -torch.log_softmax(reading.viewpoint.logits, dim=-1).gather(1, hypothesis[:, None])[:, 0]
    pose = model.pose(reading, prior, hypothesis)
    joints = seen_joints(model, prior, reading)
    if joints is None:
        return pose, improbable
    pose, cost = fitted(pose, joints, rest_joints(model, reading))
    return pose, improbable + cost

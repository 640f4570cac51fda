"""Bones moved to the joints that the networks see, before any silhouette is looked at.

Angles that are read off the whole image put thin legs beside those of the picture; the maps of joints, which
are learned pixel by pixel, find them. Such fits are SMPLify's (Bogo et al. 2016, arXiv 1607.08128), which
stay near a pose prior; here the prior is the networks' own reading. Not part of Farm3D.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.geometry.camera import Camera, project_to_ndc
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skeleton_estimation import tail_repulsion
from farm3d.geometry.skinning import SkinningWeights, distance_skinning_weights, skin
from farm3d.inference.silhouette_fit import variables_of
from farm3d.models.animal_model import AnimalModel, ImageReading, InstancePose
from farm3d.predictors.joint_maps import JointReading, read_joints
from farm3d.shapes import BoneTransforms
from farm3d.types import ShapePrior

STEPS = 60
CAMERA_RATE, ANGLE_RATE = 0.015, 0.05

NEAR = 0.1
"""Half image sides: a joint much farther away than that from where it is seen is given up."""

CHANGE, SIDEWAYS_CHANGE = 1.0, 4.0
"""Cost of the squared change of an angle (radians), and how much more of side bending and twist."""


@dataclass(frozen=True)
class SeenJoints:
    """Where the networks see the joints in each image, and how they follow the bones of the rest shape."""

    reading: JointReading
    weights: SkinningWeights

    def misfit(
        self, rest: Float[Tensor, "images joints 3"], transforms: BoneTransforms, camera: Camera
    ) -> Float[Tensor, " images"]:
        """From 0 to the number of joints: how many are not where they are seen, sure ones counting more.

        `rest` are the joints of each animal at rest. The robust error is Geman and McClure's (1987).
        """
        places = project_to_ndc(camera, skin(rest, transforms, self.weights))
        squared = (places - self.reading.places).square().sum(-1)
        return (self.reading.confidence * squared / (squared + NEAR**2)).sum(-1)


def seen_joints(model: AnimalModel, prior: ShapePrior, reading: ImageReading) -> SeenJoints | None:
    """The joints of a reading; `None` of a model that sees none."""
    if reading.encoded.joint_maps is None:
        return None
    bones, places = prior.skeleton, model.joint_places
    weights = distance_skinning_weights(
        places,
        bones.rest_joints,
        model.config.skinning_temperature,
        farther=tail_repulsion(places, bones),
    )
    return SeenJoints(read_joints(reading.encoded.joint_maps), weights)


def rest_joints(model: AnimalModel, reading: ImageReading) -> Float[Tensor, "images joints 3"]:
    """The joints of each animal at rest, which its deformation carries along."""
    return model.joint_places + model.offsets(model.joint_places, reading)


def read_pose(
    model: AnimalModel,
    prior: ShapePrior,
    reading: ImageReading,
    *,
    hypothesis: Int[Tensor, " images"] | None = None,
) -> InstancePose:
    """The pose that the networks read under one hypothesis an image, or under the most plausible one.

    Of a model that sees joints it is fitted to them, every hypothesis for itself, and how well that went
    tells which is plausible, together with its probability. Gradients reach nothing.
    """
    with torch.no_grad():
        if not model.config.joint_maps:
            return model.pose(reading, prior, hypothesis)
        if hypothesis is not None:
            return _fitted(model, prior, reading, hypothesis=hypothesis)[0]
        several = reading.viewpoint.logits.shape[1]
        repeated = reading.each(lambda tensor: tensor.repeat_interleave(several, dim=0))
        images = len(reading.viewpoint.logits)
        pose, misfit = _fitted(model, prior, repeated, hypothesis=torch.arange(several).repeat(images))
        improbable = -torch.log_softmax(reading.viewpoint.logits, dim=-1)
        best = (misfit.unflatten(0, (images, several)) + improbable).argmin(dim=1)
        return pose.each(lambda tensor: tensor[best + several * torch.arange(images)])


@torch.enable_grad()
def _fitted(
    model: AnimalModel, prior: ShapePrior, reading: ImageReading, *, hypothesis: Int[Tensor, " images"]
) -> tuple[InstancePose, Float[Tensor, " images"]]:
    """Each image's pose after some steps of Adam towards its joints, and what is left of their cost."""
    with torch.no_grad():
        first = model.pose(reading, prior, hypothesis)
        rest, joints = rest_joints(model, reading), seen_joints(model, prior, reading)
    assert joints is not None
    limits = first.skeleton.angle_limits
    free = variables_of(first.camera.world_to_camera, first.joint_angles / limits)
    optimizer = torch.optim.Adam(free.groups(camera_rate=CAMERA_RATE, angle_rate=ANGLE_RATE))

    def cost() -> Float[Tensor, " images"]:
        angles = torch.tanh(free.raw_angles) * limits
        turned = (angles - first.joint_angles).square().sum(dim=1)
        change = turned[:, 0] + SIDEWAYS_CHANGE * turned[:, 1:].sum(dim=1)
        off = joints.misfit(rest, bone_transforms(first.skeleton, angles), free.camera())
        return off + CHANGE * change

    for _ in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        cost().sum().backward()
        optimizer.step()
    with torch.no_grad():
        angles = torch.tanh(free.raw_angles) * limits
        transforms = bone_transforms(first.skeleton, angles)
        pose = replace(first, joint_angles=angles, bone_transforms=transforms, camera=free.camera())
        return pose, cost()

"""Bones moved to the joints that the networks see, before any silhouette is looked at.

Angles that are read off the whole image put thin legs beside those of the picture; the maps of joints, which
are learned pixel by pixel, find them. Such fits are SMPLify's (Bogo et al. 2016, arXiv 1607.08128), which
stay near a pose prior; here the prior is the networks' own reading. Not part of Farm3D.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import Camera, project_to_ndc
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skeleton_estimation import tail_repulsion
from farm3d.geometry.skinning import SkinningWeights, distance_skinning_weights, skin
from farm3d.models.animal_model import AnimalModel, ImageReading, InstancePose
from farm3d.predictors.joint_maps import JointReading, read_joints
from farm3d.shapes import BoneTransforms
from farm3d.types import ShapePrior

STEPS, RATE = 30, 0.05

NEAR = 0.1
"""Half image sides: a joint much farther away than that from where it is seen is given up."""

CHANGE, SIDEWAYS_CHANGE = 1.0, 10.0
"""Cost of the squared change of an angle (radians), and how much more of side bending and twist, of which
points in a picture tell least."""


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
    """The joints of each animal at rest (object units), which its deformation carries along."""
    return model.joint_places + model.offsets(model.joint_places, reading)


@torch.enable_grad()
def fitted(
    first: InstancePose, joints: SeenJoints, rest: Float[Tensor, "images joints 3"]
) -> tuple[InstancePose, Float[Tensor, " images"]]:
    """Each pose after some steps of Adam towards the joints, and what is left of its cost.

    The camera stays: joints that are all seen a little off would take the whole animal along.
    """
    limits = first.skeleton.angle_limits
    # As shares of the limits, which tanh keeps.
    raw = torch.atanh((first.joint_angles / limits).clamp(-0.99, 0.99)).requires_grad_()
    optimizer = torch.optim.Adam([raw], lr=RATE)

    def posed() -> InstancePose:
        angles = torch.tanh(raw) * limits
        return replace(first, joint_angles=angles, bone_transforms=bone_transforms(first.skeleton, angles))

    def cost(pose: InstancePose) -> Float[Tensor, " images"]:
        turned = (pose.joint_angles - first.joint_angles).square().sum(dim=1)
        change = turned[:, 0] + SIDEWAYS_CHANGE * turned[:, 1:].sum(dim=1)
        return joints.misfit(rest, pose.bone_transforms, pose.camera) + CHANGE * change

    for _ in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        cost(posed()).sum().backward()
        optimizer.step()
    with torch.no_grad():
        return posed(), cost(posed())

"""What one animal takes from another of its category: pose, shape, coat or light, wholly or in part.

Both have the topology, the rest positions and the bones of one `ShapePrior`, so vertices, joint angles and
texels of the two correspond. Own choice: the mean is taken of vertices, angles, linear albedo and the light's
direction and strengths, each on its own.
"""

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.errors import ConfigError
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import Skeleton, bone_transforms
from farm3d.geometry.skinning import skin
from farm3d.inference.texture import BakedTexture
from farm3d.ops.srgb import linear_to_srgb, srgb_to_linear
from farm3d.shapes import JointAngles
from farm3d.types import AnimalPrediction, DirectionalLight

Part = Literal["shape", "pose", "coat", "light"]
PARTS: tuple[Part, ...] = get_args(Part)


def check_same_category(first: AnimalPrediction, second: AnimalPrediction) -> None:
    """Raise ConfigError unless vertices and bones of the two animals correspond."""
    same = torch.equal(first.posed_mesh.faces, second.posed_mesh.faces) and torch.equal(
        first.rest_positions, second.rest_positions
    )
    if not same:
        raise ConfigError(
            "the two animals are of different models; only those of one model can be mixed"
            " (--category NAME reads both as one species)"
        )


def with_pose(prediction: AnimalPrediction, joint_angles: JointAngles) -> AnimalPrediction:
    """The animal in another pose: `joint_angles` (radians) of its own bones."""
    return _posed(prediction, prediction.rest_mesh, prediction.skeleton, joint_angles=joint_angles)


def blended_pose(first: AnimalPrediction, second: AnimalPrediction, share: float) -> AnimalPrediction:
    """The first animal with its joint angles moved by `share` (0 to 1) towards the second's."""
    return with_pose(first, torch.lerp(first.joint_angles, second.joint_angles, share))


def blended_shape(first: AnimalPrediction, second: AnimalPrediction, share: float) -> AnimalPrediction:
    """The first animal in its own pose, its rest shape and joints moved by `share` towards the second's."""
    vertices = torch.lerp(first.rest_mesh.vertices, second.rest_mesh.vertices, share)
    joints = torch.lerp(first.skeleton.rest_joints, second.skeleton.rest_joints, share)
    mesh = Mesh(vertices, first.rest_mesh.faces)
    return _posed(first, mesh, first.skeleton.at(joints), joint_angles=first.joint_angles)


def blended_light(first: DirectionalLight, second: DirectionalLight, share: float) -> DirectionalLight:
    """A light whose direction is `share` of the way along the great circle, with strengths between."""
    return replace(
        first,
        direction=_on_great_circle(first.direction, second.direction, share),
        ambient=torch.lerp(first.ambient, second.ambient, share),
        diffuse=torch.lerp(first.diffuse, second.diffuse, share),
    )


def blended_coat(first: BakedTexture, second: BakedTexture, share: float) -> BakedTexture:
    """A texture between two on one atlas, mixed as light mixes: in linear albedo."""
    levels = srgb_to_linear(torch.arange(256) / 255.0)
    one, other = (levels[torch.from_numpy(texture.pixels).long()] for texture in (first, second))
    mixed = linear_to_srgb(torch.lerp(one, other, share)).clamp(0.0, 1.0)
    return replace(first, pixels=(255.0 * mixed).round().byte().numpy().astype(np.uint8))


def _posed(
    prediction: AnimalPrediction, rest: Mesh, skeleton: Skeleton, *, joint_angles: JointAngles
) -> AnimalPrediction:
    transforms = bone_transforms(skeleton, joint_angles)
    posed = skin(rest.vertices, transforms, prediction.skinning_weights)
    return replace(
        prediction,
        rest_mesh=rest,
        posed_mesh=Mesh(posed, rest.faces),
        skeleton=skeleton,
        joint_angles=joint_angles,
        bone_transforms=transforms,
    )


def _on_great_circle(
    first: Float[Tensor, "*batch 3"], second: Float[Tensor, "*batch 3"], share: float
) -> Float[Tensor, "*batch 3"]:
    """The unit vector `share` of the way from one to the other; straight through where they are opposite."""
    angle = torch.acos((first * second).sum(-1, keepdim=True).clamp(-1.0, 1.0))
    near = angle.sin() < 1e-4
    sine = torch.where(near, 1.0, angle.sin())
    arc = (torch.sin((1.0 - share) * angle) * first + torch.sin(share * angle) * second) / sine
    straight = torch.lerp(first, second, share)
    return torch.nn.functional.normalize(torch.where(near, straight, arc), dim=-1)

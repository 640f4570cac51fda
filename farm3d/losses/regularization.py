"""What keeps shapes and poses plausible."""

import math

from jaxtyping import Float, Int
from torch import Tensor

from farm3d.shapes import JointAngles, Points
from farm3d.types import SDFSamples

TYPICAL_ELEVATION = math.radians(10.0)
"""Of the camera, where people stand who take photographs of animals."""


def eikonal_loss(samples: SDFSamples) -> Float[Tensor, ""]:
    """`mean((|grad s| - 1)^2)`: the field is a distance. Source: Farm3D (arXiv 2304.10535) section 3.1."""
    return (samples.gradients.norm(dim=-1) - 1.0).square().mean()


def articulation_loss(joint_angles: JointAngles) -> Float[Tensor, ""]:
    """`mean(angle^2)`, radians squared. Source: MagicPony (arXiv 2211.12497) supplementary."""
    return joint_angles.square().mean()


def sideways_loss(joint_angles: JointAngles) -> Float[Tensor, ""]:
    """`mean(y^2 + z^2)` of the joints' angles, radians squared: bends to the side and twists. Ours.

    One silhouette hardly tells a neck that is turned away from an animal that is seen from another side.
    """
    return joint_angles[..., 1:].square().sum(dim=-1).mean()


def elevation_prior_loss(elevation: Float[Tensor, " images"]) -> Float[Tensor, ""]:
    """`mean((elevation - 10 degrees)^2)`, radians squared. Ours.

    Silhouettes hardly tell a tall animal that is seen from above from a lower one at eye level.
    """
    return (elevation - TYPICAL_ELEVATION).square().mean()


def deformation_loss(offsets: Points) -> Float[Tensor, ""]:
    """`mean(offset^2)`, object units squared. Source: MagicPony (arXiv 2211.12497) supplementary."""
    return offsets.square().mean()


def smoothness_loss(offsets: Points, edges: Int[Tensor, "edges 2"]) -> Float[Tensor, ""]:
    """`mean |d_i - d_j|^2` of the offsets at both ends of every edge, object units squared. Ours."""
    first, second = (offsets.index_select(-2, end) for end in edges.unbind(dim=1))
    return (first - second).square().sum(dim=-1).mean()


def absence_loss(
    inside: Float[Tensor, " inside"], outside: Float[Tensor, " outside"], *, margin: float
) -> Float[Tensor, ""]:
    """`mean(relu(margin + s)) + mean(relu(margin - s))`: what signed distances without a surface lack.

    `inside` are values where there should be animal, `outside` where there should be none (object units).
    Own choice: nothing that is drawn can teach a field whose sign is the same everywhere.
    """
    return (margin + inside).relu().mean() + (margin - outside).relu().mean()

"""Viewpoints as azimuth, elevation and roll: the one place that turns them into rotations and back."""

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.rotation import axis_rotation
from farm3d.shapes import Rotations


def viewpoint_rotation(
    azimuth: Float[Tensor, "*batch"],
    elevation: Float[Tensor, "*batch"],
    roll: Float[Tensor, "*batch"] | None = None,
) -> Rotations:
    """`Rz(roll) @ Rx(elevation) @ Ry(azimuth)`, angles in radians.

    Azimuth 0 shows the animal head-on, azimuth +90 degrees with its head to the right of the image;
    a positive elevation looks down on it. MagicPony's forward vector is the case elevation = roll = 0.
    """
    rotation = axis_rotation(0, elevation) @ axis_rotation(1, azimuth)
    return rotation if roll is None else axis_rotation(2, roll) @ rotation


def azimuth_elevation(rotation: Rotations) -> tuple[Float[Tensor, "*batch"], Float[Tensor, "*batch"]]:
    """The azimuth and elevation (radians) of a rotation without roll."""
    azimuth = torch.atan2(rotation[..., 0, 2], rotation[..., 0, 0])
    elevation = torch.atan2(rotation[..., 2, 1], rotation[..., 1, 1])
    return azimuth, elevation


def view_word(azimuth: float, elevation: float) -> str:
    """The view word of a camera: overhead within 30 degrees of the pole, front within 60 of the head.

    Source: the published 3D-Fauna configuration (docs/method.md); the back is the front's mirror image.
    """
    wrapped = abs((azimuth + torch.pi) % (2 * torch.pi) - torch.pi)
    if elevation > torch.pi / 3:
        return "overhead"
    if wrapped < torch.pi / 3:
        return "front"
    return "back" if wrapped > 2 * torch.pi / 3 else "side"

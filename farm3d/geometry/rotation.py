"""Rotations from angles (radians) and how far apart two rotations are."""

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.shapes import Rotations, Transforms, Vectors


def axis_rotation(axis: int, angle: Float[Tensor, "*batch"]) -> Rotations:
    """Rotation by `angle` (radians, right-handed) about coordinate axis 0 (x), 1 (y) or 2 (z)."""
    cosine, sine = torch.cos(angle), torch.sin(angle)
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    rows = {
        0: (one, zero, zero, zero, cosine, -sine, zero, sine, cosine),
        1: (cosine, zero, sine, zero, one, zero, -sine, zero, cosine),
        2: (cosine, -sine, zero, sine, cosine, zero, zero, zero, one),
    }[axis]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def euler_xyz_rotation(angles: Vectors) -> Rotations:
    """`Rx(a) @ Ry(b) @ Rz(c)` of the three angles: flexion, side bending, twist of a bone."""
    x, y, z = (axis_rotation(axis, angles[..., axis]) for axis in range(3))
    return x @ y @ z


def rigid_transform(rotation: Rotations, translation: Vectors) -> Transforms:
    """The 4 x 4 matrix that rotates, then translates."""
    top = torch.cat([rotation, translation.unsqueeze(-1)], dim=-1)
    bottom = torch.zeros_like(top[..., :1, :])
    bottom[..., 0, 3] = 1.0
    return torch.cat([top, bottom], dim=-2)


def rigid_inverse(transform: Transforms) -> Transforms:
    """The inverse of a rotation followed by a translation."""
    rotation = transform[..., :3, :3].transpose(-1, -2)
    return rigid_transform(rotation, -(rotation @ transform[..., :3, 3:]).squeeze(-1))


def geodesic_angle(first: Rotations, second: Rotations) -> Float[Tensor, "*batch"]:
    """The angle (radians) of the rotation that takes `first` to `second`; not differentiable at 0 and pi."""
    trace = (first * second).sum(dim=(-1, -2))
    return torch.acos(((trace - 1.0) / 2.0).clamp(-1.0, 1.0))

"""Skeletons: bones as segments with a parent, and the rigid motion that joint angles give each bone.

Source: MagicPony (arXiv 2211.12497) section 3.2 and supplementary; docs/method.md, "Articulation".
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.rotation import euler_xyz_rotation, rigid_inverse, rigid_transform
from farm3d.shapes import BoneTransforms, JointAngles, Joints


@dataclass(frozen=True)
class Skeleton:
    """A tree of bones, or a batch of skeletons with the same tree.

    `rest_joints[k]` holds bone k's start (its pivot, nearer the body) and end. `parents[k]` is the
    bone that k follows, -1 for a root; a parent may come after its children. `angle_limits` are the
    largest |angle| (radians) of flexion, side bending and twist.
    """

    rest_joints: Joints
    parents: tuple[int, ...]
    names: tuple[str, ...]
    angle_limits: Float[Tensor, "bones 3"]

    def at(self, rest_joints: Joints) -> "Skeleton":
        """The same tree with its bones elsewhere."""
        return replace(self, rest_joints=rest_joints)


def bone_depths(parents: tuple[int, ...]) -> list[list[int]]:
    """The bones grouped by their distance from their root: level 0 holds the roots."""
    depth = {-1: -1}

    def depth_of(bone: int) -> int:
        if bone not in depth:
            depth[bone] = depth_of(parents[bone]) + 1
        return depth[bone]

    levels: list[list[int]] = [[] for _ in range(1 + max(depth_of(k) for k in range(len(parents))))]
    for bone in range(len(parents)):
        levels[depth[bone]].append(bone)
    return levels


def bone_frames(joints: Joints) -> BoneTransforms:
    """The rest frame of each bone: origin at its start, columns right, up, forward (along the bone).

    `up = normalise(forward x X)`, `right = up x forward`, so that a rotation about the frame's x axis
    flexes the bone in the sagittal plane. A bone along x takes the y axis in place of X.
    """
    forward = torch.nn.functional.normalize(joints[..., 1, :] - joints[..., 0, :], dim=-1)
    lateral = torch.zeros_like(forward)
    along_x = forward[..., 0].abs() > 0.999
    lateral[..., 0] = (~along_x).to(forward.dtype)
    lateral[..., 1] = along_x.to(forward.dtype)
    up = torch.nn.functional.normalize(torch.linalg.cross(forward, lateral), dim=-1)
    right = torch.linalg.cross(up, forward)
    return rigid_transform(torch.stack([right, up, forward], dim=-1), joints[..., 0, :])


def bone_transforms(skeleton: Skeleton, joint_angles: JointAngles) -> BoneTransforms:
    """The motion of each bone from rest to pose: the product of `B Rot B^-1` from its root down to it.

    The chain is batched by tree depth: one matrix product a level. Angles in radians.
    """
    frames = bone_frames(skeleton.rest_joints)
    rotations = euler_xyz_rotation(joint_angles)
    turn = rigid_transform(rotations, torch.zeros_like(rotations[..., 0]))
    local = frames @ turn @ rigid_inverse(frames)
    levels = bone_depths(skeleton.parents)
    moved: list[Tensor] = [local[..., levels[0], :, :]]
    place = {bone: k for k, bone in enumerate(levels[0])}
    done = moved[0]
    for level in levels[1:]:
        above = [place[skeleton.parents[bone]] for bone in level]
        done = torch.cat([done, done[..., above, :, :] @ local[..., level, :, :]], dim=-3)
        place.update({bone: len(place) + k for k, bone in enumerate(level)})
    return done[..., [place[bone] for bone in range(len(skeleton.parents))], :, :]


def posed_joints(skeleton: Skeleton, transforms: BoneTransforms) -> Joints:
    """The start and end of each bone after `transforms`."""
    joints = skeleton.rest_joints
    return joints @ transforms[..., :3, :3].transpose(-1, -2) + transforms[..., None, :3, 3]

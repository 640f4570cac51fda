"""Bones move as a chain of rotations does, and skin follows bones."""

import math

import pytest
import torch
from torch import Tensor

from farm3d.geometry.rotation import euler_xyz_rotation, rigid_inverse, rigid_transform
from farm3d.geometry.skeleton import Skeleton, bone_depths, bone_frames, bone_transforms, posed_joints
from farm3d.geometry.skinning import distance_skinning_weights, segment_distances, skin


def chain(*, dtype: torch.dtype = torch.float64) -> Skeleton:
    """Five bones: a root with two children, one of which has a chain of two; a parent stands last."""
    joints = torch.tensor(
        [
            [[0.0, 0.0, 1.0], [0.0, 0.2, 2.0]],
            [[0.0, 0.2, 2.0], [0.1, 0.0, 3.0]],
            [[0.1, 0.0, 3.0], [0.1, -1.0, 3.0]],
            [[0.0, 0.0, 1.0], [0.0, -1.0, 1.2]],
            [[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
        ],
        dtype=dtype,
    )
    return Skeleton(joints, (4, 0, 1, 4, -1), tuple("abcde"), torch.ones(5, 3, dtype=dtype))


def transforms_one_by_one(skeleton: Skeleton, angles: Tensor) -> Tensor:
    """The definition: from the bone up to its root, each `B Rot B^-1` applied from the leaf outwards."""
    result = []
    for bone in range(len(skeleton.parents)):
        total, at = torch.eye(4, dtype=angles.dtype), bone
        while at != -1:
            frame = bone_frames(skeleton.rest_joints)[at]
            turn = rigid_transform(euler_xyz_rotation(angles[at]), torch.zeros(3, dtype=angles.dtype))
            total = frame @ turn @ rigid_inverse(frame) @ total
            at = skeleton.parents[at]
        result.append(total)
    return torch.stack(result)


def test_bones_are_grouped_by_depth() -> None:
    assert bone_depths((4, 0, 1, 4, -1)) == [[4], [0, 3], [1], [2]]


def test_transforms_equal_the_chain_bone_by_bone() -> None:
    angles = torch.randn(3, 5, 3, dtype=torch.float64)
    skeleton = chain()
    expected = torch.stack([transforms_one_by_one(skeleton, a) for a in angles])
    batch = skeleton.at(skeleton.rest_joints.expand(3, -1, -1, -1))
    assert torch.allclose(bone_transforms(batch, angles), expected, atol=1e-12)


def test_zero_angles_are_the_rest_pose() -> None:
    transforms = bone_transforms(chain(), torch.zeros(5, 3, dtype=torch.float64))
    assert torch.allclose(transforms, torch.eye(4, dtype=torch.float64).expand(5, 4, 4), atol=1e-12)


def test_bone_lengths_do_not_change_and_chains_stay_connected() -> None:
    skeleton = chain()
    posed = posed_joints(skeleton, bone_transforms(skeleton, torch.randn(5, 3, dtype=torch.float64)))
    length = (skeleton.rest_joints[:, 1] - skeleton.rest_joints[:, 0]).norm(dim=-1)
    assert torch.allclose((posed[:, 1] - posed[:, 0]).norm(dim=-1), length)
    for bone, parent in ((0, 4), (1, 0), (2, 1), (3, 4)):
        assert torch.allclose(posed[bone, 0], posed[parent, 1], atol=1e-12)


def test_frames_are_rotations_with_forward_along_the_bone() -> None:
    joints = torch.cat([chain().rest_joints, torch.tensor([[[0.0, 0, 0], [1.0, 0, 0]]], dtype=torch.float64)])
    frames = bone_frames(joints)
    rotation = frames[:, :3, :3]
    identity = torch.eye(3, dtype=torch.float64).expand(6, 3, 3)
    assert torch.allclose(rotation @ rotation.transpose(1, 2), identity, atol=1e-12)
    assert torch.allclose(torch.linalg.det(rotation), torch.ones(6, dtype=torch.float64))
    along = torch.nn.functional.normalize(joints[:, 1] - joints[:, 0], dim=-1)
    assert torch.allclose(rotation[..., 2], along)


def test_flexion_turns_a_bone_within_the_sagittal_plane() -> None:
    angles = torch.zeros(5, 3, dtype=torch.float64)
    angles[4, 0] = 0.7
    skeleton = chain()
    end = posed_joints(skeleton, bone_transforms(skeleton, angles))[4, 1]
    assert abs(float(end[0])) < 1e-12
    assert math.isclose(abs(float(end[1])), math.sin(0.7), rel_tol=1e-9)


def test_transforms_have_the_right_gradient() -> None:
    skeleton = chain()
    angles = (0.3 * torch.randn(5, 3, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda a: bone_transforms(skeleton, a), angles)


def test_segment_distance_of_points_beside_and_beyond_a_bone() -> None:
    joints = torch.tensor([[[0.0, 0.0, 0.0], [0.0, 0.0, 2.0]]])
    points = torch.tensor([[1.0, 0.0, 1.0], [0.0, 3.0, 2.0], [0.0, 0.0, 5.0], [0.0, 0.0, 0.5]])
    assert torch.allclose(segment_distances(points, joints)[:, 0], torch.tensor([1.0, 3.0, 3.0, 0.0]))


def test_weights_are_at_most_four_and_sum_to_one() -> None:
    joints = torch.randn(9, 2, 3)
    weights = distance_skinning_weights(torch.randn(50, 3), joints, 0.3)
    assert weights.weights.shape == (50, 4)
    assert torch.allclose(weights.weights.sum(-1), torch.ones(50))
    nearest = segment_distances(torch.zeros(1, 3), joints).argmin()
    assert distance_skinning_weights(torch.zeros(1, 3), joints, 0.3).indices[0, 0] == nearest


def test_fewer_than_four_bones_are_padded_with_nothing() -> None:
    weights = distance_skinning_weights(torch.randn(6, 3), torch.randn(2, 2, 3), 0.3)
    assert weights.indices.shape == (6, 4)
    assert torch.equal(weights.weights[:, 2:], torch.zeros(6, 2))


def test_a_rigid_motion_of_all_bones_moves_the_skin_rigidly() -> None:
    vertices = torch.randn(20, 3, dtype=torch.float64)
    weights = distance_skinning_weights(vertices, chain().rest_joints, 0.2)
    motion = rigid_transform(euler_xyz_rotation(torch.randn(3).double()), torch.randn(3).double())
    moved = skin(vertices, motion.expand(5, 4, 4), weights)
    assert torch.allclose(moved, vertices @ motion[:3, :3].T + motion[:3, 3], atol=1e-12)


def test_skinning_equals_the_sum_over_bones() -> None:
    vertices = torch.randn(20, 3, dtype=torch.float64)
    weights = distance_skinning_weights(vertices, chain().rest_joints, 0.5)
    transforms = bone_transforms(chain(), torch.randn(5, 3, dtype=torch.float64))
    expected = torch.zeros_like(vertices)
    for vertex in range(20):
        for bone, weight in zip(weights.indices[vertex], weights.weights[vertex], strict=True):
            expected[vertex] += weight * (
                transforms[bone, :3, :3] @ vertices[vertex] + transforms[bone, :3, 3]
            )
    assert torch.allclose(skin(vertices, transforms, weights), expected, atol=1e-12)


@pytest.mark.parametrize("batch", [1, 3])
def test_skinning_of_a_batch_is_that_of_its_members(batch: int) -> None:
    vertices = torch.randn(batch, 20, 3, dtype=torch.float64)
    weights = distance_skinning_weights(vertices[0], chain().rest_joints, 0.5)
    skeleton = chain().at(chain().rest_joints.expand(batch, -1, -1, -1))
    transforms = bone_transforms(skeleton, torch.randn(batch, 5, 3, dtype=torch.float64))
    together = skin(vertices, transforms, weights)
    for k in range(batch):
        assert torch.allclose(together[k], skin(vertices[k], transforms[k], weights))

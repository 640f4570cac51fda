"""Poses bend joints the way the animal's joints bend."""

from collections import Counter

import numpy as np
import pytest
import torch
from farm3d.synth.procedural.poses import Pose, _leg_cycle, random_pose
from hypothesis import given
from hypothesis import strategies as st

from farm3d.geometry.skeleton import bone_transforms, posed_joints

COUNT = 300


@pytest.fixture(scope="module")
def poses(species, mean) -> list[Pose]:
    generator = np.random.default_rng(0)
    return [random_pose(species, mean.skeleton, generator) for _ in range(COUNT)]


def stacked(poses: list[Pose]) -> torch.Tensor:
    return torch.stack([pose.joint_angles for pose in poses])


def test_angles_stay_within_the_skeletons_limits(mean, poses):
    assert (stacked(poses).abs() <= mean.skeleton.angle_limits).all()


@pytest.mark.parametrize(("bone", "sign"), [("fore_cannon", 1.0), ("hind_cannon", -1.0)])
def test_carpus_folds_back_and_hock_folds_forward(mean, poses, bone, sign):
    for side in ("left_", "right_"):
        flexion = stacked(poses)[:, mean.skeleton.names.index(side + bone), 0] * sign
        assert flexion.min() > -0.3
        assert flexion.max() > 0.5


def test_the_feet_of_standing_animals_are_near_the_ground_they_stood_on(mean, poses):
    skeleton = mean.skeleton
    hooves = [k for k, name in enumerate(skeleton.names) if name.endswith("pastern")]
    standing = stacked([pose for pose in poses if pose.gait == "stand"])
    ends = posed_joints(skeleton, bone_transforms(skeleton, standing))[:, hooves, 1]
    assert (ends[..., 1] - skeleton.rest_joints[hooves, 1, 1]).abs().max() < 0.45


def test_grazing_brings_the_muzzle_down(mean, poses):
    skeleton = mean.skeleton
    head = skeleton.names.index("head")
    height = {}
    for gait in ("graze", "walk"):
        angles = stacked([pose for pose in poses if pose.gait == gait])
        height[gait] = posed_joints(skeleton, bone_transforms(skeleton, angles))[:, head, 1, 1]
    assert height["graze"].max() < height["walk"].median() - 0.4
    assert height["graze"].min() < -1.0


def test_every_gait_of_the_species_appears_about_as_often_as_said(species, poses):
    seen = Counter(pose.gait for pose in poses)
    for gait, share in species.manners.gaits.items():
        assert seen[gait] / COUNT == pytest.approx(share, abs=0.08)


@given(st.floats(0.0, 0.999), st.floats(0.2, 0.7))
def test_the_leg_cycle_is_continuous_and_periodic(moment, duty):
    here, there = _leg_cycle(moment, duty), _leg_cycle((moment + 1e-4) % 1.0, duty)
    assert abs(here[0] - there[0]) < 5e-3
    assert abs(here[1] - there[1]) < 0.02
    assert -1.0 <= here[0] <= 1.0
    assert 0.0 <= here[1] <= 1.0


def test_the_foot_is_in_front_at_touchdown_and_behind_at_lift_off():
    assert _leg_cycle(0.0, 0.5)[0] == pytest.approx(-1.0)
    assert _leg_cycle(0.5, 0.5)[0] == pytest.approx(1.0)
    assert _leg_cycle(0.3, 0.5)[1] == 0.0

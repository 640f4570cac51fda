"""Poses bend joints the way the animal's joints bend, and animals stand, lie and sit on the ground."""

from collections import Counter

import numpy as np
import pytest
import torch
from farm3d.synth.procedural.anatomy import GROUND, Species
from farm3d.synth.procedural.footing import LEGS, Footing, Plan, mirrored
from farm3d.synth.procedural.poses import Pose, pose_of, random_pose
from farm3d.synth.procedural.proportions import random_traits
from farm3d.synth.procedural.quadruped import Individual, make_individual, posed_vertices
from farm3d.synth.procedural.species import SPECIES, species_of

from farm3d.geometry.skeleton import bone_transforms, posed_joints

COUNT = 120
GROUNDED = 0.1
"""How far (object units) the lowest vertex of a resting animal may be from the ground."""


@pytest.fixture(scope="module")
def poses(species, mean) -> list[Pose]:
    generator = np.random.default_rng(0)
    return [random_pose(species, mean, generator) for _ in range(COUNT)]


def stacked(poses: list[Pose]) -> torch.Tensor:
    return torch.stack([pose.joint_angles for pose in poses])


def heights(individual: Individual, pose: Pose) -> torch.Tensor:
    """How high each vertex is over the ground."""
    offset = torch.tensor([0.0, pose.rise, 0.0])
    return posed_vertices(individual, pose.joint_angles, offset)[:, 1] - GROUND


def some_poses(species: Species, kind: str, count: int) -> list[tuple[Individual, Pose]]:
    """Poses of one kind, of as many individuals."""
    found = []
    for number in range(count):
        generator = np.random.default_rng([5, number])
        individual = make_individual(species, random_traits(species, generator))
        found.append((individual, pose_of(kind, species, individual, generator=generator)))
    return found


def test_angles_stay_within_the_skeletons_limits(mean, poses):
    assert (stacked(poses).abs() <= mean.skeleton.angle_limits + 1e-6).all()


@pytest.mark.parametrize(("bone", "sign"), [("fore_cannon", 1.0), ("hind_cannon", -1.0)])
def test_carpus_folds_back_and_hock_folds_forward(mean, poses, bone, sign):
    for side in ("left_", "right_"):
        flexion = stacked(poses)[:, mean.skeleton.names.index(side + bone), 0] * sign
        assert flexion.min() > -0.4
        assert flexion.max() > 0.5


def test_the_feet_of_standing_animals_are_on_the_ground_they_stood_on(mean, poses):
    skeleton = mean.skeleton
    hooves = [k for k, name in enumerate(skeleton.names) if name.endswith("pastern")]
    standing = [pose for pose in poses if pose.gait == "stand"]
    ends = posed_joints(skeleton, bone_transforms(skeleton, stacked(standing)))[:, hooves, 1, 1]
    rise = torch.tensor([pose.rise for pose in standing])[:, None]
    lifted = ends + rise - skeleton.rest_joints[hooves, 1, 1]
    assert lifted.min() > -0.01
    assert lifted.quantile(0.75) < 0.01
    assert lifted.max() < 0.1


def test_grazing_brings_the_muzzle_to_the_ground(mean, poses):
    skeleton = mean.skeleton
    head = skeleton.names.index("head")
    for pose in (pose for pose in poses if pose.gait == "graze"):
        tip = posed_joints(skeleton, bone_transforms(skeleton, pose.joint_angles))[head, 1, 1] + pose.rise
        length = (skeleton.rest_joints[head, 1] - skeleton.rest_joints[head, 0]).norm()
        assert 0.0 < float(tip) - GROUND < 0.65 * float(length)


@pytest.mark.parametrize("name", [species.name for species in SPECIES])
def test_the_chances_of_the_gaits_add_up(name):
    assert sum(species_of(name).manners.gaits.values()) == pytest.approx(1.0)


def test_every_gait_of_the_species_appears_about_as_often_as_said(species, poses):
    seen = Counter(pose.gait for pose in poses)
    for gait, share in species.manners.gaits.items():
        assert seen[gait] / COUNT == pytest.approx(share, abs=0.12)


@pytest.mark.parametrize("name", ["cow", "dog", "giraffe"])
def test_animals_at_rest_are_on_the_ground_and_not_under_it(name):
    species = species_of(name)
    for kind in sorted(set(species.manners.gaits) - {"trot", "canter", "gallop"}):
        for individual, pose in some_poses(species, kind, 2):
            assert abs(float(heights(individual, pose).min())) < GROUNDED, kind


def test_lying_animals_rest_on_their_trunks(species):
    for individual, pose in some_poses(species, "lie", 2):
        names = individual.skeleton.names
        bones = torch.tensor([names.index(bone) for bone in ("thorax", "loin", "pelvis", "left_upper_arm")])
        on_trunk = torch.isin(individual.skinning.indices[:, 0], bones)
        assert float(heights(individual, pose)[on_trunk].min()) < GROUNDED


def test_a_sitting_dog_is_low_behind_and_high_in_front():
    for individual, pose in some_poses(species_of("dog"), "sit", 3):
        skeleton = individual.skeleton
        joints = posed_joints(skeleton, bone_transforms(skeleton, pose.joint_angles))[:, 0, 1] + pose.rise
        hip, shoulder = (float(joints[skeleton.names.index(n)]) for n in ("left_thigh", "left_upper_arm"))
        rest = individual.skeleton.rest_joints[skeleton.names.index("left_thigh"), 0, 1]
        assert hip - GROUND < 0.5 * (float(rest) - GROUND)
        assert shoulder - hip > 0.3


def test_mirroring_twice_changes_nothing():
    feet = tuple(Footing(0.1 * k) for k in range(len(LEGS)))
    plan = Plan(feet, {"left_ear": (0.1, 0.2, 0.3), "thorax": (0.4, 0.5, 0.6)})
    assert mirrored(mirrored(plan)) == plan
    assert mirrored(plan).angles == {"right_ear": (0.1, -0.2, -0.3), "thorax": (0.4, -0.5, -0.6)}


def test_the_same_seed_gives_the_same_pose(species, mean):
    one, other = (random_pose(species, mean, np.random.default_rng(3)) for _ in range(2))
    assert one.gait == other.gait
    assert torch.equal(one.joint_angles, other.joint_angles)

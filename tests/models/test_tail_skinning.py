"""A hanging tail follows the tail's bones, not the hind feet that it hangs beside."""

import pytest
import torch

from farm3d.geometry.skeleton_estimation import HIND_FOOT, HIND_LEGS, tail_repulsion
from farm3d.geometry.skinning import distance_skinning_weights
from farm3d.models.build import load_trained, shipped_checkpoint
from farm3d.types import ShapePrior


@pytest.fixture(scope="module")
def horse() -> ShapePrior:
    with torch.no_grad():
        return load_trained(shipped_checkpoint("horse")).model.prior()


def test_the_end_of_the_tail_does_not_step_with_the_hind_feet(horse: ShapePrior) -> None:
    vertices, foot = horse.mesh.vertices, horse.skeleton.rest_joints[HIND_FOOT, 1]
    hanging = (vertices[:, 0].abs() < foot[0] / 4.0) & (vertices[:, 2] < foot[2] - 0.1)
    low = hanging & (vertices[:, 1] < foot[1] / 3.0)
    assert int(low.sum()) > 10
    of_legs = horse.skinning_weights.dense(len(horse.skeleton.names))[:, HIND_LEGS].sum(dim=1)
    nearest = distance_skinning_weights(vertices, horse.skeleton.rest_joints, 0.05)
    by_distance = nearest.dense(len(horse.skeleton.names))[:, HIND_LEGS].sum(dim=1)
    assert float(by_distance[low].max()) > 0.3
    assert float(of_legs[low].max()) < 0.05


def test_all_other_vertices_follow_the_nearest_bones(horse: ShapePrior) -> None:
    vertices, foot = horse.mesh.vertices, horse.skeleton.rest_joints[HIND_FOOT, 1]
    farther = tail_repulsion(vertices, horse.skeleton)
    others = [bone for bone in range(len(horse.skeleton.names)) if bone not in HIND_LEGS]
    assert not farther[:, others].any()
    elsewhere = (vertices[:, 0].abs() >= foot[0].abs() / 2.0) | (vertices[:, 2] >= foot[2])
    assert not farther[elsewhere].any()
    nearest = distance_skinning_weights(vertices, horse.skeleton.rest_joints, 0.05)
    torch.testing.assert_close(horse.skinning_weights.weights[elsewhere], nearest.weights[elsewhere])

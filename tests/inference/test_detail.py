"""Fewer faces: the animal stays itself, symmetric, skinned, in its pose."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from farm3d.errors import ConfigError
from farm3d.geometry.skinning import MAX_INFLUENCES
from farm3d.inference.clips import gait_clip, prediction_body
from farm3d.inference.detail import FEWEST_FACES, with_faces
from farm3d.inference.gaits import WALK
from farm3d.inference.legs import sole_places
from farm3d.ops.mesh_topology import unique_edges

from .two_animals import horse, mirrored_horse


@pytest.mark.parametrize("count", [FEWEST_FACES, 3000])
def test_the_animal_keeps_its_shape_and_pose(count: int) -> None:
    whole = horse().prediction
    few = with_faces(whole, count)
    faces = len(few.rest_mesh.faces)
    assert 0.97 * count < faces <= count
    # A closed surface of one piece: Euler's formula, 3 F = 2 E.
    vertices = len(few.rest_positions)
    edges = len(unique_edges(few.rest_mesh.faces))
    assert len(torch.unique(few.rest_mesh.faces)) == vertices
    assert abs(3 * faces - 2 * edges) <= 4
    for mesh, original in ((few.rest_mesh, whole.rest_mesh), (few.posed_mesh, whole.posed_mesh)):
        size = float(original.vertices.amax(dim=(0, 1))[1] - original.vertices.amin(dim=(0, 1))[1])
        away = cKDTree(original.vertices[0].numpy()).query(mesh.vertices[0].numpy())[0]
        assert away.mean() < 0.02 * size
        back = cKDTree(mesh.vertices[0].numpy()).query(original.vertices[0].numpy())[0]
        assert back.max() < (0.12 if count > 1000 else 0.25) * size


def test_the_mesh_is_its_own_mirror_image() -> None:
    few = with_faces(horse().prediction, 2000)
    rest = few.rest_positions.numpy()
    distance, twin = cKDTree(rest).query(rest * np.array([-1.0, 1.0, 1.0]))
    assert distance.max() < 1e-6
    faces = few.rest_mesh.faces
    mirrored = torch.from_numpy(twin)[faces].flip(1)
    ordered = {tuple(sorted(face)) for face in faces.tolist()}
    assert ordered == {tuple(sorted(face)) for face in mirrored.tolist()}


def test_weights_are_at_most_four_and_sum_to_one() -> None:
    weights = with_faces(horse().prediction, 1000).skinning_weights
    assert weights.weights.shape[1] == MAX_INFLUENCES
    torch.testing.assert_close(weights.weights.sum(1), torch.ones(len(weights.weights)))


def test_animals_of_one_model_get_the_same_faces() -> None:
    first, second = (with_faces(animal.prediction, 1000) for animal in (horse(), mirrored_horse()))
    assert torch.equal(first.rest_mesh.faces, second.rest_mesh.faces)


def test_its_feet_hold_the_ground() -> None:
    body = prediction_body(with_faces(horse().prediction, 1000))
    clip = gait_clip(body, WALK)
    for place in sole_places(body, clip.joint_angles.double(), clip.root_offsets.double()).values():
        assert place[:, 1].min() > body.ground - 0.01 * body.height


def test_no_fewer_than_there_are_is_no_change_and_too_few_is_refused() -> None:
    whole = horse().prediction
    assert with_faces(whole, 1_000_000) is whole
    with pytest.raises(ConfigError, match="too few"):
        with_faces(whole, 100)

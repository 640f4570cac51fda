"""Fewer faces: the animal stays itself, symmetric, skinned, in its pose."""

import numpy as np
import pytest
import torch
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from farm3d.errors import ConfigError
from farm3d.geometry.skinning import MAX_INFLUENCES
from farm3d.inference.clips import gait_clip, prediction_body
from farm3d.inference.detail import FEWEST_FACES, simplified, with_faces
from farm3d.inference.gaits import WALK
from farm3d.inference.legs import sole_places

from .two_animals import horse, mirrored_horse


def assert_closed(faces: Int[Tensor, "faces 3"]) -> None:
    """Every edge has two faces, which run along it in opposite directions."""
    along = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    assert (along[:, 0] != along[:, 1]).all()
    assert (along.unique(dim=0, return_counts=True)[1] == 1).all()
    assert (along.sort(dim=1).values.unique(dim=0, return_counts=True)[1] == 2).all()


@settings(max_examples=8, deadline=None)
@given(
    count=st.integers(FEWEST_FACES, 3000),
    width=st.floats(0.02, 1.0),
    bumps=st.integers(0, 9),
    seed=st.integers(0, 99),
)
def test_every_surface_stays_closed_and_symmetric(count: int, width: float, bumps: int, seed: int) -> None:
    """Of thin ones nearly all edges end on the mirror plane; mirrored, such an edge has four faces."""
    ball = trimesh.creation.icosphere(subdivisions=4)
    places = np.random.default_rng(seed).normal(size=(bumps, 3))
    places /= np.linalg.norm(places, axis=1, keepdims=True)
    towards = np.abs(ball.vertices[:, None] * [1.0, 0.0, 0.0]) + ball.vertices[:, None] * [0.0, 1.0, 1.0]
    bump = np.exp(8.0 * ((towards * np.abs(places)).sum(axis=2) - 1.0)).sum(axis=1, keepdims=True)
    vertices = torch.from_numpy(ball.vertices * (1.0 + 0.5 * bump) * [width, 1.0, 1.0]).float()
    carried = simplified(vertices, torch.from_numpy(ball.faces.astype(np.int64)), count)
    assert 0.9 * count < len(carried.faces) <= count
    assert_closed(carried.faces)
    assert_mirrored(carried.of(vertices), carried.faces)


@pytest.mark.parametrize("count", [1000, 5000])
def test_a_horse_whose_half_has_an_edge_across_stays_closed(count: int) -> None:
    assert_closed(with_faces(horse().prediction, count).rest_mesh.faces)


@pytest.mark.parametrize("count", [FEWEST_FACES, 3000])
def test_the_animal_keeps_its_shape_and_pose(count: int) -> None:
    whole = horse().prediction
    few = with_faces(whole, count)
    faces = len(few.rest_mesh.faces)
    assert 0.97 * count < faces <= count
    assert_closed(few.rest_mesh.faces)
    assert len(torch.unique(few.rest_mesh.faces)) == len(few.rest_positions)
    for mesh, original in ((few.rest_mesh, whole.rest_mesh), (few.posed_mesh, whole.posed_mesh)):
        size = float(original.vertices.amax(dim=(0, 1))[1] - original.vertices.amin(dim=(0, 1))[1])
        away = cKDTree(original.vertices[0].numpy()).query(mesh.vertices[0].numpy())[0]
        assert away.mean() < 0.02 * size
        back = cKDTree(mesh.vertices[0].numpy()).query(original.vertices[0].numpy())[0]
        assert back.max() < (0.12 if count > 1000 else 0.25) * size


def test_the_mesh_is_its_own_mirror_image() -> None:
    few = with_faces(horse().prediction, 2000)
    assert_mirrored(few.rest_positions, few.rest_mesh.faces)


def assert_mirrored(vertices: Float[Tensor, "vertices 3"], faces: Int[Tensor, "faces 3"]) -> None:
    corners = vertices.numpy()[faces.numpy()].mean(axis=1)
    assert cKDTree(corners).query(corners * [-1.0, 1.0, 1.0])[0].max() < 1e-5


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

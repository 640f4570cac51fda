"""What animals take from each other is taken wholly, partly or not at all, and nothing else changes."""

import math
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farm3d.errors import ConfigError
from farm3d.geometry.skinning import skin
from farm3d.inference.blend_videos import blend_frames
from farm3d.inference.edit import PARTS, Part, blended_light, check_same_category
from farm3d.types import AnimalPrediction, DirectionalLight

from .two_animals import horse, mirrored_horse


def taken(part: Part, share: float) -> AnimalPrediction:
    return horse().take(part, mirrored_horse(), share).prediction


def test_the_two_animals_differ() -> None:
    one, other = horse().prediction, mirrored_horse().prediction
    assert (one.joint_angles - other.joint_angles).abs().max() > 0.01
    assert (one.rest_mesh.vertices - other.rest_mesh.vertices).abs().max() > 0.001


def test_a_pose_taken_wholly_is_the_others_on_ones_own_shape() -> None:
    mine, theirs, result = horse().prediction, mirrored_horse().prediction, taken("pose", 1.0)
    assert torch.equal(result.joint_angles, theirs.joint_angles)
    assert torch.equal(result.rest_mesh.vertices, mine.rest_mesh.vertices)
    posed = skin(mine.rest_mesh.vertices, result.bone_transforms, mine.skinning_weights)
    torch.testing.assert_close(result.posed_mesh.vertices, posed)


def test_a_shape_taken_wholly_is_the_others_in_ones_own_pose() -> None:
    mine, theirs, result = horse().prediction, mirrored_horse().prediction, taken("shape", 1.0)
    assert torch.equal(result.rest_mesh.vertices, theirs.rest_mesh.vertices)
    assert torch.equal(result.skeleton.rest_joints, theirs.skeleton.rest_joints)
    assert torch.equal(result.joint_angles, mine.joint_angles)


@pytest.mark.parametrize("part", PARTS)
def test_nothing_taken_is_nothing_changed(part: Part) -> None:
    mine, result = horse(), horse().take(part, mirrored_horse(), 0.0)
    torch.testing.assert_close(result.prediction.posed_mesh.vertices, mine.prediction.posed_mesh.vertices)
    torch.testing.assert_close(result.prediction.light.direction, mine.prediction.light.direction)
    assert np.abs(result.texture.pixels.astype(int) - mine.texture.pixels).max() <= 1


def test_a_coat_is_the_others_texture_on_the_same_atlas_and_between_them_in_part() -> None:
    mine, theirs = horse().texture, mirrored_horse().texture
    whole = horse().take("coat", mirrored_horse())
    assert np.array_equal(whole.texture.pixels, theirs.pixels)
    assert torch.equal(mine.atlas.uvs, theirs.atlas.uvs)
    assert torch.equal(whole.prediction.posed_mesh.vertices, horse().prediction.posed_mesh.vertices)
    half = horse().take("coat", mirrored_horse(), 0.5).texture.pixels
    low, high = np.minimum(mine.pixels, theirs.pixels), np.maximum(mine.pixels, theirs.pixels)
    assert (half >= low - 1.0).all() and (half <= high + 1.0).all()


def test_what_was_taken_from_whom_is_remembered() -> None:
    result = horse().take("pose", mirrored_horse()).take("coat", replace(mirrored_horse(), name="other"))
    assert result.edits == {"pose": "image", "coat": "other"}


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_light_between_two_lights_is_a_light(share: float, values: list[float]) -> None:
    directions = torch.nn.functional.normalize(torch.tensor(values).reshape(2, 1, 3) + 1e-3, dim=-1)
    first, second = (DirectionalLight(d, torch.ones(1), torch.ones(1)) for d in directions)
    between = blended_light(first, second, share).direction
    assert float(between.norm()) == pytest.approx(1.0, abs=1e-4)


def test_light_goes_the_great_circle_evenly() -> None:
    first, second = torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]])
    one, other = (DirectionalLight(d, torch.ones(1), torch.ones(1)) for d in (first, second))
    third = blended_light(one, other, 1.0 / 3.0).direction[0]
    expected = torch.tensor([math.cos(math.pi / 6.0), math.sin(math.pi / 6.0), 0.0])
    torch.testing.assert_close(third, expected)


def test_animals_of_two_models_are_not_mixed() -> None:
    mine = horse().prediction
    other = replace(mine, rest_positions=mine.rest_positions + 0.1)
    with pytest.raises(ConfigError, match="different models"):
        check_same_category(mine, other)


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(ConfigError, match="'horns' cannot be taken"):
        horse().take("horns", mirrored_horse())


def test_a_blend_video_begins_with_oneself_and_has_the_other_in_the_middle() -> None:
    frames = list(islice(blend_frames(horse(), mirrored_horse(), "light"), 0, 49, 16))
    change = [float(np.abs(frame.astype(int) - frames[0]).mean()) for frame in frames]
    assert change[0] == 0.0 < change[1] < change[2] < change[3]

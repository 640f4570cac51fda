"""The GLB of a reconstructed horse: valid, named, weighted, and on the ground in every clip."""

from functools import cache

import numpy as np
import pytest

from farm3d.inference.clips import CLIP_NAMES
from farm3d.inference.rig import rigged_glb
from farm3d.inference.texture import bake

from ..io.gltf_reader import Glb, animated_properties, node_properties, parse, skinned_positions
from ..io.gltf_validator import validation_issues
from .two_animals import horse


@cache
def exported(faces: int) -> bytes:
    animal = horse() if faces == 0 else horse().with_faces(faces)
    texture = bake(animal.prediction, resolution=128)
    return rigged_glb(animal.prediction, texture, clips=animal.all_clips, scale=animal.scale)


def glb() -> Glb:
    return parse(exported(0))


@pytest.mark.parametrize("faces", [0, 1000])
def test_khronos_finds_nothing(faces: int) -> None:
    assert validation_issues(exported(faces))["messages"] == []


def test_joints_have_the_names_of_a_quadruped() -> None:
    joints = [glb().document["nodes"][joint]["name"] for joint in glb().document["skins"][0]["joints"]]
    wanted = {"root", "head", "neck", "withers", "spine_front", "spine_rear", "loin", "croup", "tail"}
    legs = ("fore_left", "fore_right", "hind_left", "hind_right")
    wanted |= {f"{leg}_{part}" for leg in legs for part in ("upper", "lower", "foot")}
    assert set(joints) == wanted


def test_weights_are_four_and_normalised() -> None:
    attributes = glb().document["meshes"][0]["primitives"][0]["attributes"]
    assert "WEIGHTS_1" not in attributes
    np.testing.assert_allclose(glb().accessor(attributes["WEIGHTS_0"]).sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("name", CLIP_NAMES)
def test_a_clip_that_is_played_stays_on_the_ground(name: str) -> None:
    """Two percent of the height is allowed at any moment; millimetres are there."""
    animation = next(entry for entry in glb().document["animations"] if entry["name"] == name)
    last = float(glb().accessor(animation["samplers"][0]["input"]).max())
    height = horse().trained.shoulder_height_metres
    for moment in np.linspace(0.0, last, 7):
        played = skinned_positions(glb(), animated_properties(glb(), name, float(moment)))
        assert -0.02 * height < played[:, 1].min() < 0.15 * height
    first, final = (
        skinned_positions(glb(), animated_properties(glb(), name, moment)) for moment in (0.0, last)
    )
    # The last key's time in single precision may lie a hair after the moment that is asked for.
    np.testing.assert_allclose(first, final, atol=1e-3)


def test_the_pose_at_rest_in_a_viewer_is_the_clip_photograph() -> None:
    held = skinned_positions(glb(), animated_properties(glb(), "photograph", 0.5))
    np.testing.assert_allclose(skinned_positions(glb(), node_properties(glb())), held, atol=1e-5)
    assert abs(held[:, 1].min()) < 1e-3

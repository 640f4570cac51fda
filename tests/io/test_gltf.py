"""The GLB moves as our own skinning does, satisfies the Khronos validator and is the same bytes each time."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from farm3d import __version__
from farm3d.errors import InputError
from farm3d.geometry.clip import Clip, root_transforms, sample_clip
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skinning import SkinningWeights, skin
from farm3d.io.gltf import skinned_glb

from .gltf_reader import Glb, animated_properties, node_properties, parse, rest_properties, skinned_positions
from .gltf_validator import validation_issues
from .sample_animal import NAMES, SCALE, rig, striped_png, surface


@pytest.fixture(scope="module")
def data() -> bytes:
    return skinned_glb(surface(), rig(), SCALE, extras={"metresPerUnit": SCALE.metres_per_unit})


@pytest.fixture(scope="module")
def glb(data: bytes) -> Glb:
    return parse(data)


def our_positions(joint_angles: torch.Tensor, offset: torch.Tensor | None = None) -> np.ndarray:
    """The vertices in metres, skinned by farm3d.geometry."""
    transforms = bone_transforms(rig().skeleton, joint_angles)
    moved = skin(surface().mesh.vertices, transforms, rig().weights)
    return SCALE.to_metres(moved if offset is None else moved + offset).numpy()


def test_the_khronos_validator_finds_nothing(data: bytes) -> None:
    issues = validation_issues(data)
    assert issues["messages"] == []


def test_the_validator_sees_a_broken_weight() -> None:
    broken = bytearray(skinned_glb(surface(), rig(), SCALE))
    glb = parse(bytes(broken))
    view = glb.document["accessors"][glb.document["meshes"][0]["primitives"][0]["attributes"]["WEIGHTS_0"]][
        "bufferView"
    ]
    start = len(broken) - len(glb.binary) + glb.document["bufferViews"][view]["byteOffset"]
    broken[start : start + 4] = np.float32(0.1).tobytes()
    assert validation_issues(bytes(broken))["numErrors"] == 1


def test_one_vertex_of_four_equal_weights_and_one_of_a_single_bone_are_valid() -> None:
    weights = rig().weights
    weights.weights[0] = torch.tensor([0.25, 0.25, 0.25, 0.25])
    weights.weights[1] = torch.tensor([1.0, 0.0, 0.0, 0.0])
    weights.indices[2] = torch.tensor([1, 1, 3, 3])
    data = skinned_glb(surface(), replace(rig(), weights=weights), SCALE)
    assert validation_issues(data)["messages"] == []


def test_the_nodes_show_the_pose_of_the_photograph(glb: Glb) -> None:
    np.testing.assert_allclose(
        skinned_positions(glb, node_properties(glb)), our_positions(rig().joint_angles), atol=1e-5
    )


def test_the_bind_pose_is_the_rest_mesh(glb: Glb) -> None:
    rest = skinned_positions(glb, rest_properties(glb))
    np.testing.assert_allclose(rest, our_positions(torch.zeros(4, 3)), atol=1e-5)
    assert rest[:, 1].min() > -1e-5


@pytest.mark.parametrize("name", ["walk", "idle"])
@pytest.mark.parametrize("key", [2, 5])
def test_a_key_frame_is_our_skinning_of_its_angles(glb: Glb, name: str, key: int) -> None:
    clip = next(clip for clip in rig().clips if clip.name == name)
    played = skinned_positions(glb, animated_properties(glb, name, float(clip.times[key])))
    np.testing.assert_allclose(
        played, our_positions(clip.joint_angles[key], clip.root_offsets[key]), atol=1e-5
    )


def test_the_root_turns_and_moves_as_our_transforms_say() -> None:
    walk = rig().clips[0]
    turning = replace(walk, root_turns=torch.linspace(0.0, 4.0, len(walk.times)))
    data = skinned_glb(surface(), replace(rig(), clips=(turning,)), SCALE)
    assert validation_issues(data)["messages"] == []
    time = float(walk.times[2:4].mean())
    played = skinned_positions(parse(data), animated_properties(parse(data), turning.name, time))
    angles, _ = sample_clip(turning, torch.tensor([time]))
    still = our_positions(angles[0])
    (root,) = root_transforms(turning, torch.tensor([time])).double().numpy()
    moved = still @ root[:3, :3].T + root[:3, 3] * SCALE.metres_per_unit
    assert np.abs(moved - still).max() > 0.1
    np.testing.assert_allclose(played, moved, atol=2e-3)


def test_interpolated_rotations_take_the_shorter_way() -> None:
    angles = torch.zeros(5, 4, 3)
    angles[:, 0, 0] = torch.linspace(0.0, 8.0, 5)
    turning = Clip("turn", torch.arange(5.0), angles, torch.zeros(5, 3))
    glb = parse(skinned_glb(surface(), replace(rig(), clips=(turning,)), SCALE))
    animation = glb.document["animations"][0]
    channel = next(entry for entry in animation["channels"] if entry["target"]["node"] == glb.node("head"))
    rotations = glb.accessor(animation["samplers"][channel["sampler"]]["output"])
    assert (rotations[1:] * rotations[:-1]).sum(axis=1).min() > 0.0
    between = skinned_positions(glb, animated_properties(glb, "turn", 2.5))
    half_way = torch.zeros(4, 3)
    half_way[0, 0] = 5.0
    np.testing.assert_allclose(between, our_positions(half_way), atol=1e-5)


def test_equal_inputs_give_equal_bytes(data: bytes) -> None:
    assert data == skinned_glb(surface(), rig(), SCALE, extras={"metresPerUnit": SCALE.metres_per_unit})


def test_the_document_says_what_design_asks(glb: Glb) -> None:
    document = glb.document
    assert document["asset"] == {
        "version": "2.0",
        "generator": f"farm3d {__version__}",
        "extras": {"metresPerUnit": 0.8},
    }
    assert glb.node("animal") in document["scenes"][0]["nodes"]
    assert [document["nodes"][joint]["name"] for joint in document["skins"][0]["joints"]] == ["root", *NAMES]
    material = document["materials"][0]["pbrMetallicRoughness"]
    assert material["metallicFactor"] == 0.0
    assert [animation["name"] for animation in document["animations"]] == ["walk", "idle"]


def test_the_texture_is_embedded_unchanged(glb: Glb) -> None:
    view = glb.document["bufferViews"][glb.document["images"][0]["bufferView"]]
    png = glb.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    assert png == striped_png()
    assert Image.open(io.BytesIO(png)).size == (64, 64)


def test_weights_are_unique_and_sum_to_one(glb: Glb) -> None:
    attributes = glb.document["meshes"][0]["primitives"][0]["attributes"]
    weights = glb.accessor(attributes["WEIGHTS_0"]).astype(np.float64)
    joints = glb.accessor(attributes["JOINTS_0"])
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-7)
    assert (joints[weights == 0.0] == 0).all()
    assert (joints[weights > 0.0] > 0).all()


def test_weights_of_few_bones_are_kept() -> None:
    count = len(surface().mesh.vertices)
    only = SkinningWeights(torch.zeros(count, 4, dtype=torch.int64), torch.eye(4)[0].expand(count, 4).clone())
    glb = parse(skinned_glb(surface(), replace(rig(), weights=only), SCALE))
    expected = skin(surface().mesh.vertices, bone_transforms(rig().skeleton, rig().joint_angles), only)
    np.testing.assert_allclose(
        skinned_positions(glb, node_properties(glb)), SCALE.to_metres(expected), atol=1e-5
    )


def test_a_mesh_without_texture_coordinates_is_refused() -> None:
    bare = replace(surface(), mesh=replace(surface().mesh, uvs=None))
    with pytest.raises(InputError, match="no texture coordinates"):
        skinned_glb(bare, rig(), SCALE)


def test_a_clip_whose_times_go_back_is_refused() -> None:
    clip = replace(rig().clips[0], times=torch.tensor([0.0, 1.0, 0.5, 2, 3, 4, 5, 6, 7]))
    with pytest.raises(InputError, match="'walk': its key times do not increase"):
        skinned_glb(surface(), replace(rig(), clips=(clip,)), SCALE)


def test_the_root_stands_where_the_pose_puts_it() -> None:
    glb = parse(skinned_glb(surface(), replace(rig(), root_offset=(0.0, 0.25, 0.0)), SCALE))
    expected = our_positions(rig().joint_angles, torch.tensor([0.0, 0.25, 0.0]))
    np.testing.assert_allclose(skinned_positions(glb, node_properties(glb)), expected, atol=1e-5)


def test_a_gait_says_how_fast_the_ground_passes() -> None:
    clip = replace(rig().clips[0], speed=1.5)
    data = skinned_glb(surface(), replace(rig(), clips=(clip, rig().clips[1])), SCALE)
    animations = parse(data).document["animations"]
    assert animations[0]["extras"] == {"metresPerSecond": 1.5 * SCALE.metres_per_unit}
    assert "extras" not in animations[1]
    assert validation_issues(data)["messages"] == []

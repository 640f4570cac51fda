"""A skinned, textured, animated animal as one binary glTF file.

Source: Khronos glTF 2.0 specification; the joints' rest frames are `farm3d.geometry.skeleton.bone_frames`,
so that every viewer computes the same motion as `bone_transforms` and `skin`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.spatial.transform import Rotation
from torch import Tensor

from farm3d import __version__
from farm3d.errors import InputError
from farm3d.geometry.clip import Clip
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.rotation import euler_xyz_rotation, rigid_inverse
from farm3d.geometry.skeleton import Skeleton, bone_frames
from farm3d.geometry.skinning import MAX_INFLUENCES, SkinningWeights
from farm3d.io.glb_container import ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER, GlbBuffer
from farm3d.shapes import BoneTransforms, JointAngles

ROUGHNESS = 0.9
_LINEAR, _LINEAR_MIPMAP_LINEAR, _CLAMP_TO_EDGE = 9729, 9987, 33071
_MESH_NODE, _ROOT_NODE = 0, 1


@dataclass(frozen=True)
class TexturedSurface:
    """The rest mesh in the object frame (with uvs), its unit normals and its base-colour texture."""

    mesh: Mesh
    normals: Float[Tensor, "vertices 3"]
    texture_png: bytes


@dataclass(frozen=True)
class Rig:
    """What moves the surface; `joint_angles` is the pose that the file shows when nothing plays.

    `root_offset` (object units) is where the root stands then.
    """

    skeleton: Skeleton
    weights: SkinningWeights
    joint_angles: Float[Tensor, "bones 3"]
    clips: tuple[Clip, ...] = ()
    root_offset: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class WorldScale:
    """How object units become metres: `(position - (0, ground_height, 0)) * metres_per_unit`."""

    metres_per_unit: float
    ground_height: float

    def to_metres(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Points of the object frame in metres, the ground at y = 0, in double precision."""
        ground = torch.tensor([0.0, self.ground_height, 0.0], dtype=torch.float64)
        return (points.detach().cpu().double() - ground) * self.metres_per_unit


def skinned_glb(
    surface: TexturedSurface, rig: Rig, scale: WorldScale, *, extras: Mapping[str, Any] | None = None
) -> bytes:
    """The bytes of a GLB: metres, y up, head towards +z, one skin, one material, one animation a clip.

    A joint `root` stands above the skeleton's own roots; the nodes hold the pose `rig.joint_angles`.
    Equal inputs give equal bytes. `extras` are JSON values stored under `asset.extras`.

    Raises:
        InputError: the mesh has no texture coordinates, or a clip's key times do not increase from 0.
    """
    buffer = GlbBuffer()
    document = {
        "asset": {"version": "2.0", "generator": f"farm3d {__version__}", "extras": dict(extras or {})},
        "scene": 0,
        "scenes": [{"nodes": [_MESH_NODE, _ROOT_NODE]}],
        "nodes": _nodes(rig, scale),
        "meshes": [{"name": "animal", "primitives": [_primitive(buffer, surface, rig.weights, scale=scale)]}],
        "skins": [_skin(buffer, rig.skeleton, scale)],
        **_appearance(buffer, surface.texture_png),
    }
    if rig.clips:
        document["animations"] = [_animation(buffer, clip, rig.skeleton, scale=scale) for clip in rig.clips]
    return buffer.glb(document)


def _primitive(
    buffer: GlbBuffer, surface: TexturedSurface, weights: SkinningWeights, *, scale: WorldScale
) -> dict[str, Any]:
    """Vertex attributes and indices of the skinned mesh."""
    mesh = surface.mesh
    if mesh.uvs is None:
        raise InputError("cannot write a textured GLB: the mesh has no texture coordinates")
    joints, influence = _joint_influences(weights)
    attributes = {
        "POSITION": _float32(scale.to_metres(mesh.vertices)),
        "NORMAL": _unit_normals(surface.normals),
        "TEXCOORD_0": _float32(mesh.uvs),
        "JOINTS_0": joints,
        "WEIGHTS_0": influence,
    }
    index_type = np.uint16 if len(mesh.vertices) < np.iinfo(np.uint16).max else np.uint32
    indices = mesh.faces.detach().cpu().numpy().astype(index_type).reshape(-1)
    return {
        "attributes": {
            name: buffer.add_array(values, target=ARRAY_BUFFER, bounds=name == "POSITION")
            for name, values in attributes.items()
        },
        "indices": buffer.add_array(indices, target=ELEMENT_ARRAY_BUFFER),
        "material": 0,
    }


def _joint_influences(weights: SkinningWeights) -> tuple[np.ndarray, np.ndarray]:
    """JOINTS_0 and WEIGHTS_0: each joint at most once a vertex, float32 weights that sum to one.

    Bone k is joint k + 1; a weight of zero belongs to joint 0 (the root), as the specification asks.
    """
    bone_count = int(weights.indices.max()) + 1
    dense = weights.dense(max(bone_count, MAX_INFLUENCES)).detach().cpu().double()
    values, bones = dense.topk(MAX_INFLUENCES, dim=-1)
    influence = _float32(values / values.sum(dim=-1, keepdim=True))
    # Rounding to float32 moves the sum by up to 1e-7: the largest weight takes up the difference.
    influence[:, 0] = 1.0 - influence[:, 1:].sum(axis=1, dtype=np.float64)
    joints = np.where(influence > 0.0, bones.numpy() + 1, 0)
    return joints.astype(np.uint8 if bone_count < 256 else np.uint16), influence


def _unit_normals(normals: Float[Tensor, "vertices 3"]) -> np.ndarray:
    """Normals of unit length; a vertex without one (no face, or only empty ones) gets the y axis."""
    values = normals.detach().cpu().double().numpy()
    length = np.linalg.norm(values, axis=1, keepdims=True)
    upward = np.array([0.0, 1.0, 0.0])
    return np.where(length > 1e-12, values / np.maximum(length, 1e-12), upward).astype(np.float32)


def _skin(buffer: GlbBuffer, skeleton: Skeleton, scale: WorldScale) -> dict[str, Any]:
    """Inverse bind matrices: the identity of the root, then the inverse rest frame of every bone."""
    inverse = rigid_inverse(_rest_frames(skeleton, scale))
    matrices = _float32(torch.cat([torch.eye(4, dtype=inverse.dtype)[None], inverse]))
    first = _ROOT_NODE
    return {
        "inverseBindMatrices": buffer.add_array(matrices),
        "joints": list(range(first, first + len(matrices))),
        "skeleton": first,
    }


def _rest_frames(skeleton: Skeleton, scale: WorldScale) -> BoneTransforms:
    """The bones' rest frames with their origins in metres."""
    return bone_frames(scale.to_metres(skeleton.rest_joints))


def _local_frames(skeleton: Skeleton, scale: WorldScale) -> BoneTransforms:
    """Each bone's rest frame as seen from its parent's, `B_parent^-1 B_bone`."""
    frames = _rest_frames(skeleton, scale)
    with_root = torch.cat([frames, torch.eye(4, dtype=frames.dtype)[None]])
    return rigid_inverse(with_root[list(skeleton.parents)]) @ frames


def _local_rotations(skeleton: Skeleton, scale: WorldScale, joint_angles: JointAngles) -> np.ndarray:
    """Unit quaternions (x, y, z, w) of the joints under their parents, `R_parent^-1 R_bone Rot(angles)`.

    Along the first axis (key frames) signs are chosen so that interpolation takes the shorter way.
    """
    rest = _local_frames(skeleton, scale)[:, :3, :3]
    matrices = rest @ euler_xyz_rotation(joint_angles.detach().cpu().double())
    flat = Rotation.from_matrix(matrices.reshape(-1, 3, 3).numpy()).as_quat(canonical=True)
    quaternions = flat.reshape(*joint_angles.shape[:-1], 4)
    if quaternions.ndim == 3:
        agreement = (quaternions[1:] * quaternions[:-1]).sum(axis=-1)
        flips = np.cumprod(np.where(agreement < 0.0, -1.0, 1.0), axis=0)
        quaternions[1:] *= flips[..., None]
    return quaternions.astype(np.float32)


def _nodes(rig: Rig, scale: WorldScale) -> list[dict[str, Any]]:
    """The mesh node, the root joint and one joint a bone, in the pose of the rig.

    A joint's `extras.length` says how far (metres) its bone reaches along its z axis.
    """
    skeleton = rig.skeleton
    translations = _float32(_local_frames(skeleton, scale)[:, :3, 3]).tolist()
    rotations = _local_rotations(skeleton, scale, rig.joint_angles).tolist()
    joints = scale.to_metres(skeleton.rest_joints)
    lengths = _float32((joints[:, 1] - joints[:, 0]).norm(dim=-1)).tolist()
    moved = _float32(torch.tensor(rig.root_offset, dtype=torch.float64) * scale.metres_per_unit).tolist()
    root = {"name": "root", "translation": moved}
    nodes: list[dict[str, Any]] = [{"name": "animal", "mesh": 0, "skin": 0}, root]
    nodes += [
        {"name": name, "translation": place, "rotation": turn, "extras": {"length": length}}
        for name, place, turn, length in zip(skeleton.names, translations, rotations, lengths, strict=True)
    ]
    for bone, parent in enumerate(skeleton.parents):
        nodes[_bone_node(parent)].setdefault("children", []).append(_bone_node(bone))
    return nodes


def _bone_node(bone: int) -> int:
    """The node of a bone; the root joint for a parent of -1."""
    return _ROOT_NODE + 1 + bone


def _appearance(buffer: GlbBuffer, texture_png: bytes) -> dict[str, Any]:
    """One rough, non-metallic material with the texture as base colour."""
    image = {"bufferView": buffer.add_bytes(texture_png), "mimeType": "image/png", "name": "albedo"}
    sampler = {
        "magFilter": _LINEAR,
        "minFilter": _LINEAR_MIPMAP_LINEAR,
        "wrapS": _CLAMP_TO_EDGE,
        "wrapT": _CLAMP_TO_EDGE,
    }
    surface = {"baseColorTexture": {"index": 0}, "metallicFactor": 0.0, "roughnessFactor": ROUGHNESS}
    return {
        "images": [image],
        "samplers": [sampler],
        "textures": [{"source": 0, "sampler": 0}],
        "materials": [{"name": "coat", "doubleSided": False, "pbrMetallicRoughness": surface}],
    }


def _animation(buffer: GlbBuffer, clip: Clip, skeleton: Skeleton, *, scale: WorldScale) -> dict[str, Any]:
    """A clip as linear rotation channels of all joints, a translation and maybe a rotation of the root.

    A gait's `extras.metresPerSecond` is the speed at which its standing feet do not slide.
    """
    times = _float32(clip.times)
    if len(times) == 0 or times[0] < 0.0 or (np.diff(times) <= 0.0).any():
        raise InputError(f"cannot write the clip {clip.name!r}: its key times do not increase from 0")
    key_times = buffer.add_array(times, bounds=True)
    rotations = _local_rotations(skeleton, scale, clip.joint_angles)
    offsets = _float32(clip.root_offsets.double() * scale.metres_per_unit)
    tracks = [(_ROOT_NODE, "translation", offsets)]
    if clip.root_turns is not None:
        half, still = clip.root_turns.double() / 2.0, torch.zeros(len(times), dtype=torch.float64)
        turned = torch.stack([still, half.sin(), still, half.cos()], dim=1)
        tracks.append((_ROOT_NODE, "rotation", _float32(turned)))
    tracks += [(_bone_node(bone), "rotation", rotations[:, bone]) for bone in range(len(skeleton.parents))]
    speed = {"extras": {"metresPerSecond": clip.speed * scale.metres_per_unit}} if clip.speed else {}
    return {
        "name": clip.name,
        **speed,
        "samplers": [
            {"input": key_times, "output": buffer.add_array(values), "interpolation": "LINEAR"}
            for _, _, values in tracks
        ],
        "channels": [
            {"sampler": sampler, "target": {"node": node, "path": path}}
            for sampler, (node, path, _) in enumerate(tracks)
        ],
    }


def _float32(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy().astype(np.float32)

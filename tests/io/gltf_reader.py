"""A reader of skinned GLB files, written from the glTF 2.0 specification apart from the writer's code."""

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

_DTYPES = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


@dataclass(frozen=True)
class Glb:
    """The JSON document and the binary chunk."""

    document: dict[str, Any]
    binary: bytes

    def accessor(self, index: int) -> np.ndarray:
        """The numbers of an accessor, elements x components."""
        entry = self.document["accessors"][index]
        view = self.document["bufferViews"][entry["bufferView"]]
        width = _WIDTHS[entry["type"]]
        flat = np.frombuffer(
            self.binary, _DTYPES[entry["componentType"]], entry["count"] * width, view.get("byteOffset", 0)
        )
        return flat.reshape(-1, width).squeeze(-1) if width == 1 else flat.reshape(-1, width)

    def node(self, name: str) -> int:
        """The index of the node of that name."""
        return [node.get("name") for node in self.document["nodes"]].index(name)


def parse(data: bytes) -> Glb:
    """Split a GLB into its two chunks."""
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    json_length, json_type = struct.unpack_from("<I4s", data, 12)
    start = 20 + json_length
    binary_length, binary_type = struct.unpack_from("<I4s", data, start)
    assert (json_type, binary_type) == (b"JSON", b"BIN\0")
    assert json_length % 4 == 0 and start + 8 + binary_length == len(data)
    return Glb(json.loads(data[20:start]), data[start + 8 :])


def node_properties(glb: Glb) -> list[dict[str, np.ndarray]]:
    """Translation, rotation and scale of every node as the file stands."""
    defaults = {"translation": [0, 0, 0], "rotation": [0, 0, 0, 1], "scale": [1, 1, 1]}
    return [
        {key: np.array(node.get(key, default), np.float64) for key, default in defaults.items()}
        for node in glb.document["nodes"]
    ]


def animated_properties(glb: Glb, clip: str, time: float) -> list[dict[str, np.ndarray]]:
    """The nodes' properties at a time of an animation: lerp, or slerp for rotations (appendix C)."""
    properties = node_properties(glb)
    animation = next(entry for entry in glb.document["animations"] if entry["name"] == clip)
    for channel in animation["channels"]:
        sampler = animation["samplers"][channel["sampler"]]
        assert sampler["interpolation"] == "LINEAR"
        times = glb.accessor(sampler["input"]).astype(np.float64)
        values = glb.accessor(sampler["output"]).astype(np.float64)
        following = int(np.clip(np.searchsorted(times, time, side="right"), 1, len(times) - 1))
        fraction = (time - times[following - 1]) / (times[following] - times[following - 1])
        path = channel["target"]["path"]
        mix = _slerp if path == "rotation" else _lerp
        properties[channel["target"]["node"]][path] = mix(values[following - 1], values[following], fraction)
    return properties


def skinned_positions(glb: Glb, properties: list[dict[str, np.ndarray]]) -> np.ndarray:
    """POSITION moved by the skin, `sum_i w_i global(joint_i) inverse_bind_i v` (specification 3.7.3.3)."""
    skin = glb.document["skins"][0]
    attributes = glb.document["meshes"][0]["primitives"][0]["attributes"]
    inverse = glb.accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2).astype(np.float64)
    placed = _global_matrices(glb, properties)
    moves = np.stack([placed[joint] for joint in skin["joints"]]) @ inverse
    weights = glb.accessor(attributes["WEIGHTS_0"]).astype(np.float64)
    blended = (weights[:, :, None, None] * moves[glb.accessor(attributes["JOINTS_0"])]).sum(axis=1)
    positions = glb.accessor(attributes["POSITION"]).astype(np.float64)
    return (blended[:, :3, :3] @ positions[:, :, None])[..., 0] + blended[:, :3, 3]


def rest_properties(glb: Glb) -> list[dict[str, np.ndarray]]:
    """The nodes' properties that put every joint where its inverse bind matrix is undone."""
    skin = glb.document["skins"][0]
    bind = np.linalg.inv(
        glb.accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2).astype(np.float64)
    )
    placed = dict(zip(skin["joints"], bind, strict=True))
    properties = node_properties(glb)
    for joint in skin["joints"]:
        above = [
            parent for parent in skin["joints"] if joint in glb.document["nodes"][parent].get("children", [])
        ]
        local = np.linalg.inv(placed[above[0]]) @ placed[joint] if above else placed[joint]
        properties[joint] = {"matrix": local}
    return properties


def _global_matrices(glb: Glb, properties: list[dict[str, np.ndarray]]) -> dict[int, np.ndarray]:
    """The matrix of every node of the scene, parents first."""
    placed: dict[int, np.ndarray] = {}
    pending = [(node, np.eye(4)) for node in glb.document["scenes"][glb.document["scene"]]["nodes"]]
    while pending:
        node, above = pending.pop()
        placed[node] = above @ _local_matrix(properties[node])
        pending += [(child, placed[node]) for child in glb.document["nodes"][node].get("children", [])]
    return placed


def _local_matrix(properties: dict[str, np.ndarray]) -> np.ndarray:
    if "matrix" in properties:
        return properties["matrix"]
    x, y, z, w = properties["rotation"]
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = rotation * properties["scale"]
    matrix[:3, 3] = properties["translation"]
    return matrix


def _lerp(first: np.ndarray, second: np.ndarray, fraction: float) -> np.ndarray:
    return (1.0 - fraction) * first + fraction * second


def _slerp(first: np.ndarray, second: np.ndarray, fraction: float) -> np.ndarray:
    cosine = float(first @ second)
    if cosine < 0.0:
        second, cosine = -second, -cosine
    angle = np.arccos(min(cosine, 1.0))
    if angle < 1e-6:
        return first
    return (np.sin((1.0 - fraction) * angle) * first + np.sin(fraction * angle) * second) / np.sin(angle)

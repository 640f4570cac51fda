"""The GLB container: typed arrays in one binary buffer, a JSON chunk that describes them.

Source: Khronos glTF 2.0 specification, sections 3.6 (buffers, views, accessors) and 4 (GLB file format).
"""

import json
import struct
from typing import Any

import numpy as np

ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
"""`bufferView.target` of vertex attributes and of indices."""

_COMPONENT_TYPES = {"float32": 5126, "uint8": 5121, "uint16": 5123, "uint32": 5125}
_ELEMENT_TYPES: dict[tuple[int, ...], str] = {
    (): "SCALAR",
    (2,): "VEC2",
    (3,): "VEC3",
    (4,): "VEC4",
    (4, 4): "MAT4",
}


class GlbBuffer:
    """The binary chunk while it grows, with the views and accessors that describe it."""

    def __init__(self) -> None:
        self.accessors: list[dict[str, Any]] = []
        self._data = bytearray()
        self._views: list[dict[str, Any]] = []

    def add_bytes(self, data: bytes, *, target: int | None = None) -> int:
        """Append `data` on a 4-byte boundary; returns the index of its buffer view."""
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self._data), "byteLength": len(data)}
        if target is not None:
            view["target"] = target
        self._views.append(view)
        self._data.extend(data + bytes(-len(data) % 4))
        return len(self._views) - 1

    def add_array(self, values: np.ndarray, *, target: int | None = None, bounds: bool = False) -> int:
        """Append an array (elements x components); returns the index of its accessor.

        4 x 4 matrices are stored column by column. `bounds` adds each component's min and max, which
        positions and key times must have.
        """
        by_columns = values.swapaxes(-1, -2) if values.ndim == 3 else values
        stored = np.ascontiguousarray(by_columns.astype(values.dtype.newbyteorder("<")))
        accessor: dict[str, Any] = {
            "bufferView": self.add_bytes(stored.tobytes(), target=target),
            "componentType": _COMPONENT_TYPES[values.dtype.name],
            "count": len(values),
            "type": _ELEMENT_TYPES[values.shape[1:]],
        }
        if bounds:
            accessor["min"] = np.atleast_1d(values.min(axis=0)).tolist()
            accessor["max"] = np.atleast_1d(values.max(axis=0)).tolist()
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def glb(self, document: dict[str, Any]) -> bytes:
        """The finished file: `document` completed with this buffer, its views and accessors."""
        described = {
            **document,
            "buffers": [{"byteLength": len(self._data)}],
            "bufferViews": self._views,
            "accessors": self.accessors,
        }
        text = json.dumps(described, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + len(self._data)
        header = struct.pack("<4sII", b"glTF", 2, length)
        json_chunk = struct.pack("<I4s", len(text), b"JSON") + text
        return header + json_chunk + struct.pack("<I4s", len(self._data), b"BIN\0") + bytes(self._data)

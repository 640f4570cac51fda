"""Weights files of networks that other people trained: read without running what they hold.

PyTorch's files and detectron2's `.pkl` are pickles, which can run any code when they are opened in the
ordinary way. Here only tensors and NumPy arrays come out of them.
"""

import pickle
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from farm3d.errors import CheckpointError

NETWORKS = {
    "pointrend": ("roi_heads.mask_head.point_head.", "roi_heads.mask_point_head."),
    "maskrcnn": ("roi_heads.mask_predictor.mask_fcn_logits.",),
}
"""How the names of some tensors start in the weights of each network."""

_ARRAY_PARTS = {
    "_codecs.encode",
    "collections.OrderedDict",
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
}
"""What pickled NumPy arrays are made with: none of it opens a file or runs what it is given."""

_UNREADABLE = (
    pickle.UnpicklingError,
    SafetensorError,
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ImportError,
    OverflowError,
    MemoryError,
    struct.error,
    zipfile.BadZipFile,
)
"""What readers raise on damaged files, or on files that hold more than arrays."""


@dataclass(frozen=True)
class NetworkWeights:
    """The tensors of a weights file and the network that they are of, a key of NETWORKS."""

    file: Path
    network: str
    tensors: Mapping[str, Tensor]


class _ArrayUnpickler(pickle.Unpickler):
    """A pickle reader that makes arrays and containers, and refuses all else."""

    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in _ARRAY_PARTS:
            raise pickle.UnpicklingError(f"{module}.{name} is no array")
        return super().find_class(module, name)


def read_network_weights(file: Path) -> NetworkWeights:
    """Read PyTorch's `.pth`, `.safetensors`, or a `.pkl` of detectron2's model zoo.

    Raises CheckpointError, naming the file, where it is missing, damaged, or of no segmenter known here.
    """
    tensors = read_tensors(file)
    for network, starts in NETWORKS.items():
        if any(name.startswith(starts) for name in tensors):
            return NetworkWeights(file, network, tensors)
    raise CheckpointError(f"{file}: weights of neither PointRend (detectron2) nor Mask R-CNN (torchvision)")


def read_tensors(file: Path) -> dict[str, Tensor]:
    """The named tensors of a weights file of any network.

    Raises CheckpointError, naming the file, where it is missing, damaged or holds more than weights.
    """
    if not file.is_file():
        raise CheckpointError(f"{file}: no such weights file")
    try:
        return _tensors(_read(file))
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CheckpointError(
            f"{file}: damaged, or not a file of weights alone ({_shortened(reason)}); get it anew"
        ) from None


def _read(file: Path) -> Any:
    if file.suffix == ".safetensors":
        return load_file(file)
    if file.suffix == ".pkl":
        with file.open("rb") as stream:
            # The model zoo's files were written by Python 2's rules for strings.
            return _ArrayUnpickler(stream, encoding="latin1").load()
    return torch.load(file, map_location="cpu", weights_only=True)


def _tensors(contents: Any) -> dict[str, Tensor]:
    """The named tensors of a file, which trainers keep under `model` beside their own state."""
    named = contents.get("model", contents)
    return {
        name: torch.as_tensor(value)
        for name, value in named.items()
        if isinstance(name, str) and isinstance(value, np.ndarray | Tensor)
    }


def _shortened(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."

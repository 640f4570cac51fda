"""Which backend serves a tensor, and why another cannot."""

import functools
import importlib
import os
from types import ModuleType
from typing import Literal, get_args

import torch
from torch import Tensor

from farm3d.errors import BackendError

Backend = Literal["numba", "nvdiffrast", "triton", "reference"]
"""In the order in which they are preferred; the reference, slow by design, answers only to its name."""

_GET_NVDIFFRAST = "pip install --no-build-isolation git+https://github.com/NVlabs/nvdiffrast.git"


def backend_module(tensor: Tensor, backend: Backend | None) -> ModuleType:
    """The backend asked for by argument or FARM3D_BACKEND, otherwise the fast one of the tensor's device.

    Raises `BackendError` that says of each backend why it cannot be used.
    """
    asked = backend or os.environ.get("FARM3D_BACKEND") or None
    names: tuple[Backend, ...] = get_args(Backend)
    for name in names:
        wanted = name != "reference" if asked is None else name == asked
        if wanted and unavailable(name, tensor) is None:
            return _import_backend(name)
    available = {name: "available, by name only" if name == "reference" else "available" for name in names}
    listed = "; ".join(f"{name}: {unavailable(name, tensor) or available[name]}" for name in names)
    problem = "no fast rasteriser backend fits" if asked is None else f"backend {asked!r} cannot be used"
    raise BackendError(f"{problem} ({listed}); choose by the argument backend or by FARM3D_BACKEND")


def unavailable(backend: Backend, tensor: Tensor) -> str | None:
    """Why a backend cannot work on a tensor, or `None` where it can."""
    if backend == "reference":
        return None
    if backend == "numba":
        missing = (
            None
            if tensor.device.type == "cpu"
            else f"it works on the CPU, the tensors are on {tensor.device}"
        )
    elif backend == "nvdiffrast":
        missing = _wrong_gpu(tensor) or _without_nvdiffrast()
    else:
        interpreted = tensor.device.type == "cpu" and os.environ.get("TRITON_INTERPRET") == "1"
        missing = (None if interpreted else _wrong_gpu(tensor)) or _without_triton()
        if missing and tensor.device.type == "cpu":
            missing += " (TRITON_INTERPRET=1 interprets its kernels on the CPU, for tests)"
    if missing is None and tensor.dtype != torch.float32:
        return f"it works in float32, the tensors are {tensor.dtype}"
    return missing


def _wrong_gpu(tensor: Tensor) -> str | None:
    return None if tensor.is_cuda else f"it works on a CUDA device, the tensors are on {tensor.device}"


@functools.cache
def _without_triton() -> str | None:
    """Why Triton cannot be used on this machine."""
    try:
        importlib.import_module("triton")
    except ImportError as error:
        return f"Triton cannot be imported ({error}); it comes with PyTorch on Linux"
    return None


@functools.cache
def _without_nvdiffrast() -> str | None:
    """Why nvdiffrast cannot be used on this machine."""
    try:
        version = importlib.import_module("nvdiffrast").__version__
        importlib.import_module("nvdiffrast.torch")
    except ImportError as error:
        absent = error.name == "nvdiffrast"
        return f"it is not installed ({_GET_NVDIFFRAST})" if absent else f"it cannot be imported ({error})"
    if tuple(int(part) for part in version.split(".")[:2]) < (0, 4):
        return f"it is of version {version}, 0.4 is needed ({_GET_NVDIFFRAST})"
    # Its gradients of `rasterize` and its silhouettes are ours.
    return _without_triton()


def _import_backend(backend: Backend) -> ModuleType:
    """A backend's module, imported on first use: numba and Triton take their time."""
    if backend == "numba":
        from farm3d.ops.rasterize import numba_cpu

        return numba_cpu
    if backend == "nvdiffrast":
        from farm3d.ops.rasterize import nvdiffrast_cuda

        return nvdiffrast_cuda
    if backend == "triton":
        from farm3d.ops.rasterize import triton_cuda

        return triton_cuda
    from farm3d.ops.rasterize import reference

    return reference

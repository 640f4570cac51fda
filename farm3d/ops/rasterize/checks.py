"""What every backend may rely on: shapes, devices, precisions and indices that fit together.

Kernels read memory by these indices, so the checks stand whether or not shape annotations are enforced. Those
that would have to wait for an accelerator are left to the kernels there.
"""

import torch
from torch import Tensor

from farm3d.errors import InputError
from farm3d.ops.mesh_topology import EdgeTopology

_MOST_FACES = 2**24
"""Triangle indices travel in a float32 channel."""


def check_shape(name: str, tensor: Tensor, *sizes: int | None) -> None:
    """Refuse a tensor whose axes are not of these sizes (`None`: any)."""
    fits = tensor.ndim == len(sizes) and all(
        wanted in (None, size) for size, wanted in zip(tensor.shape, sizes, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if size is None else str(size) for size in sizes)
        raise InputError(f"{name} must be of shape ({wanted}), got {tuple(tensor.shape)}")


def check_resolution(resolution: tuple[int, int]) -> None:
    """Refuse images without pixels."""
    height, width = resolution
    if height < 1 or width < 1:
        raise InputError(f"the resolution must be at least 1 x 1 pixel, got {height} x {width}")


def check_faces(faces: Tensor, per_vertex: Tensor) -> None:
    """Refuse faces that are elsewhere, of another kind, too many, or point past the vertices."""
    check_shape("faces", faces, None, 3)
    if faces.device != per_vertex.device:
        raise InputError(f"faces are on {faces.device} but the vertices on {per_vertex.device}")
    if faces.dtype not in (torch.int32, torch.int64):
        raise InputError(f"faces must be int64 or int32, got {faces.dtype}")
    if len(faces) >= _MOST_FACES:
        raise InputError(f"at most {_MOST_FACES - 1} faces can be drawn at once, got {len(faces)}")
    _check_indices("faces name vertices", faces, per_vertex.shape[1])


def check_topology(topology: EdgeTopology, faces: Tensor, vertex_count: int) -> None:
    """Refuse edges of another mesh."""
    if topology.edges.device != faces.device:
        raise InputError(f"the topology is on {topology.edges.device} but the faces on {faces.device}")
    _check_indices("the topology's edges name vertices", topology.edges, vertex_count)
    _check_indices("the topology's edges name faces", topology.side_faces, len(faces))


def check_together(name: str, tensor: Tensor, rasterized: Tensor) -> None:
    """Refuse operands on different devices or of different precision."""
    if tensor.device != rasterized.device or tensor.dtype != rasterized.dtype:
        raise InputError(
            f"{name} are {tensor.dtype} on {tensor.device}, rasterized is {rasterized.dtype} on "
            f"{rasterized.device}: both must be the same"
        )


def _check_indices(what: str, indices: Tensor, count: int) -> None:
    """Refuse indices out of range on the CPU; elsewhere an answer would have to be waited for."""
    if indices.device.type != "cpu" or indices.numel() == 0:
        return
    # By numpy: OpenMP threads that torch wakes spin on their cores for milliseconds after they are done,
    # where the CPU backend's own threads are to draw.
    values = indices.numpy()
    lowest, highest = int(values.min()), int(values.max())
    if lowest < 0 or highest >= count:
        raise InputError(f"{what} {lowest} to {highest} of a mesh of {count}")

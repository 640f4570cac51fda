"""Mixed precision: the encoder and the heads in half, everything that draws in single precision."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.models.animal_model import AnimalModel, ImageReading
from farm3d.training.tensors import with_tensors

Precision = Literal["float32", "bfloat16", "float16"]
HALF: dict[Precision, torch.dtype] = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def read_images(
    model: AnimalModel,
    inputs: tuple[Float[Tensor, "images height width 3"], Float[Tensor, "images height width 1"]],
    precision: Precision = "float32",
) -> ImageReading:
    """`model.read` in this precision; what it gives is single precision, for geometry comes next."""
    if precision == "float32":
        return model.read(*inputs)
    with _own_kernels_on_cpu(), torch.autocast(inputs[0].device.type, dtype=HALF[precision]):
        reading = model.read(*inputs)
    return with_tensors(reading, Tensor.float)


@contextmanager
def _own_kernels_on_cpu() -> Iterator[None]:
    """torch's own kernels in place of oneDNN's while the block runs, which accelerators do not notice.

    On CPUs with AMX oneDNN's convolutions in bfloat16 are wrong where they stride, as those of patches do
    (github.com/pytorch/pytorch/issues/169688): not by rounding, but altogether.
    """
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before  # type: ignore[assignment]


def gradient_scaler(precision: Precision, device: torch.device) -> torch.amp.GradScaler:
    """Keeps the gradients of half precision off 0 (`float16`), or does nothing (all others)."""
    return torch.amp.GradScaler(device.type, enabled=precision == "float16")

"""Mixed precision: the encoder and the heads in half, everything that draws in single precision."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from farm3d.models.animal_model import AnimalModel, ImageReading
from farm3d.ops.tensors import with_tensors

Precision = Literal["float32", "bfloat16", "float16"]
HALF: dict[Precision, torch.dtype] = {"bfloat16": torch.bfloat16, "float16": torch.float16}
CONVOLUTIONS = (torch.conv2d,)


def read_images(
    model: AnimalModel,
    inputs: tuple[Float[Tensor, "images height width 3"], Float[Tensor, "images height width 1"]],
    precision: Precision = "float32",
) -> ImageReading:
    """`model.read` in this precision; what it gives is single precision, for geometry comes next."""
    if precision == "float32":
        return model.read(*inputs)
    device = inputs[0].device.type
    with (
        _what_halves_well_on_cpu() if device == "cpu" else nullcontext(),
        torch.autocast(device, dtype=HALF[precision]),
    ):
        reading = model.read(*inputs)
    return with_tensors(reading, Tensor.float)


class _SingleConvolutions(TorchFunctionMode):
    """Convolutions leave autocast.

    On CPUs with AMX oneDNN's convolutions in bfloat16 are wrong where they stride, as those of patches do
    (github.com/pytorch/pytorch/issues/169688): not by rounding, but altogether.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func not in CONVOLUTIONS:
            return func(*args, **(kwargs or {}))
        with torch.autocast("cpu", enabled=False):
            return func(*(arg.float() if isinstance(arg, Tensor) else arg for arg in args), **(kwargs or {}))


@contextmanager
def _what_halves_well_on_cpu() -> Iterator[None]:
    """Convolutions in single precision, and attention written out.

    torch's fused attention takes longer in bfloat16 on a CPU than in single precision, its backward pass more
    than all else together.
    """
    with _SingleConvolutions(), sdpa_kernel(SDPBackend.MATH):
        yield


def gradient_scaler(precision: Precision, device: torch.device) -> torch.amp.GradScaler:
    """Keeps the gradients of half precision off 0 (`float16`), or does nothing (all others)."""
    return torch.amp.GradScaler(device.type, enabled=precision == "float16")

"""Launch Triton kernels, and make what they write into."""

from typing import Any

import torch
import triton
from torch import Tensor

from farm3d.ops.rasterize.triton_geometry import NOTHING

_PROGRAMS_PER_PROCESSOR = 8
"""Programs of a work list for each multiprocessor: enough to hide their waiting for memory."""

_MOST_CHANNELS = 16
"""Channels of a block: more would not fit into a lane's registers."""


def launch(kernel: Any, programs: int, *arguments: object, warps: int = 1, **constants: object) -> None:
    """Run a kernel on the device of its tensors, without contracting products (see `triton_geometry`)."""
    if programs == 0:
        return
    with torch.cuda.device_of(arguments[0]):
        kernel[(programs,)](*arguments, **constants, num_warps=warps, enable_fp_fusion=False)


def nothing(*shape: int, device: torch.device) -> Tensor:
    """Keys before anything is entered."""
    return torch.full(shape, NOTHING.value, dtype=torch.int64, device=device)


def zeros_in_double(tensor: Tensor) -> Tensor:
    """What gradients of clip positions are summed in."""
    return torch.zeros_like(tensor, dtype=torch.double, memory_format=torch.contiguous_format)


def work_list(pixels: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """An empty list of work items (see `triton_work`) and its count: as long as there are pixels."""
    items = torch.empty(pixels, dtype=torch.int64, device=device)
    return items, torch.zeros(1, dtype=torch.int64, device=device)


def work_programs(device: torch.device) -> int:
    """How many programs share the work items out among them."""
    if device.type == "cpu":
        return 2
    return _PROGRAMS_PER_PROCESSOR * torch.cuda.get_device_properties(device).multi_processor_count


def channel_block(channels: int) -> int:
    """How many channels a program takes at a time."""
    return min(triton.next_power_of_2(max(channels, 1)), _MOST_CHANNELS)

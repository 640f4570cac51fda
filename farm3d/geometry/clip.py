"""Animation clips: joint angles over time for a skeleton."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.rotation import axis_rotation
from farm3d.shapes import Transforms


@dataclass(frozen=True)
class Clip:
    """Key frames of a motion; a looping clip's last key equals its first.

    `times` are seconds from 0, `joint_angles` radians per bone in its own rest frame (flexion, side
    bending, twist), `root_offsets` translations of the whole animal in object units. `speed` is how fast
    (object units a second) the ground passes back under the standing feet of a gait on the spot.
    `root_turns` (radians), where there are any, turn the whole animal about the y axis, its head (+z)
    towards its left (+x), before it is moved by the offset.
    """

    name: str
    times: Float[Tensor, " keys"]
    joint_angles: Float[Tensor, "keys bones 3"]
    root_offsets: Float[Tensor, "keys 3"]
    speed: float = 0.0
    root_turns: Float[Tensor, " keys"] | None = None


def sample_clip(
    clip: Clip, times: Float[Tensor, " samples"]
) -> tuple[Float[Tensor, "samples bones 3"], Float[Tensor, "samples 3"]]:
    """Joint angles and root offsets at `times` (seconds), linearly between keys, held beyond the ends."""
    return _at(times, clip, clip.joint_angles), _at(times, clip, clip.root_offsets)


def root_transforms(clip: Clip, times: Float[Tensor, " samples"]) -> Transforms:
    """How the whole animal is turned and moved at `times` (seconds), after its bones' transforms."""
    offsets = _at(times, clip, clip.root_offsets)
    transforms = torch.eye(4).to(offsets).repeat(len(times), 1, 1)
    transforms[:, :3, 3] = offsets
    if clip.root_turns is not None:
        transforms[:, :3, :3] = axis_rotation(1, _at(times, clip, clip.root_turns))
    return transforms


def _at(
    times: Float[Tensor, " samples"], clip: Clip, values: Float[Tensor, "keys *channels"]
) -> Float[Tensor, "samples *channels"]:
    after = torch.searchsorted(clip.times, times.to(clip.times)).clamp(1, len(clip.times) - 1)
    start, end = clip.times[after - 1], clip.times[after]
    fraction = ((times - start) / (end - start)).clamp(0.0, 1.0).to(values)
    return torch.lerp(values[after - 1], values[after], fraction.reshape(-1, *[1] * (values.ndim - 1)))

"""Animation clips: joint angles over time for a skeleton."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Clip:
    """Key frames of a motion; a looping clip's last key equals its first.

    `times` are seconds from 0, `joint_angles` radians per bone in its own rest frame (flexion, side
    bending, twist), `root_offsets` translations of the whole animal in object units. `speed` is how fast
    (object units a second) the ground passes back under the standing feet of a gait on the spot.
    """

    name: str
    times: Float[Tensor, " keys"]
    joint_angles: Float[Tensor, "keys bones 3"]
    root_offsets: Float[Tensor, "keys 3"]
    speed: float = 0.0


def sample_clip(
    clip: Clip, times: Float[Tensor, " samples"]
) -> tuple[Float[Tensor, "samples bones 3"], Float[Tensor, "samples 3"]]:
    """Joint angles and root offsets at `times` (seconds), linearly between keys, held beyond the ends."""
    after = torch.searchsorted(clip.times, times.to(clip.times)).clamp(1, len(clip.times) - 1)
    start, end = clip.times[after - 1], clip.times[after]
    fraction = ((times - start) / (end - start)).clamp(0.0, 1.0)[:, None]
    angles, offsets = clip.joint_angles, clip.root_offsets
    return (
        torch.lerp(angles[after - 1], angles[after], fraction[..., None].to(angles)),
        torch.lerp(offsets[after - 1], offsets[after], fraction.to(offsets)),
    )

"""Animation clips: joint angles over time for a skeleton."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Clip:
    """Key frames of a motion; a looping clip's last key equals its first.

    `times` are seconds from 0, `joint_angles` radians per bone in its own rest frame (flexion, side
    bending, twist), `root_offsets` translations of the whole animal in object units.
    """

    name: str
    times: Float[Tensor, " keys"]
    joint_angles: Float[Tensor, "keys bones 3"]
    root_offsets: Float[Tensor, "keys 3"]

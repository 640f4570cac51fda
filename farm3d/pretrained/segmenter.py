"""What finds animals in a picture: one protocol, and the masks that come with a photograph."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, UInt8

from farm3d.pretrained.instances import Instance

Pixels = UInt8[np.ndarray, "height width 3"]


@runtime_checkable
class Segmenter(Protocol):
    """Finds things in a picture."""

    @property
    def name(self) -> str:
        """What messages and results call it."""

    def instances(self, pixels: Pixels) -> tuple[Instance, ...]:
        """The things in a picture, with masks of its size.

        Raises InputError, without the picture's name, where it can say why there is no animal.
        """


@dataclass(frozen=True)
class GivenMask:
    """A mask that came with the photograph, as a file or as transparency: the one thing that is meant."""

    name: str
    mask: Bool[np.ndarray, "height width"]

    def instances(self, pixels: Pixels) -> tuple[Instance, ...]:
        """The mask, with no class and score 1."""
        return (Instance(self.mask, None, 1.0),)

"""What finds animals in a picture: one protocol, the masks that were given, and what networks share."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from farm3d.pretrained.instances import Instance

MIN_SCORE, SURE_SCORE = 0.3, 0.5
"""What networks score lower is left out; what they score lower than the second is doubtful."""

LONGEST_SIDE = 1333
"""Longer side (pixels) of the pictures that networks are shown, the most that they were trained on."""

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


def seen_instance(
    mask: Bool[np.ndarray, "shown_height shown_width"] | Float[np.ndarray, "shown_height shown_width"],
    label: str | None,
    score: float,
    *,
    image_shape: tuple[int, int],
) -> Instance:
    """What a network saw in a picture that was made smaller for it, at the picture's own height and width.

    `mask` is the probability of each pixel, or the pixels. A score under 0.5 is doubtful.
    """
    size = (image_shape[1], image_shape[0])
    whole = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    doubt = f"the mask is doubtful: the network is only {score:.0%} sure of this {label or 'animal'}"
    return Instance(whole, label, score, (doubt,) if score < SURE_SCORE else ())


def resize_to(pixels: Pixels, side: int, *, enlarge: bool) -> UInt8[np.ndarray, "new_height new_width 3"]:
    """The picture with its longer side made `side`."""
    scale = side / max(pixels.shape[:2])
    if scale >= 1.0 and not enlarge:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC)

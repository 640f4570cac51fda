"""From a picture to a sample: mask, measures, verdict, crop."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from farm3d.data.transforms import Crop, crop_box, crop_image
from farm3d.errors import InputError
from farm3d.pretrained.segmentation import MaskSource, segment
from farm3d.types import Segmentation

from .duplicates import perceptual_hash
from .filtering import FilterConfig, Measures, Reason, measure, reason_to_reject
from .samples import SampleFiles
from .sources import Picture, without_folder

REJECTED_SIDE = 256
"""Longer side in pixels of the pictures that are kept of what is rejected."""

DIGITS = 6

Pixels = UInt8[np.ndarray, "height width 3"]
Annotator = Callable[[Picture], SampleFiles]


def annotate(
    picture: Picture, *, masks: MaskSource, category: str, size: int, config: FilterConfig
) -> SampleFiles:
    """The sample that a picture makes, cropped to `size` pixels a side.

    A rejected picture's record has a `reason`, and its picture is the whole one, made small. Near
    duplicates are not known yet; the record's `hash` finds them. Errors that concern every picture (a
    library that is missing) are raised.
    """
    if picture.image is None:
        return _rejected(picture, None, {"reason": "unreadable", "problem": picture.problem})
    pixels = picture.image.pixels
    try:
        found = segment(picture.image, picture.path, segmenter=masks, category=category)
    except InputError as error:
        problem = without_folder(str(error), picture.path)
        return _rejected(picture, None, {"reason": "no_mask", "problem": problem})
    mask = found.mask.numpy()
    box = crop_box(mask)
    measures = measure(
        mask, crop_side=box[2], size=size, confidence=found.confidence, rival_area=found.rival_share
    )
    record = _record(picture, found, measures)
    reason: Reason | None = reason_to_reject(measures, config)
    if reason is not None:
        return _rejected(picture, mask, {**record, "reason": reason})
    image, cropped = _bytes(crop_image(pixels, mask, box, size=size))
    if not cropped.any():
        return _rejected(picture, mask, {**record, "reason": "too_small"})
    record |= {
        "crop_box": [round(value, DIGITS) for value in box],
        "hash": f"{perceptual_hash(image):016x}",
    }
    return SampleFiles(picture.identifier, image, cropped, record)


def _record(picture: Picture, found: Segmentation, measures: Measures) -> dict[str, Any]:
    """What is known of a picture with a mask."""
    assert picture.image is not None
    height, width = picture.image.pixels.shape[:2]
    return {
        "id": picture.identifier,
        **picture.facts,
        "source_size": [width, height],
        "mask_source": found.source,
        "score": round(found.confidence, DIGITS),
        "warnings": list(found.warnings),
        "measures": {name: round(value, DIGITS) for name, value in asdict(measures).items()},
    }


def _bytes(crop: Crop) -> tuple[Pixels, UInt8[np.ndarray, "height width"]]:
    """The crop's picture and its mask (0 or 255) in 8 bits."""
    image = np.clip(np.round(crop.image * 255.0), 0, 255).astype(np.uint8)
    return image, np.where(crop.mask > 0.5, 255, 0).astype(np.uint8)


def _rejected(picture: Picture, mask: np.ndarray | None, record: dict[str, Any]) -> SampleFiles:
    record = {"id": picture.identifier, **picture.facts, **record}
    if picture.image is None:
        return SampleFiles(picture.identifier, None, None, record)
    image = _small(picture.image.pixels)
    small_mask = None
    if mask is not None:
        nearest = cv2.resize(
            mask.astype(np.uint8) * 255, image.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT
        )
        small_mask = np.ascontiguousarray(nearest)
    return SampleFiles(picture.identifier, image, small_mask, record)


def _small(pixels: Pixels) -> Pixels:
    """The whole picture with its longer side at most REJECTED_SIDE."""
    scale = REJECTED_SIDE / max(pixels.shape[:2])
    if scale >= 1.0:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)

"""Which pixels are the animal: the mask that comes with a photograph, or one cut out of it."""

from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Bool

from farm3d.errors import ConfigError, InputError
from farm3d.io.image import SourceImage, read_mask
from farm3d.io.inputs import mask_beside
from farm3d.pretrained.grabcut import Cut, cut_out_animal
from farm3d.types import Segmentation

SEGMENTERS = ("auto", "alpha", "file", "grabcut")
LATER_SEGMENTERS = ("pointrend", "maskrcnn")
MIN_SHARE, MAX_SHARE = 0.005, 0.9
"""A cut-out that covers less or more of the picture than this is no animal (or no background is left)."""

MIN_COLOR_SEPARATION, MIN_MAIN_SHARE = 0.35, 0.7
MAX_CUT_OFF = 0.02
"""Share of a border's pixels that the mask may touch before the animal is held to be cut off there."""

Mask = Bool[np.ndarray, "height width"]


def segment(
    source: SourceImage, path: Path, *, segmenter: str = "auto", mask_path: Path | str | None = None
) -> Segmentation:
    """The animal's mask for the photograph `source`, read from `path`.

    `auto` takes, in this order, the file `mask_path`, the alpha channel, `NAME_mask.png` beside NAME, and
    GrabCut. A mask file has the photograph's width and height after EXIF rotation, and is brighter on the
    animal. Raises InputError where there is no usable mask, ConfigError for a segmenter that is unknown
    or not part of this version.
    """
    if segmenter in LATER_SEGMENTERS:
        raise ConfigError(f"--segmenter {segmenter} is not part of this version; use {', '.join(SEGMENTERS)}")
    if segmenter not in SEGMENTERS:
        raise ConfigError(f"--segmenter {segmenter}: unknown; use {', '.join(SEGMENTERS)}")
    file = Path(mask_path) if mask_path else mask_beside(path)
    if segmenter == "file" or (segmenter == "auto" and mask_path):
        if file is None:
            raise InputError(f"{path}: no mask file; give --mask FILE or put {path.stem}_mask.png beside it")
        return _given(_read_matching_mask(file, source), "file", file)
    if segmenter == "alpha" or (segmenter == "auto" and source.alpha is not None):
        if source.alpha is None:
            raise InputError(f"{path}: no transparent pixels to take a mask from; use another --segmenter")
        return _given(source.alpha > 127, "alpha", path)
    if segmenter == "auto" and file is not None:
        return _given(_read_matching_mask(file, source), "file", file)
    return accept_cut(cut_out_animal(source.pixels), path)


def only_instance(segmentation: Segmentation, number: int, path: Path) -> Segmentation:
    """The mask's connected piece that comes `number`-th by area, 1 the largest, for several animals.

    Raises InputError where the mask has fewer pieces.
    """
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(
        segmentation.mask.numpy().astype(np.uint8)
    )
    if number >= count:
        pieces = f"{count - 1} piece{'' if count == 2 else 's'}"
        raise InputError(f"{path}: --instance {number}: the mask has {pieces}; give a smaller number")
    largest_first = 1 + np.argsort(-statistics[1:, cv2.CC_STAT_AREA], kind="stable")
    mask = labels == largest_first[number - 1]
    return Segmentation(torch.from_numpy(mask), segmentation.source, segmentation.warnings)


def accept_cut(cut: Cut, path: Path) -> Segmentation:
    """GrabCut's result for the photograph `path`, with what is doubtful about it.

    Raises InputError where it is no animal: under 0.5 % or over 90 % of the picture, or at three borders.
    """
    share = float(cut.mask.mean())
    reason = ""
    if share < MIN_SHARE:
        reason = "nothing stands out from the background"
    elif share > MAX_SHARE:
        reason = f"the cut-out covers {share:.0%} of the picture"
    elif sum(touched > 0.0 for touched in _touched_borders(cut.mask).values()) >= 3:
        reason = "the cut-out touches three borders"
    if reason:
        raise InputError(f"{path}: no animal found ({reason}); give a mask with --mask FILE")
    doubts = []
    if cut.color_separation < MIN_COLOR_SEPARATION:
        doubts.append("the mask is doubtful: the animal's colours are much like its surroundings'")
    if cut.main_share < MIN_MAIN_SHARE:
        doubts.append(
            f"the mask is doubtful: {1.0 - cut.main_share:.0%} of what stands out lies apart from it"
        )
    return Segmentation(torch.from_numpy(cut.mask), "grabcut", (*doubts, *_cut_off_warnings(cut.mask)))


def _read_matching_mask(file: Path, source: SourceImage) -> Mask:
    mask = read_mask(file)
    if mask.shape != source.pixels.shape[:2]:
        sizes = [f"{width} x {height}" for height, width in (mask.shape, source.pixels.shape[:2])]
        raise InputError(
            f"{file}: the mask is {sizes[0]}, its photograph {sizes[1]}; both must have one size"
        )
    return mask


def _given(mask: Mask, origin: str, file: Path) -> Segmentation:
    if not mask.any():
        raise InputError(f"{file}: the mask is empty: it marks no animal")
    return Segmentation(torch.from_numpy(mask), origin, tuple(_cut_off_warnings(mask)))


def _cut_off_warnings(mask: Mask) -> list[str]:
    sides = [side for side, touched in _touched_borders(mask).items() if touched > MAX_CUT_OFF]
    return [f"the animal is cut off at the {' and '.join(sides)} of the picture"] if sides else []


def _touched_borders(mask: Mask) -> dict[str, float]:
    """The share of each border's pixels that the mask touches."""
    borders = {"left": mask[:, 0], "right": mask[:, -1], "top": mask[0], "bottom": mask[-1]}
    return {side: float(pixels.mean()) for side, pixels in borders.items()}

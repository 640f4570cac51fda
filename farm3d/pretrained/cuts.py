"""Pieces of masks, and GrabCut's own step: what the segmenters that need nobody to draw a box have in common.

Source: Rother et al., "GrabCut" (SIGGRAPH 2004), in OpenCV's implementation.
"""

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from farm3d.errors import InputError
from farm3d.pretrained.saliency import lab
from farm3d.pretrained.segmenter import Pixels, resize_to

FINE_SIDE, FINE_ITERATIONS = 512, 2
"""Longer side (pixels) of the animal's surroundings in the last cut.

The cut's smoothness works per pixel: at lower resolutions it takes the legs off.
"""

CENTRE_SPREAD, SURROUNDINGS, HOLE = 0.33, 0.15, 0.01

MIN_SHARE, MAX_SHARE = 0.005, 0.9
"""A cut-out that covers less or more of the picture than this is no animal (or no background is left)."""

Mask = Bool[np.ndarray, "height width"]
Plane = Float32[np.ndarray, "height width"]
Trimap = UInt8[np.ndarray, "height width"]
Box = tuple[int, int, int, int]
"""Top, bottom, left and right, in pixels; the second of each pair is the first one outside."""


def require_animal(mask: Mask) -> None:
    """Raise InputError, without the picture's name, for a mask under 0.5 % or over 90 % of the picture."""
    share = float(mask.mean())
    if share < MIN_SHARE:
        raise no_animal("nothing stands out from the background")
    if share > MAX_SHARE:
        raise no_animal(f"the cut-out covers {share:.0%} of the picture")


def no_animal(reason: str) -> InputError:
    """What is raised where no animal is found."""
    return InputError(f"no animal found ({reason}); give a mask with --mask FILE")


def fine_cut(pixels: Pixels, guess: Plane, *, box: Box, trimap_of: Callable[[Plane], Trimap]) -> Mask:
    """GrabCut on a picture's `box` alone, enlarged, from what is guessed there."""
    top, bottom, left, right = box
    part = resize_to(pixels[top:bottom, left:right], FINE_SIDE, enlarge=True)
    enlarged = cv2.resize(guess[top:bottom, left:right], part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    fine = cut_by_colors(part, trimap_of(enlarged), FINE_ITERATIONS)
    result = np.zeros(pixels.shape[:2], dtype=bool)
    size = (right - left, bottom - top)
    result[top:bottom, left:right] = (
        cv2.resize(fine.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    )
    return result


def cut_by_colors(pixels: Pixels, trimap: Trimap, iterations: int) -> Mask:
    """OpenCV's GrabCut from a trimap, on colours whose distances are nearly those that eyes see."""
    background = (trimap == cv2.GC_BGD) | (trimap == cv2.GC_PR_BGD)
    if background.all() or not background.any():
        return ~background
    colors = lab(pixels)
    scaled = np.stack(
        [colors[..., 0] * 2.55, colors[..., 1] * 2.0 + 128.0, colors[..., 2] * 2.0 + 128.0], axis=-1
    )
    labels, background_model, animal_model = trimap.copy(), np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)
    image = np.clip(np.round(scaled), 0, 255).astype(np.uint8)
    # No box: the trimap is the start (OpenCV's type stubs know no call without one).
    cv2.grabCut(
        image,
        labels,
        None,  # type: ignore[call-overload]
        background_model,
        animal_model,
        iterations,
        cv2.GC_INIT_WITH_MASK,
    )
    return (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)


def main_piece(mask: Mask) -> tuple[Mask, float, float]:
    """The connected piece with the most pixels near the middle, its share of all pixels, and the largest
    other piece's area as a fraction of its own."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    if count == 1:
        return mask, 0.0, 0.0
    weight = centre_weight(mask.shape[0], mask.shape[1])
    weights = np.bincount(labels.ravel(), weight.ravel().astype(np.float64), minlength=count)
    main = 1 + int(np.argmax(weights[1:]))
    areas = np.bincount(labels.ravel(), minlength=count)
    others = np.delete(areas, [0, main])
    rival_share = float(others.max(initial=0) / areas[main])
    return labels == main, float(areas[main] / mask.sum()), rival_share


def fill_small_holes(mask: Mask) -> Mask:
    """Holes of up to 1 % of the mask's area filled; larger ones are seen between legs."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= HOLE * mask.sum()
    at_border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    small[at_border] = False
    return mask | (small[labels] & ~mask)


def surroundings(
    mask: Bool[np.ndarray, "coarse_height coarse_width"],
    height: int,
    width: int,
    *,
    margin: float = SURROUNDINGS,
) -> tuple[int, int, int, int]:
    """Top, bottom, left and right, in a picture of this size, of the mask's box with a margin,
    a share of its longer side."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    row_scale, column_scale = height / mask.shape[0], width / mask.shape[1]
    top, bottom = rows[0] * row_scale, (rows[-1] + 1) * row_scale
    left, right = columns[0] * column_scale, (columns[-1] + 1) * column_scale
    around = margin * max(bottom - top, right - left)
    vertical = max(0, int(top - around)), min(height, round(bottom + around))
    return *vertical, max(0, int(left - around)), min(width, round(right + around))


def centre_weight(height: int, width: int) -> Float32[np.ndarray, "height width"]:
    """A bell over the middle of the picture."""
    vertical, horizontal = (((np.arange(n) + 0.5) / n - 0.5) / CENTRE_SPREAD for n in (height, width))
    return np.outer(np.exp(-(vertical**2) / 2), np.exp(-(horizontal**2) / 2)).astype(np.float32)


def dilate(mask: Mask, radius: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0

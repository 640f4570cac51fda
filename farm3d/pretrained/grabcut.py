"""GrabCut with nobody to draw the box: saliency says where the animal may be, two cuts find it."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from farm3d.pretrained.cuts import (
    FINE_SIDE,
    Mask,
    Plane,
    Trimap,
    centre_weight,
    cut_by_colors,
    dilate,
    fill_small_holes,
    fine_cut,
    main_piece,
    no_animal,
    require_animal,
    surroundings,
)
from farm3d.pretrained.instances import Instance, touched_borders
from farm3d.pretrained.saliency import boundary_saliency, lab
from farm3d.pretrained.segmenter import Pixels, resize_to

COARSE_SIDE, COARSE_ITERATIONS = 400, 4
"""Longer side (pixels) of the whole picture in the first cut."""

SALIENCY_THRESHOLDS = (0.7, 1.0)
"""Shares of Otsu's threshold above which salient pixels start a cut; which is best depends on the picture."""

BOX_MARGIN = 0.1
"""Margin, as a share of each side, of the central box that starts one more cut."""

BAND = 0.06
"""Half the width of the band that the last cut leaves open, as a share of the longer side."""

MIN_COLOR_SEPARATION, MIN_MAIN_SHARE = 0.35, 0.7
"""Below these a cut is doubtful."""


@dataclass(frozen=True)
class Cut:
    """A mask, and how far it can be trusted.

    `color_separation` is 1 - the Bhattacharyya coefficient of the colours inside and just outside: 0 where
    they are the same; `main_share` is the share of what was cut out that belongs to the piece kept, and
    `rival_share` the area of the largest other piece as a fraction of the one kept.
    """

    mask: Mask
    color_separation: float
    main_share: float
    rival_share: float = 0.0


class GrabCut:
    """The segmenter that needs no weights: the most salient central thing, of whatever class."""

    name = "grabcut"

    def instances(self, pixels: Pixels) -> tuple[Instance, ...]:
        """What was cut out; raises InputError, without the picture's name, where it is no animal."""
        return (judge(cut_out_animal(pixels)),)


def judge(cut: Cut) -> Instance:
    """A cut as an instance, with what is doubtful about it and the confidence that it deserves.

    Raises InputError, without the picture's name, where it is no animal: under 0.5 % or over 90 % of the
    picture, or at three borders.
    """
    require_animal(cut.mask)
    if sum(touched > 0.0 for touched in touched_borders(cut.mask).values()) >= 3:
        raise no_animal("the cut-out touches three borders")
    doubts = []
    if cut.color_separation < MIN_COLOR_SEPARATION:
        doubts.append("the mask is doubtful: the animal's colours are much like its surroundings'")
    if cut.main_share < MIN_MAIN_SHARE:
        doubts.append(
            f"the mask is doubtful: {1.0 - cut.main_share:.0%} of what stands out lies apart from it"
        )
    return Instance(cut.mask, None, _confidence(cut), tuple(doubts), cut.rival_share)


def _confidence(cut: Cut) -> float:
    """The worse of two lines that pass 0.5 where doubts begin; own design, measured in docs/masks.md."""
    by_color = 0.5 * cut.color_separation / MIN_COLOR_SEPARATION
    by_pieces = 1.0 - 0.5 * (1.0 - cut.main_share) / (1.0 - MIN_MAIN_SHARE)
    return min(1.0, max(0.0, min(by_color, by_pieces)))


def cut_out_animal(pixels: Pixels) -> Cut:
    """The most salient central thing in a photograph; the mask is empty where nothing stands out.

    The same pixels give the same mask. OpenCV's random generator is left seeded.
    """
    coarse_pixels = resize_to(pixels, COARSE_SIDE, enlarge=False)
    saliency = boundary_saliency(coarse_pixels)
    starts = _starts(saliency)
    pieces = [main_piece(cut_by_colors(coarse_pixels, start, COARSE_ITERATIONS)) for start in starts]
    coarse, main_share, rival_share = max(pieces, key=lambda piece: _merit(coarse_pixels, saliency, piece[0]))
    if not coarse.any():
        return Cut(np.zeros(pixels.shape[:2], dtype=bool), 0.0, 0.0)
    mask, fine_share, _ = main_piece(_fine_cut(pixels, coarse))
    mask = fill_small_holes(mask)
    small_mask = cv2.resize(mask.astype(np.uint8), coarse.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    separation = _color_separation(coarse_pixels, small_mask)
    return Cut(mask, separation, min(main_share, fine_share), rival_share)


def _merit(pixels: Pixels, saliency: Float32[np.ndarray, "height width"], mask: Mask) -> float:
    """How well a cut is told apart: by its colours from what is round it, by saliency from the rest."""
    if not mask.any() or mask.all():
        return -1.0
    return _color_separation(pixels, mask) + 0.5 * float(saliency[mask].mean() - saliency[~mask].mean())


def _starts(saliency: Float32[np.ndarray, "height width"]) -> list[Trimap]:
    """Trimaps to start from: what is salient and near the middle, more or less of it, and a central box.

    Only the box's outside, or a thin frame, is background for certain.
    """
    height, width = saliency.shape
    prior = saliency * centre_weight(height, width)
    levels = (255.0 * prior / max(float(prior.max()), 1e-6)).astype(np.uint8)
    threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
    frame = max(2, round(0.02 * width))
    framed = _box(height, width, frame, horizontal_margin=frame)
    guesses = [levels > share * threshold for share in SALIENCY_THRESHOLDS]
    trimaps = [np.where(guess, cv2.GC_PR_FGD, cv2.GC_PR_BGD) for guess in guesses]
    starts = [np.where(framed, trimap, cv2.GC_BGD) for trimap in trimaps]
    box = _box(height, width, round(BOX_MARGIN * height), horizontal_margin=round(BOX_MARGIN * width))
    starts.append(np.where(box, cv2.GC_PR_FGD, cv2.GC_BGD))
    return [start.astype(np.uint8) for start in starts]


def _box(height: int, width: int, vertical_margin: int, *, horizontal_margin: int) -> Mask:
    box = np.zeros((height, width), dtype=bool)
    box[vertical_margin : height - vertical_margin, horizontal_margin : width - horizontal_margin] = True
    return box


def _fine_cut(pixels: Pixels, coarse: Bool[np.ndarray, "coarse_height coarse_width"]) -> Mask:
    """GrabCut again on the mask's surroundings alone, enlarged, where only a band about it is open."""
    height, width = pixels.shape[:2]
    whole = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)

    def trimap_of(guess: Plane) -> Trimap:
        trimap = np.where(guess > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
        return np.where(dilate(guess > 0.5, round(BAND * FINE_SIDE)), trimap, cv2.GC_BGD).astype(np.uint8)

    return fine_cut(pixels, whole, box=surroundings(coarse, height, width), trimap_of=trimap_of)


def _color_separation(pixels: Pixels, mask: Mask) -> float:
    outside = dilate(mask, max(3, round(0.05 * max(mask.shape)))) & ~mask
    if not mask.any() or not outside.any():
        return 0.0
    bins = (lab(pixels) * (0.1, 0.125, 0.125) + (0.0, 10.0, 10.0)).astype(np.int64).clip(0, (9, 19, 19))
    codes = (bins[..., 0] * 20 + bins[..., 1]) * 20 + bins[..., 2]
    inner, outer = (np.bincount(codes[region], minlength=4000) / region.sum() for region in (mask, outside))
    return float(1.0 - np.sqrt(inner * outer).sum())

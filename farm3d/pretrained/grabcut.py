"""GrabCut with nobody to draw the box: saliency says where the animal may be, two cuts find it.

Source: Rother et al., "GrabCut" (SIGGRAPH 2004), in OpenCV's implementation.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from farm3d.errors import InputError
from farm3d.pretrained.instances import Instance, touched_borders
from farm3d.pretrained.saliency import boundary_saliency, lab
from farm3d.pretrained.segmenter import resize_to

COARSE_SIDE, FINE_SIDE = 400, 512
"""Longer side (pixels) of the whole picture in the first cut and of the animal's surroundings in the second.

The cut's smoothness works per pixel: at lower resolutions it takes the legs off.
"""

COARSE_ITERATIONS, FINE_ITERATIONS = 4, 2
SALIENCY_THRESHOLDS = (0.7, 1.0)
"""Shares of Otsu's threshold above which salient pixels start a cut; which is best depends on the picture."""

BOX_MARGIN = 0.1
"""Margin, as a share of each side, of the central box that starts one more cut."""

CENTRE_SPREAD = 0.33
SURROUNDINGS, BAND, HOLE = 0.15, 0.06, 0.01

MIN_SHARE, MAX_SHARE = 0.005, 0.9
"""A cut-out that covers less or more of the picture than this is no animal (or no background is left)."""

MIN_COLOR_SEPARATION, MIN_MAIN_SHARE = 0.35, 0.7
"""Below these a cut is doubtful."""

Pixels = UInt8[np.ndarray, "height width 3"]
Mask = Bool[np.ndarray, "height width"]
Trimap = UInt8[np.ndarray, "height width"]


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
    share, reason = float(cut.mask.mean()), ""
    if share < MIN_SHARE:
        reason = "nothing stands out from the background"
    elif share > MAX_SHARE:
        reason = f"the cut-out covers {share:.0%} of the picture"
    elif sum(touched > 0.0 for touched in touched_borders(cut.mask).values()) >= 3:
        reason = "the cut-out touches three borders"
    if reason:
        raise InputError(f"no animal found ({reason}); give a mask with --mask FILE")
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
    pieces = [_main_piece(_grabcut(coarse_pixels, start, COARSE_ITERATIONS)) for start in starts]
    coarse, main_share, rival_share = max(pieces, key=lambda piece: _merit(coarse_pixels, saliency, piece[0]))
    if not coarse.any():
        return Cut(np.zeros(pixels.shape[:2], dtype=bool), 0.0, 0.0)
    mask, fine_share, _ = _main_piece(_fine_cut(pixels, coarse))
    mask = _fill_small_holes(mask)
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
    prior = saliency * _centre_weight(height, width)
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
    top, bottom, left, right = _surroundings(coarse, height, width)
    part = resize_to(pixels[top:bottom, left:right], FINE_SIDE, enlarge=True)
    whole = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    guess = cv2.resize(whole[top:bottom, left:right], part.shape[1::-1], interpolation=cv2.INTER_LINEAR) > 0.5
    trimap = np.where(guess, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[~_dilate(guess, round(BAND * FINE_SIDE))] = cv2.GC_BGD
    fine = _grabcut(part, trimap, FINE_ITERATIONS)
    result = np.zeros((height, width), dtype=bool)
    size = (right - left, bottom - top)
    result[top:bottom, left:right] = (
        cv2.resize(fine.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.5
    )
    return result


def _grabcut(pixels: Pixels, trimap: Trimap, iterations: int) -> Mask:
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


def _main_piece(mask: Mask) -> tuple[Mask, float, float]:
    """The connected piece with the most pixels near the middle, its share of all pixels, and the largest
    other piece's area as a fraction of its own."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    if count == 1:
        return mask, 0.0, 0.0
    weight = _centre_weight(mask.shape[0], mask.shape[1])
    weights = np.bincount(labels.ravel(), weight.ravel().astype(np.float64), minlength=count)
    main = 1 + int(np.argmax(weights[1:]))
    areas = np.bincount(labels.ravel(), minlength=count)
    others = np.delete(areas, [0, main])
    rival_share = float(others.max(initial=0) / areas[main])
    return labels == main, float(areas[main] / mask.sum()), rival_share


def _fill_small_holes(mask: Mask) -> Mask:
    """Holes of up to 1 % of the mask's area filled; larger ones are seen between legs."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= HOLE * mask.sum()
    at_border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    small[at_border] = False
    return mask | (small[labels] & ~mask)


def _color_separation(pixels: Pixels, mask: Mask) -> float:
    outside = _dilate(mask, max(3, round(0.05 * max(mask.shape)))) & ~mask
    if not mask.any() or not outside.any():
        return 0.0
    bins = (lab(pixels) * (0.1, 0.125, 0.125) + (0.0, 10.0, 10.0)).astype(np.int64).clip(0, (9, 19, 19))
    codes = (bins[..., 0] * 20 + bins[..., 1]) * 20 + bins[..., 2]
    inner, outer = (np.bincount(codes[region], minlength=4000) / region.sum() for region in (mask, outside))
    return float(1.0 - np.sqrt(inner * outer).sum())


def _surroundings(
    mask: Bool[np.ndarray, "coarse_height coarse_width"], height: int, width: int
) -> tuple[int, int, int, int]:
    """Top, bottom, left and right, in a picture of this size, of the mask's box with a margin."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    row_scale, column_scale = height / mask.shape[0], width / mask.shape[1]
    top, bottom = rows[0] * row_scale, (rows[-1] + 1) * row_scale
    left, right = columns[0] * column_scale, (columns[-1] + 1) * column_scale
    margin = SURROUNDINGS * max(bottom - top, right - left)
    vertical = max(0, int(top - margin)), min(height, round(bottom + margin))
    return *vertical, max(0, int(left - margin)), min(width, round(right + margin))


def _centre_weight(height: int, width: int) -> Float32[np.ndarray, "height width"]:
    """A bell over the middle of the picture."""
    vertical, horizontal = (((np.arange(n) + 0.5) / n - 0.5) / CENTRE_SPREAD for n in (height, width))
    return np.outer(np.exp(-(vertical**2) / 2), np.exp(-(horizontal**2) / 2)).astype(np.float32)


def _dilate(mask: Mask, radius: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0

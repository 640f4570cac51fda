"""How well a silhouette fits a mask: area by IoU, outline by the boundary F-score."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from scipy.ndimage import distance_transform_edt

from farm3d.inference.reconstruct import intersection_over_union

TOLERANCE = 0.008
"""The share of the image's diagonal by which outlines may differ: the value of DAVIS 2016."""

Mask = Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class MaskScore:
    """Intersection over union of a mask with the true one, and the F-score of its outline; both 0 to 1."""

    iou: float
    boundary_f: float


def score_mask(predicted: Mask, true: Mask) -> MaskScore:
    """Both figures of a mask; 0 / 0 counts as IoU 0 and as boundary F-score 1."""
    return MaskScore(intersection_over_union(predicted, true), boundary_f_score(predicted, true))


def boundary_f_score(predicted: Mask, true: Mask, *, tolerance: float = TOLERANCE) -> float:
    """The harmonic mean of the precision and recall of the outline's pixels.

    *Source:* Perazzi et al. 2016 (DAVIS), measure F, after Martin et al. 2004 (BSDS). A predicted outline
    pixel is right where a true one lies within `ceil(tolerance * diagonal)` pixels (Euclidean, centre to
    centre), and the other way round for recall: the distances stand for DAVIS's dilation with a disk of
    that radius, which gives the same. Two empty outlines score 1, one empty outline 0.
    """
    first, second = outline(predicted), outline(true)
    if not first.any() or not second.any():
        return float(first.any() == second.any())
    radius = math.ceil(tolerance * math.hypot(*true.shape))
    precision = float((distance_transform_edt(~second)[first] <= radius).mean())
    recall = float((distance_transform_edt(~first)[second] <= radius).mean())
    return 2.0 * precision * recall / (precision + recall) if precision + recall else 0.0


def outline(mask: Mask) -> Mask:
    """The pixels that differ from the one to the right, below, or below to the right (BSDS's seg2bmap).

    So the outline is one pixel wide, and where the mask leaves the image there is none.
    """
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask != padded[:-1, 1:]) | (mask != padded[1:, :-1]) | (mask != padded[1:, 1:])

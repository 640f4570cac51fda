"""Which pictures are fit to learn from: what is measured of a mask, and the thresholds that reject."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Bool
from pydantic import Field

from farm3d.config import StrictConfig
from farm3d.pretrained.instances import touched_borders
from farm3d.pretrained.segmentation import MAX_CUT_OFF

Mask = Bool[np.ndarray, "height width"]
Reason = Literal[
    "unreadable",
    "no_mask",
    "truncated",
    "too_small",
    "too_large",
    "several_animals",
    "fragmented",
    "low_confidence",
    "duplicate",
]
REASONS: tuple[Reason, ...] = Reason.__args__  # type: ignore[attr-defined]
"""Every reason for which a picture is rejected; of those that hold, the first one is given."""


class FilterConfig(StrictConfig):
    """The thresholds of the filter; a picture that stands exactly at one is kept."""

    max_border_contact: float = Field(MAX_CUT_OFF, ge=0.0, le=1.0)
    """Largest share of any border's pixels that the mask may touch; more means that the animal is cut off."""
    min_area: float = Field(0.02, ge=0.0, le=1.0)
    """Smallest share of the picture that the mask may cover."""
    max_area: float = Field(0.8, ge=0.0, le=1.0)
    """Largest share of the picture that the mask may cover; beyond it hardly any background is left."""
    min_resolution: float = Field(0.5, ge=0.0)
    """Fewest source pixels along the side of a crop's pixel: below it crops are blurred enlargements."""
    max_rival_area: float = Field(0.4, ge=0.0, le=1.0)
    """Largest second animal, its area as a share of the chosen one's."""
    min_main_area: float = Field(0.85, ge=0.0, le=1.0)
    """Smallest share of the mask that its largest connected piece may have."""
    min_confidence: float = Field(0.35, ge=0.0, le=1.0)
    """Least confidence of the mask's maker. On a few photographs GrabCut's masks overlap the true ones by
    about half below it and by three quarters above, with exceptions both ways."""
    max_duplicate_distance: int = Field(6, ge=-1, le=64)
    """Largest Hamming distance of two pictures' perceptual hashes (64 bits) at which the later one is a
    duplicate; -1 keeps every picture."""


@dataclass(frozen=True)
class Measures:
    """What the filter looks at: shares; `resolution` is in source pixels along the side of a crop's pixel."""

    border_contact: float
    area: float
    resolution: float
    rival_area: float
    main_area: float
    confidence: float


def measure(mask: Mask, *, crop_side: float, size: int, confidence: float, rival_area: float) -> Measures:
    """What the filter judges of a mask whose square crop of side `crop_side` pixels becomes `size` pixels.

    `rival_area` is what the mask's maker knows of a second animal; a second piece of the mask is one too.
    """
    pieces = piece_areas(mask)
    total = max(1, sum(pieces))
    second = pieces[1] / pieces[0] if len(pieces) > 1 else 0.0
    return Measures(
        border_contact=max(touched_borders(mask).values()),
        area=float(mask.mean()),
        resolution=crop_side / size,
        rival_area=max(rival_area, second),
        main_area=pieces[0] / total if pieces else 0.0,
        confidence=confidence,
    )


def reason_to_reject(measures: Measures, config: FilterConfig) -> Reason | None:
    """The first reason of `REASONS` that holds, `None` for a picture to keep."""
    checks: dict[Reason, bool] = {
        "no_mask": measures.area == 0.0,
        "truncated": measures.border_contact > config.max_border_contact,
        "too_small": measures.area < config.min_area or measures.resolution < config.min_resolution,
        "too_large": measures.area > config.max_area,
        "several_animals": measures.rival_area > config.max_rival_area,
        "fragmented": measures.main_area < config.min_main_area,
        "low_confidence": measures.confidence < config.min_confidence,
    }
    return next((reason for reason, holds in checks.items() if holds), None)


def piece_areas(mask: Mask) -> list[int]:
    """The areas of the mask's connected pieces in pixels, largest first; corners connect."""
    _, _, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return sorted((int(area) for area in statistics[1:, cv2.CC_STAT_AREA]), reverse=True)

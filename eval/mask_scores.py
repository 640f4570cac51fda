"""How well a segmenter cuts animals out of photographs whose masks are known, and what the filter says."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from farm3d.synth.filtering import FilterConfig, measure, reason_to_reject

from farm3d.data.transforms import crop_box
from farm3d.errors import InputError
from farm3d.io.image import read_image, read_mask
from farm3d.io.inputs import mask_beside
from farm3d.pretrained.segmentation import MaskSource, segment
from farm3d.types import Segmentation

from .segmentation import MaskScore, score_mask

CROP_SIZE = 256
"""Pixels a side of the crops that the filter is asked about."""


@dataclass(frozen=True)
class SegmentedPhotograph:
    """One photograph: who made its mask and how sure of it, how good it is, and why the filter rejects it.

    `score` is `None` where no mask lies beside the photograph, or none was made; `rejection` is one of the
    filter's reasons, `None` where it keeps the picture; `failure` says why no mask was made.
    """

    name: str
    segmentation: Segmentation | None
    score: MaskScore | None
    rejection: str | None
    seconds: float
    failure: str | None = None


def score_segmenter(
    folder: Path, *, pattern: str, segmenter: MaskSource, category: str | None
) -> Iterator[SegmentedPhotograph]:
    """Cut out the photographs of `folder` that match `pattern` and hold the masks against those beside them.

    The masks beside them are the truth and not given to the segmenter. What is made where there is no truth
    has no score; where there is and nothing is made, the score is 0. Raises InputError where no photograph
    matches.
    """
    photographs = sorted(folder.glob(f"{pattern}.jpg"))
    if not photographs:
        raise InputError(f"{folder}: no {pattern}.jpg")
    unaided = replace(segmenter, takes_files=False)
    for path in photographs:
        truth_file = mask_beside(path)
        truth = None if truth_file is None else read_mask(truth_file)
        source = read_image(path)
        started = time.perf_counter()
        try:
            found = segment(source, path, segmenter=unaided, category=category)
        except InputError as error:
            nothing = None if truth is None else MaskScore(0.0, 0.0)
            seconds = time.perf_counter() - started
            yield SegmentedPhotograph(path.stem, None, nothing, "no_mask", seconds, str(error))
            continue
        seconds = time.perf_counter() - started
        score = None if truth is None else score_mask(found.mask.numpy(), truth)
        yield SegmentedPhotograph(path.stem, found, score, _rejection(found), seconds)


def _rejection(found: Segmentation) -> str | None:
    mask = found.mask.numpy()
    measures = measure(
        mask,
        crop_side=crop_box(mask)[2],
        size=CROP_SIZE,
        confidence=found.confidence,
        rival_area=found.rival_share,
    )
    return reason_to_reject(measures, FilterConfig())

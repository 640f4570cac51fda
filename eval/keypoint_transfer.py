"""Keypoint transfer between images through a shared mesh: the protocol of A-CSM and MagicPony.

*Source:* Kulkarni et al. 2020, "Articulation-aware Canonical Surface Mapping" (arXiv 2004.00614), as
MagicPony (arXiv 2211.12497) evaluates it. A keypoint of the source image goes to the nearest *visible*
projected vertex of the source's mesh, from there to the same vertex of the target's mesh, and so to a place
in the target image. That place is right when it lies within a share (0.1) of the target's box of the target's
own annotation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from farm3d.errors import InputError
from farm3d.seeding import numpy_rng

from .bootstrap import Interval, image_multiplicities, percentile_interval
from .keypoint_annotations import AnnotatedAnimal, KeypointAnnotations
from .projected_vertices import ProjectedVertices

THRESHOLD = 0.1
"""The share of the box within which a transferred keypoint counts as right: PCK@0.1."""

CURVE_THRESHOLDS = tuple(round(0.01 * step, 2) for step in range(1, 31))
"""Where the PCK curve is evaluated."""

Pairs = Int[np.ndarray, "pairs 2"]
Errors = Float[np.ndarray, "pairs keypoints"]
Counted = Bool[np.ndarray, "pairs keypoints"]


@dataclass(frozen=True)
class KeypointTransfer:
    """The transfers of all pairs: errors as shares of the target's padded box, and which of them count.

    `counted` marks keypoints annotated visible in both images; the error of a keypoint that could not be
    transferred is infinite. `pairs` holds the indices of source and target among `images` animals, `arrived`
    where keypoints came out in the target image.
    """

    names: tuple[str, ...]
    images: int
    pairs: Pairs
    arrived: Float[np.ndarray, "pairs keypoints 2"]
    errors: Errors
    counted: Counted


@dataclass(frozen=True)
class KeypointScore:
    """One keypoint's PCK over the pairs in which it counts; `None` where it counts in no pair."""

    name: str
    transfers: int
    pck: float | None
    interval: Interval | None


@dataclass(frozen=True)
class TransferScore:
    """PCK at `threshold` per keypoint, its mean over the keypoints, and the PCK curve."""

    threshold: float
    pck: float
    interval: Interval
    keypoints: tuple[KeypointScore, ...]
    curve: tuple[tuple[float, float], ...]


def random_pairs(images: int, count: int, *, seed: int) -> Pairs:
    """`count` random ordered pairs of two different images; raises InputError where there are not two."""
    if images < 2:
        raise InputError(f"keypoint transfer needs two images at least, not {images}")
    rng = numpy_rng(seed, "keypoint-transfer-pairs")
    source = rng.integers(images, size=count)
    target = (source + rng.integers(1, images, size=count)) % images
    return np.stack([source, target], axis=1)


def nearest_visible_vertices(
    keypoints: Float[np.ndarray, "keypoints 2"], projected: ProjectedVertices
) -> Int[np.ndarray, " keypoints"]:
    """For each place in the image the visible vertex nearest to it in the image; -1 where none is visible."""
    candidates = np.flatnonzero(projected.visible)
    if len(candidates) == 0:
        return np.full(len(keypoints), -1)
    offsets = keypoints[:, None] - projected.positions[candidates]
    return candidates[np.square(offsets).sum(axis=-1).argmin(axis=1)]


def transfer_keypoints(
    annotations: KeypointAnnotations,
    projections: Sequence[ProjectedVertices],
    pairs: Pairs,
    *,
    pad: float = 0.0,
    check_target_visibility: bool = False,
) -> KeypointTransfer:
    """Transfer the keypoints of every pair's source to its target.

    Errors are pixels of the target image divided by max(width, height) of its box times `1 + 2 pad`:
    `pad` undoes a padding of the annotated boxes, and loosens the threshold by as much. With
    `check_target_visibility` a keypoint that arrives at a hidden vertex of the target counts as wrong;
    the published protocol does not look.
    """
    keypoints = np.stack([animal.keypoints for animal in annotations.animals])
    annotated = np.stack([animal.visible for animal in annotations.animals])
    sizes = np.array([box_size(animal, pad) for animal in annotations.animals])
    positions = np.stack([projected.positions for projected in projections])
    matched = np.stack(
        [
            nearest_visible_vertices(animal.keypoints, projected)
            for animal, projected in zip(annotations.animals, projections, strict=True)
        ]
    )
    source, target = pairs[:, 0], pairs[:, 1]
    vertices = matched[source]
    arrived = positions[target[:, None], vertices]
    errors = np.linalg.norm(arrived - keypoints[target], axis=-1) / sizes[target, None]
    lost = vertices < 0
    if check_target_visibility:
        visible = np.stack([projected.visible for projected in projections])
        lost |= ~visible[target[:, None], vertices]
    errors[lost] = np.inf
    counted = annotated[source] & annotated[target]
    return KeypointTransfer(annotations.names, len(keypoints), pairs, arrived, errors, counted)


def box_size(animal: AnnotatedAnimal, pad: float) -> float:
    """The length (pixels) that errors are divided by: max(width, height) of the box times 1 + 2 pad."""
    return max(animal.box[2:]) * (1.0 + 2.0 * pad)


def score_transfer(
    transfer: KeypointTransfer, *, seed: int, threshold: float = THRESHOLD, replicates: int = 1000
) -> TransferScore:
    """PCK: per keypoint the share of transfers with an error below `threshold`, then the mean over keypoints.

    A keypoint that counts in no pair is left out of the mean (the published script would give NaN).
    Intervals are the 95 % percentile intervals of a bootstrap over images, not over pairs: pairs that
    share an image are not independent. Images are drawn with replacement, and a pair weighs as often as
    its source was drawn times as often as its target was (the pigeonhole bootstrap, Owen 2007, arXiv
    0711.0786).

    Raises InputError where no keypoint is visible in both images of any pair.
    """
    if not transfer.counted.any():
        raise InputError("no keypoint is visible in both images of any pair: nothing can be transferred")
    correct = transfer.counted & (transfer.errors < threshold)
    shares = _shares(correct, transfer.counted, np.ones((1, len(transfer.pairs))))[0]
    resampled = _resampled_shares(transfer, correct, replicates=replicates, seed=seed)
    return TransferScore(
        threshold=threshold,
        pck=float(np.nanmean(shares)),
        interval=percentile_interval(_row_means(resampled)),
        keypoints=tuple(
            _keypoint_score(name, transfer.counted[:, k], share=shares[k], resampled=resampled[:, k])
            for k, name in enumerate(transfer.names)
        ),
        curve=tuple((threshold, mean_pck(transfer, threshold)) for threshold in CURVE_THRESHOLDS),
    )


def mean_pck(transfer: KeypointTransfer, threshold: float) -> float:
    """The mean over keypoints of the share of counted transfers with an error below `threshold`."""
    correct = transfer.counted & (transfer.errors < threshold)
    return float(np.nanmean(_shares(correct, transfer.counted, np.ones((1, len(transfer.pairs))))))


def _keypoint_score(name: str, counted: np.ndarray, *, share: float, resampled: np.ndarray) -> KeypointScore:
    transfers = int(counted.sum())
    if transfers == 0:
        return KeypointScore(name, 0, None, None)
    drawn = resampled[np.isfinite(resampled)]
    return KeypointScore(name, transfers, float(share), percentile_interval(drawn) if len(drawn) else None)


def _resampled_shares(
    transfer: KeypointTransfer, correct: Counted, *, replicates: int, seed: int
) -> Float[np.ndarray, "replicates keypoints"]:
    """The keypoints' PCK in each replicate of the bootstrap, some replicates at a time for memory's sake."""
    rng = numpy_rng(seed, "keypoint-transfer-bootstrap")
    multiplicities = image_multiplicities(transfer.images, replicates, rng).astype(np.float64)
    source, target = transfer.pairs.T
    chunks = np.array_split(multiplicities, -(-replicates // 100))
    return np.concatenate(
        [_shares(correct, transfer.counted, chunk[:, source] * chunk[:, target]) for chunk in chunks]
    )


def _shares(
    correct: Counted, counted: Counted, weights: Float[np.ndarray, "rows pairs"]
) -> Float[np.ndarray, "rows keypoints"]:
    """Weighted shares of the counted transfers that are right; NaN where a keypoint has no weight."""
    total = weights @ counted.astype(np.float64)
    right = weights @ correct.astype(np.float64)
    return np.divide(right, total, out=np.full_like(total, np.nan), where=total > 0)


def _row_means(shares: Float[np.ndarray, "rows keypoints"]) -> Float[np.ndarray, " kept_rows"]:
    """The means over the keypoints that have a value, of the rows that have one at all."""
    kept = shares[np.isfinite(shares).any(axis=1)]
    return np.nanmean(kept, axis=1)

"""Confidence intervals by the bootstrap, with images as the units that are drawn."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from farm3d.seeding import numpy_rng

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A confidence interval at the level 0.95."""

    low: float
    high: float


def image_multiplicities(
    images: int, replicates: int, rng: np.random.Generator
) -> Int[np.ndarray, "replicates images"]:
    """How often each image occurs when as many are drawn with replacement, for every replicate."""
    return rng.multinomial(images, np.full(images, 1.0 / images), size=replicates)


def percentile_interval(statistics: Float[np.ndarray, " replicates"]) -> Interval:
    """The percentile interval (Efron 1979) of a statistic's values in the replicates."""
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.quantile(statistics, [tail, 1.0 - tail])
    return Interval(float(low), float(high))


@dataclass(frozen=True)
class RelativeDifference:
    """How much smaller (negative) or larger the mean of some values is than that of others, as a share of it.

    `interval` excludes 0 where the difference is no accident of which `images` were drawn.
    """

    share: float
    interval: Interval
    images: int


def paired_difference(
    values: Float[np.ndarray, " images"],
    others: Float[np.ndarray, " images"],
    *,
    seed: int = 0,
    replicates: int = 10_000,
) -> RelativeDifference:
    """`mean(values) / mean(others) - 1` for two figures of the same images, with its bootstrap interval.

    Images are drawn with replacement, each with both of its figures (the paired bootstrap).
    """
    rng = numpy_rng(seed, "paired-difference")
    drawn = image_multiplicities(len(values), replicates, rng).astype(np.float64)
    return RelativeDifference(
        share=float(values.mean() / others.mean() - 1.0),
        interval=percentile_interval((drawn @ values) / (drawn @ others) - 1.0),
        images=len(values),
    )

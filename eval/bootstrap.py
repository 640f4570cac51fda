"""Confidence intervals by the bootstrap, with images as the units that are drawn."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

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

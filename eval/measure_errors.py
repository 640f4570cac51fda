"""How near an animal's measures, as ratios to its shoulder height, are to those of the true animal."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from farm3d.errors import ConfigError
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton_estimation import estimate_skeleton
from farm3d.geometry.skinning import distance_skinning_weights
from farm3d.inference.measure import Measurements, measure, measure_shape
from farm3d.types import AnimalPrediction

RATIOS = ("body_length", "girth", "volume")

ANY_TEMPERATURE = 0.05
"""Of skinning, which only says here to which bone a vertex belongs."""


@dataclass(frozen=True)
class RatioError:
    """Of one ratio over some pictures: the medians of `|predicted / true - 1|` and of the same signed."""

    median: float
    bias: float


def predicted_ratios(prediction: AnimalPrediction) -> Measurements | None:
    """The ratios of a prediction of one image; `None` for a shape that cannot be measured."""
    try:
        return _ratios(measure(prediction))
    except ConfigError:
        return None


def true_ratios(rest: Mesh) -> Measurements | None:
    """The ratios of a true animal at rest, taken as they are of predictions, from the surface alone."""
    try:
        skeleton = estimate_skeleton(rest.vertices)
        weights = distance_skinning_weights(rest.vertices, skeleton.rest_joints, ANY_TEMPERATURE)
        return _ratios(measure_shape(rest, skeleton, weights))
    except ConfigError:
        return None


def ratio_errors(
    pairs: Iterable[tuple[Measurements | None, Measurements | None]],
) -> dict[str, RatioError]:
    """The errors of each of RATIOS over pairs of predicted and true ratios; empty where none is known."""
    known = [(found, true) for found, true in pairs if found is not None and true is not None]
    if not known:
        return {}
    errors = {
        name: np.array([getattr(found, name) / getattr(true, name) - 1.0 for found, true in known])
        for name in RATIOS
    }
    return {
        name: RatioError(float(np.median(np.abs(values))), float(np.median(values)))
        for name, values in errors.items()
    }


def _ratios(measures: Measurements) -> Measurements:
    return measures.times(1.0 / measures.shoulder_height)

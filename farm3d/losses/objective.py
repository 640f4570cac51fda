"""The terms of the training loss and their weighted sum."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from jaxtyping import Float
from torch import Tensor

from farm3d.config import StrictConfig
from farm3d.schedule import Constant, Schedule

Scalar = Float[Tensor, ""]


@dataclass(frozen=True)
class LossTerms:
    """One step's terms before weighting; `None` where a term is not computed."""

    signed_distance: Scalar | None = None
    eikonal: Scalar | None = None
    absence: Scalar | None = None
    mask: Scalar | None = None
    coarse_mask: Scalar | None = None
    inside_distance: Scalar | None = None
    color: Scalar | None = None
    features: Scalar | None = None
    articulation: Scalar | None = None
    sideways: Scalar | None = None
    deformation: Scalar | None = None
    smoothness: Scalar | None = None
    elevation_prior: Scalar | None = None
    score: Scalar | None = None
    distillation: Scalar | None = None
    hypothesis: Scalar | None = None
    azimuth: Scalar | None = None
    elevation: Scalar | None = None
    rest_points: Scalar | None = None
    posed_points: Scalar | None = None
    projection: Scalar | None = None
    light: Scalar | None = None
    joints: Scalar | None = None

    def present(self) -> dict[str, Scalar]:
        """The terms that were computed, by name."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: term for name, term in named if term is not None}


class LossWeights(StrictConfig):
    """The weight of each term of `LossTerms`, which may change over the steps; 0 leaves it out.

    The terms from `hypothesis` on need the procedural farm's truth, as does `signed_distance`.
    """

    signed_distance: Schedule = Constant(10.0)
    eikonal: Schedule = Constant(0.01)
    absence: Schedule = Constant(1.0)
    """Alone in the steps in which the shape has no surface."""
    mask: Schedule = Constant(10.0)
    coarse_mask: Schedule = Constant(0.0)
    """Ours, for training from images, as are `sideways` and `elevation_prior`."""
    inside_distance: Schedule = Constant(100.0)
    color: Schedule = Constant(1.0)
    features: Schedule = Constant(10.0)
    articulation: Schedule = Constant(0.01)
    sideways: Schedule = Constant(0.0)
    deformation: Schedule = Constant(1.0)
    smoothness: Schedule = Constant(3000.0)
    """Of what second looks add to the rest shape."""
    elevation_prior: Schedule = Constant(0.0)
    score: Schedule = Constant(1.0)
    distillation: Schedule = Constant(0.0)
    hypothesis: Schedule = Constant(1.0)
    azimuth: Schedule = Constant(5.0)
    elevation: Schedule = Constant(2.0)
    rest_points: Schedule = Constant(5.0)
    posed_points: Schedule = Constant(10.0)
    projection: Schedule = Constant(10.0)
    light: Schedule = Constant(0.5)
    joints: Schedule = Constant(1.0)

    def at(self, step: int) -> dict[str, float]:
        """The weights of one step by the terms' names."""
        return {name: getattr(self, name).value(step) for name in type(self).model_fields}


def weighted_sum(terms: LossTerms, weights: Mapping[str, float]) -> Scalar:
    """`sum_k weight_k term_k` over the terms that are present."""
    parts = [weights[name] * term for name, term in terms.present().items()]
    return sum(parts[1:], start=parts[0])

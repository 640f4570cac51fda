"""The terms of the training loss and their weighted sum."""

from dataclasses import dataclass, fields

from jaxtyping import Float
from torch import Tensor

from farm3d.config import StrictConfig

Scalar = Float[Tensor, ""]


@dataclass(frozen=True)
class LossTerms:
    """One step's terms before weighting; `None` where a term is not computed."""

    signed_distance: Scalar | None = None
    eikonal: Scalar | None = None
    mask: Scalar | None = None
    inside_distance: Scalar | None = None
    color: Scalar | None = None
    articulation: Scalar | None = None
    deformation: Scalar | None = None
    hypothesis: Scalar | None = None
    azimuth: Scalar | None = None
    elevation: Scalar | None = None
    rest_points: Scalar | None = None
    posed_points: Scalar | None = None
    projection: Scalar | None = None
    light: Scalar | None = None

    def present(self) -> dict[str, Scalar]:
        """The terms that were computed, by name."""
        named = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: term for name, term in named if term is not None}


class LossWeights(StrictConfig):
    """The weight of each term of `LossTerms`; 0 leaves it out.

    The terms from `hypothesis` on need the procedural farm's truth, as does `signed_distance`.
    """

    signed_distance: float = 10.0
    eikonal: float = 0.01
    mask: float = 10.0
    inside_distance: float = 100.0
    color: float = 1.0
    articulation: float = 0.01
    deformation: float = 1.0
    hypothesis: float = 1.0
    azimuth: float = 5.0
    elevation: float = 2.0
    rest_points: float = 5.0
    posed_points: float = 10.0
    projection: float = 10.0
    light: float = 0.5


def weighted_sum(terms: LossTerms, weights: LossWeights) -> Scalar:
    """`sum_k weight_k term_k` over the terms that are present."""
    parts = [getattr(weights, name) * term for name, term in terms.present().items()]
    return sum(parts[1:], start=parts[0])

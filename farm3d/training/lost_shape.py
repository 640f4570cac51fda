"""What training does in steps in which the category's shape has no surface: bring one back."""

import itertools

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.errors import TrainingError
from farm3d.fields.sdf_field import InitialShape, SDFField, initial_sdf
from farm3d.geometry.tetrahedral_grid import HALF_EXTENT
from farm3d.losses.objective import LossTerms
from farm3d.losses.regularization import absence_loss

SURFACE_LOST = (
    "the category's shape has no surface; the next steps only bring it back (absence in the metrics)"
)
LEGS_LOST = "the category's shape has lost legs; until they grow again their bones wait where they would be"

PATIENCE = 100
"""Steps in a row without a surface after which there is no hope."""

POINTS_A_SIDE = 17
MARGIN = 0.1
"""How far (object units) beyond 0 the field is pushed."""


def recovery_terms(field: SDFField, *, step: int, empty_steps: int) -> LossTerms:
    """The terms of a step whose field has no surface; this is the `empty_steps`-th such step in a row.

    The field is pushed below 0 inside the initial shape and above 0 at the border of the cube. Raises
    TrainingError after `PATIENCE` steps.
    """
    if empty_steps > PATIENCE:
        raise TrainingError(
            f"step {step}: the category's shape has had no surface for {PATIENCE} steps and does not"
            " come back; try a smaller field_learning_rate, or larger weights of mask and inside_distance"
        )
    inside, outside = _known_places(field.initial_shape, next(field.parameters()).device)
    return LossTerms(absence=absence_loss(field(inside), field(outside), margin=MARGIN))


def _known_places(
    shape: InitialShape, device: torch.device
) -> tuple[Float[Tensor, "inside 3"], Float[Tensor, "outside 3"]]:
    """Points of a grid over the cube: well inside the initial shape, and on the cube's border."""
    axis = torch.linspace(-HALF_EXTENT, HALF_EXTENT, POINTS_A_SIDE).tolist()
    grid = torch.tensor(list(itertools.product(axis, repeat=3)), device=device)
    inside = initial_sdf(grid, shape) < -4.0 * MARGIN
    border = grid.abs().amax(dim=1) == HALF_EXTENT
    return grid[inside], grid[border]

"""The category's shape as a signed distance field, negative inside."""

from functools import reduce
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from farm3d.fields.coordinate_mlp import CoordinateMLP

InitialShape = Literal["ellipsoid", "quadruped"]
"""What training starts from: MagicPony's ellipsoid, or a smaller one on four legs."""

Place = tuple[float, float, float]

ELLIPSOID_RADIUS = 1.05
"""Lateral and vertical semi-axis (object units) of the initial ellipsoid; it is twice as long in z."""

NECK_CENTRE, NECK_RADIUS, BLEND = (0.0, 0.9, 1.6), 0.45, 0.3

QUADRUPED = (
    ((0.0, 0.35, -0.75), (0.0, 0.35, 0.75), 0.45),
    ((0.0, 0.45, 0.85), (0.0, 1.3, 1.45), 0.25),
    ((0.28, 0.0, 0.85), (0.28, -1.35, 0.85), 0.16),
    ((0.28, 0.0, -0.85), (0.28, -1.35, -0.85), 0.16),
)
"""Trunk, neck, fore leg, hind leg where x >= 0: capsules' ends and radii, the same for every species.

As long from chest to rump as high at the withers, as horses, cattle and dogs are within a fifth: a longer
start stays longer, because oblique views explain it.
"""


def initial_sdf(
    points: Float[Tensor, "points 3"], shape: InitialShape = "ellipsoid"
) -> Float[Tensor, " points"]:
    """What a category's shape starts from; both shapes say which end the head is.

    `ellipsoid` is MagicPony's with a small neck, `quadruped` a trunk with a neck and four legs. The
    ellipsoid's term is `|(x, y, z / 2)| - 1.05`, a distance only in scale (docs/method.md, "Category
    shape"); unions are polynomial smooth minima.
    """
    if shape == "ellipsoid":
        body = (points / points.new_tensor([1.0, 1.0, 2.0])).norm(dim=-1) - ELLIPSOID_RADIUS
        parts = [body, (points - points.new_tensor(NECK_CENTRE)).norm(dim=-1) - NECK_RADIUS]
    else:
        folded = torch.cat([points[:, :1].abs(), points[:, 1:]], dim=-1)
        parts = [_distance_to_segment(folded, start, end) - radius for start, end, radius in QUADRUPED]
    return reduce(_smooth_union, parts)


def _distance_to_segment(
    points: Float[Tensor, "points 3"], start: Place, end: Place
) -> Float[Tensor, " points"]:
    first, along = points.new_tensor(start), points.new_tensor(end) - points.new_tensor(start)
    share = ((points - first) @ along / along.dot(along)).clamp(0.0, 1.0)
    return (points - first - share[:, None] * along).norm(dim=-1)


def _smooth_union(one: Float[Tensor, " points"], other: Float[Tensor, " points"]) -> Float[Tensor, " points"]:
    blend = (0.5 + 0.5 * (other - one) / BLEND).clamp(0.0, 1.0)
    return other + (one - other) * blend - BLEND * blend * (1.0 - blend)


class SDFField(nn.Module):
    """`initial_sdf(p) + MLP(|x|, y, z)`: mirror-symmetric by construction."""

    def __init__(
        self, *, width: int, layers: int, harmonics: int, initial_shape: InitialShape = "ellipsoid"
    ) -> None:
        super().__init__()
        self.initial_shape: InitialShape = initial_shape
        self.mlp = CoordinateMLP(1, width=width, layers=layers, harmonics=harmonics)

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        """Signed distance (object units) at points of the object frame."""
        folded = torch.cat([points[:, :1].abs(), points[:, 1:]], dim=-1)
        return initial_sdf(folded, self.initial_shape) + self.mlp(folded).squeeze(-1)

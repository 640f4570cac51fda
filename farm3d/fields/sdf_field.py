"""The category's shape as a signed distance field, negative inside."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from farm3d.fields.coordinate_mlp import CoordinateMLP

ELLIPSOID_RADIUS = 1.05
"""Lateral and vertical semi-axis (object units) of the initial ellipsoid; it is twice as long in z."""

NECK_CENTRE, NECK_RADIUS, NECK_BLEND = (0.0, 0.9, 1.6), 0.45, 0.3


def initial_sdf(points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
    """MagicPony's ellipsoid, smoothly united with a small neck that says which end the head is.

    The ellipsoid's term is `|(x, y, z / 2)| - 1.05`, a distance only in scale (docs/method.md,
    "Category shape"); the union is the polynomial smooth minimum.
    """
    body = (points / points.new_tensor([1.0, 1.0, 2.0])).norm(dim=-1) - ELLIPSOID_RADIUS
    neck = (points - points.new_tensor(NECK_CENTRE)).norm(dim=-1) - NECK_RADIUS
    blend = (0.5 + 0.5 * (neck - body) / NECK_BLEND).clamp(0.0, 1.0)
    return neck + (body - neck) * blend - NECK_BLEND * blend * (1.0 - blend)


class SDFField(nn.Module):
    """`initial_sdf(p) + MLP(|x|, y, z)`: mirror-symmetric by construction."""

    def __init__(self, *, width: int, layers: int, harmonics: int) -> None:
        super().__init__()
        self.mlp = CoordinateMLP(1, width=width, layers=layers, harmonics=harmonics)

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
        """Signed distance (object units) at points of the object frame."""
        folded = torch.cat([points[:, :1].abs(), points[:, 1:]], dim=-1)
        return initial_sdf(folded) + self.mlp(folded).squeeze(-1)

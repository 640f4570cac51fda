"""The light of the photograph."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from farm3d.types import DirectionalLight


class LightPredictor(nn.Module):
    """One directional light and an ambient term, always from above.

    Direction `normalise(2a - 1, 0.5, 2b - 1)` in the camera frame, ambient in (0, 1), diffuse in
    (0.5, 1). Source: MagicPony (arXiv 2211.12497) section 3.3.
    """

    def __init__(self, *, features: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LeakyReLU(0.2), nn.Linear(features, width), nn.ReLU(), nn.Linear(width, 4)
        )

    def forward(self, features: Float[Tensor, "images features"]) -> DirectionalLight:
        """Read the light off the encoder's feature vectors."""
        a, b, ambient, diffuse = torch.sigmoid(self.layers(features)).unbind(-1)
        direction = torch.stack([2.0 * a - 1.0, torch.full_like(a, 0.5), 2.0 * b - 1.0], dim=-1)
        return DirectionalLight(nn.functional.normalize(direction, dim=-1), ambient, 0.5 + 0.5 * diffuse)

"""Viewpoint: azimuth hypotheses with scores, one elevation, one translation.

Source: MagicPony (arXiv 2211.12497) section 3.3 for the hypotheses; the elevation is ours
(docs/method.md, "Viewpoint").
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from farm3d.types import ViewpointPrediction

HYPOTHESIS_SIGNS = ((1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0))
"""Signs of the head's direction (right in the image, towards the camera) in each quadrant."""

ELEVATION_RANGE = (math.radians(-15.0), math.radians(75.0))


class ViewpointPredictor(nn.Module):
    """Four azimuths, one a quadrant of the ground plane; their logits; elevation and translation.

    `translation_range` is the largest |translation| per axis in object units. Without `hypotheses` there is
    one azimuth in any direction, for comparison: the angle of a vector of the plane.
    """

    signs: Tensor
    translation_range: Tensor

    def __init__(
        self,
        *,
        features: int,
        width: int,
        translation_range: tuple[float, float, float],
        hypotheses: bool = True,
    ) -> None:
        super().__init__()
        self.hypotheses = hypotheses
        count = len(HYPOTHESIS_SIGNS) if hypotheses else 1
        self.layers = nn.Sequential(
            nn.LeakyReLU(0.2), nn.Linear(features, width), nn.ReLU(), nn.Linear(width, 3 * count + 4)
        )
        self.register_buffer("signs", torch.tensor(HYPOTHESIS_SIGNS), persistent=False)
        self.register_buffer("translation_range", torch.tensor(translation_range), persistent=False)

    def forward(self, features: Float[Tensor, "images features"]) -> ViewpointPrediction:
        """Read the viewpoint off the encoder's feature vectors."""
        out = self.layers(features)
        count = (out.shape[1] - 4) // 3
        logits, direction = out[:, :count], out[:, count : 3 * count].unflatten(1, (count, 2))
        if self.hypotheses:
            # Softplus scaled so that a raw 0 gives 0.5, MagicPony's choice.
            direction = nn.functional.softplus(direction, beta=math.log(2.0) / 0.5) * self.signs
        low, high = ELEVATION_RANGE
        return ViewpointPrediction(
            azimuths=torch.atan2(direction[..., 0], direction[..., 1]),
            logits=logits,
            elevation=low + (high - low) * torch.sigmoid(out[:, 3 * count]),
            translation=torch.tanh(out[:, 3 * count + 1 :]) * self.translation_range,
        )

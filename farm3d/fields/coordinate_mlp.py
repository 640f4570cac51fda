"""The coordinate network that every field uses."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from farm3d.ops.fourier_encoding import encoded_size, fourier_encode


class CoordinateMLP(nn.Module):
    """Values at points, optionally conditioned on a vector per image.

    A Fourier encoding, a linear layer with bias, then `layers` bias-free ones with ReLU between. The
    condition joins after the first layer by concatenation, as in MagicPony (arXiv 2211.12497,
    supplementary). Its part of the next layer's product is the same for all points of an image, so it
    is computed once an image and gathered.
    """

    def __init__(
        self,
        outputs: int,
        *,
        width: int,
        layers: int,
        harmonics: int,
        condition_size: int = 0,
    ) -> None:
        super().__init__()
        self.harmonics = harmonics
        self.encode = nn.Linear(encoded_size(3, harmonics), width)
        self.condition = nn.Linear(condition_size, width, bias=False) if condition_size else None
        sizes = [width] * layers + [outputs]
        self.hidden = nn.ModuleList(nn.Linear(sizes[k], sizes[k + 1], bias=False) for k in range(layers))

    def forward(
        self,
        points: Float[Tensor, "*points 3"],
        condition: Float[Tensor, "images features"] | None = None,
        image_index: Int[Tensor, " points"] | None = None,
    ) -> Float[Tensor, "*values outputs"]:
        """Values at `points` of the object frame; `image_index` names each point's row of `condition`.

        Without it there are values of every image: at the same points, whose first two layers are computed
        once for all, or at an image's own ("images points 3").
        """
        hidden = self.hidden[0](torch.relu_(self.encode(fourier_encode(points, self.harmonics))))
        if self.condition is not None:
            assert condition is not None
            rows = self.condition(torch.relu(condition))
            hidden = hidden + (rows[:, None] if image_index is None else rows[image_index])
        for layer in self.hidden[1:]:
            hidden = layer(torch.relu_(hidden))
        return hidden

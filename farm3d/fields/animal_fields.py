"""Fields over the category's rest shape: an animal's deformation and albedo, the category's features."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from farm3d.fields.coordinate_mlp import CoordinateMLP
from farm3d.ops.distinct_rows import distinct_rows


class DeformationField(nn.Module):
    """Offsets of the rest shape for one animal, mirror-symmetric as a displacement.

    `0.1 MLP(|x|, y, z | features)` with the lateral component turned over on the animal's right, so
    that mirrored points move to mirrored places. Source: MagicPony (arXiv 2211.12497) equation 3; its
    public code feeds |x| without turning the sign, which is not a symmetric displacement.
    """

    SCALE = 0.1

    def __init__(self, *, width: int, layers: int, harmonics: int, condition_size: int) -> None:
        super().__init__()
        self.mlp = CoordinateMLP(
            3, width=width, layers=layers, harmonics=harmonics, condition_size=condition_size
        )

    def forward(
        self,
        points: Float[Tensor, "*images points 3"],
        features: Float[Tensor, "images features"],
    ) -> Float[Tensor, "images points 3"]:
        """Offsets (object units) of every image at the same rest positions, or at each image's own.

        At the same ones the network is evaluated once for both of two mirrored points.
        """
        folded = torch.cat([points[..., :1].abs(), points[..., 1:]], dim=-1)
        if points.dim() == 2:
            first, place = distinct_rows(folded)
            offset = self.SCALE * self.mlp(folded[first], features).index_select(1, place)
        else:
            offset = self.SCALE * self.mlp(folded, features)
        return torch.cat([offset[..., :1] * torch.sign(points[..., :1]), offset[..., 1:]], dim=-1)


class AlbedoField(nn.Module):
    """Linear RGB albedo in (0, 1) over the rest shape, mirror-symmetric."""

    def __init__(self, *, width: int, layers: int, harmonics: int, condition_size: int) -> None:
        super().__init__()
        self.mlp = CoordinateMLP(
            3, width=width, layers=layers, harmonics=harmonics, condition_size=condition_size
        )

    def forward(
        self,
        points: Float[Tensor, "points 3"],
        features: Float[Tensor, "images features"],
        image_index: Int[Tensor, " points"],
    ) -> Float[Tensor, "points 3"]:
        """Albedo at rest positions; `image_index` names each point's image."""
        folded = torch.cat([points[:, :1].abs(), points[:, 1:]], dim=-1)
        return torch.sigmoid(self.mlp(folded, features, image_index))


class FeatureField(nn.Module):
    """What a self-supervised network sees at each place of the rest shape, the same for all animals.

    Not symmetric by construction: the features decide. Source: MagicPony (arXiv 2211.12497) section 3.3,
    whose sigmoid is left out: our targets are unit vectors, not bytes.
    """

    def __init__(self, channels: int, *, width: int, layers: int, harmonics: int) -> None:
        super().__init__()
        self.mlp = CoordinateMLP(channels, width=width, layers=layers, harmonics=harmonics)

    def forward(self, points: Float[Tensor, "points 3"]) -> Float[Tensor, "points channels"]:
        """Features at rest positions."""
        return self.mlp(points)

"""The image encoder on frozen features: MagicPony's convolutional head over DINO's patches.

Source: MagicPony (arXiv 2211.12497) section 3.1 and supplementary; docs/method.md, "Image encoder".
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from farm3d.errors import ConfigError
from farm3d.predictors.image_encoder import EncodedImages

SIDES = (4, 8, 16, 32, 64)
"""Patches a side: each convolution halves them, and the last one sums up the smallest map."""


class DinoEncoder(nn.Module):
    """Colours and mask of a square crop in, one feature vector and a patch map out.

    `backbone` gives two maps of `width` channels and `side` patches a side for sRGB images: tokens and keys.
    The feature vector is read from both, the patch map is the keys'. What is outside the mask is replaced by
    grey, as in `ImageEncoder`. Raises ConfigError where `side` is not 4 times a power of 2.
    """

    def __init__(self, backbone: nn.Module, *, width: int, side: int, features: int) -> None:
        super().__init__()
        if side not in SIDES:
            raise ConfigError(f"model.image_size: {side} patches a side; DINO's encoder reads one of {SIDES}")
        self.backbone, self.patch_channels = backbone, width
        layers: list[nn.Module] = []
        channels = 2 * width
        while side > SIDES[0]:
            layers += [
                nn.Conv2d(channels, features, kernel_size=4, stride=2, padding=1, bias=False),
                nn.GroupNorm(features // 4, features),
                nn.LeakyReLU(0.2),
            ]
            channels, side = features, side // 2
        self.head = nn.Sequential(*layers, nn.Conv2d(channels, features, kernel_size=side))

    def forward(
        self, images: Float[Tensor, "images height width 3"], masks: Float[Tensor, "images height width 1"]
    ) -> EncodedImages:
        """Encode sRGB crops in [0, 1] with their masks, both of the backbone's size."""
        tokens, keys = self.backbone(torch.lerp(torch.full_like(images, 0.5), images, masks))
        return EncodedImages(self.head(torch.cat([tokens, keys], dim=1)).flatten(1), keys)

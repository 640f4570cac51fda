"""The small image encoder: a vision transformer that is trained with its convolutional head.

Source: MagicPony (arXiv 2211.12497) section 3.1, whose frozen DINO ViT-S/8 is `dino_encoder`'s.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from farm3d.predictors.joint_maps import JointMaps


@dataclass(frozen=True)
class EncodedImages:
    """A feature vector an image, and the map of patch tokens (channels first, as `grid_sample` wants)."""

    features: Float[Tensor, "images features"]
    patches: Float[Tensor, "images channels rows columns"]
    joint_maps: Float[Tensor, "images joints _ _"] | None = None
    """Logits of where each joint is seen, of encoders that look for them."""


class ImageEncoder(nn.Module):
    """Colours and mask of a square crop in, one feature vector and a patch map out.

    What is outside the mask is replaced by grey: the background says nothing of the animal, and the
    mask itself is the fourth channel. With `joints` it also says where each joint is seen.
    """

    def __init__(
        self,
        *,
        image_size: int,
        patch_size: int,
        width: int,
        depth: int,
        heads: int,
        features: int,
        joints: bool = False,
    ) -> None:
        super().__init__()
        self.image_size, self.patch_channels = image_size, width
        self.side = image_size // patch_size
        self.backbone = VisionTransformer(
            img_size=image_size,
            patch_size=patch_size,
            in_chans=4,
            num_classes=0,
            global_pool="",
            class_token=False,
            embed_dim=width,
            depth=depth,
            num_heads=heads,
        )
        self.joint_maps = JointMaps(patch_channels=width) if joints else None
        self.head = nn.Sequential(
            nn.Conv2d(width, features, kernel_size=4, stride=2, padding=1, bias=False),
            nn.GroupNorm(features // 4, features),
            nn.LeakyReLU(0.2),
            nn.Conv2d(features, features, kernel_size=self.side // 2),
        )

    def forward(
        self, images: Float[Tensor, "images height width 3"], masks: Float[Tensor, "images height width 1"]
    ) -> EncodedImages:
        """Encode sRGB crops in [0, 1] with their masks, both `image_size` pixels a side."""
        centred = (2.0 * images - 1.0) * masks
        channels = torch.cat([centred, 2.0 * masks - 1.0], dim=-1).permute(0, 3, 1, 2)
        tokens = self.backbone.forward_features(channels)
        patches = tokens.transpose(1, 2).unflatten(2, (self.side, self.side))
        maps = None if self.joint_maps is None else self.joint_maps(channels, patches)
        return EncodedImages(self.head(patches).flatten(1), patches, maps)

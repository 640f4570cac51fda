"""How well the render agrees with the image: mask, missing parts, colours, features.

Source: MagicPony (arXiv 2211.12497) section 3.4 and supplementary; docs/method.md, "Losses".
"""

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.ops.image_layout import channels_first
from farm3d.shapes import Images

Mask = Float[Tensor, "images height width 1"]

COARSE_GRIDS = (24, 12, 6)
"""Cells a side: from a leg's width to how far a stride carries a foot."""


def mask_loss(rendered: Mask, mask: Mask, valid: Mask) -> Float[Tensor, " images"]:
    """`mean((valid (alpha - m))^2)` per image: pixels outside the source image say nothing."""
    return (valid * (rendered - mask)).square().mean(dim=(1, 2, 3))


def coarse_mask_loss(rendered: Mask, mask: Mask, valid: Mask) -> Float[Tensor, " images"]:
    """The same of both averaged over the cells of coarse grids, meaned over the grids `COARSE_GRIDS`.

    A thin leg drawn beside the true one costs less than a leg that is not drawn at all; pixel by pixel it
    costs twice as much, so that legs wear off before their pose is known.
    """
    difference = channels_first(valid * (rendered - mask))
    averages = [torch.nn.functional.adaptive_avg_pool2d(difference, cells) for cells in COARSE_GRIDS]
    return torch.stack([average.square().mean(dim=(1, 2, 3)) for average in averages]).mean(dim=0)


def inside_distance_loss(rendered: Mask, inside_distance: Mask) -> Float[Tensor, " images"]:
    """`mean((1 - alpha) DT_in)` per image: missing parts count by how deep they lie in the mask."""
    return ((1.0 - rendered) * inside_distance).mean(dim=(1, 2, 3))


def outside_distance_loss(rendered: Mask, outside_distance: Mask) -> Float[Tensor, " images"]:
    """`mean(alpha DT_out)` per image: protruding parts count by how far they reach."""
    return (rendered * outside_distance).mean(dim=(1, 2, 3))


def color_loss(rendered: Images, image: Images, overlap: Mask) -> Float[Tensor, " images"]:
    """`mean(overlap |I - I'|)` per image, over all pixels and channels."""
    return (overlap * (rendered - image).abs()).mean(dim=(1, 2, 3))


def feature_loss(rendered: Images, target: Images, overlap: Mask) -> Float[Tensor, " images"]:
    """`mean(overlap (D - D')^2)` per image, over all pixels and channels."""
    return (overlap * (rendered - target).square()).mean(dim=(1, 2, 3))


def eroded_overlap(rendered: Mask, mask: Mask) -> Mask:
    """Where render and mask both show the animal, one pixel in from the border (3 x 3 erosion); detached."""
    both = ((rendered.detach() > 0.0) & (mask > 0.9)).to(mask.dtype)
    background = channels_first(1.0 - both)
    return 1.0 - torch.nn.functional.max_pool2d(background, 3, stride=1, padding=1).permute(0, 2, 3, 1)

"""How well the render agrees with the image: mask, missing parts, colours, features.

Source: MagicPony (arXiv 2211.12497) section 3.4 and supplementary; docs/method.md, "Losses".
"""

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.shapes import Images

Mask = Float[Tensor, "images height width 1"]

LEAST_MISSING = 0.25
"""Of a pixel: what is less is a matter of the border, which the mask's own loss sees to."""


def mask_loss(rendered: Mask, mask: Mask, valid: Mask) -> Float[Tensor, " images"]:
    """`mean((valid (alpha - m))^2)` per image: pixels outside the source image say nothing."""
    return (valid * (rendered - mask)).square().mean(dim=(1, 2, 3))


def inside_distance_loss(rendered: Mask, inside_distance: Mask) -> Float[Tensor, " images"]:
    """`mean((1 - alpha) DT_in)` per image: missing parts count by how deep they lie in the mask."""
    return ((1.0 - rendered) * inside_distance).mean(dim=(1, 2, 3))


def outside_distance_loss(rendered: Mask, outside_distance: Mask) -> Float[Tensor, " images"]:
    """`mean(alpha DT_out)` per image: protruding parts count by how far they reach."""
    return (rendered * outside_distance).mean(dim=(1, 2, 3))


def reach_loss(
    rendered: Mask, mask: Mask, vertices: Float[Tensor, "images vertices 2"]
) -> Float[Tensor, " images"]:
    """`mean(m (1 - alpha) min_v |x - v|)` per image: missing parts count by their distance to the animal.

    x are pixel centres, v the projected vertices, both in normalised device coordinates; the gradient goes
    to the nearest vertices only, so that thin parts grow, and swing, towards pixels that they do not touch
    yet. Own choice: the mask's gradient ends where nothing is drawn.
    """
    missing = (mask * (1.0 - rendered)).detach()[..., 0]
    centres = _pixel_centres(missing.shape[1]).to(missing)
    return torch.stack([_missing_reach(*pair, centres) for pair in zip(missing, vertices, strict=True)])


def color_loss(rendered: Images, image: Images, overlap: Mask) -> Float[Tensor, " images"]:
    """`mean(overlap |I - I'|)` per image, over all pixels and channels."""
    return (overlap * (rendered - image).abs()).mean(dim=(1, 2, 3))


def feature_loss(rendered: Images, target: Images, overlap: Mask) -> Float[Tensor, " images"]:
    """`mean(overlap (D - D')^2)` per image, over all pixels and channels."""
    return (overlap * (rendered - target).square()).mean(dim=(1, 2, 3))


def eroded_overlap(rendered: Mask, mask: Mask) -> Mask:
    """Where render and mask both show the animal, one pixel in from the border (3 x 3 erosion); detached."""
    both = ((rendered.detach() > 0.0) & (mask > 0.9)).to(mask.dtype)
    background = (1.0 - both).permute(0, 3, 1, 2)
    return 1.0 - torch.nn.functional.max_pool2d(background, 3, stride=1, padding=1).permute(0, 2, 3, 1)


def _missing_reach(
    missing: Float[Tensor, "height width"],
    vertices: Float[Tensor, "vertices 2"],
    centres: Float[Tensor, "height width 2"],
) -> Float[Tensor, ""]:
    """`mean(missing min_v |x - v|)` of one image."""
    seen = missing > LEAST_MISSING
    pixels = centres[seen]
    with torch.no_grad():
        nearest = torch.cdist(pixels, vertices).argmin(dim=1)
    return (missing[seen] * (pixels - vertices[nearest]).norm(dim=-1)).sum() / missing.numel()


def _pixel_centres(size: int) -> Float[Tensor, "size size 2"]:
    axis = (2.0 * torch.arange(size) + 1.0) / size - 1.0
    return torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)

"""Moving the channels' axis changes no value, and masks come out as torch's fast kernels want them."""

import pytest
import torch

from farm3d.ops.image_layout import channels_first


@pytest.mark.parametrize("channels", [1, 3, 16])
def test_every_pixel_keeps_its_value_and_its_gradient(channels: int) -> None:
    images = torch.randn(2, 5, 7, channels, requires_grad=True)
    moved = channels_first(images)
    assert torch.equal(moved, torch.stack(images.unbind(-1), dim=1))
    weights = torch.randn_like(moved)
    (gradient,) = torch.autograd.grad((weights * moved).sum(), images)
    assert torch.equal(gradient, weights.movedim(1, -1))


def test_masks_are_contiguous_in_torchs_default_format() -> None:
    mask = channels_first(torch.zeros(2, 5, 7, 1))
    assert mask.stride() == torch.zeros(2, 1, 5, 7).stride()

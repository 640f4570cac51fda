"""Joints are read at the peaks of their maps, and the loss is least where the maps are the truth."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farm3d.predictors.image_encoder import ImageEncoder
from farm3d.predictors.joint_maps import JOINTS, JointMaps, joint_loss, read_joints

SIDE = 16


def peaked(places: torch.Tensor, spread: float = 1.0) -> torch.Tensor:
    """Logits of Gaussian peaks (pixels) at places (normalised device coordinates)."""
    centres = (torch.arange(SIDE) + 0.5) * (2.0 / SIDE) - 1.0
    along = (centres - places[..., None]) * (SIDE / 2.0 / spread)
    return -0.5 * (along[..., 0, None, :].square() + along[..., 1, :, None].square())


@given(st.floats(-0.8, 0.8), st.floats(-0.8, 0.8))
def test_a_peak_is_read_where_it_is(right: float, down: float) -> None:
    place = torch.tensor([[[right, down]]])
    read = read_joints(peaked(place))
    pixel = 2.0 / SIDE
    assert (read.places - place).abs().max() < 0.2 * pixel
    assert 0.9 < float(read.confidence) <= 1.0 + 1e-6


def test_of_two_places_one_is_read_and_not_their_mean() -> None:
    left, right = torch.tensor([[[-0.6, 0.1]]]), torch.tensor([[[0.6, 0.1]]])
    maps = torch.logaddexp(peaked(left), peaked(right) - 0.1)
    read = read_joints(maps)
    assert (read.places - left).abs().max() < 0.05
    assert 0.4 < float(read.confidence) < 0.6


def test_the_loss_has_no_gradient_at_the_true_maps_and_is_larger_elsewhere() -> None:
    places = torch.tensor([[[0.1, -0.4], [0.7, 0.5]]])
    maps = peaked(places).requires_grad_()
    loss = joint_loss(maps, places)
    (gradient,) = torch.autograd.grad(loss, maps)
    assert gradient.abs().max() < 1e-6
    assert joint_loss(peaked(places + 0.2), places) > loss + 0.5


def test_joints_out_of_sight_do_not_count() -> None:
    places = torch.tensor([[[0.1, -0.4], [1.3, 0.5]]])
    maps = torch.randn(1, 2, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).requires_grad_()
    (gradient,) = torch.autograd.grad(joint_loss(maps, places), maps)
    assert gradient[0, 0].abs().max() > 0.0 and gradient[0, 1].abs().max() == 0.0
    assert joint_loss(maps, torch.full((1, 2, 2), 2.0)) == 0.0


@pytest.mark.parametrize("size", [64, 128])
def test_maps_have_a_quarter_of_the_crops_side(size: int) -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        maps = JointMaps(patch_channels=24)(
            torch.rand(2, 4, size, size), torch.rand(2, 24, size // 16, size // 16)
        )
    assert maps.shape == (2, JOINTS, size // 4, size // 4)


def test_an_encoder_looks_for_joints_only_where_it_is_asked_to() -> None:
    def encoder(joints: bool) -> ImageEncoder:
        return ImageEncoder(
            image_size=64, patch_size=16, width=24, depth=1, heads=2, features=8, joints=joints
        )

    crops = torch.rand(1, 64, 64, 3), torch.ones(1, 64, 64, 1)
    with torch.no_grad():
        assert encoder(False)(*crops).joint_maps is None
        maps = encoder(True)(*crops).joint_maps
    assert maps is not None and maps.shape == (1, JOINTS, 16, 16)

"""Losses against the same formulas written in numpy, and against cases worked out by hand."""

import math

import numpy as np
import pytest
import torch

from farm3d.config import parse_config
from farm3d.losses.objective import LossTerms, LossWeights, weighted_sum
from farm3d.losses.reconstruction import (
    COARSE_GRIDS,
    coarse_mask_loss,
    color_loss,
    eroded_overlap,
    feature_loss,
    inside_distance_loss,
    mask_loss,
    outside_distance_loss,
)
from farm3d.losses.regularization import (
    articulation_loss,
    deformation_loss,
    eikonal_loss,
    elevation_prior_loss,
    sideways_loss,
)
from farm3d.types import SDFSamples

GENERATOR = np.random.default_rng(0)


def planes(count: int, channels: int = 1) -> list[torch.Tensor]:
    return [torch.from_numpy(GENERATOR.random((3, 6, 5, channels), np.float32)) for _ in range(count)]


def test_mask_loss_equals_its_formula() -> None:
    rendered, mask, valid = planes(3)
    expected = ((valid * (rendered - mask)).numpy() ** 2).reshape(3, -1).mean(axis=1)
    np.testing.assert_allclose(mask_loss(rendered, mask, valid), expected, rtol=1e-5)


def test_pixels_outside_the_photograph_say_nothing_of_the_mask() -> None:
    mask = torch.zeros(1, 4, 4, 1)
    valid = torch.ones_like(mask)
    valid[:, :, 2:] = 0.0
    rendered = torch.zeros_like(mask)
    rendered[:, :, 2:] = 1.0
    assert float(mask_loss(rendered, mask, valid)) == 0.0
    assert float(mask_loss(rendered, mask, torch.ones_like(mask))) == 0.5


def test_coarse_mask_loss_equals_its_formula() -> None:
    """Where cells divide the picture, it is the mask's loss on pictures averaged down."""
    rendered, mask, valid = (torch.from_numpy(GENERATOR.random((2, 48, 48, 1), np.float32)) for _ in range(3))
    difference = (valid * (rendered - mask)).double().numpy()[..., 0]
    expected = np.zeros(2)
    for cells in COARSE_GRIDS:
        side = 48 // cells
        averages = difference.reshape(2, cells, side, cells, side).mean(axis=(2, 4))
        expected += (averages**2).mean(axis=(1, 2)) / len(COARSE_GRIDS)
    np.testing.assert_allclose(coarse_mask_loss(rendered, mask, valid), expected, rtol=1e-4)


def test_a_leg_beside_its_place_is_better_than_none_coarsely_alone() -> None:
    """Pixel by pixel two misses cost more than one."""
    mask, beside, none = torch.zeros(3, 1, 96, 96, 1)
    mask[:, 40:80, 40:44] = 1.0
    beside[:, 40:80, 45:49] = 1.0
    everywhere = torch.ones_like(mask)
    assert mask_loss(beside, mask, everywhere) > mask_loss(none, mask, everywhere)
    assert coarse_mask_loss(beside, mask, everywhere) < coarse_mask_loss(none, mask, everywhere)


def test_distance_losses_equal_their_formulas() -> None:
    rendered, distance = planes(2)
    missing = ((1.0 - rendered) * distance).numpy().reshape(3, -1).mean(axis=1)
    protruding = (rendered * distance).numpy().reshape(3, -1).mean(axis=1)
    np.testing.assert_allclose(inside_distance_loss(rendered, distance), missing, rtol=1e-5)
    np.testing.assert_allclose(outside_distance_loss(rendered, distance), protruding, rtol=1e-5)


def test_color_loss_equals_its_formula_and_ignores_what_does_not_overlap() -> None:
    (rendered, image), (overlap,) = planes(2, channels=3), planes(1)
    expected = (overlap * (rendered - image).abs()).numpy().reshape(3, -1).mean(axis=1)
    np.testing.assert_allclose(color_loss(rendered, image, overlap), expected, rtol=1e-5)
    assert float(color_loss(rendered, image, torch.zeros_like(overlap)).sum()) == 0.0


def test_feature_loss_equals_its_formula_and_ignores_what_does_not_overlap() -> None:
    (rendered, target), (overlap,) = planes(2, channels=16), planes(1)
    expected = (overlap * (rendered - target) ** 2).numpy().reshape(3, -1).mean(axis=1)
    np.testing.assert_allclose(feature_loss(rendered, target, overlap), expected, rtol=1e-5)
    assert float(feature_loss(rendered, target, torch.zeros_like(overlap)).sum()) == 0.0


def test_the_overlap_loses_one_pixel_all_around() -> None:
    mask = torch.zeros(1, 8, 8, 1)
    mask[:, 1:6, 1:7] = 1.0
    rendered = torch.ones_like(mask).requires_grad_()
    overlap = eroded_overlap(rendered, mask)
    expected = torch.zeros_like(mask)
    expected[:, 2:5, 2:6] = 1.0
    assert torch.equal(overlap, expected)
    assert not overlap.requires_grad


def test_only_what_both_show_overlaps() -> None:
    left, right = torch.zeros(1, 9, 9, 1), torch.zeros(1, 9, 9, 1)
    left[:, :, :6], right[:, :, 3:] = 1.0, 1.0
    assert torch.nonzero(eroded_overlap(left, right)[0, 4, :, 0]).flatten().tolist() == [4]


def samples_of_a_field(scale: float) -> SDFSamples:
    """A sphere's distance, times `scale`, with its gradient by autograd."""
    points = torch.randn(50, 3, dtype=torch.float32, generator=torch.Generator().manual_seed(0))
    points.requires_grad_()
    values = scale * (points.norm(dim=-1) - 0.7)
    (gradients,) = torch.autograd.grad(values.sum(), points)
    return SDFSamples(points, values, gradients)


@pytest.mark.parametrize(("scale", "expected"), [(1.0, 0.0), (3.0, 4.0), (0.5, 0.25)])
def test_eikonal_is_zero_for_a_true_distance_alone(scale: float, expected: float) -> None:
    assert float(eikonal_loss(samples_of_a_field(scale))) == pytest.approx(expected, abs=1e-6)


def test_regularisers_are_mean_squares() -> None:
    angles = torch.tensor([[[0.1, 0.0, -0.2], [0.3, 0.0, 0.0]]])
    assert float(articulation_loss(angles)) == pytest.approx((0.01 + 0.04 + 0.09) / 6)
    assert float(sideways_loss(angles)) == pytest.approx(0.04 / 2)
    assert float(deformation_loss(angles)) == pytest.approx((0.01 + 0.04 + 0.09) / 6)


def test_the_total_is_the_weighted_sum_of_what_is_there() -> None:
    terms = LossTerms(mask=torch.tensor(2.0), light=torch.tensor(3.0))
    assert float(weighted_sum(terms, {"mask": 10.0, "light": 0.5, "color": 99.0})) == 21.5
    assert terms.present().keys() == {"mask", "light"}


def test_a_weight_of_zero_leaves_a_term_out() -> None:
    terms = LossTerms(mask=torch.tensor(2.0), light=torch.tensor(3.0))
    assert float(weighted_sum(terms, {"mask": 1.0, "light": 0.0})) == 2.0


def test_every_term_has_a_weight() -> None:
    assert set(LossWeights.model_fields) == set(LossTerms.__dataclass_fields__)
    assert all(math.isfinite(weight) for weight in LossWeights().at(0).values())


def test_weights_follow_their_schedules() -> None:
    weights = parse_config(LossWeights, {"mask": {"from": 0, "to": 4, "start": 10, "end": 20}}, source="test")
    assert [weights.at(step)["mask"] for step in (0, 15, 30)] == [0.0, 2.0, 4.0]
    assert weights.at(15)["color"] == LossWeights().at(0)["color"]


def test_the_elevation_s_prior_is_least_at_ten_degrees() -> None:
    degrees = torch.tensor([10.0, 10.0])
    assert float(elevation_prior_loss(torch.deg2rad(degrees))) < 1e-12
    spread = elevation_prior_loss(torch.deg2rad(degrees + torch.tensor([6.0, -12.0])))
    assert float(spread) == pytest.approx((math.radians(6.0) ** 2 + math.radians(12.0) ** 2) / 2.0, rel=1e-5)

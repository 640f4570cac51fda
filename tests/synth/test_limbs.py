"""Limbs against shapes whose distance is known in closed form."""

import numpy as np
import torch
from farm3d.synth.procedural.limbs import (
    LimbGeometry,
    body_distance,
    body_gradient,
    carry_points,
    limb_foot,
    mirrored,
    sample_limb,
    smooth_minimum,
)
from hypothesis import given
from hypothesis import strategies as st

FAR_BELOW = -100.0
values = st.floats(-2.0, 2.0, width=32)


def straight_limb(depth: float = 0.3, width: float = 0.3) -> LimbGeometry:
    """A limb from z = -1 to z = 1."""
    stations = np.array([[u, 0.0, 0.0, depth, width, 0.0] for u in (0.0, 0.4, 1.0)])
    rows = torch.tensor(sample_limb(np.array([[0, 0, -1.0], [0, 0, 1.0]]), stations), dtype=torch.float32)
    depths, widths, tapers, chain = rows[:, 3:].unbind(1)
    return LimbGeometry("limb", 0, rows[:, :3], depths, widths, tapers, chain, exponent=2.0, blend=0.1)


def random_points(count: int = 400) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(0).uniform(-1.6, 1.6, (count, 3)), dtype=torch.float32)


def test_a_round_straight_limb_is_a_capsule():
    points = random_points()
    on_axis = torch.cat([torch.zeros(len(points), 2), points[:, 2:].clamp(-1.0, 1.0)], dim=1)
    capsule = (points - on_axis).norm(dim=1) - 0.3
    torch.testing.assert_close(limb_foot(straight_limb(), points).distance, capsule, atol=1e-4, rtol=1e-3)


def test_a_flat_limb_has_its_width_sideways_and_its_depth_upwards():
    limb = straight_limb(depth=0.4, width=0.2)
    surface = torch.tensor([[0.2, 0.0, 0.0], [0.0, 0.4, 0.0], [0.0, -0.4, 0.5], [0.0, 0.0, 1.4]])
    assert limb_foot(limb, surface).distance.abs().max() < 1e-4


def test_the_body_is_the_same_on_both_sides_to_the_last_bit():
    limb = straight_limb()
    shifted = LimbGeometry("leg", 1, limb.centres + torch.tensor([0.4, 0.1, 0.0]), *leg_columns(limb))
    points = random_points()
    flipped = points * torch.tensor([-1.0, 1.0, 1.0])
    limbs = (limb, shifted, mirrored(shifted))
    assert torch.equal(body_distance(limbs, points, FAR_BELOW), body_distance(limbs, flipped, FAR_BELOW))


def leg_columns(limb: LimbGeometry) -> tuple:
    return limb.depths, limb.widths, limb.tapers, limb.chain, limb.exponent, limb.blend


def test_the_ground_cuts_the_body_flat():
    points = torch.tensor([[0.0, -0.25, 0.0], [0.0, -0.1, 0.0]])
    distance = body_distance((straight_limb(),), points, -0.2)
    assert distance[0] > 0 > distance[1]


def test_the_gradient_agrees_with_central_differences():
    points = random_points(100)
    _, gradient = body_gradient((straight_limb(0.4, 0.25),), points, FAR_BELOW)
    step = 1e-2
    for axis in range(3):
        move = torch.zeros(3)
        move[axis] = step
        limbs = (straight_limb(0.4, 0.25),)
        rise = body_distance(limbs, points + move, FAR_BELOW) - body_distance(limbs, points - move, FAR_BELOW)
        difference = (rise / (2 * step) - gradient[:, axis]).abs()
        # The cap meets the cylinder, and the near formula the bounding box, in a crease.
        assert difference.median() < 2e-3


@given(values, values, st.floats(0.01, 1.0))
def test_the_smooth_minimum_is_symmetric_and_at_most_a_quarter_of_its_radius_deep(first, second, radius):
    a, b = torch.tensor([first]), torch.tensor([second])
    smooth = smooth_minimum(a, b, radius)
    assert torch.equal(smooth, smooth_minimum(b, a, radius))
    assert -radius / 4 - 1e-5 <= float(smooth) - min(first, second) <= 1e-6
    if abs(first - second) >= radius:
        assert float(smooth) == min(first, second)


def test_carrying_to_the_same_limb_moves_nothing():
    limb, points = straight_limb(0.4, 0.2), random_points()
    carried = carry_points(limb, limb, points, foot=limb_foot(limb, points))
    torch.testing.assert_close(carried, points, atol=1e-5, rtol=1e-5)


def test_carrying_takes_the_surface_to_the_surface():
    thin, thick = straight_limb(0.3, 0.3), straight_limb(0.5, 0.4)
    angle = torch.linspace(0, 6.2, 40)
    ring = torch.stack([0.3 * angle.cos(), 0.3 * angle.sin(), torch.linspace(-0.9, 0.9, 40)], dim=1)
    carried = carry_points(thin, thick, ring, foot=limb_foot(thin, ring))
    assert limb_foot(thick, carried).distance.abs().max() < 1e-4

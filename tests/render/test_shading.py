"""Shading in cases that can be worked out by hand."""

import math

import pytest
import torch

from farm3d.ops.srgb import linear_to_srgb, srgb_to_linear
from farm3d.render.shading import light_of, shade
from farm3d.types import DirectionalLight


def light(direction: tuple[float, float, float], ambient: float, diffuse: float) -> DirectionalLight:
    return DirectionalLight(torch.tensor(direction), torch.tensor(ambient), torch.tensor(diffuse))


@pytest.mark.parametrize(
    ("normal", "expected_linear"),
    [
        ((0.0, 0.0, 1.0), 0.2 + 0.6),
        ((0.0, 1.0, 0.0), 0.2),
        ((0.0, 0.0, -1.0), 0.2),
        ((math.sin(math.radians(60.0)), 0.0, 0.5), 0.2 + 0.3),
    ],
)
def test_lamberts_cosine_over_the_ambient_term(
    normal: tuple[float, float, float], expected_linear: float
) -> None:
    albedo = torch.tensor([[1.0, 0.5, 0.0]])
    shaded = shade(albedo, torch.tensor([normal]), light((0.0, 0.0, 1.0), 0.2, 0.6))
    torch.testing.assert_close(srgb_to_linear(shaded), albedo * expected_linear, rtol=1e-5, atol=1e-6)


def test_the_transfer_is_srgbs() -> None:
    """Known pairs: black, the end of the linear part, middle grey of 8 bits, white."""
    linear = torch.tensor([0.0, 0.0031308, 0.2158605, 1.0])
    srgb = torch.tensor([0.0, 0.0404500, 128.0 / 255.0, 1.0])
    torch.testing.assert_close(linear_to_srgb(linear), srgb, rtol=0.0, atol=1e-5)
    torch.testing.assert_close(srgb_to_linear(srgb), linear, rtol=0.0, atol=1e-5)


def test_points_take_the_light_of_their_image() -> None:
    lights = DirectionalLight(
        torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), torch.tensor([0.1, 0.2]), torch.tensor([0.5, 0.8])
    )
    index = torch.tensor([1, 0, 1])
    up = torch.tensor([[0.0, 1.0, 0.0]]).expand(3, -1)
    shaded = srgb_to_linear(shade(torch.ones(3, 3), up, light_of(lights, index)))
    torch.testing.assert_close(shaded[:, 0], torch.tensor([1.0, 0.1, 1.0]), rtol=1e-5, atol=1e-6)


def test_black_has_a_finite_gradient() -> None:
    albedo = torch.zeros(1, 3, requires_grad=True)
    shade(albedo, torch.tensor([[0.0, 0.0, 1.0]]), light((0.0, 0.0, 1.0), 0.5, 0.5)).sum().backward()
    assert albedo.grad is not None and torch.isfinite(albedo.grad).all()


def test_a_coloured_light_tints_what_it_reaches_and_not_the_shade() -> None:
    orange = torch.tensor([[1.0, 0.5, 0.1], [0.2, 0.4, 1.0]])
    lights = DirectionalLight(
        torch.tensor([[0.0, 0.0, 1.0]] * 2), torch.tensor([0.1, 0.2]), torch.tensor([0.6, 0.5]), orange
    )
    normals = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.0, 0.0, 1.0]])
    shaded = srgb_to_linear(shade(torch.ones(3, 3), normals, light_of(lights, torch.tensor([0, 0, 1]))))
    expected = torch.stack([0.1 + 0.6 * orange[0], torch.full((3,), 0.1), 0.2 + 0.5 * orange[1]])
    torch.testing.assert_close(shaded, expected, atol=1e-5, rtol=0)


def test_a_white_light_is_one_without_colour() -> None:
    plain = light((0.0, 0.6, 0.8), 0.2, 0.7)
    white = DirectionalLight(plain.direction, plain.ambient, plain.diffuse, torch.ones(3))
    normals = torch.nn.functional.normalize(torch.randn(20, 3), dim=-1)
    torch.testing.assert_close(
        shade(torch.ones(20, 3), normals, white), shade(torch.ones(20, 3), normals, plain)
    )

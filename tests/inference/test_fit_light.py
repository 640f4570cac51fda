"""The light that a plain body's shading shows."""

import math

import pytest
import torch
from torch import Tensor

from farm3d.inference.fit_albedo import strong_enough
from farm3d.inference.fit_light import fit_light
from farm3d.ops.srgb import linear_to_srgb
from farm3d.types import DirectionalLight


def visible_sphere(count: int = 3000) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    normals = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=1)
    return normals * torch.where(normals[:, 2:] < 0.0, -1.0, 1.0)


def light_from(azimuth: float, elevation: float, ambient: float, diffuse: float) -> DirectionalLight:
    level = math.cos(elevation)
    direction = [[level * math.sin(azimuth), math.sin(elevation), level * math.cos(azimuth)]]
    return DirectionalLight(torch.tensor(direction), torch.tensor([ambient]), torch.tensor([diffuse]))


def shading(light: DirectionalLight, normals: Tensor) -> Tensor:
    return light.ambient + light.diffuse * (normals @ light.direction[0]).clamp_min(0.0)


@pytest.mark.parametrize("azimuth", [-1.2, 0.3, 1.5])
def test_a_plain_coat_shows_where_its_light_comes_from(azimuth: float) -> None:
    normals = visible_sphere()
    true = light_from(azimuth, 0.7, 0.3, 0.9)
    colours = (shading(true, normals) * 0.3)[:, None].expand(-1, 3)
    guess = light_from(azimuth + 1.0, 0.9, 0.5, 0.6)
    found = fit_light(guess, normals, colours)
    off = [float((light.direction * true.direction).sum().acos()) for light in (guess, found)]
    assert math.degrees(off[1]) < 15.0 < math.degrees(off[0])
    assert float(found.diffuse / (found.ambient + found.diffuse)) == pytest.approx(0.75, abs=0.16)
    assert float(shading(found, normals).mean()) == pytest.approx(float(shading(guess, normals).mean()))


def test_too_few_pixels_leave_the_light_as_it_was() -> None:
    guess = light_from(0.0, 0.5, 0.5, 0.6)
    assert fit_light(guess, visible_sphere(20), torch.rand(20, 3)) is guess


def test_light_is_strong_enough_for_the_palest_coat_that_it_falls_on() -> None:
    normals = visible_sphere()
    light = light_from(0.3, 0.7, 0.2, 0.5)
    white = linear_to_srgb((0.9 * shading(light_from(0.3, 0.7, 0.4, 1.0), normals))[:, None].expand(-1, 3))
    stronger = strong_enough(light, normals, white)
    assert float(stronger.diffuse) == pytest.approx(0.5 * 2.0 * 0.9 / 0.95, rel=0.02)


def test_what_is_bright_in_the_shade_makes_no_light_stronger() -> None:
    normals = visible_sphere()
    light = light_from(0.0, 1.0, 0.2, 0.8)
    colours = (0.3 * shading(light, normals))[:, None].expand(-1, 3).clone()
    colours[shading(light, normals) < 0.25] = 0.9
    assert torch.equal(strong_enough(light, normals, linear_to_srgb(colours)).diffuse, light.diffuse)

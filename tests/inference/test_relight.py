"""Lights as people say them, and the strip that shows them."""

import math

import pytest
import torch

from farm3d.errors import ConfigError
from farm3d.geometry.viewpoint import viewpoint_rotation
from farm3d.inference.other_files import vertex_colours
from farm3d.inference.relight import GAP, ChosenLight, parse_light, relight_strip
from farm3d.inference.videos import SIZE
from farm3d.ops.srgb import srgb_to_linear

from .two_animals import horse


def front_camera(azimuth_degrees: float) -> torch.Tensor:
    matrix = torch.eye(4)[None].clone()
    azimuth = torch.tensor([math.radians(azimuth_degrees)])
    matrix[:, :3, :3] = viewpoint_rotation(azimuth, torch.zeros(1))
    return matrix


def test_a_light_is_said_by_name() -> None:
    said = parse_light("azimuth=90, elevation=20,colour=#ff8000,ambient=0.1,diffuse=1.5")
    assert said == ChosenLight(90.0, 20.0, 0.1, 1.5, (1.0, 128 / 255, 0.0))
    assert parse_light("elevation=5") == ChosenLight(elevation=5.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("brightness=2", "'brightness' is not one of azimuth, elevation"),
        ("azimuth=east", "'east' is no number"),
        ("ambient=nan", "'nan' is no number"),
        ("colour=red", "write it as #rrggbb"),
        ("elevation=120", "from -90 to 90"),
        ("diffuse=-1", "go from 0 to 4"),
        ("", "'' is not one of"),
    ],
)
def test_what_is_no_light_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refusal:
        parse_light(text)
    assert "\n" not in str(refusal.value)


def test_azimuths_go_round_the_animal() -> None:
    level = {
        name: ChosenLight(azimuth=angle, elevation=0.0) for name, angle in (("face", 0.0), ("left", 90.0))
    }
    from_front = level["face"].seen_by(front_camera(0.0)).direction
    torch.testing.assert_close(from_front, torch.tensor([[0.0, 0.0, 1.0]]), atol=1e-6, rtol=0)
    # The animal looks into the camera: its left is at the right of the picture.
    at_left = level["left"].seen_by(front_camera(0.0)).direction
    torch.testing.assert_close(at_left, torch.tensor([[1.0, 0.0, 0.0]]), atol=1e-6, rtol=0)
    # Its head to the right shows its right side: a light at its right is where the camera is.
    right = ChosenLight(azimuth=-90.0, elevation=0.0).seen_by(front_camera(90.0)).direction
    torch.testing.assert_close(right, torch.tensor([[0.0, 0.0, 1.0]]), atol=1e-6, rtol=0)


def test_the_colour_of_a_light_is_srgb() -> None:
    seen = ChosenLight(colour=(0.5, 1.0, 0.0)).seen_by(front_camera(0.0))
    torch.testing.assert_close(seen.colour, srgb_to_linear(torch.tensor([[0.5, 1.0, 0.0]])))


def test_the_strip_shows_the_photograph_its_light_and_the_chosen_ones() -> None:
    animal = horse()
    red = ChosenLight(ambient=0.0, colour=(1.0, 0.0, 0.0))
    strip = relight_strip(animal.prediction, animal.texture, animal.source.pixels, lights=(red,))
    assert strip.shape == (SIZE, 3 * SIZE + 2 * GAP, 3)
    before, estimated, chosen = (strip[:, k * (SIZE + GAP) :][:, :SIZE].astype(float) for k in range(3))
    animal_there = (chosen != chosen[0, 0]).any(axis=-1)
    assert chosen[animal_there, 1].mean() < 0.2 * estimated[animal_there, 1].mean()
    assert abs(before[animal_there].mean() - estimated[animal_there].mean()) < 40.0


def test_vertices_have_the_colours_of_their_texels() -> None:
    animal = horse()
    texture = animal.texture
    colours = vertex_colours(texture, animal.prediction.rest_mesh.vertices.shape[1])
    rows, columns = ((1024 * texture.atlas.uvs[:, k]).long().clamp_max(1023) for k in (1, 0))
    texels = torch.from_numpy(texture.pixels)[rows, columns].float()
    seen = torch.from_numpy(colours)[texture.atlas.source_vertices].float()
    assert (texels - seen).abs().mean() < 6.0

"""Other lights than the photograph's: a light that someone chooses, and the strip before and after."""

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from farm3d.data.transforms import crop_image
from farm3d.errors import ConfigError
from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.inference.texture import BakedTexture
from farm3d.inference.videos import SIZE, lit_frames
from farm3d.ops.srgb import srgb_to_linear
from farm3d.types import AnimalPrediction, DirectionalLight

Pixels = UInt8[np.ndarray, "height width 3"]

GAP = 8
"""Pixels between two pictures of a strip."""

BRIGHTEST = 4.0
"""Greatest strength of a light."""


@dataclass(frozen=True)
class ChosenLight:
    """A distant light and a constant term, as people say it.

    Azimuth (degrees) is where the light stands about the animal, as for the viewer of report.html: 0 in
    front of the face, 90 at its left; elevation is how high (-90 to 90). `ambient` and `diffuse` are
    strengths, `colour` the sRGB colour of the distant light.
    """

    azimuth: float = 40.0
    elevation: float = 45.0
    ambient: float = 0.3
    diffuse: float = 0.8
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def seen_by(self, world_to_camera: Float[Tensor, "1 4 4"]) -> DirectionalLight:
        """The light in the frame of a camera, for one image."""
        azimuth, elevation = math.radians(self.azimuth), math.radians(self.elevation)
        level = math.cos(elevation)
        toward = torch.tensor([math.sin(azimuth) * level, math.sin(elevation), math.cos(azimuth) * level])
        return DirectionalLight(
            (world_to_camera[:, :3, :3] @ toward).detach(),
            torch.tensor([self.ambient]),
            torch.tensor([self.diffuse]),
            srgb_to_linear(torch.tensor([self.colour])),
        )


DAY = (
    ChosenLight(azimuth=65.0, elevation=14.0, ambient=0.22, diffuse=1.1, colour=(1.0, 0.83, 0.62)),
    ChosenLight(azimuth=10.0, elevation=75.0, ambient=0.35, diffuse=0.9),
    ChosenLight(azimuth=-70.0, elevation=8.0, ambient=0.18, diffuse=1.2, colour=(1.0, 0.64, 0.4)),
    ChosenLight(azimuth=-35.0, elevation=50.0, ambient=0.1, diffuse=0.35, colour=(0.62, 0.76, 1.0)),
)
"""Morning, noon, evening and moon: the lights of a strip where none were chosen, about the photographer."""


def parse_light(text: str) -> ChosenLight:
    """`azimuth=90,elevation=20,colour=#ffd0a0` as a light; what is not named is ChosenLight's own.

    Raises:
        ConfigError: a name that there is not, a value that is none, or one out of bounds.
    """
    light = ChosenLight()
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in (names := [field.name for field in fields(ChosenLight)]):
            raise ConfigError(f"light {text!r}: {name!r} is not one of {', '.join(names)}")
        said: dict[str, Any] = {name: (_colour if name == "colour" else _number)(value, text)}
        light = replace(light, **said)
    if not (abs(light.elevation) <= 90.0 and abs(light.azimuth) <= 360.0):
        raise ConfigError(f"light {text!r}: elevation goes from -90 to 90, azimuth from -360 to 360 degrees")
    if not (0.0 <= light.ambient <= BRIGHTEST and 0.0 <= light.diffuse <= BRIGHTEST):
        raise ConfigError(f"light {text!r}: ambient and diffuse go from 0 to {BRIGHTEST:g}")
    return light


def _number(value: str, text: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"light {text!r}: {value!r} is no number")
    return number


def _colour(value: str, text: str) -> tuple[float, float, float]:
    """`#rrggbb`, as painting programs write it."""
    digits = value.removeprefix("#")
    if len(digits) != 6 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
        raise ConfigError(f"light {text!r}: {value!r} is no colour; write it as #rrggbb")
    red, green, blue = (int(digits[k : k + 2], 16) / 255.0 for k in (0, 2, 4))
    return red, green, blue


def relight_strip(
    prediction: AnimalPrediction,
    texture: BakedTexture,
    photograph: Pixels,
    *,
    lights: tuple[ChosenLight, ...] = (),
) -> UInt8[np.ndarray, "side row 3"]:
    """Before and after in one row: the photograph, the model in its light, the model in each chosen light.

    All from the photograph's view, cut as the model's crop. Without chosen lights those of DAY.
    """
    box = prediction.camera.crop_box
    assert box is not None
    lights = lights or _about_the_photographer(prediction)
    crop = crop_image(photograph, np.ones(photograph.shape[:2], bool), box, size=SIZE)
    before = (255.0 * crop.image).round().clip(0.0, 255.0).astype(np.uint8)
    chosen = [light.seen_by(prediction.camera.world_to_camera) for light in lights]
    after = lit_frames(prediction, texture, _together([prediction.light, *chosen]))
    gap = np.full((SIZE, GAP, 3), 255, np.uint8)
    return np.concatenate([piece for picture in (before, *after) for piece in (picture, gap)][:-1], axis=1)


def _about_the_photographer(prediction: AnimalPrediction) -> tuple[ChosenLight, ...]:
    """The lights of DAY, azimuth 0 where the camera stands."""
    azimuth, _ = azimuth_elevation(prediction.camera.world_to_camera[0, :3, :3])
    stands = -math.degrees(float(azimuth))
    return tuple(replace(light, azimuth=light.azimuth + stands) for light in DAY)


def _together(lights: list[DirectionalLight]) -> DirectionalLight:
    """Lights of one image each as a batch; one without colour is white."""
    return DirectionalLight(
        torch.cat([light.direction for light in lights]),
        torch.cat([light.ambient for light in lights]),
        torch.cat([light.diffuse for light in lights]),
        torch.cat([torch.ones(1, 3) if light.colour is None else light.colour for light in lights]),
    )

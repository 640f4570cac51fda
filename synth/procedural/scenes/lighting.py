"""The light of a scene: a warm sun, a blue or grey sky, and what the ground throws back. Linear RGB."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .views import View

LOWEST_SUN = 0.17
"""Sine of the height under which no sun is taken to stand where shadows are thrown."""

Color = Float[np.ndarray, "3"]


@dataclass(frozen=True)
class SceneLight:
    """`toward` points to the sun (world), `facing` too (camera frame, as the truth has it); `sun` and `sky`
    are colours times strength; `cloudiness` is 0 under a clear sky and 1 under a closed one."""

    toward: Float[np.ndarray, "3"]
    facing: Float[np.ndarray, "3"]
    sun: Color
    sky: Color
    cloudiness: float

    @property
    def penumbra(self) -> float:
        """Width of a shadow's edge over the distance from what throws it."""
        return 0.015 + 0.5 * self.cloudiness**1.5

    @property
    def slant(self) -> float:
        """The share of the sun that rough ground takes up: its blades and stones face even a low one."""
        return 0.35 + 0.65 * float(self.toward[1])

    def on_ground(self) -> Color:
        """What falls on open ground."""
        return self.sky + self.sun * self.slant

    def upright(self) -> Color:
        """What falls on a wall or a tree that faces the camera."""
        return 0.7 * self.sky + self.sun * max(0.1, 0.25 + 0.75 * float(self.facing[2]))


def scene_light(
    view: View, direction: Sequence[float], *, ambient: float, diffuse: float, generator: np.random.Generator
) -> SceneLight:
    """The light of a shot whose strengths stand in the truth, with colours of the hour and the weather."""
    facing = np.asarray(direction, dtype=float)
    toward = facing @ view.rotation
    toward[1] = max(toward[1], LOWEST_SUN)
    toward /= np.linalg.norm(toward)
    cloudiness = float(np.clip(1.25 * ambient / (ambient + diffuse) - 0.2, 0.0, 1.0))
    low = float(np.clip(1.0 - toward[1] / 0.45, 0.0, 1.0)) * (1.0 - cloudiness)
    warmth = np.array([1.0, 0.93 - 0.13 * low, 0.82 - 0.32 * low])
    blueness = generator.uniform(0.3, 1.0) * (1.0 - cloudiness)
    sky = 1.0 + blueness * np.array([-0.22, -0.04, 0.28])
    warmth /= warmth @ [0.3, 0.6, 0.1]
    sky /= sky @ [0.3, 0.6, 0.1]
    light = SceneLight(toward, facing, diffuse * warmth, ambient * sky, cloudiness)
    whole = light.on_ground()
    balance = (whole / whole.mean()) ** -generator.uniform(0.4, 1.0)
    return SceneLight(toward, facing, light.sun * balance, light.sky * balance, cloudiness)


def lit_body(
    albedo: Float[np.ndarray, "points 3"],
    normals: Float[np.ndarray, "points 3"],
    light: SceneLight,
    *,
    up: Float[np.ndarray, " points"],
    sun_visible: Float[np.ndarray, " points"],
    sky_visible: Float[np.ndarray, " points"],
    ground: Color,
) -> Float[np.ndarray, "points 3"]:
    """Light that leaves a body's surface: sun where it reaches, sky, and the ground's light from below.

    `normals` are of the camera's frame, `up` is their share along the world's y, `sky_visible` is 1 for an
    open level surface, `ground` the ground's albedo. The mean over an open body is about that of the
    truth's even ambient light.
    """
    facing = np.maximum(normals @ light.facing, 0.0) * sun_visible
    below = 0.5 - 0.5 * up
    sky = 0.22 + 0.95 * sky_visible
    bounce = (0.75 * below * (0.35 + 0.65 * sky_visible))[:, None] * (ground * light.on_ground())
    diffuse = albedo * (light.sun * facing[:, None] + light.sky * sky[:, None] + bounce)
    return diffuse + _sheen(normals, light, sun_visible=sun_visible, sky_visible=sky_visible)


def _sheen(
    normals: Float[np.ndarray, "points 3"],
    light: SceneLight,
    *,
    sun_visible: Float[np.ndarray, " points"],
    sky_visible: Float[np.ndarray, " points"],
) -> Float[np.ndarray, "points 3"]:
    """A coat mirrors the sky at grazing angles (Schlick 1994) and the sun in broad highlights (Blinn 1977).

    It lets black coats show their form; the model's shading does not know it.
    """
    half = light.facing + np.array([0.0, 0.0, 1.0])
    half /= max(float(np.linalg.norm(half)), 1e-6)
    highlight = 0.05 * sun_visible * np.maximum(normals @ half, 0.0) ** 10
    grazing = 1.0 - np.clip(normals[:, 2], 0.0, 1.0)
    mirrored = sky_visible * (0.012 + 0.08 * grazing**4)
    return highlight[:, None] * light.sun + mirrored[:, None] * light.sky

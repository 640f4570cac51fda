"""Skies with clouds, and hills on the horizon. Linear light."""

import numpy as np
from jaxtyping import Float

from .colors import picked
from .lighting import SceneLight
from .textures import sample_tile
from .views import Plane, View

HILLS = ((0.30, 0.38, 0.18), (0.22, 0.30, 0.15), (0.42, 0.40, 0.28), (0.35, 0.36, 0.36), (0.50, 0.45, 0.35))
CLEAR_TOP, CLEAR_BOTTOM, GREY = (
    np.array([0.16, 0.33, 0.72]),
    np.array([0.62, 0.76, 0.90]),
    np.array([0.80, 0.82, 0.85]),
)


def random_sky(
    directions: Float[np.ndarray, "size size 3"], light: SceneLight, generator: np.random.Generator
) -> Float[np.ndarray, "size size 3"]:
    """Deep above and pale at the horizon, with clouds; brighter and greyer the more clouds there are."""
    unit = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    height = np.clip(unit[..., 1], 0.0, 1.0)
    strength = float(light.on_ground().mean())
    share = np.exp(-height * generator.uniform(3.0, 8.0))[..., None]
    clear = CLEAR_TOP + share * (CLEAR_BOTTOM - CLEAR_TOP)
    grey = GREY * generator.uniform(0.8, 1.1)
    cloudiness = np.clip(light.cloudiness + generator.normal() * 0.2, 0.0, 1.0)
    plane = unit[..., [0, 2]] / np.maximum(unit[..., 1:2], 0.02) * generator.uniform(0.08, 0.25)
    plane = plane + generator.uniform(0.0, 10.0, 2)
    footprint = np.minimum(0.004 / np.maximum(height, 0.02) ** 1.5, 0.5)
    noise = sample_tile("noise 1.3", plane, footprint)
    edge = 1.6 - 3.2 * cloudiness
    cover = np.clip((noise[..., 0] - edge) / generator.uniform(0.6, 1.5), 0.0, 1.0)[..., None]
    white = np.clip(0.95 + 0.10 * noise[..., 1:], 0.6, 1.2) * (1.0 - 0.25 * cloudiness * cover)
    sky = clear + cover * (grey * white * 1.15 - clear)
    glow = np.maximum(unit @ light.toward, 0.0) ** 12
    sky = sky * (1.0 + 0.6 * (1.0 - cloudiness) * glow[..., None])
    return sky * strength * generator.uniform(0.65, 1.0) * (1.0 + 0.4 * cloudiness)


def horizon_row(view: View) -> float:
    """The row (pixels) of the horizon; far outside the picture for a camera that looks steeply down."""
    sine, cosine = -view.rotation[2, 1], view.rotation[1, 1]
    return view.size / 2.0 * (1.0 + sine / max(cosine, 0.05) / view.reach)


def hills(
    view: View, light: SceneLight, generator: np.random.Generator
) -> tuple[Float[np.ndarray, "size size 3"], Plane]:
    """A ridge on the horizon: its light, hazy with distance, and its cover."""
    size, scale = view.size, view.size / (2.0 * view.reach)
    columns = (np.arange(size) + 0.5) / scale / 6.0 + generator.uniform(0.0, 50.0)
    line = np.zeros(size)
    for octave, waves in enumerate((1.0, 2.3, 5.1, 11.0, 23.0)):
        line += 0.5**octave * np.sin(2 * np.pi * (columns * waves + generator.random()))
    height = scale * generator.uniform(0.01, 0.09) * np.maximum(1.0 + 0.5 * line, 0.1)
    rows = np.arange(size)[:, None] + 0.5
    cover = np.clip(rows - (horizon_row(view) - height), 0.0, 1.0)
    green = picked(HILLS, generator) * light.upright()
    blue = CLEAR_BOTTOM * float(light.on_ground().mean()) * 0.7
    blank = np.full((size, size), 4.0 / size)
    across = np.broadcast_to(columns * 0.5, (size, size))
    texture = sample_tile(
        "noise 0.8", np.dstack([across, np.broadcast_to(rows / size * 0.7, blank.shape)]), blank
    )[..., 0]
    color = green * (1.0 + 0.18 * texture[..., None])
    return color + generator.uniform(0.1, 0.8) * (blue - color), cover

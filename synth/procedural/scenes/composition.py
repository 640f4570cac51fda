"""A scene about an animal: what is behind it, what it stands on, and what is in front of its feet."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from .colors import picked
from .grass import grown, random_blades
from .ground import Ground, ground_places, random_ground, tree_shade
from .lighting import SceneLight
from .scenery import Air, Guest, Stage, furnish, stand
from .shadows import Shade
from .sky import CLEAR_BOTTOM, hills, horizon_row, random_sky
from .uprights import boards, masonry
from .views import Plane, View, ground_depth, rays

Image = Float[np.ndarray, "size size 3"]

INDOORS, STUDIO = 0.08, 0.05
"""Shares of scenes before a wall, and before a studio's paper."""

PAPERS = ((0.92, 0.92, 0.92), (0.65, 0.65, 0.67), (0.22, 0.22, 0.24), (0.50, 0.58, 0.68), (0.70, 0.62, 0.52))


@dataclass(frozen=True)
class Setting:
    """Where an animal stands: the ground of each pixel (world), what grows there, light and air."""

    stage: Stage
    depth: Plane
    places: Image
    ground: Ground
    kind: str


def random_setting(view: View, light: SceneLight, generator: np.random.Generator) -> Setting:
    """A place for an animal at the world's origin: out of doors, before a wall, or in a studio."""
    directions = rays(view)
    depth = ground_depth(view, directions)
    places = ground_places(view, directions, depth)
    ground = random_ground(view, places, depth, generator=generator)
    chance = generator.random()
    kind = "studio" if chance < STUDIO else "indoors" if chance < STUDIO + INDOORS else "open"
    if kind == "studio":
        paper = picked(PAPERS, generator)
        ground = Ground(np.broadcast_to(paper, ground.albedo.shape), paper, 0.0)
    blur = 0.0
    if generator.random() < 0.6:
        blur = float(np.exp(generator.uniform(np.log(0.5), np.log(6.0)))) * view.size / 128
    focus = max(float((view.rotation @ view.centre)[2]), 1.0)
    density = float(np.exp(generator.uniform(np.log(1e-4), np.log(8e-3))))
    air = Air(density, CLEAR_BOTTOM * float(light.on_ground().mean()) * 0.8, blur, focus)
    scale = float(np.exp(generator.normal() * 0.25))
    return Setting(Stage(view, directions, light, air, scale), depth, places, ground, kind)


def backdrop(
    setting: Setting, *, shade: Shade, guests: Sequence[Guest], generator: np.random.Generator
) -> Image:
    """Everything behind the animal, on ground of which `shade` says how much light reaches it."""
    stage = setting.stage
    light, view = stage.light, stage.view
    sun = shade.sun
    if setting.kind == "open" and generator.random() < 0.25:
        sun = sun * tree_shade(setting.places, light.toward, generator)
    arriving = light.sky * shade.sky[..., None] + light.sun * (light.slant * sun[..., None])
    ground = stage.air.hazed(setting.ground.albedo * arriving, np.minimum(setting.depth, 1e3))
    ground = _focused(ground, setting)
    if setting.kind == "studio":
        return _paper(ground, setting)
    sky_light = random_sky(stage.directions, light, generator)
    if generator.random() < 0.5:
        ridge, cover = hills(view, light, generator)
        sky_light = sky_light + cover[..., None] * (ridge - sky_light)
    if stage.air.blur > 0.3:
        sky_light = cv2.GaussianBlur(sky_light, (0, 0), stage.air.blur)
    rows = np.arange(view.size)[:, None, None] + 0.5
    below = np.clip((rows - horizon_row(view)) / (1.0 + stage.air.blur) + 0.5, 0.0, 1.0)
    image = (sky_light + below * (ground - sky_light)).astype(np.float32)
    if setting.kind == "indoors":
        wall = boards if generator.random() < 0.5 else masonry
        image = stand(image, wall, stage, behind=generator.uniform(2.0, 7.0), generator=generator)
    image = furnish(image, stage, guests, generator=generator)
    return _growth(image, image, setting, behind=(0.1, 7.0), generator=generator)


def front(image: Image, behind: Image, setting: Setting, *, generator: np.random.Generator) -> Image:
    """Blades of grass before the animal's feet, lit as the backdrop is there."""
    return _growth(image, behind, setting, behind=(-2.2, -0.2), generator=generator)


def _growth(
    image: Image, lit: Image, setting: Setting, *, behind: tuple[float, float], generator: np.random.Generator
) -> Image:
    """Blades on the ground between two distances behind the animal."""
    height = float(np.exp(generator.uniform(np.log(0.05), np.log(0.45))))
    wanted = generator.random() < 0.7 * setting.ground.blades
    if not wanted or setting.kind != "open":
        return image
    count = int(generator.integers(60, 500))
    blades = random_blades(setting.stage.view, generator, count=count, behind=behind, height=height)
    color = cv2.GaussianBlur(lit, (0, 0), 2.0 * setting.stage.view.size / 128)
    return grown(image, blades, color, opacity=generator.uniform(0.5, 0.9))


def _focused(ground: Image, setting: Setting) -> Image:
    """The ground blurred by its distance from the plane in focus."""
    air = setting.stage.air
    if air.blur < 0.3:
        return ground
    share = np.clip(np.abs(1.0 - air.focus / np.minimum(setting.depth, 1e3)), 0.0, 1.0)[..., None]
    half, full = (cv2.GaussianBlur(ground, (0, 0), air.blur * part) for part in (0.4, 1.0))
    near = ground + np.clip(2.0 * share, 0.0, 1.0) * (half - ground)
    return near + np.clip(2.0 * share - 1.0, 0.0, 1.0) * (full - half)


def _paper(ground: Image, setting: Setting) -> Image:
    """A studio's paper that bends up from the floor behind the animal."""
    light = setting.stage.light
    wall = setting.ground.near * (0.8 * light.sky + 0.6 * light.sun * light.slant)
    away = (setting.places[..., [0, 2]] @ setting.stage.view.forward - 2.0) / 2.0
    share = np.where(np.isfinite(setting.depth), np.clip(away, 0.0, 1.0), 1.0)[..., None]
    return (ground + share * (wall - ground)).astype(np.float32)

"""What stands behind the animal: woods, buildings, fences, and single things, blurred and hazed by depth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float

from .colors import Rgb, picked
from .lighting import SceneLight
from .sprites import Sprite, bale, bare_tree, broadleaf, bush, conifer, person, sprites, vehicle
from .uprights import Painter, barn, boards, hedge, lit, masonry, rail_fence, upright_at, wire_fence
from .views import Plane, View, on_ground, project

Image = Float[np.ndarray, "size size 3"]

LEAVES = ((0.22, 0.32, 0.11), (0.30, 0.38, 0.15), (0.16, 0.24, 0.10), (0.36, 0.38, 0.16), (0.50, 0.38, 0.16))
BARK = ((0.30, 0.25, 0.20), (0.40, 0.36, 0.31), (0.22, 0.18, 0.15))
CLOTHES = (
    (0.75, 0.20, 0.18), (0.20, 0.30, 0.55), (0.90, 0.88, 0.85), (0.15, 0.15, 0.17), (0.30, 0.45, 0.30),
    (0.85, 0.70, 0.25), (0.45, 0.50, 0.58),
)  # fmt: skip
TROUSERS = ((0.20, 0.26, 0.42), (0.14, 0.14, 0.15), (0.45, 0.40, 0.32), (0.32, 0.34, 0.36))
SKIN = ((0.80, 0.62, 0.52), (0.58, 0.42, 0.33), (0.36, 0.25, 0.20))
HAIR = ((0.12, 0.09, 0.08), (0.35, 0.24, 0.15), (0.62, 0.50, 0.32), (0.55, 0.54, 0.53))
PAINTS = ((0.85, 0.85, 0.86), (0.12, 0.12, 0.14), (0.62, 0.14, 0.13), (0.16, 0.28, 0.50), (0.20, 0.42, 0.24))
DARK, GLASS = ((0.10, 0.10, 0.10),), ((0.35, 0.42, 0.48),)
HAY = ((0.74, 0.63, 0.40), (0.50, 0.48, 0.44), (0.80, 0.80, 0.78), (0.32, 0.34, 0.36))

Palette = tuple[tuple[Rgb, ...], ...]
Maker = Callable[[np.random.Generator], Sprite]


@dataclass(frozen=True)
class Air:
    """What distance does: haze a unit of depth and its light, and how blurred infinity is (pixels)."""

    density: float
    light: Float[np.ndarray, "3"]
    blur: float
    focus: float

    def blurred(self, depth: float) -> float:
        """Standard deviation (pixels) of the blur at a depth when the animal's is in focus."""
        return self.blur * abs(1.0 - self.focus / depth)

    def hazed(self, color: np.ndarray, depth: Plane | float) -> np.ndarray:
        """Light after this depth of air."""
        share = 1.0 - np.exp(-self.density * np.maximum(np.asarray(depth) - self.focus, 0.0))
        return color + np.asarray(share)[..., None] * (self.light - color)


@dataclass(frozen=True)
class Thing:
    """A kind of sprite: the colours of its parts, and the range of its height (object units)."""

    maker: Maker
    palette: Palette
    heights: tuple[float, float]


@dataclass(frozen=True)
class Guest:
    """Another animal: how far behind it stands, and its light times cover, and cover."""

    behind: float
    layer: Float[np.ndarray, "size size 4"]


TREES = (
    Thing(broadleaf, (LEAVES, BARK, BARK, BARK), (5.0, 14.0)),
    Thing(conifer, (LEAVES[:3], BARK, BARK, BARK), (5.0, 16.0)),
    Thing(bush, (LEAVES, BARK, BARK, BARK), (1.2, 4.0)),
    Thing(bare_tree, (LEAVES, BARK, BARK, BARK), (4.0, 10.0)),
)
CLUTTER = (
    Thing(person, (CLOTHES, TROUSERS, SKIN, HAIR), (2.1, 2.6)),
    Thing(vehicle, (PAINTS, DARK, GLASS, PAINTS), (4.5, 6.0)),
    Thing(bale, (HAY, HAY, HAY, HAY), (0.8, 2.4)),
    Thing(bush, (LEAVES, BARK, BARK, BARK), (0.5, 1.8)),
)


@dataclass(frozen=True)
class Stage:
    """What everything behind the animal is drawn with."""

    view: View
    directions: Float[np.ndarray, "size size 3"]
    light: SceneLight
    air: Air
    scale: float
    """How large (object units) things are that are one unit large beside a cow."""

    def depth(self, behind: float) -> float:
        """The depth of the ground that far behind the animal."""
        return float(project(self.view, on_ground(self.view, np.zeros(1), np.array([behind])))[1][0])


def stand(
    image: Image, painter: Painter, stage: Stage, *, behind: float, generator: np.random.Generator
) -> Image:
    """An upright plane set into the picture."""
    yaw = generator.normal() * (0.5 if generator.random() < 0.5 else 0.1)
    upright = upright_at(stage.view, stage.directions, behind=behind, yaw=float(np.clip(yaw, -0.9, 0.9)))
    scaled = type(upright)(
        upright.along / stage.scale, upright.height / stage.scale, upright.depth, upright.pixel / stage.scale
    )
    color, cover = painter(scaled, generator)
    color = stage.air.hazed(lit(color, stage.light), upright.depth)
    layer = np.dstack([color * cover[..., None], cover]).astype(np.float32)
    return over(image, layer, stage.air.blurred(stage.depth(behind)))


def over(image: Image, layer: Float[np.ndarray, "size size 4"], blur: float) -> Image:
    """A layer (light times cover, and cover) laid over a picture, blurred with its edge."""
    if blur > 0.25:
        layer = cv2.GaussianBlur(layer, (0, 0), blur)
    return image * (1.0 - layer[..., 3:]) + layer[..., :3]


def place(
    image: Image, thing: Thing, stage: Stage, *, across: float, behind: float, generator: np.random.Generator
) -> None:
    """A sprite set upright on the ground, in place."""
    height = stage.scale * generator.uniform(*thing.heights)
    foot = on_ground(stage.view, np.array([across]), np.array([behind]))
    pixels, depths = project(stage.view, np.stack([foot[0], foot[0] + [0.0, height, 0.0]]))
    tall = pixels[0, 1] - pixels[1, 1]
    size = stage.view.size
    kinds = sprites(thing.maker)
    sprite = kinds[int(generator.integers(len(kinds)))]
    colors = np.stack([picked(colors, generator) for colors in thing.palette])
    flipped = generator.random() < 0.5
    if not 2.0 < tall < 4.0 * size or depths[0] < 1.0:
        return
    wide = tall * generator.uniform(0.85, 1.2)
    layer = _lit_sprite(_shrunk(sprite, max(wide, tall)), colors, stage.light, flipped=flipped)
    depth, cover = float(depths[0]), layer[..., 3:]
    layer[..., :3] = stage.air.hazed(layer[..., :3] / np.maximum(cover, 1e-3), depth) * cover
    _paste(image, layer, (pixels[0, 0] - wide / 2, pixels[1, 1], wide, tall), blur=stage.air.blurred(depth))


def _shrunk(sprite: Sprite, pixels: float) -> Sprite:
    """A sprite of about so many pixels, so that warping skips none."""
    side = len(sprite.parts)
    shrink = int(side / pixels)
    if shrink <= 1:
        return sprite
    size = (side // shrink, side // shrink)
    return Sprite(
        *(cv2.resize(part, size, interpolation=cv2.INTER_AREA) for part in (sprite.parts, sprite.relief))
    )


def _lit_sprite(
    sprite: Sprite, colors: Float[np.ndarray, "4 3"], light: SceneLight, *, flipped: bool
) -> Float[np.ndarray, "height width 4"]:
    """Premultiplied light and cover."""
    facing = light.facing * [-1.0 if flipped else 1.0, 1.0, 1.0]
    cover = sprite.parts.sum(axis=-1, keepdims=True)
    lightness = sprite.relief[..., 3:] / np.maximum(cover, 1e-3)
    sun = np.maximum(0.15 * cover + 0.9 * (sprite.relief[..., :3] @ facing)[..., None], 0.12 * cover)
    sky = 0.6 * cover + 0.4 * sprite.relief[..., 1:2]
    irradiance = (sun * light.sun + sky * light.sky) / np.maximum(cover, 1e-3)
    layer = np.concatenate([(sprite.parts @ colors) * lightness * irradiance, cover], axis=-1)
    return np.ascontiguousarray(layer[:, ::-1] if flipped else layer).astype(np.float32)


def _paste(
    image: Image,
    layer: Float[np.ndarray, "height width 4"],
    box: tuple[float, float, float, float],
    *,
    blur: float,
) -> None:
    """A layer scaled into a box (x, y, width, height in pixels) of the picture, in place."""
    x, y, wide, tall = box
    size, reach = len(image), int(np.ceil(3 * blur)) + 1
    left, top = max(0, int(x) - reach), max(0, int(y) - reach)
    right, bottom = min(size, int(x + wide) + reach + 1), min(size, int(y + tall) + reach + 1)
    if right <= left or bottom <= top:
        return
    side = len(layer)
    matrix = np.array([[side / wide, 0.0, 0.0], [0.0, side / tall, 0.0]])
    matrix[:, 2] = matrix[:, :2] @ [left - x + 0.5, top - y + 0.5] - 0.5
    patch = cv2.warpAffine(
        layer,
        matrix,
        (right - left, bottom - top),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    if blur > 0.25:
        patch = cv2.GaussianBlur(patch, (0, 0), blur)
    part = image[top:bottom, left:right]
    part *= 1.0 - patch[..., 3:]
    part += patch[..., :3]


def furnish(image: Image, stage: Stage, guests: Sequence[Guest], *, generator: np.random.Generator) -> Image:
    """Woods far away, buildings, trees, fences, clutter and other animals, from far to near."""
    image = image.astype(np.float32)
    things: list[tuple[float, Painter | Thing | Guest]] = [(guest.behind, guest) for guest in guests]
    things += _planes(generator)
    if generator.random() < 0.6:
        count = int(generator.integers(1, 9))
        kinds = generator.choice(4, count, p=[0.45, 0.2, 0.25, 0.1])
        places = np.exp(generator.uniform(np.log(6.0), np.log(90.0), count))
        things += [(float(behind), TREES[kind]) for behind, kind in zip(places, kinds, strict=True)]
    if generator.random() < 0.35:
        count = int(generator.integers(1, 4))
        kinds = generator.choice(4, count, p=[0.3, 0.15, 0.25, 0.3])
        places = generator.uniform(3.0, 18.0, count)
        things += [(float(behind), CLUTTER[kind]) for behind, kind in zip(places, kinds, strict=True)]
    for behind, thing in sorted(things, key=lambda entry: -entry[0]):
        if isinstance(thing, Guest):
            image = over(image, thing.layer, stage.air.blurred(stage.depth(behind)))
        elif isinstance(thing, Thing):
            across = generator.normal() * (1.5 + behind * stage.view.reach)
            place(image, thing, stage, across=across, behind=behind, generator=generator)
        else:
            image = stand(image, thing, stage, behind=behind, generator=generator)
    return image


def _planes(generator: np.random.Generator) -> list[tuple[float, Painter]]:
    """Which upright planes there are, and how far behind the animal."""
    planes: list[tuple[float, Painter]] = []
    if generator.random() < 0.45:
        planes.append((generator.uniform(25.0, 120.0), hedge))
    if generator.random() < 0.35:
        planes.append((generator.uniform(10.0, 50.0), barn))
    if generator.random() < 0.28:
        wall = (hedge, boards, masonry)[int(generator.integers(3))]
        planes.append((float(np.exp(generator.uniform(1.0, 2.8))), wall))
    if generator.random() < 0.35:
        fence = rail_fence if generator.random() < 0.6 else wire_fence
        planes.append((float(np.exp(generator.uniform(0.9, 3.2))), fence))
    return planes

"""A picture of an animal from a prompt: Stable Diffusion's, or the farm's, which knows the mask too."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from farm3d.geometry.camera import FIELD_OF_VIEW
from farm3d.io.image import SourceImage
from farm3d.pretrained.stable_diffusion import DiffusionSettings, load_drawer
from farm3d.seeding import numpy_rng

from .procedural.cameras import Viewpoint
from .procedural.features import feature_mixture
from .procedural.images import draw, random_animal, random_shot
from .procedural.poses import pose_of
from .prompt_words import animal_named, order_of

FARM_SIZE = 512
"""Pixels a side of the farm's pictures."""

ROOM = 1.25
"""The picture's side over that of the crop about the animal."""

SUN = (0.72, 0.45)
"""Height and depth of the direction towards the sun (camera frame), which stands to one side."""


@dataclass(frozen=True)
class PromptPicture:
    """A drawn picture and who drew it; the farm's have the animal's mask as alpha.

    `category` is the farm's name of the animal (`None`: not one of its own), `notices` are to be said.
    """

    image: SourceImage
    drawn_by: str
    category: str | None
    notices: tuple[str, ...] = ()


def draw_prompt(
    prompt: str,
    *,
    name: str,
    seed: int = 0,
    diffusion: DiffusionSettings | None = None,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
) -> PromptPicture:
    """Draw `prompt`, called `name`: with Stable Diffusion where there are settings of it, else on the farm.

    Equal arguments give an equal picture on the CPU. Raises ConfigError for a prompt that names none of the
    farm's animals, and what loading a model raises.
    """
    if diffusion is not None:
        drawer = load_drawer(diffusion, device)
        pixels = drawer.draw([prompt], [int(numpy_rng(seed, "prompt").integers(2**63))])[0]
        image = SourceImage(pixels, None, name)
        return PromptPicture(image, f"Stable Diffusion ({diffusion.model})", animal_named(prompt))
    return _drawn_on_the_farm(prompt, name, seed)


def _drawn_on_the_farm(prompt: str, name: str, seed: int) -> PromptPicture:
    order = order_of(prompt)
    generator = numpy_rng(seed, "prompt", order.species.name)
    animal = random_animal(order.species, 0, seed=seed, mixture=feature_mixture(seed))
    shot = random_shot(animal, name, generator, seed=seed)
    chance = 1.0 if generator.random() < 0.5 else -1.0
    side = order.side or chance
    height, depth = SUN
    across = -side * math.sqrt(1.0 - height**2 - depth**2)
    shot = replace(
        shot,
        pose=pose_of(order.pose, animal.species, animal.shape, generator=generator),
        viewpoint=Viewpoint(side * math.radians(order.azimuth), math.radians(order.elevation), FIELD_OF_VIEW),
        scale=ROOM,
        shift=(0.0, 0.0),
        light_direction=(across, height, depth),
        ambient=0.4,
        diffuse=0.75,
    )
    drawn = draw(animal, [shot], FARM_SIZE)[0]
    unknown = ", ".join(dict.fromkeys(order.unknown))
    ignored = f"the farm does not draw: {unknown} (--model MODEL: Stable Diffusion does)"
    image = SourceImage(drawn.image, drawn.mask.astype(np.uint8), name)
    return PromptPicture(image, "the procedural farm", order.species.name, (ignored,) if unknown else ())

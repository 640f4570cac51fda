"""How near a texture is to the true coat, on the side that the picture shows and on the other one.

The albedo itself is drawn, without light, from the picture's own camera and from behind the animal, and
compared with the true coat's where both animals are: a silhouette's error is measured elsewhere.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from farm3d.inference.projection import Photograph
from farm3d.inference.texture import BakedTexture, bake
from farm3d.io.image import read_image, read_mask
from farm3d.io.inputs import mask_beside
from farm3d.io.texture_atlas import TextureAtlas
from farm3d.types import AnimalPrediction, DirectionalLight, RenderBuffers

from .novel_views import Image, Mask, masked_l1, psnr, ssim
from .procedural_truth import TrueAnimal
from .procedural_views import camera_turn, draw_prediction, draw_truth, turns
from .true_pictures import TruePicture

SIDES = {"seen": 0.0, "unseen": math.pi}
"""How far (radians) the camera circles from the picture's own place to see each side."""

TEXTURE_SIZE = 256
"""Texels a side: as many as a picture of 128 pixels can fill."""


@dataclass(frozen=True)
class SideScore:
    """The albedo (sRGB) of one side where both animals are drawn: mean absolute difference, SSIM."""

    l1: float
    ssim: float


@dataclass(frozen=True)
class TextureScore:
    """Both sides of one texture, and the mean PSNR (dB) of the lit animal in the novel views."""

    seen: SideScore
    unseen: SideScore
    psnr: float


def textures_of(
    prediction: AnimalPrediction, photograph: Photograph, atlas: TextureAtlas
) -> dict[str, BakedTexture]:
    """The textures that are compared: the albedo field's, the photograph over it, and that mirrored, too."""

    def baked(shown: Photograph | None, *, symmetric: bool) -> BakedTexture:
        return bake(prediction, shown, atlas=atlas, resolution=TEXTURE_SIZE, symmetric=symmetric)

    return {
        "albedo field": baked(None, symmetric=False),
        "projected": baked(photograph, symmetric=False),
        "projected, mirrored": baked(photograph, symmetric=True),
    }


def score_textures(
    prediction: AnimalPrediction, picture: TruePicture, atlas: TextureAtlas
) -> dict[str, TextureScore]:
    """The scores of each of `textures_of` one picture's prediction; none where the unseen is not known."""
    if picture.unseen is None:
        return {}
    true, coat = picture.animal, picture.unseen.coat
    prediction = replace(prediction, camera=replace(prediction.camera, crop_box=true.camera.crop_box))
    plain = replace(true, light=_all_around())
    expected = {
        side: draw_truth(plain, coat, camera_turn(true.camera, angle)) for side, angle in SIDES.items()
    }
    return {
        name: _score(prediction, texture, true=true, expected=expected, novel=picture.unseen.views)
        for name, texture in textures_of(prediction, _photograph(picture), atlas).items()
    }


def _photograph(picture: TruePicture) -> Photograph:
    mask = mask_beside(picture.image)
    assert mask is not None, f"{picture.image}: no mask beside it"
    return Photograph(read_image(picture.image).pixels, read_mask(mask))


def _score(
    prediction: AnimalPrediction,
    texture: BakedTexture,
    *,
    true: TrueAnimal,
    expected: Mapping[str, RenderBuffers],
    novel: tuple[RenderBuffers, ...],
) -> TextureScore:
    unlit = replace(prediction, light=_all_around())
    sides = {
        side: _score_side(
            draw_prediction(unlit, camera_turn(true.camera, angle), texture=texture), expected[side]
        )
        for side, angle in SIDES.items()
    }
    lit = [
        psnr(_pixels(draw_prediction(prediction, turn, texture=texture)), _pixels(view))
        for turn, view in zip(turns(true), novel, strict=True)
    ]
    return TextureScore(sides["seen"], sides["unseen"], float(np.mean(lit)))


def _score_side(found: RenderBuffers, expected: RenderBuffers) -> SideScore:
    both = _mask(found) & _mask(expected)
    images = [np.where(both[..., None], _pixels(view), 0.0) for view in (found, expected)]
    return SideScore(masked_l1(images[0], images[1], both), ssim(images[0], images[1]))


def _all_around() -> DirectionalLight:
    """Light that shows the albedo itself."""
    return DirectionalLight(torch.tensor([0.0, 0.0, 1.0]), torch.ones(()), torch.zeros(()))


def _mask(view: RenderBuffers) -> Mask:
    return np.asarray((view.mask[0, ..., 0] > 0.5).numpy())


def _pixels(view: RenderBuffers) -> Image:
    assert view.rgb is not None
    return view.rgb[0].clamp(0.0, 1.0).numpy()

"""How near a texture is to the true coat, on the side that the picture shows and on the other one.

The albedo itself is drawn, without light, from the picture's own camera and from behind the animal, and
compared with the true coat's where both animals are: a silhouette's error is measured elsewhere.
`picture_on_truth` says how near any projection could come.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from farm3d.data.transforms import crop_image
from farm3d.geometry.mesh import Mesh
from farm3d.inference.projection import DARKEST, Photograph
from farm3d.inference.texture import BakedTexture, bake
from farm3d.io.image import read_image, read_mask
from farm3d.io.inputs import mask_beside
from farm3d.io.texture_atlas import TextureAtlas
from farm3d.ops.srgb import linear_to_srgb, srgb_to_linear
from farm3d.render.mesh_renderer import render_geometry
from farm3d.types import AnimalPrediction, DirectionalLight, RenderBuffers

from .novel_views import Image, Mask, masked_l1, psnr, ssim
from .procedural_truth import TrueAnimal
from .procedural_views import VIEW_SIZE, camera_turn, draw_prediction, draw_truth, turns
from .true_pictures import TruePicture

SIDES = {"seen": 0.0, "unseen": math.pi}
"""How far (radians) the camera circles from the picture's own place to see each side."""

TEXTURE_SIZE = 256
"""Texels a side: as many as a picture of 128 pixels can fill."""


@dataclass(frozen=True)
class SideScore:
    """The albedo (sRGB) of one side where both animals are drawn: mean absolute difference, SSIM.

    `balanced_l1` is the difference after each channel was multiplied (linear) so that the medians agree: no
    picture tells a pale coat in weak light from a dark one in strong light.
    """

    l1: float
    ssim: float
    balanced_l1: float


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


def picture_on_truth(picture: TruePicture) -> SideScore | None:
    """What any projection could come to: the picture on the true surface, divided by the true light.

    What is left is what the farm's pictures have and shading has not: soft shadows, the ground's light,
    sheen, a colour cast, exposure, blur and noise. `None` where the unseen is not known.
    """
    if picture.unseen is None:
        return None
    true, photograph = picture.animal, _photograph(picture)
    assert true.camera.crop_box is not None
    crop = crop_image(photograph.pixels, photograph.mask, true.camera.crop_box, size=VIEW_SIZE)
    expected = draw_truth(replace(true, light=_all_around()), picture.unseen.coat, torch.eye(3))
    camera = replace(true.camera, world_to_camera=true.camera.world_to_camera[None])
    surface = Mesh(true.mesh.vertices[None], true.mesh.faces)
    normals = render_geometry(surface, camera, VIEW_SIZE, rest_positions=true.mesh.vertices).normals
    assert normals is not None
    facing = (normals[0] * true.light.direction).sum(-1).clamp_min(0.0)
    shading = (true.light.ambient + true.light.diffuse * facing).clamp_min(DARKEST)
    albedo = srgb_to_linear(torch.from_numpy(crop.image)) / shading[..., None]
    both = _mask(expected) & (crop.mask > 0.5)
    return _compare(linear_to_srgb(albedo.clamp(0.0, 1.0)).numpy(), _pixels(expected), both)


def light_error_degrees(prediction: AnimalPrediction, true: TrueAnimal) -> float:
    """The angle between the directions of the light on one image's animal, in its camera's frame."""
    cosine = (prediction.light.direction.reshape(3) * true.light.direction).sum().clamp(-1.0, 1.0)
    return math.degrees(float(cosine.detach().acos()))


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
    return _compare(_pixels(found), _pixels(expected), _mask(found) & _mask(expected))


def _compare(found: Image, expected: Image, both: Mask) -> SideScore:
    """The scores of unlit pictures (sRGB) where the mask is."""
    images = [np.where(both[..., None], pixels, 0.0) for pixels in (found, expected)]
    balanced = _balanced(found, expected, both)
    return SideScore(
        masked_l1(images[0], images[1], both),
        ssim(images[0], images[1]),
        masked_l1(balanced, images[1], both),
    )


def _balanced(found: Image, expected: Image, both: Mask) -> Image:
    """The picture with each channel times what brings its median in the mask to that of the expected one."""
    if not both.any():
        return found
    linear, target = (srgb_to_linear(torch.from_numpy(pixels)) for pixels in (found, expected))
    inside = torch.from_numpy(both)
    gain = target[inside].median(dim=0).values / linear[inside].median(dim=0).values.clamp_min(1e-3)
    return linear_to_srgb((gain * linear).clamp(0.0, 1.0)).numpy()


def _all_around() -> DirectionalLight:
    """Light that shows the albedo itself."""
    return DirectionalLight(torch.tensor([0.0, 0.0, 1.0]), torch.ones(()), torch.zeros(()))


def _mask(view: RenderBuffers) -> Mask:
    return np.asarray((view.mask[0, ..., 0] > 0.5).numpy())


def _pixels(view: RenderBuffers) -> Image:
    assert view.rgb is not None
    return view.rgb[0].clamp(0.0, 1.0).numpy()

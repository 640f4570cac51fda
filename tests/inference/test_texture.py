"""The photograph goes into the texture where the animal shows it, mirrored where its other side does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from farm3d.geometry.camera import Camera
from farm3d.inference.projection import Photograph, carried_on, photograph_view, seen_colours
from farm3d.inference.texture import BakedTexture, bake, category_atlas
from farm3d.io.image import read_image, read_mask
from farm3d.io.texture_atlas import TextureAtlas
from farm3d.models.build import load_trained, shipped_checkpoint
from farm3d.ops.mesh_topology import vertex_normals
from farm3d.render.mesh_renderer import render_surface
from farm3d.types import AnimalPrediction, DirectionalLight

PICTURES = Path(__file__).parents[2] / "docs/images"
SIZE = 192
MIRROR = torch.tensor([-1.0, 1.0, 1.0])
BACKGROUND = (255, 0, 255)


def coat(points: torch.Tensor, image_index: torch.Tensor) -> torch.Tensor:
    """A linear albedo of soft stripes, the same on both sides, without magenta."""
    stripes = 0.4 + 0.3 * torch.sin(5.0 * points[:, 2]) * torch.cos(3.0 * points[:, 1])
    return torch.stack([0.5 * stripes, stripes, 0.1 + 0.3 * stripes], dim=1)


def grey(points: torch.Tensor, image_index: torch.Tensor) -> torch.Tensor:
    """What a network says that saw nothing."""
    return torch.full_like(points, 0.3)


@pytest.fixture(scope="module")
def prediction() -> AnimalPrediction:
    """The documentation's horse, predicted, grey, under a light from the upper left."""
    trained = load_trained(shipped_checkpoint("horse"))
    side = trained.model.config.image_size
    pixels = read_image(PICTURES / "horse.jpg").pixels
    mask = read_mask(PICTURES / "horse_mask.png").astype(np.float32)
    small, shape = (
        torch.nn.functional.interpolate(torch.from_numpy(array).float()[None], (side, side), mode="area")
        for array in (np.moveaxis(pixels, -1, 0) / 255.0, mask[None])
    )
    with torch.no_grad():
        prior = trained.model.prior()
        found = trained.model.predict(small.permute(0, 2, 3, 1), shape.permute(0, 2, 3, 1), prior)
    direction = torch.nn.functional.normalize(torch.tensor([[-0.5, 0.8, 0.6]]), dim=-1)
    light = DirectionalLight(direction, torch.tensor([0.5]), torch.tensor([0.6]))
    camera = replace(found.camera, crop_box=(0.0, 0.0, float(SIZE), float(SIZE)))
    return replace(found, albedo_fn=grey, light=light, camera=camera)


@pytest.fixture(scope="module")
def photograph(prediction: AnimalPrediction) -> Photograph:
    """A picture of the same animal with its true coat before a background of one colour."""
    drawn = draw(prediction, None)
    covered = drawn[..., 3:] > 0.999
    pixels = np.where(covered, np.clip(255.0 * drawn[..., :3], 0, 255), BACKGROUND).round().astype(np.uint8)
    return Photograph(pixels, covered[..., 0])


@pytest.fixture(scope="module")
def atlas(prediction: AnimalPrediction) -> TextureAtlas:
    return category_atlas(prediction)


@pytest.fixture(scope="module")
def texture(prediction: AnimalPrediction, photograph: Photograph, atlas: TextureAtlas) -> BakedTexture:
    return bake(prediction, photograph, atlas=atlas, resolution=512)


def draw(prediction: AnimalPrediction, texture: BakedTexture | None) -> np.ndarray:
    """Colour and mask from the photograph's camera."""
    with torch.no_grad():
        view = render_surface(
            prediction.posed_mesh,
            Camera(prediction.camera.world_to_camera),
            SIZE,
            rest_positions=prediction.rest_positions if texture is None else texture.uv_positions(),
            rest_faces=None if texture is None else texture.atlas.faces,
            albedo_fn=coat if texture is None else texture.albedo_fn(),
            light=prediction.light,
        )
    assert view.rgb is not None
    return torch.cat([view.rgb, view.mask], dim=-1)[0].numpy()


def at_vertices(texture: BakedTexture, vertices: torch.Tensor) -> torch.Tensor:
    """The texture's linear colour at vertices of the mesh."""
    chosen = torch.stack([torch.nonzero(texture.atlas.source_vertices == v)[0, 0] for v in vertices])
    return texture.albedo_fn()(texture.uv_positions()[chosen], torch.zeros_like(chosen))


def test_from_the_photographs_place_the_model_looks_like_it(
    prediction: AnimalPrediction, photograph: Photograph, texture: BakedTexture
) -> None:
    shown = draw(prediction, texture)[..., :3]
    error = np.abs(shown - photograph.pixels / 255.0)[photograph.mask]
    assert error.mean() < 0.03
    without = np.abs(
        draw(prediction, bake_plain(prediction, texture.atlas))[..., :3] - photograph.pixels / 255.0
    )
    assert error.mean() < 0.3 * without[photograph.mask].mean()


def bake_plain(prediction: AnimalPrediction, atlas: TextureAtlas) -> BakedTexture:
    return bake(prediction, atlas=atlas, resolution=128)


def test_without_a_photograph_the_albedo_field_is_baked(
    prediction: AnimalPrediction, atlas: TextureAtlas
) -> None:
    plain = bake_plain(prediction, atlas)
    assert plain.pixels.shape == (128, 128, 3)
    assert len(np.unique(plain.pixels.reshape(-1, 3), axis=0)) == 1


def test_the_side_that_is_not_seen_takes_the_mirrored_colours(
    prediction: AnimalPrediction, photograph: Photograph, atlas: TextureAtlas, texture: BakedTexture
) -> None:
    rest, posed = prediction.rest_positions, prediction.posed_mesh.vertices[0]
    view = photograph_view(prediction, photograph)
    seen = seen_colours(view, posed, vertex_normals(posed, prediction.posed_mesh.faces)).sureness
    partner = torch.cdist(rest * MIRROR, rest).argmin(dim=1)
    hidden = torch.nonzero((seen == 0.0) & (seen[partner] > 0.95))[::20, 0]
    assert len(hidden) > 20
    true = coat(rest[hidden], hidden)
    assert (at_vertices(texture, hidden) - true).abs().mean() < 0.03
    alone = bake(prediction, photograph, atlas=atlas, resolution=512, symmetric=False)
    assert (at_vertices(alone, hidden) - true).abs().mean() > (
        2.0 * (at_vertices(texture, hidden) - true).abs().mean()
    )


def test_no_background_gets_into_the_texture(texture: BakedTexture) -> None:
    """Neither from beside the animal nor from between its legs: magenta has no green."""
    red, green, blue = texture.pixels.reshape(-1, 3).astype(int).T
    assert (np.minimum(red, blue) - green).max() < 30


def test_what_lies_behind_something_is_not_seen(prediction: AnimalPrediction, photograph: Photograph) -> None:
    """A copy of the animal's visible vertices one unit farther from the camera is hidden by the animal."""
    posed = prediction.posed_mesh.vertices[0]
    normals = vertex_normals(posed, prediction.posed_mesh.faces)
    view = photograph_view(prediction, photograph)
    seen = seen_colours(view, posed, normals).sureness > 0.9
    rotation, place = (
        prediction.camera.world_to_camera[0, :3, :3],
        prediction.camera.world_to_camera[0, :3, 3],
    )
    away = torch.nn.functional.normalize(posed @ rotation.T + place, dim=-1) @ rotation
    assert seen.sum() > 100
    assert seen_colours(view, (posed + away)[seen], normals[seen]).sureness.max() == 0.0


def test_colours_are_carried_on_from_what_is_known() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((37, 50, 3)).astype(np.float32)
    weights = np.zeros((37, 50), np.float32)
    weights[5:20, 8:30] = 1.0
    known = weights > 0
    result = carried_on(values, weights)
    np.testing.assert_array_equal(result[known], values[known])
    assert result.min() >= values[known].min() - 1e-5 and result.max() <= values[known].max() + 1e-5
    constant = carried_on(np.full_like(values, 0.25), weights)
    np.testing.assert_allclose(constant, 0.25, atol=1e-5)
    np.testing.assert_array_equal(carried_on(values, np.zeros_like(weights)), np.zeros_like(values))

"""Scenes: perspective, shadows and light follow geometry, and nothing that can be drawn is not a number."""

import numpy as np
import pytest
import torch
from farm3d.synth.procedural.anatomy import GROUND
from farm3d.synth.procedural.scenes.composition import backdrop, front, random_setting
from farm3d.synth.procedural.scenes.grass import SHADES, blade_cover, random_blades
from farm3d.synth.procedural.scenes.ground import ground_places
from farm3d.synth.procedural.scenes.lighting import SceneLight, lit_body, scene_light
from farm3d.synth.procedural.scenes.shadows import (
    BELOW_MARGIN,
    Shade,
    depth_map,
    sky_on_ground,
    sky_on_surface,
    sun_on_ground,
    sun_on_surface,
)
from farm3d.synth.procedural.scenes.sky import horizon_row
from farm3d.synth.procedural.scenes.sprites import MAKERS, sprites
from farm3d.synth.procedural.scenes.textures import sample_tile
from farm3d.synth.procedural.scenes.uprights import (
    barn,
    boards,
    hedge,
    masonry,
    rail_fence,
    upright_at,
    wire_fence,
)
from farm3d.synth.procedural.scenes.views import (
    View,
    ground_depth,
    on_ground,
    project,
    rays,
    view_of,
)

from farm3d.geometry.camera import camera_from_rotation
from farm3d.geometry.viewpoint import viewpoint_rotation

SIZE = 64
Corner = tuple[float, float, float]
SUN_FROM_THE_LEFT = np.array([1.0, 1.0, 0.0]) / np.sqrt(2.0)


def view_at(elevation_degrees: float, azimuth: float = 0.7) -> View:
    rotation = viewpoint_rotation(
        torch.tensor([azimuth]), torch.tensor([np.radians(elevation_degrees)], dtype=torch.float32)
    )
    return view_of(camera_from_rotation(rotation, torch.zeros(1, 3)), SIZE)


def box(
    low: tuple[float, float, float], high: tuple[float, float, float]
) -> tuple[torch.Tensor, torch.Tensor]:
    """A finely divided box: the vertices lie closer than the depth maps' texels."""
    steps = torch.linspace(0.0, 1.0, 33)
    u, v = (part.reshape(-1) for part in torch.meshgrid(steps, steps, indexing="ij"))
    corner = torch.arange(32)[:, None] * 33 + torch.arange(32)
    square = torch.stack([corner, corner + 1, corner + 33, corner + 1, corner + 34, corner + 33], dim=-1)
    vertices, faces = [], []
    for axis in range(3):
        for end in (0.0, 1.0):
            faces.append(square.reshape(-1, 3) + len(vertices) * len(u))
            side = torch.stack([u, v, torch.full_like(u, end)], dim=1)
            vertices.append(torch.roll(side, axis, dims=1))
    low_corner, high_corner = torch.tensor(low), torch.tensor(high)
    return low_corner + torch.cat(vertices) * (high_corner - low_corner), torch.cat(faces)


@pytest.fixture(scope="module")
def crate() -> tuple[torch.Tensor, torch.Tensor]:
    return box((-0.5, GROUND, -0.5), (0.5, GROUND + 1.0, 0.5))


@pytest.mark.parametrize("elevation", [0.0, 5.0, 20.0])
def test_the_ground_ends_at_the_horizon(elevation):
    view = view_at(elevation)
    depth = ground_depth(view, rays(view))
    rows = np.arange(SIZE) + 0.5
    assert np.isfinite(depth[rows > horizon_row(view) + 0.5]).all()
    assert np.isinf(depth[rows < horizon_row(view) - 0.5]).all()


def test_a_bird_sees_ground_only():
    view = view_at(60.0)
    assert np.isfinite(ground_depth(view, rays(view))).all()


def test_each_pixel_shows_the_ground_that_projects_to_it():
    view = view_at(25.0)
    directions = rays(view)
    depth = ground_depth(view, directions)
    places = ground_places(view, directions, depth)[40]
    pixels, depths = project(view, places)
    assert places[:, 1] == pytest.approx(GROUND, abs=1e-9)
    assert pixels[:, 0] == pytest.approx(np.arange(SIZE) + 0.5, abs=1e-5)
    assert pixels[:, 1] == pytest.approx(40.5, abs=1e-5)
    assert depths == pytest.approx(depth[40])


def test_what_is_behind_is_farther_and_what_is_across_is_to_the_right():
    view = view_at(15.0, azimuth=-2.0)
    pixels, depths = project(view, on_ground(view, np.array([0.0, 0.0, 1.0]), np.array([0.0, 3.0, 0.0])))
    assert depths[1] > depths[0] + 2.0
    assert pixels[2, 0] > pixels[0, 0] + 1.0


def test_the_shadow_falls_away_from_the_sun(crate):
    seen = depth_map(*crate, SUN_FROM_THE_LEFT, resolution=128)
    places = np.array([[[-1.0, GROUND, 0.0], [-1.3, GROUND, 0.3], [-1.7, GROUND, 0.0], [0.8, GROUND, 0.0]]])
    assert sun_on_ground(seen, places, 0.02)[0] == pytest.approx([0.0, 0.0, 1.0, 1.0], abs=0.05)


def test_a_wider_light_throws_softer_shadows(crate):
    seen = depth_map(*crate, SUN_FROM_THE_LEFT, resolution=128)
    across = np.stack([np.linspace(-2.5, -0.6, 80), np.full(80, GROUND), np.zeros(80)], axis=1)[None]
    steepest = [np.abs(np.diff(sun_on_ground(seen, across, spread)[0])).max() for spread in (0.02, 0.5)]
    assert steepest[0] > 2.0 * steepest[1]


def test_the_ground_is_dark_under_a_body_and_open_far_away(crate):
    beneath = depth_map(*crate, np.array([0.0, -1.0, 0.0]), resolution=96, margin=BELOW_MARGIN)
    places = np.array([[[0.0, GROUND, 0.0], [0.7, GROUND, 0.0], [5.0, GROUND, 0.0]]])
    under, beside, away = sky_on_ground(beneath, places)[0]
    assert under < 0.1
    assert under < beside < 0.97
    assert away == 1.0


def test_a_roof_keeps_the_sun_from_what_is_under_it():
    roof, floor = box((-1.0, 1.0, -1.0), (1.0, 1.1, 1.0)), box((-1.0, -1.0, -1.0), (1.0, -0.9, 1.0))
    vertices = torch.cat([roof[0], floor[0]])
    faces = torch.cat([roof[1], floor[1] + len(roof[0])])
    seen = depth_map(vertices, faces, np.array([0.0, 1.0, 0.0]), resolution=64)
    points = np.array([[0.0, 1.1, 0.0], [0.3, -0.9, 0.2]], dtype=np.float32)
    assert sun_on_surface(seen, points, facing=np.ones(2), spread=0.05) == pytest.approx([1.0, 0.0])


def test_an_open_surface_sees_the_whole_sky_and_a_covered_one_little():
    roof, floor = box((-1.0, 1.0, -1.0), (1.0, 1.1, 1.0)), box((-1.0, -0.1, -1.0), (1.0, 0.0, 1.0))
    vertices = torch.cat([roof[0], floor[0]]).float()
    normals = torch.tensor([0.0, 1.0, 0.0]).expand(len(vertices), 3).contiguous()
    light = sky_on_surface(vertices, normals)
    top = (vertices[:, 1] > 1.05).numpy()
    under = ((vertices[:, 1].abs() < 0.01) & (vertices[:, [0, 2]].abs().amax(1) < 0.3)).numpy()
    assert light[top].mean() == pytest.approx(1.0, abs=0.08)
    assert light[under].max() < 0.6


def test_a_body_in_the_open_takes_up_the_sun_by_the_cosine():
    light = SceneLight(
        np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0]), np.full(3, 0.6), np.full(3, 0.3), 0.0
    )
    normals = np.array([[0.0, 0.0, 1.0], [np.sqrt(0.75), 0.0, 0.5], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    radiance = lit_body(
        np.full((4, 3), 0.5),
        normals,
        light,
        up=np.zeros(4),
        sun_visible=np.ones(4),
        sky_visible=np.full(4, 0.5),
        ground=np.zeros(3),
    )
    sheen = 0.05 * 0.6
    assert radiance[0] - radiance[2] == pytest.approx(0.5 * 0.6, abs=1.5 * sheen)
    assert radiance[1] - radiance[2] == pytest.approx(0.5 * 0.3, abs=1.5 * sheen)
    assert radiance[3] == pytest.approx(radiance[2], abs=1.5 * sheen)


def test_a_tile_repeats_and_tends_to_its_mean():
    places = np.random.default_rng(0).uniform(0.0, 1.0, (1, 50, 2))
    sharp = np.full((1, 50), 1e-3)
    here = sample_tile("gravel", places, sharp)
    assert here == pytest.approx(sample_tile("gravel", places + np.array([3.0, -2.0]), sharp), abs=1e-4)
    assert sample_tile("gravel", places, 1e4 * sharp)[..., 0].std() < 0.2 * here[..., 0].std()


@pytest.mark.parametrize("painter", [rail_fence, wire_fence, boards, masonry, barn, hedge])
def test_upright_things_stand_on_the_ground(painter):
    view = view_at(8.0)
    upright = upright_at(view, rays(view), behind=6.0, yaw=0.4)
    color, cover = painter(upright, np.random.default_rng(2))
    assert np.isfinite(color * np.ones((SIZE, SIZE, 3))).all()
    assert cover.min() >= 0.0
    assert cover.max() <= 1.0 + 1e-6
    assert not cover[upright.height < -0.5].any()
    assert cover.any()


@pytest.mark.parametrize("maker", list(MAKERS))
def test_sprites_stand_on_their_lower_edge(maker):
    for sprite in sprites(maker):
        cover = sprite.parts.sum(axis=-1)
        assert cover.max() <= 1.0 + 1e-5
        assert cover[-12:].any()


def test_blades_cover_no_more_than_all():
    view = view_at(10.0)
    blades = random_blades(view, np.random.default_rng(1), count=200, behind=(-1.0, 1.0), height=0.3)
    cover = sum(blade_cover(blades, SIZE, shade) for shade in range(len(SHADES)))
    assert 0.0 < blade_cover(blades, SIZE, 0).max() <= 1.0
    assert cover[horizon_row(view) < np.arange(SIZE)].any()


@pytest.mark.parametrize("elevation", [-5.0, 3.0, 25.0, 75.0])
def test_every_backdrop_is_light_and_the_same_for_the_same_seed(elevation):
    view = view_at(elevation)
    open_ground = Shade(np.ones((SIZE, SIZE)), np.ones((SIZE, SIZE)))

    def drawn(seed: int) -> np.ndarray:
        generator = np.random.default_rng(seed)
        light = scene_light(view, (0.2, 0.7, 0.6), ambient=0.4, diffuse=0.7, generator=generator)
        setting = random_setting(view, light, generator)
        image = backdrop(setting, shade=open_ground, guests=[], generator=generator)
        return front(image, image, setting, generator=generator)

    with np.errstate(invalid="raise", divide="raise"):
        for seed in range(10):
            image = drawn(seed)
            assert np.isfinite(image).all()
            assert image.min() >= 0.0
            assert image.max() < 10.0
    assert (drawn(3) == drawn(3)).all()

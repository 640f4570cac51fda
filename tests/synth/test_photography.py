"""The camera's effects do what their names say and nothing else."""

import cv2
import numpy as np
import pytest
from farm3d.synth.procedural.scenes.photography import (
    compressed,
    contrasted,
    defocused,
    fringed,
    metered_gain,
    motion_blurred,
    noisy,
    photographed,
    random_gain,
    resampled,
    sharpened,
    shouldered,
    vignetted,
)

SIZE = 48


@pytest.fixture
def scene() -> np.ndarray:
    noise = np.random.default_rng(5).uniform(0.05, 0.6, (SIZE, SIZE, 3)).astype(np.float32)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


def test_a_trusted_meter_brings_every_scene_to_its_target():
    for level in (0.01, 0.3, 4.0):
        grey = np.full((SIZE, SIZE, 3), level, np.float32)
        assert level * metered_gain(grey, 0.2, 1.0) == pytest.approx(0.2, rel=1e-4)
        assert metered_gain(grey, 0.2, 0.0) == 1.0


def test_a_vignette_darkens_corners_and_not_the_middle(scene):
    image = vignetted(scene, 0.3)
    assert image[0, 0] == pytest.approx(0.7 * scene[0, 0], rel=1e-3)
    assert image[SIZE // 2, SIZE // 2] == pytest.approx(scene[SIZE // 2, SIZE // 2], rel=1e-3)


@pytest.mark.parametrize(
    "blur", [lambda image: defocused(image, 2.0), lambda image: motion_blurred(image, 5.0, 0.6)]
)
def test_blurs_spread_light_and_lose_none(blur):
    point = np.zeros((SIZE, SIZE, 3), np.float32)
    point[SIZE // 2, SIZE // 2] = 1.0
    image = blur(point)
    assert image.sum() == pytest.approx(3.0, rel=1e-4)
    assert image.max() < 0.5
    rows, columns = np.nonzero(image[..., 0] > 0)
    assert rows.mean() == pytest.approx(SIZE // 2, abs=0.3)
    assert columns.mean() == pytest.approx(SIZE // 2, abs=0.3)


def test_motion_smears_along_its_angle():
    point = np.zeros((SIZE, SIZE, 3), np.float32)
    point[SIZE // 2, SIZE // 2] = 1.0
    rows, columns = np.nonzero(motion_blurred(point, 9.0, 0.0)[..., 0] > 1e-6)
    assert np.ptp(rows) <= 1
    assert np.ptp(columns) >= 8


def test_fringes_move_red_and_blue_and_leave_green(scene):
    image = fringed(scene, 0.02)
    assert (image[..., 1] == scene[..., 1]).all()
    assert np.abs(image[..., [0, 2]] - scene[..., [0, 2]]).max() > 0.01


def test_noise_has_no_mean_and_grows_with_light():
    generator = np.random.default_rng(2)
    spreads = []
    for level in (0.1, 0.4):
        grey = np.full((256, 256, 3), level, np.float32)
        noise = noisy(grey, generator, shot=0.05, read=0.0) - grey
        assert abs(noise.mean()) < 1e-3
        spreads.append(noise.std())
    assert spreads[1] / spreads[0] == pytest.approx(2.0, rel=0.05)


def test_highlights_bend_and_never_clip():
    light = np.linspace(0.0, 3.0, 300, dtype=np.float32).reshape(1, 100, 3)
    bent = shouldered(light, 0.7)
    assert (np.diff(bent.ravel()) > 0).all()
    assert bent.max() < 1.0
    assert bent[light < 0.7] == pytest.approx(light[light < 0.7])


def test_neutral_settings_change_nothing(scene):
    assert contrasted(scene, 1.0, 1.0) == pytest.approx(scene, abs=1e-6)
    assert sharpened(scene, 0.0, 1.0) == pytest.approx(scene)
    assert defocused(scene, 0.0) is scene
    assert motion_blurred(scene, 0.0, 1.0) is scene


def test_sharpening_makes_halos():
    step = np.zeros((SIZE, SIZE, 3), np.float32)
    step[:, SIZE // 2 :] = 0.5
    image = sharpened(step, 1.0, 1.0)
    assert image.max() > 0.55
    assert image.min() < -0.05


@pytest.mark.parametrize("factor", [0.5, 1.6])
def test_resampling_keeps_size_and_place(scene, factor):
    image = resampled(scene, factor, enlarge=cv2.INTER_LINEAR, shrink=cv2.INTER_AREA)
    assert image.shape == scene.shape
    assert np.corrcoef(image.ravel(), scene.ravel())[0, 1] > 0.75
    assert image.mean() == pytest.approx(scene.mean(), rel=0.02)


def test_lower_quality_loses_more(scene):
    picture = (scene * 255).astype(np.uint8)
    errors = [
        np.abs(compressed(picture, quality, subsampled=halved).astype(float) - picture).mean()
        for quality, halved in ((95, False), (95, True), (40, True))
    ]
    assert errors[0] < errors[1] < errors[2]


def test_photographs_are_pictures_whatever_the_light(scene):
    for seed in range(40):
        generator = np.random.default_rng(seed)
        picture = photographed(scene * np.float32(random_gain(scene, generator)), generator)
        assert picture.dtype == np.uint8
        assert picture.shape == scene.shape
        assert picture.std() > 2.0

"""A picture and its truth agree: what the truth projects to is what the picture shows."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from farm3d.synth.procedural.features import CHANNELS, GRID, feature_mixture
from farm3d.synth.procedural.images import Animal, Sample, Shot, draw, random_animal, random_shot

from farm3d.geometry.camera import (
    CAMERA_DISTANCE,
    Camera,
    project_to_clip,
    project_to_ndc,
    with_field_of_view,
)
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skinning import skin
from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.ops.rasterize import rasterize

SIZE, SHOTS = 96, 12


@pytest.fixture(scope="module")
def animal(species) -> Animal:
    return random_animal(species, 0, seed=4, mixture=feature_mixture(4))


@pytest.fixture(scope="module")
def samples(animal) -> list[Sample]:
    shots = [
        random_shot(animal, f"test_{k:06d}", np.random.default_rng([9, k]), seed=9) for k in range(SHOTS)
    ]
    return draw(animal, shots, SIZE)


def camera_of(sample: Sample) -> Camera:
    camera = sample.truth["camera"]
    field_of_view = torch.tensor([np.radians(camera["field_of_view_degrees"])], dtype=torch.float32)
    return Camera(torch.tensor(camera["world_to_camera"])[None], field_of_view)


def posed_from_truth(animal: Animal, sample: Sample) -> torch.Tensor:
    """The reader's formula: rest vertices skinned with the pose's bone transforms, plus the root offset."""
    pose = sample.truth["pose"]
    transforms = bone_transforms(animal.shape.skeleton, torch.tensor(pose["joint_angles"]))
    return skin(animal.shape.vertices, transforms, animal.shape.skinning) + torch.tensor(pose["root_offset"])


def intersection_over_union(first: np.ndarray, second: np.ndarray) -> float:
    return (first & second).sum() / (first | second).sum()


def test_the_posed_mesh_covers_the_mask(animal, samples):
    for sample in samples:
        clip = project_to_clip(camera_of(sample), posed_from_truth(animal, sample)[None])
        fine = rasterize(clip, animal.shape.faces, (4 * SIZE, 4 * SIZE))[..., 3] > 0
        drawn = torch.nn.functional.avg_pool2d(fine.float(), 4)[0].numpy() >= 0.5
        assert intersection_over_union(drawn, sample.mask > 127) > 0.95


def test_the_image_is_the_training_crop_to_a_few_percent(animal, samples):
    for sample in samples:
        rows, columns = np.nonzero(sample.mask)
        centroid = np.array([columns.mean(), rows.mean()]) + 0.5
        places = project_to_ndc(camera_of(sample), posed_from_truth(animal, sample)[None])[0].numpy()
        half = np.abs((places + 1) * SIZE / 2 - centroid).max()
        side = max(2 * np.sqrt(len(rows)), 1.1 * 2 * half)
        assert side == pytest.approx(SIZE, rel=0.12)
        assert np.abs(centroid - SIZE / 2).max() < 0.06 * SIZE


def test_no_animal_is_cut_off(samples):
    for sample in samples:
        assert not sample.mask[[0, -1]].any()
        assert not sample.mask[:, [0, -1]].any()


def test_the_camera_stands_within_reach_and_agrees_with_its_angles(samples):
    for sample in samples:
        matrix = camera_of(sample).world_to_camera[0]
        azimuth, elevation = azimuth_elevation(matrix[:3, :3])
        assert float(azimuth) == pytest.approx(sample.truth["camera"]["azimuth"], abs=1e-4)
        assert float(elevation) == pytest.approx(sample.truth["camera"]["elevation"], abs=1e-4)
        assert np.radians(-5.01) <= float(elevation) <= np.radians(75.01)
        equivalent = with_field_of_view(camera_of(sample)).world_to_camera[0]
        assert abs(float(equivalent[2, 3]) + CAMERA_DISTANCE) < 5.0


def test_visible_keypoints_lie_in_the_mask(samples):
    near = np.ones((3, 3), np.uint8)
    seen = 0
    for sample in samples:
        grown = cv2.dilate(sample.mask, near)
        for x, y, visible in sample.truth["keypoints"].values():
            if visible:
                seen += 1
                assert grown[int(y), int(x)]
    assert seen > 6 * SHOTS


def test_the_near_side_is_seen_and_the_far_side_is_not(samples):
    """In a side view the eye that is turned to the camera is visible, the other one hidden."""
    for sample in samples:
        azimuth = sample.truth["camera"]["azimuth"]
        if abs(abs(azimuth) - np.pi / 2) > 0.3 or sample.truth["pose"]["gait"] == "graze":
            continue
        near, far = ("right", "left") if azimuth > 0 else ("left", "right")
        assert not sample.truth["keypoints"][f"{far}_eye"][2]
        assert sample.truth["keypoints"][f"{near}_elbow"][2] or sample.truth["keypoints"][f"{near}_stifle"][2]


def test_features_are_there_where_the_mask_is(samples):
    for sample in samples:
        assert sample.features.shape == (CHANNELS, GRID, GRID)
        covered = cv2.resize(sample.mask / 255.0, (GRID, GRID), interpolation=cv2.INTER_AREA)
        filled = np.linalg.norm(sample.features.astype(float), axis=0) > 0.5
        assert filled[covered > 0.9].all()
        assert not filled[covered == 0].any()


def test_pictures_are_never_flat(samples):
    for sample in samples:
        outside = sample.image[sample.mask == 0].astype(float)
        assert outside.std(axis=0).mean() > 4.0


def test_the_exposure_stands_in_the_truth(animal):
    """Twice the light, half the exposure: the strengths in the truth are those that the picture shows."""
    shot = random_shot(animal, "one", np.random.default_rng(3), seed=9)
    lights = []
    for factor in (1.0, 4.0):
        lit = replace(
            shot,
            ambient=factor * shot.ambient,
            diffuse=factor * shot.diffuse,
            generator=np.random.default_rng(5),
        )
        lights.append(draw(animal, [lit], SIZE)[0].truth["light"])
    assert lights[1]["ambient"] / lights[1]["diffuse"] == pytest.approx(shot.ambient / shot.diffuse, rel=1e-3)
    assert lights[0]["ambient"] < lights[1]["ambient"] < 4.0 * lights[0]["ambient"]


def test_a_picture_depends_on_its_own_generator_alone(animal):
    """The same bytes alone and in a batch after another."""

    def shots() -> list[Shot]:
        return [random_shot(animal, f"n{k}", np.random.default_rng([31, k]), seed=9) for k in range(3)]

    together = draw(animal, shots(), SIZE)
    for k in (1, 2):
        (alone,) = draw(animal, [shots()[k]], SIZE)
        assert (alone.image == together[k].image).all()
        assert (alone.mask == together[k].mask).all()
        assert alone.truth == together[k].truth

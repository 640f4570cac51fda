"""Batches hold what the farm knows: points project into masks, and mirrored pictures into mirrored ones."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from farm3d.data.augmentation import augmented_inputs
from farm3d.data.image_folder import (
    ImageDataSet,
    canonical_mesh,
    load_batch,
    load_individual,
    open_data_set,
)
from farm3d.errors import InputError
from farm3d.geometry.camera import Camera, project_to_ndc
from farm3d.types import Batch

SIZE, POINTS = 64, 300


@pytest.fixture(scope="module")
def data(farm_folder: Path) -> ImageDataSet:
    return open_data_set(farm_folder)


def batch(data: ImageDataSet, *, mirrored: bool, size: int = SIZE) -> Batch:
    chosen = [0, 5, 11, 20]
    return load_batch(
        data,
        chosen,
        image_size=size,
        truth_points=POINTS,
        mirrored=[mirrored] * len(chosen),
        rngs=generators(len(chosen)),
    )


def generators(count: int) -> list[np.random.Generator]:
    return [np.random.default_rng(k) for k in range(count)]


def projected(batch: Batch) -> torch.Tensor:
    assert batch.truth is not None
    return project_to_ndc(Camera(batch.truth.world_to_camera), batch.truth.posed_points)


def test_the_data_set_is_read_in_the_order_of_its_ids(data: ImageDataSet) -> None:
    assert len(data) == 24
    assert data.category == "horse"
    assert [path.stem for path in data.samples] == [f"horse_{k:06d}" for k in range(24)]
    assert len({path.parent for path in data.samples}) == 2


@pytest.mark.parametrize("mirrored", [False, True])
def test_posed_points_project_into_the_mask_and_fill_it(data: ImageDataSet, mirrored: bool) -> None:
    loaded = batch(data, mirrored=mirrored)
    places = projected(loaded)
    near = torch.nn.functional.max_pool2d(loaded.masks.permute(0, 3, 1, 2), 3, stride=1, padding=1)
    seen = torch.nn.functional.grid_sample(near, places[:, None], mode="nearest", align_corners=False)
    assert (seen > 0.5).float().mean() > 0.99
    for points, mask in zip(places, loaded.masks[..., 0], strict=True):
        rows, columns = torch.nonzero(mask > 0.5, as_tuple=True)
        box = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / SIZE * 2.0 - 1.0
        extent = torch.cat([points.amin(dim=0), points.amax(dim=0)])
        torch.testing.assert_close(extent, box, rtol=0.0, atol=0.15)


def test_mirrored_truth_is_the_truth_of_the_mirrored_world(data: ImageDataSet) -> None:
    plain, turned = batch(data, mirrored=False), batch(data, mirrored=True)
    assert torch.equal(turned.images, plain.images.flip(2))
    assert torch.equal(turned.masks, plain.masks.flip(2))
    torch.testing.assert_close(projected(turned), projected(plain) * torch.tensor([-1.0, 1.0]))
    assert plain.truth is not None and turned.truth is not None
    rotation = turned.truth.world_to_camera[:, :3, :3]
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(4))
    mirror = torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(turned.truth.light.direction, plain.truth.light.direction * mirror)
    torch.testing.assert_close(turned.truth.rest_points, plain.truth.rest_points * mirror)
    torch.testing.assert_close(turned.truth.canonical_points, plain.truth.canonical_points * mirror)
    other_side = load_individual(data.folder, 0).mirrored_joints
    assert torch.equal(other_side[other_side], torch.arange(len(other_side)))
    assert (other_side != torch.arange(len(other_side))).sum() == 20
    torch.testing.assert_close(turned.truth.joints, plain.truth.joints[:, other_side] * mirror)


def test_the_joints_of_the_feet_are_where_the_hooves_are_seen(data: ImageDataSet) -> None:
    loaded = batch(data, mirrored=False)
    assert loaded.truth is not None
    with np.load(data.folder / "individuals" / "0.npz") as arrays:
        names = [str(name) for name in arrays["names"]]
    for k, number in enumerate((0, 5, 11, 20)):
        sample = json.loads(data.samples[number].read_text())
        true = Camera(
            torch.tensor(sample["camera"]["world_to_camera"]),
            math.radians(sample["camera"]["field_of_view_degrees"]),
        )
        pixels = (project_to_ndc(true, loaded.truth.joints[k]) + 1.0) * (sample["crop_box"][2] / 2.0)
        for hoof in ("left_fore_hoof", "right_hind_hoof"):
            annotated = torch.tensor(sample["keypoints"][hoof][:2])
            nearest = (pixels - annotated).norm(dim=-1).argmin()
            assert names[int(nearest)].split("_")[0] == hoof.split("_")[0], (names[int(nearest)], hoof)


def test_distances_are_zero_on_the_other_side(data: ImageDataSet) -> None:
    loaded = batch(data, mirrored=False)
    animal = loaded.masks > 0.5
    assert (loaded.inside_distance[~animal] == 0.0).all() and (loaded.inside_distance[animal] > 0.0).all()
    assert (loaded.outside_distance[animal] == 0.0).all() and (loaded.outside_distance[~animal] > 0.0).all()
    assert loaded.inside_distance.max() < 0.5


def test_pictures_are_resampled_to_the_size_asked_for(data: ImageDataSet) -> None:
    small, full = batch(data, mirrored=False, size=32), batch(data, mirrored=False)
    assert small.images.shape == (4, 32, 32, 3)
    pooled = torch.nn.functional.avg_pool2d(full.masks.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    torch.testing.assert_close(small.masks, pooled, rtol=0.0, atol=1.0 / 255.0)


def test_one_seed_draws_one_batch(data: ImageDataSet) -> None:
    first, second = batch(data, mirrored=False), batch(data, mirrored=False)
    assert torch.equal(first.images, second.images)
    assert first.truth is not None and second.truth is not None
    assert torch.equal(first.truth.posed_points, second.truth.posed_points)


def test_without_points_there_is_no_truth(data: ImageDataSet) -> None:
    assert load_batch(data, [0, 1], image_size=SIZE).truth is None


def test_the_mean_animal_is_closed_and_stands_with_its_head_towards_z(data: ImageDataSet) -> None:
    vertices = canonical_mesh(data).vertices
    highest = vertices[vertices[:, 1].argmax()]
    assert highest[2] > 0.5
    assert abs(float(vertices[:, 0].max() + vertices[:, 0].min())) < 1e-3


def test_the_encoder_sees_distorted_copies_and_the_batch_stays(data: ImageDataSet) -> None:
    loaded = batch(data, mirrored=False)
    before = loaded.images.clone(), loaded.masks.clone()
    images, masks = augmented_inputs(loaded, generators(4))
    again = augmented_inputs(loaded, generators(4))
    assert torch.equal(loaded.images, before[0]) and torch.equal(loaded.masks, before[1])
    assert torch.equal(images, again[0]) and torch.equal(masks, again[1])
    assert images.shape == loaded.images.shape and masks.shape == loaded.masks.shape
    assert images.min() >= 0.0 and images.max() <= 1.0 and masks.min() >= 0.0 and masks.max() <= 1.0
    assert not torch.equal(images, loaded.images)
    overlap = ((masks > 0.5) & (loaded.masks > 0.5)).sum() / ((masks > 0.5) | (loaded.masks > 0.5)).sum()
    assert overlap > 0.6


def test_folders_that_are_no_data_set_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data set here"):
        open_data_set(tmp_path)
    (tmp_path / "dataset.yaml").write_text("category: [")
    with pytest.raises(InputError, match=r"dataset\.yaml: not valid YAML"):
        open_data_set(tmp_path)
    (tmp_path / "dataset.yaml").write_text("seed: 1\n")
    with pytest.raises(InputError, match="names no category"):
        open_data_set(tmp_path)
    (tmp_path / "dataset.yaml").write_text("category: horse\n")
    with pytest.raises(InputError, match="not finished"):
        open_data_set(tmp_path)


def test_a_damaged_picture_is_named(farm_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(farm_folder, tmp_path / "copy")
    broken = open_data_set(copy)
    broken.samples[0].with_suffix(".jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"horse_000000\.jpg: the image or its mask cannot be read"):
        load_batch(broken, [0], image_size=SIZE)
    (copy / "canonical.npz").unlink()
    with pytest.raises(InputError, match=r"no truth \(canonical\.npz\)"):
        canonical_mesh(broken)


def test_features_lie_on_the_animal_and_turn_with_the_picture(data: ImageDataSet) -> None:
    plain, turned = (
        load_batch(data, [0, 5], image_size=SIZE, features=True, mirrored=[flip] * 2).features
        for flip in (False, True)
    )
    assert plain is not None and turned is not None
    assert plain.shape == (2, 32, 32, 16)
    assert torch.equal(turned, plain.flip(2))
    seen = plain.norm(dim=-1) > 0.0
    masks = load_batch(data, [0, 5], image_size=32).masks[..., 0]
    assert ((masks > 0.5) & seen).sum() > 0.9 * (masks > 0.5).sum()
    assert not seen[masks == 0.0].any()
    assert load_batch(data, [0], image_size=SIZE).features is None


def test_a_sample_without_features_is_named(data: ImageDataSet, tmp_path: Path) -> None:
    shutil.copytree(data.folder, tmp_path / "set")
    copied = open_data_set(tmp_path / "set")
    copied.samples[0].with_name(f"{copied.samples[0].stem}_features.npz").unlink()
    with pytest.raises(InputError, match=r"horse_000000_features\.npz: no features can be read"):
        load_batch(copied, [0], image_size=SIZE, features=True)


def test_pixels_outside_the_source_picture_are_not_valid(data: ImageDataSet, tmp_path: Path) -> None:
    shutil.copytree(data.folder, tmp_path / "set")
    copied = open_data_set(tmp_path / "set")
    record = json.loads(copied.samples[0].read_text())
    # A crop of 40 pixels of which the left 10 and the lowest 20 lie outside a picture of 100 x 60.
    record |= {"source_size": [100, 60], "crop_box": [-10, 40, 40, 40]}
    copied.samples[0].write_text(json.dumps(record))
    plain, turned = (
        load_batch(copied, [0], image_size=8, mirrored=[flip]).valid[0, ..., 0] for flip in (False, True)
    )
    expected = torch.zeros(8, 8)
    expected[:4, 2:] = 1.0
    assert torch.equal(plain, expected)
    assert torch.equal(turned, expected.flip(1))


def test_training_gets_the_models_camera_under_which_the_animal_keeps_its_place_and_size(
    data: ImageDataSet,
) -> None:
    loaded = batch(data, mirrored=False)
    assert loaded.truth is not None
    fields = []
    for k, number in enumerate((0, 5, 11, 20)):
        true = json.loads(data.samples[number].read_text())["camera"]
        fields.append(true["field_of_view_degrees"])
        camera = Camera(torch.tensor(true["world_to_camera"]), math.radians(fields[-1]))
        seen = project_to_ndc(camera, loaded.truth.posed_points[k])
        given = project_to_ndc(Camera(loaded.truth.world_to_camera[k]), loaded.truth.posed_points[k])
        torch.testing.assert_close(given.mean(dim=0), seen.mean(dim=0), rtol=0.0, atol=0.06)
        assert float(given.std(dim=0).norm() / seen.std(dim=0).norm()) == pytest.approx(1.0, abs=0.12)
        turned = torch.tensor(true["world_to_camera"])[:3, :3]
        torch.testing.assert_close(loaded.truth.world_to_camera[k, :3, :3], turned)
    assert len(set(fields)) == len(fields)

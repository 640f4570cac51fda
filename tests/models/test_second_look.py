"""Second looks: symmetric, within the limits of joints, learned alone, and good for the silhouette."""

from dataclasses import replace

import pytest
import torch

from farm3d.geometry.camera import Camera
from farm3d.models.animal_model import AnimalModel, ImageReading, InstancePose
from farm3d.models.read_pose import poses_under, read_pose
from farm3d.models.second_look import look_again
from farm3d.render.mesh_renderer import render_mask
from farm3d.types import ShapePrior
from tests.models.small_models import QuadrupedField, random_crops, tiny_config

Scene = tuple[AnimalModel, ShapePrior, ImageReading, InstancePose]


@pytest.fixture
def scene() -> Scene:
    """An untrained model that looks twice, its quadruped, and what it reads of two pictures."""
    torch.manual_seed(0)
    model = AnimalModel(tiny_config().model_copy(update={"second_looks": 2})).eval()
    model.sdf = QuadrupedField()
    model.requires_grad_(False)
    assert model.second_look is not None
    model.second_look.requires_grad_(True)
    prior = model.prior(resolution=48)
    reading = model.read(*random_crops(2))
    return model, prior, reading, model.pose(reading, prior)


def talkative(model: AnimalModel) -> AnimalModel:
    """The model with heads that say a lot, all of it nonsense."""
    looks = model.second_look
    assert looks is not None
    with torch.no_grad():
        for last in (looks.camera_head, looks.bone_head[-1], looks.surface_head[-1]):
            torch.nn.init.normal_(last.weight, std=2.0, generator=torch.Generator().manual_seed(1))
    return model


def look(model: AnimalModel, prior: ShapePrior, reading: ImageReading, pose: InstancePose) -> InstancePose:
    """The pose after one more look."""
    assert model.second_look is not None
    rest = model.rest_shape(reading, replace(pose, rest_offsets=None), prior)
    return look_again(model.second_look, prior, reading.masks, rest=rest, pose=pose)


def mask_of(model: AnimalModel, prior: ShapePrior, reading: ImageReading, pose: InstancePose) -> torch.Tensor:
    mesh = model.assemble(reading, pose, prior).posed_mesh
    return render_mask(mesh, pose.camera, reading.masks.shape[1])


def test_a_new_network_changes_next_to_nothing(scene: Scene) -> None:
    model, prior, reading, pose = scene
    looked = look(model, prior, reading, pose)
    assert looked.rest_offsets is not None
    assert looked.rest_offsets.abs().max() < 1e-2
    assert (looked.joint_angles - pose.joint_angles).abs().max() < 5e-2
    torch.testing.assert_close(
        looked.camera.world_to_camera, pose.camera.world_to_camera, atol=5e-2, rtol=0.0
    )
    assert torch.equal(looked.hypothesis, pose.hypothesis)


def test_what_is_added_to_the_rest_shape_is_mirror_symmetric(scene: Scene) -> None:
    model, prior, reading, pose = scene
    offsets = look(talkative(model), prior, reading, pose).rest_offsets
    assert offsets is not None and offsets.abs().max() > 0.05
    mirror, rest = torch.tensor([-1.0, 1.0, 1.0]), prior.mesh.vertices
    twin = torch.cdist(rest * mirror, rest).argmin(dim=1)
    torch.testing.assert_close(rest[twin], rest * mirror)
    torch.testing.assert_close(offsets[:, twin], offsets * mirror)


def test_angles_stay_within_their_limits_and_rotations_are_rotations(scene: Scene) -> None:
    model, prior, reading, pose = scene
    talkative(model)
    for _ in range(3):
        pose = look(model, prior, reading, pose)
    assert (pose.joint_angles.abs() <= pose.skeleton.angle_limits).all()
    rotation = pose.camera.world_to_camera[:, :3, :3]
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3).expand(2, 3, 3), atol=1e-5, rtol=0.0)


def test_images_do_not_know_of_each_other(scene: Scene) -> None:
    model, prior, reading, pose = scene
    talkative(model)
    both = look(model, prior, reading, pose)
    second = replace(
        reading,
        masks=reading.masks[1:],
        encoded=replace(
            reading.encoded, features=reading.encoded.features[1:], patches=reading.encoded.patches[1:]
        ),
    )
    alone = look(model, prior, second, pose.each(lambda tensor: tensor[1:]))
    assert alone.rest_offsets is not None and both.rest_offsets is not None
    torch.testing.assert_close(alone.rest_offsets, both.rest_offsets[1:], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(alone.joint_angles, both.joint_angles[1:], atol=1e-4, rtol=1e-3)


def test_gradients_reach_the_network_that_looks_and_not_the_look_before(scene: Scene) -> None:
    model, prior, reading, pose = scene
    first = look(model, prior, reading, pose)
    second = look(model, prior, reading, first)
    assert second.rest_offsets is not None
    kept = [first.joint_angles, first.camera.world_to_camera]
    loss = second.rest_offsets.square().sum() + second.joint_angles.sum()
    loss = loss + second.camera.world_to_camera.square().sum()
    backwards = torch.autograd.grad(loss, kept, retain_graph=True, allow_unused=True)
    assert backwards == (None, None)
    loss.backward()
    assert model.second_look is not None
    missing = [n for n, p in model.second_look.named_parameters() if p.grad is None or not p.grad.any()]
    assert not missing
    assert all(p.grad is None for n, p in model.named_parameters() if not n.startswith("second_look."))


def test_looks_learn_to_follow_a_mask(scene: Scene) -> None:
    """Two masks of the animal elsewhere and larger: the network finds them, each from its own mask."""
    model, prior, reading, pose = scene
    shift = torch.zeros(2, 4, 4)
    shift[0, :3, 3], shift[1, :3, 3] = torch.tensor([0.4, 0.2, 0.5]), torch.tensor([-0.3, -0.2, -1.0])
    with torch.no_grad():
        elsewhere = replace(pose, camera=Camera(pose.camera.world_to_camera + shift))
        reading = replace(reading, masks=mask_of(model, prior, reading, elsewhere))
    assert model.second_look is not None
    optimizer = torch.optim.Adam(model.second_look.parameters(), lr=3e-3)

    def misfit(seen: InstancePose) -> torch.Tensor:
        return (mask_of(model, prior, reading, seen) - reading.masks).square().mean(dim=(1, 2, 3))

    before = misfit(pose)
    for _ in range(60):
        loss = misfit(look(model, prior, reading, pose)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = misfit(look(model, prior, reading, pose))
    assert (after < 0.35 * before).all()


def test_reading_a_pose_takes_as_many_looks_as_the_model_says(scene: Scene) -> None:
    model, prior, reading, pose = scene
    talkative(model)
    with torch.no_grad():
        twice = look(model, prior, reading, look(model, prior, reading, pose))
    read = read_pose(model, prior, reading)
    assert read.rest_offsets is not None and not read.rest_offsets.requires_grad
    torch.testing.assert_close(read.rest_offsets, twice.rest_offsets)
    torch.testing.assert_close(read.joint_angles, twice.joint_angles)
    assert poses_under(model, prior, reading, hypothesis=pose.hypothesis)[0].rest_offsets is None
    assembled = model.assemble(reading, read, prior)
    plain = model.assemble(reading, replace(read, rest_offsets=None), prior)
    added = assembled.rest_mesh.vertices - plain.rest_mesh.vertices
    torch.testing.assert_close(added, read.rest_offsets, atol=1e-6, rtol=1e-4)

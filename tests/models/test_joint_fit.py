"""Bones go to where joints are seen; models that see none are read as they are."""

from dataclasses import replace

import pytest
import torch

from farm3d.geometry.camera import project_to_ndc
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skinning import skin
from farm3d.models.animal_model import AnimalModel, ImageReading, InstancePose
from farm3d.models.joint_fit import rest_joints, seen_joints
from farm3d.models.read_pose import looks, poses_under, read_pose
from farm3d.predictors.joint_maps import JOINTS
from farm3d.types import ShapePrior
from tests.models.small_models import QuadrupedField, tiny_config, tiny_model

SIDE = 32


def peaks(places: torch.Tensor) -> torch.Tensor:
    """Maps with one sharp peak at each place (normalised device coordinates)."""
    centres = (torch.arange(SIDE) + 0.5) * (2.0 / SIDE) - 1.0
    away = (centres - places[..., None]) * (SIDE / 2.0)
    return -0.5 * (away[..., 0, None, :].square() + away[..., 1, :, None].square())


@pytest.fixture(scope="module")
def scene() -> tuple[AnimalModel, ShapePrior, ImageReading]:
    """An untrained model that looks for joints all over its quadruped, and what it reads of two images."""
    torch.manual_seed(0)
    model = AnimalModel(tiny_config().model_copy(update={"joint_maps": True})).eval()
    model.sdf = QuadrupedField()
    with torch.no_grad():
        prior = model.prior(resolution=64)
        ends = prior.skeleton.rest_joints[:, 1]
        model.joint_places.copy_(ends[torch.arange(JOINTS) % len(ends)])
        size = model.config.image_size
        reading = model.read(torch.rand(2, size, size, 3), torch.ones(2, size, size, 1))
    return model, prior, reading


def bent(
    model: AnimalModel, prior: ShapePrior, reading: ImageReading, hypothesis: torch.Tensor
) -> tuple[ImageReading, torch.Tensor, torch.Tensor]:
    """The reading with maps that show every bone bent, those angles, and where that puts the joints."""
    with torch.no_grad():
        pose = model.pose(reading, prior, hypothesis)
        angles = pose.joint_angles.clone()
        angles[..., 0] += 0.25 * torch.tensor([1.0, -1.0]).repeat(angles.shape[1] // 2)
        joints = seen_joints(model, prior, reading)
        assert joints is not None
        moved = skin(rest_joints(model, reading), bone_transforms(pose.skeleton, angles), joints.weights)
        places = project_to_ndc(pose.camera, moved)
    return replace(reading, encoded=replace(reading.encoded, joint_maps=peaks(places))), angles, places


@torch.no_grad()
def distance(
    model: AnimalModel, prior: ShapePrior, reading: ImageReading, pose: InstancePose, places: torch.Tensor
) -> torch.Tensor:
    """Each image's mean distance (normalised device coordinates) of the joints from where they are seen."""
    joints = seen_joints(model, prior, reading)
    assert joints is not None
    moved = skin(rest_joints(model, reading), pose.bone_transforms, joints.weights)
    return (project_to_ndc(pose.camera, moved) - places).norm(dim=-1).mean(dim=1)


def test_bones_go_to_the_joints_that_are_seen(scene: tuple[AnimalModel, ShapePrior, ImageReading]) -> None:
    model, prior, reading = scene
    hypothesis = torch.tensor([0, 2])
    reading, _, places = bent(model, prior, reading, hypothesis)
    first, fitted = (
        model.pose(reading, prior, hypothesis),
        poses_under(model, prior, reading, hypothesis=hypothesis)[0],
    )
    before, after = (distance(model, prior, reading, pose, places) for pose in (first, fitted))
    assert (after < 0.35 * before).all()
    assert (fitted.joint_angles.abs() <= fitted.skeleton.angle_limits).all()
    assert torch.equal(fitted.hypothesis, hypothesis)
    assert not fitted.joint_angles.requires_grad


def test_joints_tell_which_hypothesis_is_right(
    scene: tuple[AnimalModel, ShapePrior, ImageReading],
) -> None:
    """The networks hold all four for equally probable; only one puts the joints where they are seen."""
    model, prior, reading = scene
    equal = replace(reading, viewpoint=replace(reading.viewpoint, logits=torch.zeros(2, 4)))
    for right in range(4):
        hypothesis = torch.full((2,), right)
        shown, _, _ = bent(model, prior, equal, hypothesis)
        assert torch.equal(read_pose(model, prior, shown).hypothesis, hypothesis)


def test_where_nothing_is_sure_the_reading_stays(
    scene: tuple[AnimalModel, ShapePrior, ImageReading],
) -> None:
    model, prior, reading = scene
    flat = replace(reading, encoded=replace(reading.encoded, joint_maps=torch.zeros(2, JOINTS, SIDE, SIDE)))
    hypothesis = torch.tensor([1, 3])
    with torch.no_grad():
        first = model.pose(flat, prior, hypothesis)
    fitted = poses_under(model, prior, flat, hypothesis=hypothesis)[0]
    assert (fitted.joint_angles - first.joint_angles).abs().max() < 0.1


@pytest.mark.parametrize("count", [1, 3])
def test_before_the_last_look_bones_go_back_to_the_joints(
    scene: tuple[AnimalModel, ShapePrior, ImageReading], count: int
) -> None:
    """Looks that were never trained hardly move bones, so the distance falls once: at the last of them."""
    sizes = tiny_config().model_copy(update={"joint_maps": True, "second_looks": count})
    looking = AnimalModel(sizes).eval()
    looking.sdf = QuadrupedField()
    looking.load_state_dict(scene[0].state_dict(), strict=False)
    _, prior, reading = scene
    hypothesis = torch.tensor([0, 2])
    reading, _, places = bent(looking, prior, reading, hypothesis)
    with torch.no_grad():
        first = looking.pose(reading, prior, hypothesis)
        rest = looking.rest_shape(reading, first, prior)
        posed = [after for _, after in looks(looking, prior, reading, rest=rest, pose=first)]
    distances = [distance(looking, prior, reading, pose, places).mean() for pose in (first, *posed)]
    assert len(posed) == count
    assert distances[-1] < 0.5 * distances[-2]
    assert all(0.8 * distances[0] < other for other in distances[:-1])


def test_a_model_that_sees_no_joints_is_read_as_it_is() -> None:
    model = tiny_model()
    model.sdf = QuadrupedField()
    with torch.no_grad():
        prior = model.prior(resolution=64)
        size = model.config.image_size
        reading = model.read(torch.rand(2, size, size, 3), torch.ones(2, size, size, 1))
        plain = model.pose(reading, prior)
    assert seen_joints(model, prior, reading) is None
    assert torch.equal(read_pose(model, prior, reading).joint_angles, plain.joint_angles)

"""Articulation starts at rest, keeps the joints' limits, and moves neither camera nor bones."""

import math

import torch

from farm3d.geometry.camera import Camera, camera_from_rotation
from farm3d.geometry.skeleton import Skeleton
from farm3d.geometry.viewpoint import viewpoint_rotation
from farm3d.predictors.articulation import ArticulationPredictor
from farm3d.predictors.image_encoder import EncodedImages

IMAGES, BONES, FEATURES, CHANNELS, SIDE = 2, 5, 8, 12, 4


def predictor() -> ArticulationPredictor:
    torch.manual_seed(0)
    return ArticulationPredictor(
        features=FEATURES, patch_channels=CHANNELS, width=16, depth=2, heads=4, gain=0.5
    )


def scene() -> tuple[EncodedImages, Skeleton, Camera]:
    generator = torch.Generator().manual_seed(2)
    encoded = EncodedImages(
        torch.randn(IMAGES, FEATURES, generator=generator),
        torch.randn(IMAGES, CHANNELS, SIDE, SIDE, generator=generator),
    )
    joints = torch.randn(IMAGES, BONES, 2, 3, generator=generator)
    limits = torch.rand(BONES, 3, generator=generator) + 0.2
    skeleton = Skeleton(joints, (-1, 0, 1, 2, 3), ("a", "b", "c", "d", "e"), limits)
    rotation = viewpoint_rotation(torch.tensor([0.3, 1.8]), torch.tensor([0.1, 0.4]))
    return encoded, skeleton, camera_from_rotation(rotation, torch.zeros(IMAGES, 3))


def excited(gain: float) -> ArticulationPredictor:
    """A predictor whose last layer is far from its start."""
    network = predictor()
    with torch.no_grad():
        network.angles.weight.normal_(std=gain, generator=torch.Generator().manual_seed(4))
    return network


def test_training_starts_almost_at_rest() -> None:
    with torch.no_grad():
        angles = predictor()(*scene())
    assert angles.shape == (IMAGES, BONES, 3)
    assert 0.0 < angles.abs().max() < 0.02


def test_limits_are_never_passed() -> None:
    encoded, skeleton, camera = scene()
    with torch.no_grad():
        angles = excited(100.0)(encoded, skeleton, camera)
    assert (angles.abs() <= skeleton.angle_limits).all()
    assert (angles.abs() / skeleton.angle_limits).max() > 0.9


def test_a_camera_that_is_no_number_gives_angles_that_are_none_and_gradients_that_return() -> None:
    """torch's own look-up would read outside of its memory on the way back."""
    encoded, skeleton, camera = scene()
    patches = encoded.patches.clone().requires_grad_()
    for value in (math.nan, math.inf):
        lost = Camera(torch.full_like(camera.world_to_camera, value))
        angles = excited(1.0)(EncodedImages(encoded.features, patches), skeleton, lost)
        assert angles.isnan().all()
        angles.sum().backward()


def test_no_gradient_reaches_the_camera_or_the_joints() -> None:
    encoded, skeleton, camera = scene()
    joints = skeleton.rest_joints.clone().requires_grad_()
    matrix = camera.world_to_camera.clone().requires_grad_()
    patches = encoded.patches.clone().requires_grad_()
    angles = excited(1.0)(EncodedImages(encoded.features, patches), skeleton.at(joints), Camera(matrix))
    angles.square().sum().backward()
    assert joints.grad is None
    assert matrix.grad is None
    assert patches.grad is not None and patches.grad.abs().max() > 0.0


def test_a_bone_reads_the_patch_on_which_it_is_seen() -> None:
    """Bones in a row across the view: changing the map's left column moves the leftmost bone's token most."""
    encoded, skeleton, _ = scene()
    camera = camera_from_rotation(torch.eye(3).expand(1, 3, 3), torch.zeros(1, 3))
    places = torch.linspace(-1.9, 1.9, BONES)
    joints = torch.zeros(1, BONES, 2, 3)
    joints[0, :, :, 0] = places[:, None]
    joints[0, :, 0, 1], joints[0, :, 1, 1] = 0.1, -0.1
    network = excited(1.0)
    patches = torch.zeros(1, CHANNELS, SIDE, SIDE, requires_grad=True)
    angles = network(EncodedImages(encoded.features[:1], patches), skeleton.at(joints), camera)
    # With zero attention between bones a token is its own; the blocks mix them, so compare the inputs' share.
    reach = torch.stack(
        [
            torch.autograd.grad(angles[0, bone].square().sum(), patches, retain_graph=True)[0]
            .abs()
            .sum(dim=(0, 1, 2))
            for bone in (0, BONES - 1)
        ]
    )
    assert reach[0].argmax() == 0
    assert reach[1].argmax() == SIDE - 1

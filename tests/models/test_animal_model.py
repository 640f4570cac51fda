"""The parts together: shapes that agree, batches that slice, symmetric animals."""

import pytest
import torch
from scipy.spatial import cKDTree

from farm3d.geometry.skinning import skin
from farm3d.geometry.tetrahedral_grid import shape_lattice
from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.models.animal_model import AnimalModel, Phase
from farm3d.models.shape_prior import extract_prior
from farm3d.ops.tensors import with_tensors
from farm3d.types import AnimalPrediction, ShapePrior

from .small_models import QuadrupedField, random_crops, tiny_config, tiny_model

IMAGES = 3
MIRROR = torch.tensor([-1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def model() -> AnimalModel:
    return tiny_model()


@pytest.fixture(scope="module")
def prior() -> ShapePrior:
    return extract_prior(QuadrupedField(), shape_lattice(64), skinning_temperature=0.05)


@pytest.fixture(scope="module")
def prediction(model: AnimalModel, prior: ShapePrior) -> AnimalPrediction:
    with torch.no_grad():
        return model.predict(*random_crops(IMAGES), prior)


def test_shapes_agree(prediction: AnimalPrediction, prior: ShapePrior) -> None:
    vertices = len(prior.mesh.vertices)
    assert prediction.rest_positions is prior.mesh.vertices
    assert prediction.rest_mesh.vertices.shape == (IMAGES, vertices, 3)
    assert prediction.posed_mesh.vertices.shape == (IMAGES, vertices, 3)
    assert prediction.skeleton.rest_joints.shape == (IMAGES, 20, 2, 3)
    assert prediction.joint_angles.shape == (IMAGES, 20, 3)
    assert prediction.bone_transforms.shape == (IMAGES, 20, 4, 4)
    assert prediction.camera.world_to_camera.shape == (IMAGES, 4, 4)
    index = torch.arange(IMAGES).repeat_interleave(vertices)
    assert prediction.albedo_fn(prior.mesh.vertices.repeat(IMAGES, 1), index).shape == (IMAGES * vertices, 3)


def test_the_posed_mesh_is_the_rest_mesh_skinned(prediction: AnimalPrediction) -> None:
    posed = skin(prediction.rest_mesh.vertices, prediction.bone_transforms, prediction.skinning_weights)
    torch.testing.assert_close(prediction.posed_mesh.vertices, posed)


def test_every_rest_shape_is_mirror_symmetric(prediction: AnimalPrediction) -> None:
    positions = prediction.rest_positions
    partner = torch.from_numpy(cKDTree(positions.numpy()).query((positions * MIRROR).numpy())[1])
    for rest in prediction.rest_mesh.vertices:
        torch.testing.assert_close(rest[partner] * MIRROR, rest, rtol=0.0, atol=1e-5)


def test_the_camera_uses_the_most_probable_hypothesis(prediction: AnimalPrediction) -> None:
    view = prediction.viewpoint
    assert torch.equal(prediction.hypothesis, view.probabilities.argmax(dim=-1))
    azimuth, elevation = azimuth_elevation(prediction.camera.world_to_camera[:, :3, :3])
    chosen = view.azimuths[torch.arange(IMAGES), prediction.hypothesis]
    torch.testing.assert_close(azimuth, chosen, rtol=0.0, atol=1e-5)
    torch.testing.assert_close(elevation, view.elevation, rtol=0.0, atol=1e-5)


def test_another_hypothesis_turns_the_camera_and_nothing_of_the_shape(
    model: AnimalModel, prior: ShapePrior
) -> None:
    with torch.no_grad():
        reading = model.read(*random_crops(IMAGES))
        poses = [model.pose(reading, prior, torch.full((IMAGES,), k)) for k in (0, 2)]
        first, second = (model.assemble(reading, pose, prior) for pose in poses)
    assert torch.equal(first.rest_mesh.vertices, second.rest_mesh.vertices)
    turn = azimuth_elevation(first.camera.world_to_camera[:, :3, :3])[0]
    other = azimuth_elevation(second.camera.world_to_camera[:, :3, :3])[0]
    assert (torch.cos(turn - other) < 0.0).all()


def test_a_phase_leaves_out_articulation_and_deformation(model: AnimalModel, prior: ShapePrior) -> None:
    with torch.no_grad():
        reading = model.read(*random_crops(IMAGES))
        stiff = Phase(articulated=False, deformed=False)
        pose = model.pose(reading, prior, phase=stiff)
        plain = model.assemble(reading, pose, prior, phase=stiff)
        bent = model.assemble(reading, model.pose(reading, prior), prior)
    expected = prior.mesh.vertices.expand(IMAGES, -1, -1)
    assert torch.equal(plain.rest_mesh.vertices, expected)
    assert torch.equal(plain.posed_mesh.vertices, expected)
    assert not plain.joint_angles.any()
    assert torch.equal(plain.camera.world_to_camera, bent.camera.world_to_camera)
    assert not torch.equal(bent.rest_mesh.vertices, expected)
    assert not torch.equal(bent.posed_mesh.vertices, bent.rest_mesh.vertices)


def test_the_lattice_may_shift_and_the_surface_stays(prior: ShapePrior) -> None:
    field, lattice = QuadrupedField(), shape_lattice(64)
    shifted = extract_prior(field, lattice, skinning_temperature=0.05, shift=(0.05, -0.11)).mesh.vertices
    before, after = (field(vertices).abs().mean() for vertices in (prior.mesh.vertices, shifted))
    assert not torch.equal(shifted[:100], prior.mesh.vertices[:100])
    assert float(after.detach()) < 1.2 * float(before.detach()) + 1e-3
    assert float(torch.cdist(shifted, prior.mesh.vertices).amin(dim=1).max()) < lattice.spacing


def test_the_first_images_of_a_batch_are_what_they_are_alone(model: AnimalModel, prior: ShapePrior) -> None:
    colors, masks = random_crops(IMAGES)
    with torch.no_grad():
        reading = model.read(colors, masks)
        pose = model.pose(reading, prior)
        two = with_tensors(reading, lambda tensor: tensor[:2]), pose.each(lambda tensor: tensor[:2])
        part = model.assemble(*two, prior)
        whole = model.assemble(reading, pose, prior)
    # How BLAS blocks a product depends on its size: the last bits may differ.
    torch.testing.assert_close(part.posed_mesh.vertices, whole.posed_mesh.vertices[:2], rtol=0.0, atol=1e-6)
    assert torch.equal(part.camera.world_to_camera, whole.camera.world_to_camera[:2])
    assert torch.equal(part.joint_angles, whole.joint_angles[:2])
    assert torch.equal(part.hypothesis, whole.hypothesis[:2])
    assert torch.equal(part.light.direction, whole.light.direction[:2])
    assert torch.equal(part.viewpoint.logits, whole.viewpoint.logits[:2])


def test_an_untrained_animal_stands_almost_at_rest(prediction: AnimalPrediction) -> None:
    assert prediction.joint_angles.abs().max() < 0.05
    moved = (prediction.posed_mesh.vertices - prediction.rest_mesh.vertices).norm(dim=-1)
    assert moved.max() < 0.1


def test_joints_follow_the_deformation_without_a_gradient(model: AnimalModel, prior: ShapePrior) -> None:
    reading = model.read(*random_crops(1))
    skeleton = model.skeleton(reading, prior)
    moved = model.offsets(prior.skeleton.rest_joints.flatten(0, 1), reading).detach()
    torch.testing.assert_close(
        skeleton.rest_joints.flatten(1, 2), prior.skeleton.rest_joints.flatten(0, 1) + moved
    )
    assert not skeleton.rest_joints.requires_grad


def test_the_default_sizes_fit_the_shipped_files_budget() -> None:
    """At most 7 million parameters, so at most 15 MB in half precision."""
    sizes = type(tiny_config())()
    assert sum(p.numel() for p in AnimalModel(sizes).parameters()) < 7_000_000

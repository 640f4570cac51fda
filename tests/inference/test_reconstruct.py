"""Refinement fits the silhouette and bends nothing that an animal could not bend."""

import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from farm3d.data.transforms import Crop, batch_of_crops, resized
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.inference.edit import with_pose
from farm3d.inference.reconstruct import (
    Reconstruction,
    intersection_over_union,
    reconstruct,
    source_silhouette,
)
from farm3d.inference.refine import RefineConfig, refine
from farm3d.inference.silhouette_fit import beyond_lean, leaning
from farm3d.inference.starts import Trial, best_start
from farm3d.inference.unfold import unfold
from farm3d.io.image import read_image, read_mask
from farm3d.models.build import TrainedModel, load_trained, shipped_checkpoint
from farm3d.models.read_pose import after_looks, poses_under
from farm3d.ops.mesh_topology import face_normals
from farm3d.render.mesh_renderer import render_mask
from farm3d.types import AnimalPrediction, Segmentation, ShapePrior

PICTURES = Path(__file__).parents[2] / "docs/images"
STEPS = 15
BOX = (0.0, 0.0, 96.0, 96.0)


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    return load_trained(shipped_checkpoint("horse"))


@pytest.fixture(scope="module")
def prior(trained: TrainedModel) -> ShapePrior:
    with torch.no_grad():
        return trained.model.prior()


def of_picture(trained: TrainedModel, prior: ShapePrior, *, steps: int) -> Reconstruction:
    pixels = read_image(PICTURES / "horse.jpg").pixels
    segmentation = Segmentation(torch.from_numpy(read_mask(PICTURES / "horse_mask.png")), "file")
    config = RefineConfig(steps=steps)
    return reconstruct(trained.model, prior, pixels, segmentation=segmentation, refinement=config)


@pytest.fixture(scope="module")
def result(trained: TrainedModel, prior: ShapePrior) -> Reconstruction:
    return of_picture(trained, prior, steps=STEPS)


def normals(prediction: AnimalPrediction) -> torch.Tensor:
    return face_normals(prediction.rest_mesh.vertices[0], prediction.rest_mesh.faces)


def test_refinement_raises_the_iou(trained: TrainedModel, prior: ShapePrior, result: Reconstruction) -> None:
    """Beyond that of the first reading; second looks alone come as near on the farm's pictures."""
    batch = result.batch
    with torch.no_grad():
        reading = trained.model.read(batch.images, batch.masks)
        first, _ = poses_under(trained.model, prior, reading, hypothesis=result.initial.hypothesis)
        mesh = trained.model.assemble(reading, first, prior).posed_mesh
        drawn = render_mask(mesh, first.camera, batch.masks.shape[1])[0, ..., 0].numpy() > 0.5
    assert result.iou > intersection_over_union(drawn, batch.masks[0, ..., 0].numpy() > 0.5) + 0.01
    mask = result.segmentation.mask.numpy()
    assert result.iou == pytest.approx((mask & result.silhouette).sum() / (mask | result.silhouette).sum())


def test_refinement_folds_no_face(result: Reconstruction, prior: ShapePrior) -> None:
    before = face_normals(prior.mesh.vertices, prior.mesh.faces)
    assert int(((normals(result.refined) * before).sum(-1) <= 0.0).sum()) == 0


@pytest.mark.parametrize("depth", [0.05, 0.12])
def test_a_trench_across_the_back_is_smoothed_until_no_face_is_turned_over(
    result: Reconstruction, prior: ShapePrior, depth: float
) -> None:
    """Its walls are vertical, so smoothing the folded faces' own corners is not enough."""
    rest, faces = prior.mesh.vertices, prior.mesh.faces
    trench = (rest[:, 2].abs() < 0.1) & (rest[:, 1] > rest[:, 1].median())
    bent = rest - depth * torch.tensor([0.0, 1.0, 0.0]) * trench[:, None]

    smooth = unfold(replace(result.refined, rest_mesh=Mesh(bent[None], faces)), prior).rest_mesh.vertices[0]
    assert _turned_over(prior, bent) > 0 == _turned_over(prior, smooth)
    far = rest[:, 2].abs() > 0.5
    assert torch.equal(smooth[far], rest[far])


@pytest.mark.parametrize(("height", "waves"), [(0.1, 6.0), (0.1, 12.0), (0.2, 6.0), (0.2, 12.0)])
def test_smoothing_folds_away_never_makes_more(
    result: Reconstruction, prior: ShapePrior, height: float, waves: float
) -> None:
    """Of bodies bent up and down so far that smoothness in one place folds another."""
    rest = prior.mesh.vertices
    bent = rest + torch.tensor([0.0, height, 0.0]) * torch.sin(waves * rest[:, 2:])
    mended = unfold(replace(result.refined, rest_mesh=Mesh(bent[None], prior.mesh.faces)), prior)
    assert 0 < _turned_over(prior, bent) >= _turned_over(prior, mended.rest_mesh.vertices[0])


def _turned_over(prior: ShapePrior, vertices: torch.Tensor) -> int:
    before, after = (face_normals(some, prior.mesh.faces) for some in (prior.mesh.vertices, vertices))
    return int(((before * after).sum(-1) < 0.0).sum())


def test_second_looks_bring_the_reading_nearer_to_the_mask(
    trained: TrainedModel, prior: ShapePrior, result: Reconstruction
) -> None:
    model, initial, batch = trained.model, result.initial, result.batch
    with torch.no_grad():
        reading = model.read(batch.images, batch.masks)
        first, _ = poses_under(model, prior, reading, hypothesis=initial.hypothesis)
        unlooked = model.assemble(reading, first, prior)

    def misfit(prediction: AnimalPrediction) -> float:
        drawn = render_mask(prediction.posed_mesh, prediction.camera, batch.masks.shape[1])
        return float((drawn - batch.masks).square().mean())

    assert misfit(initial) < 0.75 * misfit(unlooked)
    # Slivers of the lattice; refinement mends them.
    assert _turned_over(prior, initial.rest_mesh.vertices[0]) < 0.02 * len(prior.mesh.faces)


def test_the_shape_stays_near_the_categorys(result: Reconstruction) -> None:
    refined, prior = result.refined.rest_mesh.vertices[0], result.refined.rest_positions
    length = prior[:, 2].max() - prior[:, 2].min()
    assert (refined - prior).norm(dim=-1).mean() < 0.03 * length


def test_a_shape_far_from_the_categorys_is_drawn_back(
    trained: TrainedModel, prior: ShapePrior, result: Reconstruction
) -> None:
    """However far the networks' own reading went."""
    batch = result.batch
    with torch.no_grad():
        reading = trained.model.read(batch.images, batch.masks)
        far = replace(reading, encoded=replace(reading.encoded, features=4.0 * reading.encoded.features))
        initial = trained.model.assemble(far, trained.model.pose(far, prior), prior)

    def deformation(weight: float) -> float:
        config = RefineConfig(steps=6, deformation=weight)
        refined = refine(trained.model, prior, far, initial=initial, batch=batch, config=config)
        return float((refined.rest_mesh.vertices - prior.mesh.vertices).norm(dim=-1).mean())

    loose, held = deformation(0.0), deformation(1000.0)
    assert held < 0.9 * loose


def test_the_refined_rest_shape_is_still_symmetric(result: Reconstruction) -> None:
    mirror = torch.tensor([-1.0, 1.0, 1.0])
    positions, rest = result.refined.rest_positions, result.refined.rest_mesh.vertices[0]
    on_plane = positions[:, 0] == 0.0
    assert rest[on_plane, 0].abs().max() < 1e-6
    distance, partner = cKDTree(positions.numpy()).query((positions * mirror).numpy())
    assert distance.max() == 0.0
    torch.testing.assert_close(rest[torch.from_numpy(partner)] * mirror, rest, rtol=0.0, atol=1e-5)


def test_joints_keep_their_limits_and_the_camera_its_horizon(result: Reconstruction) -> None:
    refined = result.refined
    assert (refined.joint_angles.abs() <= refined.skeleton.angle_limits).all()
    rotation = refined.camera.world_to_camera[0, :3, :3]
    assert abs(float(rotation[0, 1])) < 1e-5
    _, elevation = azimuth_elevation(rotation)
    assert -0.5 < float(elevation) < 1.5


def test_a_leg_that_folds_up_behind_the_others_costs(result: Reconstruction) -> None:
    angles = result.refined.joint_angles
    leg = [result.refined.skeleton.names.index(f"hind_left_{part}") for part in ("upper", "lower", "foot")]
    folded, stepping = torch.zeros_like(angles), torch.zeros_like(angles)
    folded[:, leg, 0] = torch.deg2rad(torch.tensor([-49.0, -41.0, -8.0]))
    stepping[:, leg, 0] = torch.deg2rad(torch.tensor([-30.0, 40.0, 20.0]))
    weights = RefineConfig()
    assert leaning(stepping, weights) == 0.0 < leaning(folded, weights)
    assert math.degrees(float(beyond_lean(angles).max())) < 10.0


def test_the_head_stays_on_its_side(result: Reconstruction) -> None:
    before, after = (p.camera.world_to_camera[0, :3, 2] for p in (result.initial, result.refined))
    assert float(torch.dot(before, after)) > 0.8


def test_a_hypothesis_that_does_not_fit_is_left(
    trained: TrainedModel, prior: ShapePrior, result: Reconstruction
) -> None:
    """However sure the networks are of the mirrored view, the silhouette decides."""
    batch, right = result.batch, int(result.initial.hypothesis)
    with torch.no_grad():
        reading = trained.model.read(batch.images, batch.masks)
    # The head turns to the other side of the image where the sign of the first component changes.
    wrong = {0: 1, 1: 0, 2: 3, 3: 2}[right]
    logits = torch.zeros(1, 4).index_fill(1, torch.tensor([wrong]), 3.0)
    misled = replace(reading, viewpoint=replace(reading.viewpoint, logits=logits))
    target = resized(batch, 48)
    start = best_start(
        trained.model, prior, misled, target=target, trial=Trial(10, 0.02, 0.06, 0.02), weights=RefineConfig()
    )
    found = start.prediction
    assert int(found.hypothesis) != wrong
    assert int(start.misfits[:4].argmin()) == int(found.hypothesis)
    towards = [p.camera.world_to_camera[0, 0, 2] for p in (found, result.initial)]
    assert float(towards[0] * towards[1]) > 0.0


def test_a_head_that_is_down_is_found_though_the_networks_read_it_up(
    trained: TrainedModel, prior: ShapePrior, result: Reconstruction
) -> None:
    """A mask is drawn of the animal with its neck bowed; the reading stays that of the photograph."""
    model, neck = trained.model, result.initial.skeleton.names.index("neck")
    with torch.no_grad():
        reading = model.read(result.batch.images, result.batch.masks)
        most_probable = reading.viewpoint.logits.argmax(dim=-1)
        pose, _ = poses_under(model, prior, reading, hypothesis=most_probable)
        pose = replace(after_looks(model, prior, reading, pose=pose), rest_offsets=None)
        read = model.assemble(reading, pose, prior)
        angles = read.joint_angles.clone()
        angles[0, :3, 0] += math.radians(35.0)
        down = with_pose(read, angles)
        mask = render_mask(down.posed_mesh, down.camera, 96)
    crop = Crop(
        np.zeros((96, 96, 3), np.float32), mask[0, ..., 0].numpy(), np.ones((96, 96), np.float32), BOX
    )
    trial = Trial(10, 0.02, 0.06, 0.5, bow=math.radians(40.0))
    target = resized(batch_of_crops([crop]), 48)
    start = best_start(model, prior, reading, target=target, trial=trial, weights=RefineConfig())
    # All four after second looks, all four as first read, then the two from the front bowed.
    assert len(start.misfits) == 10
    assert int(start.misfits.argmin()) >= 8
    reached = (
        torch.tanh(start.variables.raw_angles[0, neck, 0].detach()) * read.skeleton.angle_limits[neck, 0]
    )
    assert math.degrees(float(reached - read.joint_angles[0, neck, 0])) > 15.0
    torch.testing.assert_close(start.prediction.joint_angles[0, neck], read.joint_angles[0, neck])


def test_looks_that_lead_astray_are_not_followed(
    trained: TrainedModel, prior: ShapePrior, result: Reconstruction
) -> None:
    """With second looks that bend every bone at random the fit begins from what was read before them."""
    model = deepcopy(trained.model)
    assert model.second_look is not None
    last = model.second_look.bone_head[-1]
    assert isinstance(last, torch.nn.Linear)
    torch.nn.init.normal_(last.weight, std=1.0, generator=torch.Generator().manual_seed(0))
    target, trial = resized(result.batch, 48), Trial(10, 0.02, 0.06, 0.5)
    with torch.no_grad():
        reading = model.read(result.batch.images, result.batch.masks)
    start = best_start(model, prior, reading, target=target, trial=trial, weights=RefineConfig())
    first, _ = poses_under(model, prior, reading, hypothesis=start.prediction.hypothesis)
    assert len(start.misfits) == 8
    torch.testing.assert_close(start.prediction.joint_angles, first.joint_angles, atol=1e-5, rtol=1e-5)


def test_without_steps_nothing_changes(trained: TrainedModel, prior: ShapePrior) -> None:
    still = of_picture(trained, prior, steps=0)
    assert torch.equal(still.refined.posed_mesh.vertices, still.initial.posed_mesh.vertices)
    assert still.iou == still.initial_iou


def test_the_model_is_not_changed(trained: TrainedModel, result: Reconstruction) -> None:
    untouched = load_trained(shipped_checkpoint("horse")).model.state_dict()
    assert all(torch.equal(tensor, untouched[name]) for name, tensor in trained.model.state_dict().items())
    assert all(parameter.grad is None for parameter in trained.model.parameters())


def test_the_coat_takes_the_photographs_colours(result: Reconstruction) -> None:
    """Refined colours differ from the network's guess; both are colours, the same on both sides."""
    points = result.refined.rest_positions[::20]
    index = torch.zeros(len(points), dtype=torch.long)
    with torch.no_grad():
        before, after = (p.albedo_fn(points, index) for p in (result.initial, result.refined))
        mirrored = result.refined.albedo_fn(points * torch.tensor([-1.0, 1.0, 1.0]), index)
    assert after.min() >= 0.0 and after.max() <= 1.0
    assert (after - before).abs().mean() > 1e-3
    torch.testing.assert_close(mirrored, after)


def test_a_crop_that_leaves_the_image_is_drawn_where_it_lies(result: Reconstruction) -> None:
    height, width = result.silhouette.shape
    whole = source_silhouette(result.refined, (height, width))
    part = source_silhouette(result.refined, (height, width // 2))
    np.testing.assert_array_equal(part, whole[:, : width // 2])


@pytest.mark.parametrize("pixels", [1, 9])
def test_a_speck_of_a_mask_still_gives_finite_numbers(
    trained: TrainedModel, prior: ShapePrior, pixels: int
) -> None:
    mask = torch.zeros(80, 120, dtype=torch.bool)
    mask[40, 60 : 60 + pixels] = True
    photograph = np.random.default_rng(0).integers(0, 255, (80, 120, 3)).astype(np.uint8)
    speck = reconstruct(
        trained.model,
        prior,
        photograph,
        segmentation=Segmentation(mask, "file"),
        refinement=RefineConfig(steps=2),
    )
    assert torch.isfinite(speck.refined.posed_mesh.vertices).all()
    assert torch.isfinite(speck.refined.camera.world_to_camera).all()
    assert np.isfinite(speck.iou)


def test_iou_of_planes() -> None:
    left, right = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    assert intersection_over_union(left, right) == 0.0
    left[:, :3], right[:, 1:] = True, True
    assert intersection_over_union(left, right) == 0.5
    assert intersection_over_union(left, left) == 1.0

"""One step of learning second looks, as a pure function: they must see the mistakes of finished networks."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from farm3d.geometry.camera import Camera
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skinning import skin
from farm3d.losses.objective import LossTerms
from farm3d.losses.reconstruction import inside_distance_loss, mask_loss
from farm3d.losses.regularization import smoothness_loss
from farm3d.losses.supervision import (
    azimuth_errors,
    best_hypothesis,
    point_loss,
    projection_loss,
    shape_loss,
)
from farm3d.models.animal_model import AnimalModel, ImageReading, InstancePose
from farm3d.models.read_pose import looks, poses_under
from farm3d.ops.mesh_topology import unique_edges
from farm3d.ops.tensors import with_tensors
from farm3d.render.mesh_renderer import render_mask
from farm3d.training.precision import read_images
from farm3d.training.train_step import StepSettings, posed_points
from farm3d.types import Batch, ShapePrior


@dataclass(frozen=True)
class _Lesson:
    """What stays from look to look: rest shapes as first read, the vertex `nearest` to each point."""

    batch: Batch
    reading: ImageReading
    rest: Float[Tensor, "images vertices 3"]
    nearest: Int[Tensor, "images points"]


def look_terms(
    model: AnimalModel,
    prior: ShapePrior,
    batch: Batch,
    *,
    inputs: tuple[Float[Tensor, "images height width 3"], Float[Tensor, "images height width 1"]],
    settings: StepSettings,
) -> LossTerms:
    """The mean terms of all looks at the first images of a batch, each beginning where the one before ended.

    What is looked at has no gradients; of the networks behind it nothing must be learning.
    """
    batch, inputs = with_tensors((batch, inputs), lambda tensor: tensor[: settings.render_images])
    truth = batch.truth
    assert truth is not None and model.second_look is not None
    with torch.no_grad():
        # The masks without the distortions that the networks behind are shown: one that may be wrong is
        # followed half-heartedly, and the fits that come after looks follow it, too.
        reading = replace(read_images(model, inputs, settings.precision), masks=batch.masks)
        right = best_hypothesis(azimuth_errors(reading.viewpoint, truth.world_to_camera))
        pose, _ = poses_under(model, prior, reading, hypothesis=right)
        rest = model.rest_shape(reading, pose, prior)
    lesson = _Lesson(batch, reading, rest, _nearest_vertices(truth.canonical_points, prior))
    every = []
    for before, after in looks(model, prior, reading, rest=rest, pose=pose):
        every.append(_terms(model, prior, lesson, before=before, pose=after))
    names = every[0].present()
    mean = {name: torch.stack([terms.present()[name] for terms in every]).mean() for name in names}
    return LossTerms(**mean)


def _terms(
    model: AnimalModel, prior: ShapePrior, lesson: _Lesson, *, before: InstancePose, pose: InstancePose
) -> LossTerms:
    """Terms of one look, from the pose before it to the one after."""
    batch, truth = lesson.batch, lesson.batch.truth
    assert truth is not None and pose.rest_offsets is not None
    vertices = skin(pose.reshaped(lesson.rest), pose.bone_transforms, prior.skinning_weights)
    drawn = render_mask(Mesh(vertices, prior.mesh.faces), pose.camera, batch.masks.shape[1])
    said = pose.rest_offsets if before.rest_offsets is None else pose.rest_offsets - before.rest_offsets
    added = pose.rest_offsets.gather(1, lesson.nearest[..., None].expand(-1, -1, 3))
    canonical = truth.canonical_points
    offsets, posed = posed_points(model, prior, lesson.reading, pose=pose, canonical=canonical, added=added)
    return LossTerms(
        mask=mask_loss(drawn, batch.masks, batch.valid).mean(),
        inside_distance=inside_distance_loss(drawn, batch.inside_distance).mean(),
        smoothness=smoothness_loss(said, unique_edges(prior.mesh.faces)),
        rest_points=shape_loss(canonical + offsets, truth.rest_points),
        posed_points=point_loss(posed, truth.posed_points),
        projection=projection_loss(
            posed, pose.camera, truth=truth.posed_points, true_camera=Camera(truth.world_to_camera)
        ),
    )


def _nearest_vertices(
    points: Float[Tensor, "images points 3"], prior: ShapePrior
) -> Int[Tensor, "images points"]:
    """The vertex of the category's shape that is nearest to each point."""
    tree = cKDTree(prior.mesh.vertices.cpu().numpy())
    return torch.from_numpy(tree.query(points.cpu().numpy())[1]).to(points.device)

"""One step of training as pure functions: a batch in, loss terms out."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.fields.sdf_field import SDFField
from farm3d.geometry.camera import Camera, project_to_ndc
from farm3d.geometry.skeleton_estimation import tail_repulsion
from farm3d.geometry.skinning import segment_distances
from farm3d.losses.objective import LossTerms
from farm3d.losses.reconstruction import color_loss, eroded_overlap, inside_distance_loss, mask_loss
from farm3d.losses.regularization import articulation_loss, deformation_loss, eikonal_loss
from farm3d.losses.supervision import (
    azimuth_errors,
    best_hypothesis,
    elevation_loss,
    hypothesis_losses,
    light_loss,
    point_loss,
    projection_loss,
    shape_loss,
    signed_distance_loss,
)
from farm3d.models.animal_model import AnimalModel, ImageReading, InstancePose
from farm3d.ops.image_layout import channels_first
from farm3d.ops.tensors import with_tensors
from farm3d.predictors.joint_maps import joint_loss
from farm3d.render.mesh_renderer import render_surface
from farm3d.training.precision import Precision, read_images
from farm3d.training.ranks import WHOLE, Part
from farm3d.types import Batch, GroundTruth, SDFSamples, ShapePrior

EIKONAL_POINTS = 1024


def prior_terms(
    field: SDFField,
    points: Float[Tensor, "points 3"],
    truth: Float[Tensor, " points"],
    *,
    part: Part = WHOLE,
) -> LossTerms:
    """Terms of the steps that fit the category's shape to the mean animal, on a part of their points."""
    own = points[part.places]
    samples = SDFSamples(own, field(own), own)
    all_eikonal = torch.linspace(0, len(points) - 1, EIKONAL_POINTS).long().to(points.device)
    some = points[all_eikonal[part.places]].requires_grad_()
    values = field(some)
    (gradients,) = torch.autograd.grad(values.sum(), some, create_graph=True)
    return LossTerms(
        signed_distance=part.share(len(points)) * signed_distance_loss(samples, truth[part.places]),
        eikonal=part.share(EIKONAL_POINTS) * eikonal_loss(SDFSamples(some, values, gradients)),
    )


@dataclass(frozen=True)
class StepSettings:
    """Plain numbers of one step: how many images are rendered, and how large."""

    render_images: int
    render_size: int
    precision: Precision = "float32"


def supervised_terms(
    model: AnimalModel,
    prior: ShapePrior,
    batch: Batch,
    *,
    inputs: tuple[Float[Tensor, "images height width 3"], Float[Tensor, "images height width 1"]],
    settings: StepSettings,
) -> LossTerms:
    """Terms of a step on images with the farm's truth; `inputs` are what the encoder sees."""
    truth = batch.truth
    assert truth is not None
    reading = read_images(model, inputs, settings.precision)
    errors = azimuth_errors(reading.viewpoint, truth.world_to_camera)
    cross_entropy, azimuth = hypothesis_losses(errors, reading.viewpoint.logits)
    pose = model.pose(reading, prior, best_hypothesis(errors))
    offsets, posed = posed_points(model, prior, reading, pose=pose, canonical=truth.canonical_points)
    mask, inside, color = _render_terms(model, prior, batch, reading=reading, pose=pose, settings=settings)
    return LossTerms(
        mask=mask,
        inside_distance=inside,
        color=color,
        articulation=articulation_loss(pose.joint_angles),
        deformation=deformation_loss(offsets),
        hypothesis=cross_entropy,
        azimuth=azimuth,
        elevation=elevation_loss(reading.viewpoint, truth.world_to_camera),
        rest_points=shape_loss(truth.canonical_points + offsets, truth.rest_points),
        posed_points=point_loss(posed, truth.posed_points),
        projection=projection_loss(
            posed, pose.camera, truth=truth.posed_points, true_camera=Camera(truth.world_to_camera)
        ),
        light=light_loss(reading.light, truth.light),
        joints=_joints_term(reading, truth),
    )


def joint_terms(
    model: AnimalModel,
    batch: Batch,
    *,
    inputs: tuple[Float[Tensor, "images height width 3"], Float[Tensor, "images height width 1"]],
    precision: Precision,
) -> LossTerms:
    """The one term of a step in which joint maps learn alone: nothing is posed or rendered."""
    assert batch.truth is not None
    return LossTerms(joints=_joints_term(read_images(model, inputs, precision), batch.truth))


def _joints_term(reading: ImageReading, truth: GroundTruth) -> Tensor | None:
    """How well the encoder finds the joints in the image, where it looks for them."""
    if reading.encoded.joint_maps is None:
        return None
    return joint_loss(reading.encoded.joint_maps, project_to_ndc(Camera(truth.world_to_camera), truth.joints))


def posed_points(
    model: AnimalModel,
    prior: ShapePrior,
    reading: ImageReading,
    *,
    pose: InstancePose,
    canonical: Float[Tensor, "images points 3"],
    added: Float[Tensor, "images points 3"] | float = 0.0,
) -> tuple[Float[Tensor, "images points 3"], Float[Tensor, "images points 3"]]:
    """Deformation and posed place of points of the rest shape that need not be its vertices.

    `added` is what second looks add to their deformation.
    """
    offsets = model.deformation(canonical, reading.encoded.features) + added
    points = canonical.flatten(0, 1)
    distances = segment_distances(points, prior.skeleton.rest_joints) + tail_repulsion(points, prior.skeleton)
    weights = torch.softmax(-distances / model.config.skinning_temperature, dim=-1)
    weights = weights.unflatten(0, canonical.shape[:2])
    matrix = (weights @ pose.bone_transforms[..., :3, :].flatten(-2)).unflatten(-1, (3, 4))
    rest = canonical + offsets
    return offsets, (matrix[..., :3] @ rest[..., None]).squeeze(-1) + matrix[..., 3]


def _render_terms(
    model: AnimalModel,
    prior: ShapePrior,
    batch: Batch,
    *,
    reading: ImageReading,
    pose: InstancePose,
    settings: StepSettings,
) -> tuple[Tensor, Tensor, Tensor]:
    """Mask, missing-part and colour terms of the first images of the batch."""
    count, size = settings.render_images, settings.render_size

    def first(values: Tensor) -> Tensor:
        return values[:count]

    prediction = model.assemble(with_tensors(reading, first), pose.each(first), prior)
    buffers = render_surface(
        prediction.posed_mesh,
        prediction.camera,
        size,
        rest_positions=prediction.rest_positions.detach(),
        albedo_fn=prediction.albedo_fn,
        light=prediction.light,
    )
    assert buffers.rgb is not None

    def small(images: Tensor) -> Tensor:
        factor = images.shape[1] // size
        return torch.nn.functional.avg_pool2d(channels_first(images[:count]), factor).permute(0, 2, 3, 1)

    mask = small(batch.masks)
    overlap = eroded_overlap(buffers.mask, mask)
    return (
        mask_loss(buffers.mask, mask, small(batch.valid)).mean(),
        inside_distance_loss(buffers.mask, small(batch.inside_distance)).mean(),
        color_loss(buffers.rgb, small(batch.images), overlap).mean(),
    )

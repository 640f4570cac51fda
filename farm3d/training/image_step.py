"""One step of Farm3D's own training: images, masks and features in, loss terms out, no truth about shape.

Source: MagicPony (arXiv 2211.12497) sections 3.3 and 3.4; Farm3D (arXiv 2304.10535) keeps them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.profiler import record_function

from farm3d.data.transforms import resized
from farm3d.fields.sdf_field import SDFField
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skinning import skin
from farm3d.geometry.tetrahedral_grid import HALF_EXTENT
from farm3d.losses.objective import LossTerms
from farm3d.losses.reconstruction import (
    coarse_mask_loss,
    color_loss,
    eroded_overlap,
    feature_loss,
    inside_distance_loss,
    mask_loss,
)
from farm3d.losses.regularization import (
    articulation_loss,
    deformation_loss,
    eikonal_loss,
    elevation_prior_loss,
    sideways_loss,
)
from farm3d.models.animal_model import AnimalModel, ImageReading, Phase
from farm3d.ops.tensors import with_tensors
from farm3d.predictors.hypotheses import (
    ChosenHypotheses,
    Exploration,
    choose_hypotheses,
    difference_loss,
    score_loss,
)
from farm3d.render.mesh_renderer import (
    render_coverage,
    render_silhouette,
    render_surface,
    surface_features,
)
from farm3d.shapes import Faces
from farm3d.training.precision import Precision, read_images
from farm3d.training.ranks import WHOLE, Part
from farm3d.types import AnimalPrediction, Batch, RenderBuffers, SDFSamples, ShapePrior

VertexFeatures = Float[Tensor, "vertices channels"]

RECONSTRUCTION = ("mask", "inside_distance", "color", "features")
"""The terms that compare a render with its image, one value an image."""


@dataclass(frozen=True)
class ImageStep:
    """The plain numbers of one step.

    `score_weights` are those of the reconstruction's terms in the loss that hypotheses are scored by. With a
    `score_size` above 0 every hypothesis is compared with its image, at so many pixels a side and without
    gradients; otherwise only the one that is rendered, as in MagicPony. Where colours have no weight yet
    nothing is `coloured`, which saves the albedo of every pixel.
    """

    render_size: int
    phase: Phase
    exploration: Exploration
    score_weights: Mapping[str, float]
    score_size: int = 0
    coloured: bool = True
    precision: Precision = "float32"


@dataclass(frozen=True)
class ImageDraws:
    """The random numbers of one step, one of each an image: see `choose_hypotheses`."""

    turn: Int[Tensor, " images"]
    uniform: Float[Tensor, " images"]


def image_terms(
    model: AnimalModel,
    prior: ShapePrior,
    batch: Batch,
    *,
    inputs: tuple[Float[Tensor, "images height width 3"], Float[Tensor, "images height width 1"]],
    step: ImageStep,
    draws: ImageDraws,
) -> tuple[LossTerms, AnimalPrediction]:
    """The terms of a step, and the animals, for what else is to be made of them.

    `inputs` are what the encoder sees. Every image is rendered under one hypothesis; its losses count by the
    hypothesis's probability.
    """
    with record_function("encoder"):
        reading = read_images(model, inputs, step.precision)
    chosen = choose_hypotheses(
        reading.viewpoint.logits, step.exploration, turn=draws.turn, uniform=draws.uniform
    )
    with record_function("deformation and skinning"):
        pose = model.pose(reading, prior, chosen.index, phase=step.phase)
        prediction = model.assemble(reading, pose, prior, phase=step.phase)
    with record_function("render"):
        buffers = _rendered(prediction, step)
    with record_function("losses"):
        features = None if model.feature_field is None else model.feature_field(prior.mesh.vertices)
        target = resized(batch, step.render_size)
        losses = reconstruction_losses(buffers, target, vertex_features=features, faces=prior.mesh.faces)
        coarse = coarse_mask_loss(buffers.mask, target.masks, target.valid)
    with record_function("scores of all hypotheses"):
        score = (
            difference_loss(
                reading.viewpoint.logits,
                losses_of_hypotheses(
                    model,
                    prior,
                    reading,
                    batch=batch,
                    rest_mesh=prediction.rest_mesh,
                    vertex_features=features,
                    step=step,
                ),
            )
            if step.score_size
            else _score(reading.viewpoint.logits, chosen, losses, weights=step.score_weights)
        )
    terms = LossTerms(
        **{name: (chosen.weight * loss).mean() for name, loss in losses.items()},
        coarse_mask=(chosen.weight * coarse).mean(),
        articulation=articulation_loss(prediction.joint_angles) if step.phase.articulated else None,
        sideways=sideways_loss(prediction.joint_angles) if step.phase.articulated else None,
        elevation_prior=elevation_prior_loss(reading.viewpoint.elevation),
        deformation=_deformation(prediction) if step.phase.deformed else None,
        score=score,
    )
    return terms, prediction


@torch.no_grad()
def losses_of_hypotheses(
    model: AnimalModel,
    prior: ShapePrior,
    reading: ImageReading,
    *,
    batch: Batch,
    rest_mesh: Mesh,
    vertex_features: VertexFeatures | None,
    step: ImageStep,
) -> Float[Tensor, "images hypotheses"]:
    """The weighted loss of every hypothesis: silhouette and features at `score_size` pixels, no colours.

    `rest_mesh` holds the deformed animals, which are the same under all hypotheses.
    """
    images, count = reading.viewpoint.logits.shape

    def once_a_hypothesis(tensor: Tensor) -> Tensor:
        return tensor.repeat(count, *(1 for _ in tensor.shape[1:]))

    target = with_tensors(resized(batch, step.score_size), once_a_hypothesis)
    hypothesis = torch.arange(count, device=batch.masks.device).repeat_interleave(images)
    pose = model.pose(with_tensors(reading, once_a_hypothesis), prior, hypothesis, phase=step.phase)
    rest, faces = once_a_hypothesis(rest_mesh.vertices), rest_mesh.faces
    posed = skin(rest, pose.bone_transforms, prior.skinning_weights) if step.phase.articulated else rest
    buffers = render_coverage(Mesh(posed, faces), pose.camera, step.score_size)
    losses = reconstruction_losses(buffers, target, vertex_features=vertex_features, faces=faces)
    return _weighted(losses, step.score_weights).unflatten(0, (count, images)).T


def sdf_samples(field: SDFField, points: Float[Tensor, "points 3"]) -> SDFSamples:
    """Signed distances at `points` and their gradients, with a graph through both."""
    points = points.detach().requires_grad_()
    values = field(points)
    (gradients,) = torch.autograd.grad(values.sum(), points, create_graph=True)
    return SDFSamples(points, values, gradients)


def eikonal_term(
    field: SDFField,
    prior: ShapePrior,
    *,
    anywhere: Float[Tensor, "points 3"],
    near: Float[Tensor, "points 3"],
    part: Part = WHOLE,
) -> Float[Tensor, ""]:
    """The Eikonal loss at a part of: points of the cube, and points near random vertices of the surface.

    `anywhere` and `near` are uniform in [-1, 1): of the cube's half side, and of a twentieth of its side
    about vertices that are taken at even steps. Source: MagicPony (docs/method.md, "Category shape").
    """
    vertices = prior.mesh.vertices.detach()
    step = max(1, len(vertices) // len(near))
    around = vertices[::step][: len(near)]
    points = torch.cat([HALF_EXTENT * anywhere, around + 0.1 * HALF_EXTENT * near[: len(around)]])
    return part.share(len(points)) * eikonal_loss(sdf_samples(field, points[part.places]))


def reconstruction_losses(
    buffers: RenderBuffers, target: Batch, *, vertex_features: VertexFeatures | None, faces: Faces
) -> dict[str, Float[Tensor, " images"]]:
    """The reconstruction's terms, one value an image; colour where drawn, features where known to both.

    `target` has the size of the render, see `resized`.
    """
    overlap = eroded_overlap(buffers.mask, target.masks)
    losses = {
        "mask": mask_loss(buffers.mask, target.masks, target.valid),
        "inside_distance": inside_distance_loss(buffers.mask, target.inside_distance),
    }
    if buffers.rgb is not None:
        losses["color"] = color_loss(buffers.rgb, target.images, overlap)
    if vertex_features is not None and target.features is not None:
        features = surface_features(buffers.rasterized, faces, vertex_features)
        losses["features"] = feature_loss(features, target.features, overlap)
    return losses


def _rendered(prediction: AnimalPrediction, step: ImageStep) -> RenderBuffers:
    if not step.coloured:
        return render_silhouette(prediction.posed_mesh, prediction.camera, step.render_size)
    return render_surface(
        prediction.posed_mesh,
        prediction.camera,
        step.render_size,
        rest_positions=prediction.rest_positions,
        albedo_fn=prediction.albedo_fn,
        light=prediction.light,
    )


def _deformation(prediction: AnimalPrediction) -> Float[Tensor, ""]:
    return deformation_loss(prediction.rest_mesh.vertices - prediction.rest_positions)


def _score(
    logits: Float[Tensor, "images hypotheses"],
    chosen: ChosenHypotheses,
    losses: Mapping[str, Float[Tensor, " images"]],
    *,
    weights: Mapping[str, float],
) -> Float[Tensor, ""]:
    """What the rendered hypothesis's score learns: the weighted loss of its image."""
    detached = {name: loss.detach() for name, loss in losses.items()}
    return score_loss(logits, chosen.index, _weighted(detached, weights))


def _weighted(
    losses: Mapping[str, Float[Tensor, " images"]], weights: Mapping[str, float]
) -> Float[Tensor, " images"]:
    return torch.stack([weights[name] * losses[name] for name in weights if name in losses]).sum(dim=0)

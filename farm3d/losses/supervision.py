"""Losses against the procedural farm's truth (supervised training; not part of Farm3D)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.geometry.camera import Camera, project_to_ndc
from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.shapes import Points
from farm3d.types import DirectionalLight, SDFSamples, ViewpointPrediction

HYPOTHESIS_TEMPERATURE = 0.15
"""How sharply (1 - cos of the azimuth error) picks the hypotheses that are right."""

DISTANCE_LIMIT = 0.5
"""Signed distances beyond this (object units) count only by their sign."""


def azimuth_errors(
    viewpoint: ViewpointPrediction, world_to_camera: Float[Tensor, "images 4 4"]
) -> Float[Tensor, "images hypotheses"]:
    """`1 - cos` of each hypothesis's azimuth error."""
    azimuth, _ = azimuth_elevation(world_to_camera[:, :3, :3])
    return 1.0 - torch.cos(viewpoint.azimuths - azimuth[:, None])


def hypothesis_losses(
    errors: Float[Tensor, "images hypotheses"], logits: Float[Tensor, "images hypotheses"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Cross-entropy of the scores and azimuth error of the hypotheses that are right.

    A side view lies between two quadrants: both hypotheses share it in proportion to
    `softmax(-error / temperature)`.
    """
    target = torch.softmax(-errors.detach() / HYPOTHESIS_TEMPERATURE, dim=-1)
    cross_entropy = -(target * torch.log_softmax(logits, dim=-1)).sum(-1).mean()
    return cross_entropy, (target * errors).sum(-1).mean()


def best_hypothesis(errors: Float[Tensor, "images hypotheses"]) -> Int[Tensor, " images"]:
    """The hypothesis nearest to the truth, for training everything that depends on the view."""
    return errors.argmin(dim=-1)


def elevation_loss(
    viewpoint: ViewpointPrediction, world_to_camera: Float[Tensor, "images 4 4"]
) -> Float[Tensor, ""]:
    """Mean |elevation error|, radians."""
    _, elevation = azimuth_elevation(world_to_camera[:, :3, :3])
    return (viewpoint.elevation - elevation).abs().mean()


def point_loss(predicted: Points, truth: Points) -> Float[Tensor, ""]:
    """Mean Euclidean distance of corresponding points, object units."""
    return (predicted - truth).square().sum(-1).add(1e-8).sqrt().mean()


def shape_loss(predicted: Points, truth: Points) -> Float[Tensor, ""]:
    """`point_loss` of shapes whose size and place do not count: a picture does not tell either."""
    first, second = (points - points.mean(dim=-2, keepdim=True) for points in (predicted, truth))
    scale = (first * second).sum(dim=(-2, -1)) / first.square().sum(dim=(-2, -1))
    return point_loss(scale[..., None, None] * first, second)


def projection_loss(
    predicted: Points, camera: Camera, *, truth: Points, true_camera: Camera
) -> Float[Tensor, ""]:
    """Mean distance of corresponding points in the image, in half image sides."""
    offset = project_to_ndc(camera, predicted) - project_to_ndc(true_camera, truth)
    return offset.square().sum(-1).add(1e-8).sqrt().mean()


def light_loss(predicted: DirectionalLight, truth: DirectionalLight) -> Float[Tensor, ""]:
    """`1 - cos` of the direction's error, plus the absolute errors of ambient and diffuse."""
    turned = 1.0 - (predicted.direction * truth.direction).sum(-1)
    levels = (predicted.ambient - truth.ambient).abs() + (predicted.diffuse - truth.diffuse).abs()
    return (turned + levels).mean()


def signed_distance_loss(samples: SDFSamples, truth: Float[Tensor, " points"]) -> Float[Tensor, ""]:
    """Mean absolute error of the signed distance, both cut off at `DISTANCE_LIMIT`."""
    limit = DISTANCE_LIMIT
    # Cut off only on the truth's side, so that a wrong sign far away still pulls.
    predicted = torch.where(truth > 0, samples.values.clamp_max(limit), samples.values.clamp_min(-limit))
    return (predicted - truth.clamp(-limit, limit)).abs().mean()

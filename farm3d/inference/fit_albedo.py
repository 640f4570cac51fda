"""The coat: the albedo network finetuned on the pixels of the photograph.

Source: MagicPony (arXiv 2211.12497), texture finetuning at test time.
"""

from copy import deepcopy
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.inference.fit_light import fit_light
from farm3d.inference.refine import RefineConfig
from farm3d.models.animal_model import AnimalModel, ImageReading
from farm3d.ops.srgb import srgb_to_linear
from farm3d.render.mesh_renderer import render_geometry
from farm3d.render.shading import shade
from farm3d.types import AnimalPrediction, Batch, DirectionalLight

PIXELS_PER_STEP = 4096
BRIGHT_SHARE, WHITEST = 0.98, 0.95
"""The share of the colours seen in the light that albedos up to the second number must be able to show."""

SURE = 0.95
"""Share of a pixel that the mask must cover for its colour to be the animal's alone."""


def fit_albedo(
    model: AnimalModel,
    reading: ImageReading,
    prediction: AnimalPrediction,
    *,
    batch: Batch,
    config: RefineConfig,
) -> AnimalPrediction:
    """The prediction with its albedo fitted to the crop in `batch`; with 0 steps the prediction itself.

    Shape, pose and camera stay, so each pixel's rest position and normal are computed once. The light is
    fitted first (`fit_light`), and made stronger where it is too weak for the colours seen. The albedo is
    mirror-symmetric, so the unseen side takes the colours of the seen one.
    """
    with torch.no_grad():
        buffers = render_geometry(
            prediction.posed_mesh,
            prediction.camera,
            batch.images.shape[1],
            rest_positions=prediction.rest_positions,
        )
    assert buffers.rest_positions is not None and buffers.normals is not None
    seen = (buffers.mask[..., 0] > SURE) & (batch.masks[..., 0] > SURE)
    positions, normals, colors = buffers.rest_positions[seen], buffers.normals[seen], batch.images[seen]
    if config.steps == 0 or len(positions) == 0:
        return prediction
    field = deepcopy(model.albedo).requires_grad_(True)
    features = reading.encoded.features.detach()
    light = strong_enough(
        fit_light(_detached(prediction.light), normals, srgb_to_linear(colors)), normals, colors
    )
    optimizer = torch.optim.Adam(field.parameters(), lr=config.albedo_rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=config.steps)
    for step in range(config.steps):
        chosen = _pixels_of_step(step, len(positions))
        albedo = field(positions[chosen], features, torch.zeros_like(chosen))
        loss = (shade(albedo, normals[chosen], light) - colors[chosen]).abs().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
    field.requires_grad_(False)

    def albedo_fn(
        points: Float[Tensor, "points 3"], image_index: Int[Tensor, " points"]
    ) -> Float[Tensor, "points 3"]:
        return field(points, features, image_index)

    return replace(prediction, albedo_fn=albedo_fn, light=light)


def _pixels_of_step(step: int, count: int) -> Int[Tensor, " pixels"]:
    """Every k-th pixel, from another start at every step: even over the animal and not random."""
    stride = max(1, count // PIXELS_PER_STEP)
    return torch.arange(step % stride, count, stride)


def strong_enough(
    light: DirectionalLight, normals: Float[Tensor, "pixels 3"], colors: Float[Tensor, "pixels 3"]
) -> DirectionalLight:
    """The light, so strong that nearly all colours (sRGB) can be those of a coat that reflects less than all.

    How bright light is and how pale a coat cannot be told apart; but no coat is whiter than white. The half
    that the light falls on most tells, for a colour that the model takes to be in the shade and that is not
    says nothing of the light.
    """
    shading = light.ambient + light.diffuse * (normals * light.direction).sum(-1).clamp_min(0.0)
    albedo = srgb_to_linear(colors).amax(dim=-1) / shading
    lit = albedo[shading >= shading.median()]
    gain = (lit.quantile(BRIGHT_SHARE) / WHITEST).clamp_min(1.0).detach()
    return DirectionalLight(light.direction, gain * light.ambient, gain * light.diffuse)


def _detached(light: DirectionalLight) -> DirectionalLight:
    return DirectionalLight(light.direction.detach(), light.ambient.detach(), light.diffuse.detach())

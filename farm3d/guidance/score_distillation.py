"""Gradients on pictures from a frozen diffusion model: score distillation sampling.

Source: DreamFusion (arXiv 2209.14988) equation 3, as Farm3D (arXiv 2304.10535) uses it for random new views.
The U-Net's Jacobian is left out, not approximated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.guidance.denoiser import (
    Denoiser,
    Latents,
    NoiseSchedule,
    Timesteps,
    clean_estimate,
    timestep_of,
)

Weighting = Literal["noise", "uniform", "snr"]
WEIGHTINGS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "noise": lambda signal, noise: noise.square(),
    "uniform": lambda signal, noise: torch.ones_like(noise),
    "snr": lambda signal, noise: noise / signal,
}
"""w(t) of alpha and sigma: 1 - alphas_cumprod (DreamFusion's), 1, and the one that leaves x - x0 itself."""


@dataclass(frozen=True)
class Distillation:
    """How the model is asked at one step of training: plain numbers, schedules are the trainer's.

    Timesteps are drawn from `smallest_time` to `largest_time`, fractions of the schedule. With
    `denoising_steps` above 1 the target is a picture denoised in as many DDIM steps. `largest_gradient`
    limits the norm of an image's gradient.
    """

    smallest_time: float = 0.02
    largest_time: float = 0.6
    guidance_scale: float = 101.0
    weighting: Weighting = "noise"
    denoising_steps: int = 1
    largest_gradient: float | None = None


def draw_timesteps(
    schedule: NoiseSchedule, uniform: Float[Tensor, " images"], settings: Distillation
) -> Timesteps:
    """Timesteps of the settings' range for numbers drawn uniformly from [0, 1)."""
    low, high = (timestep_of(schedule, t) for t in (settings.smallest_time, settings.largest_time))
    return low + (uniform.double() * (high - low + 1)).long().to(uniform.device)


def distillation_gradient(
    denoiser: Denoiser,
    latents: Latents,
    *,
    prompts: Tensor,
    timesteps: Timesteps,
    noise: Latents,
    settings: Distillation,
) -> Latents:
    """`w(t) (predicted noise - noise)` for each image: the gradient that score distillation puts on latents.

    With several denoising steps it is `w(t) (alpha / sigma) (x - x0)` for the x0 that they lead to; for
    one step the two are the same. No gradient flows through the model.
    """
    with torch.no_grad():
        signal, sigma = denoiser.schedule.signal(timesteps), denoiser.schedule.noise(timesteps)
        noised = signal * latents + sigma * noise
        clean = _denoised(denoiser, noised, prompts=prompts, timesteps=timesteps, settings=settings)
        weight = WEIGHTINGS[settings.weighting](signal, sigma)
        gradient = weight * (signal / sigma) * (latents - clean)
        return (
            gradient if settings.largest_gradient is None else _limited(gradient, settings.largest_gradient)
        )


def distillation_loss(latents: Latents, gradient: Latents) -> Float[Tensor, ""]:
    """A number whose gradient with respect to `latents` is `gradient` over the number of images.

    Half the squared distance to `latents - gradient`: its size says how far the model wants to go.
    """
    target = (latents - gradient).detach()
    return 0.5 * (latents - target).square().sum() / latents.shape[0]


def _denoised(
    denoiser: Denoiser, noised: Latents, *, prompts: Tensor, timesteps: Timesteps, settings: Distillation
) -> Latents:
    """The clean picture after the settings' DDIM steps (Song et al. 2020, arXiv 2010.02502, equation 12)."""
    schedule, latents = denoiser.schedule, noised
    for remaining in range(settings.denoising_steps, 0, -1):
        now = (timesteps * remaining) // settings.denoising_steps
        predicted = denoiser.predict_noise(
            latents, now, prompts=prompts, guidance_scale=settings.guidance_scale
        )
        clean = clean_estimate(latents, predicted, signal=schedule.signal(now), noise=schedule.noise(now))
        later = (timesteps * (remaining - 1)) // settings.denoising_steps
        latents = schedule.signal(later) * clean + schedule.noise(later) * predicted
    return clean


def _limited(gradient: Latents, largest: float) -> Latents:
    norms = gradient.flatten(1).norm(dim=1)[:, None, None, None]
    return gradient * (largest / norms.clamp_min(1e-12)).clamp_max(1.0)

"""What score distillation asks of a diffusion model, whoever implements it.

A noised latent is `z_t = alpha_t x + sigma_t epsilon` with `alpha_t^2 + sigma_t^2 = 1` (variance preserving;
Ho et al. 2020, arXiv 2006.11239, equation 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.guidance.view_prompts import ViewPrompt

Latents = Float[Tensor, "images channels rows columns"]
Timesteps = Int[Tensor, " images"]


@dataclass(frozen=True)
class NoiseSchedule:
    """`alphas_cumprod[t]` is alpha_t squared: the share of the signal that is left at timestep t, falling."""

    alphas_cumprod: Float[Tensor, " timesteps"]

    def __len__(self) -> int:
        return len(self.alphas_cumprod)

    def signal(self, timesteps: Timesteps) -> Float[Tensor, "images 1 1 1"]:
        """alpha_t, ready to multiply latents."""
        return self.alphas_cumprod[timesteps].sqrt()[:, None, None, None]

    def noise(self, timesteps: Timesteps) -> Float[Tensor, "images 1 1 1"]:
        """sigma_t, ready to multiply noise."""
        return (1.0 - self.alphas_cumprod[timesteps]).sqrt()[:, None, None, None]


def scaled_linear_schedule(
    timesteps: int = 1000, *, first: float = 0.00085, last: float = 0.012
) -> NoiseSchedule:
    """Variances whose roots rise evenly from `first`'s to `last`'s: Stable Diffusion's schedule."""
    betas = torch.linspace(first**0.5, last**0.5, timesteps, dtype=torch.float64).square()
    return NoiseSchedule((1.0 - betas).cumprod(0).float())


@runtime_checkable
class Denoiser(Protocol):
    """A frozen diffusion model that knows what a category looks like from where."""

    @property
    def schedule(self) -> NoiseSchedule:
        """How much noise each timestep has."""
        ...

    def encode_images(self, images: Float[Tensor, "images height width 3"]) -> Latents:
        """Latents of sRGB images in [0, 1]; gradients reach the images."""
        ...

    def encode_prompts(self, prompts: Sequence[ViewPrompt]) -> Tensor:
        """One row a prompt, whatever `predict_noise` needs of it; no gradients."""
        ...

    def predict_noise(
        self, noised: Latents, timesteps: Timesteps, *, prompts: Tensor, guidance_scale: float
    ) -> Latents:
        """The noise that the model sees in `noised`, of rows of `encode_prompts`; no gradients.

        `guidance_scale` is s of classifier-free guidance: 1 is the model's own prediction.
        """
        ...


def guided_noise(unconditional: Latents, conditional: Latents, guidance_scale: float) -> Latents:
    """Classifier-free guidance (Ho & Salimans 2022, arXiv 2207.12598, equation 6, with s = 1 + w)."""
    return unconditional + guidance_scale * (conditional - unconditional)


def noise_of_velocity(velocity: Latents, noised: Latents, *, signal: Tensor, noise: Tensor) -> Latents:
    """epsilon of a v-prediction `v = alpha epsilon - sigma x` (Salimans & Ho 2022, arXiv 2202.00512).

    With `z = alpha x + sigma epsilon` it is `alpha v + sigma z`.
    """
    return signal * velocity + noise * noised


def clean_estimate(noised: Latents, predicted: Latents, *, signal: Tensor, noise: Tensor) -> Latents:
    """The picture that a prediction of the noise amounts to: `(z - sigma epsilon) / alpha`."""
    return (noised - noise * predicted) / signal


def timestep_of(schedule: NoiseSchedule, fraction: float) -> int:
    """The timestep at a fraction of the schedule; published ranges such as 0.02 to 0.6 are fractions."""
    return min(len(schedule) - 1, int(fraction * len(schedule)))

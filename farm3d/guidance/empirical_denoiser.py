"""The optimal denoiser of a finite set of pictures: a real score that needs no weights.

Source: Karras et al. 2022 (arXiv 2206.00364) appendix B.3, in the variance-preserving form and, with a
bandwidth, for a Gaussian about each picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.errors import ConfigError
from farm3d.guidance.denoiser import Latents, NoiseSchedule, Timesteps
from farm3d.guidance.view_prompts import VIEW_WORDS, ViewPrompt


@dataclass(frozen=True)
class EmpiricalDenoiser:
    """The posterior mean under a mixture of Gaussians about the pictures of the prompt's view.

    `pictures` are latents: sRGB mapped to [-1, 1] at the resolution that is compared; `views` index
    `VIEW_WORDS`. `bandwidth` is the Gaussians' standard deviation: 0 is the bare set. Prompts without a view
    ask for all pictures.
    """

    pictures: Float[Tensor, "pictures channels height width"]
    views: Int[Tensor, " pictures"]
    schedule: NoiseSchedule
    bandwidth: float = 0.0

    def encode_images(self, images: Float[Tensor, "images height width 3"]) -> Latents:
        """Images in [-1, 1], averaged over the pixels of a latent."""
        factor = images.shape[1] // self.pictures.shape[-1]
        channels_first = 2.0 * images.permute(0, 3, 1, 2) - 1.0
        return torch.nn.functional.avg_pool2d(channels_first, factor)

    def encode_prompts(self, prompts: Sequence[ViewPrompt]) -> Int[Tensor, " prompts"]:
        """The views' indices, -1 for any; raises ConfigError for a view of which there is no picture."""
        indices = [-1 if prompt.view is None else VIEW_WORDS.index(prompt.view) for prompt in prompts]
        missing = sorted({VIEW_WORDS[k] for k in indices if k >= 0 and not bool((self.views == k).any())})
        if missing:
            raise ConfigError(
                f"the set of pictures shows no {' and no '.join(missing)} view; draw more of them"
            )
        return torch.tensor(indices, device=self.pictures.device)

    def predict_noise(
        self, noised: Latents, timesteps: Timesteps, *, prompts: Tensor, guidance_scale: float = 1.0
    ) -> Latents:
        """The expected noise; there is nothing to guide away from, so `guidance_scale` must be 1."""
        if guidance_scale != 1.0:
            raise ConfigError(f"guidance_scale {guidance_scale}: the empirical denoiser knows only 1")
        with torch.no_grad():
            signal, noise = self.schedule.signal(timesteps), self.schedule.noise(timesteps)
            clean = self._posterior_mean(noised, signal=signal, noise=noise, prompts=prompts)
            return (noised - signal * clean) / noise

    def _posterior_mean(self, noised: Latents, *, signal: Tensor, noise: Tensor, prompts: Tensor) -> Latents:
        """E[x | z]: each picture's own posterior mean, weighted by how likely it gave rise to z."""
        spread = self.bandwidth**2
        variance = noise.square() + signal.square() * spread
        flat = self.pictures.flatten(1)
        scaled = noised.flatten(1) / signal.flatten(1)
        # |z - alpha x|^2 without the pictures x images x pixels array.
        squared = scaled.square().sum(1, keepdim=True) - 2.0 * scaled @ flat.T + flat.square().sum(1)
        logits = -squared * (signal.square() / (2.0 * variance)).flatten(1)
        asked = (prompts[:, None] < 0) | (prompts[:, None] == self.views)
        weights = torch.softmax(logits.masked_fill(~asked, -torch.inf), dim=1)
        mean = (weights @ flat).view_as(noised)
        return (noise.square() * mean + signal * spread * noised) / variance

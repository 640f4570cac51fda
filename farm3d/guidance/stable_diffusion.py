"""Stable Diffusion as the model that is asked: any 1.x or 2.x pipeline that diffusers has loaded.

Source: Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models" (CVPR 2022), asked as
DreamFusion (arXiv 2209.14988) asks Imagen: gradients go through the autoencoder, never through the U-Net.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from farm3d.errors import CheckpointError, ConfigError
from farm3d.guidance.denoiser import Latents, NoiseSchedule, Timesteps, guided_noise, noise_of_velocity
from farm3d.guidance.view_prompts import ViewPrompt

PREDICTIONS = ("epsilon", "v_prediction")
"""What U-Nets of Stable Diffusion give: the noise, or the velocity from which it follows."""

TextCodes = Float[Tensor, "images 2 tokens width"]
"""For each image the code of what it should not show, then that of its prompt."""


@dataclass(frozen=True)
class StableDiffusionDenoiser:
    """A frozen pipeline behind the protocol `Denoiser`; `stable_diffusion_denoiser` makes it.

    Pictures are brought to `image_size` pixels a side. Weights and activations have the pipeline's precision,
    what goes in and comes out that of the pictures. Attention is PyTorch's own, which never holds the whole
    matrix, so it is not sliced.
    """

    pipeline: Any
    """A StableDiffusionPipeline; type checkers see none of its parts."""
    schedule: NoiseSchedule
    image_size: int
    negative_prompt: str = ""
    codes: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)
    """Texts that were read before: a category has one for each view."""

    def encode_images(self, images: Float[Tensor, "images height width 3"]) -> Latents:
        """Scaled means of what the autoencoder sees in square sRGB images in [0, 1]; gradients reach them.

        The mean and no sample of it: sampling adds noise to a gradient that has enough of its own.
        """
        channels_first, size = images.permute(0, 3, 1, 2), (self.image_size, self.image_size)
        if channels_first.shape[-2:] != size:
            channels_first = functional.interpolate(
                channels_first, size, mode="bilinear", align_corners=False, antialias=True
            )
        latents: Tensor = _Encoding.apply(2.0 * channels_first - 1.0, self._encode)
        return latents

    def encode_prompts(self, prompts: Sequence[ViewPrompt]) -> TextCodes:
        """The text encoder's codes, each text read once.

        Raises ConfigError for a text that it would not read to its end.
        """
        negative = self._code(self.negative_prompt)
        return torch.stack([torch.stack([negative, self._code(prompt.text)]) for prompt in prompts])

    def predict_noise(
        self, noised: Latents, timesteps: Timesteps, *, prompts: Tensor, guidance_scale: float
    ) -> Latents:
        """The noise in `noised` with classifier-free guidance, both texts in one call of the U-Net.

        With a scale of 0 or 1 only one of the texts is asked for.
        """
        asked = {0.0: [0], 1.0: [1]}.get(guidance_scale, [0, 1])
        codes = prompts[:, asked].transpose(0, 1).flatten(0, 1)
        unet = self.pipeline.unet
        with torch.no_grad():
            pictures = noised.to(unet.dtype).repeat(len(asked), 1, 1, 1)
            parts = unet(pictures, timesteps.repeat(len(asked)), codes).sample.to(noised.dtype)
            first, last = parts.chunk(len(asked))[0], parts.chunk(len(asked))[-1]
            predicted = first if len(asked) == 1 else guided_noise(first, last, guidance_scale)
            if self.pipeline.scheduler.config.prediction_type == "epsilon":
                return predicted
            signal, noise = self.schedule.signal(timesteps), self.schedule.noise(timesteps)
            return noise_of_velocity(predicted, noised, signal=signal, noise=noise).to(noised.dtype)

    def _encode(self, pictures: Float[Tensor, "images 3 size size"]) -> Latents:
        vae = self.pipeline.vae
        means = vae.encode(pictures.to(vae.dtype)).latent_dist.mean
        return (means * vae.config.scaling_factor).to(pictures.dtype)

    def _code(self, text: str) -> Float[Tensor, "tokens width"]:
        if text not in self.codes:
            tokenizer = self.pipeline.tokenizer
            count, limit = len(tokenizer(text, truncation=False).input_ids), tokenizer.model_max_length
            if count > limit:
                raise ConfigError(f"the text encoder reads {limit} tokens, this prompt has {count}: {text!r}")
            with torch.no_grad():
                code, _ = self.pipeline.encode_prompt(text, self.pipeline.unet.device, 1, False)
            self.codes[text] = code[0]
        return self.codes[text]


def stable_diffusion_denoiser(
    pipeline: Any, *, image_size: int | None = None, negative_prompt: str = ""
) -> StableDiffusionDenoiser:
    """Freeze a pipeline and read from it what its numbers mean.

    `image_size` (pixels a side, a multiple of the autoencoder's step) is the size that the U-Net was trained
    for unless given. Raises CheckpointError for a model that cannot be asked for noise, ConfigError for a
    size that its autoencoder cannot encode.
    """
    name, step = pipeline.name_or_path, pipeline.vae_scale_factor
    prediction = pipeline.scheduler.config.get("prediction_type")
    if prediction not in PREDICTIONS:
        known = " or ".join(PREDICTIONS)
        raise CheckpointError(
            f"{name}: its U-Net predicts {prediction!r}; give a model that predicts {known}"
        )
    channels, expected = pipeline.unet.config.in_channels, pipeline.vae.config.latent_channels
    if channels != expected:
        raise CheckpointError(
            f"{name}: its U-Net reads {channels} channels, not the {expected} of a picture's code;"
            " give a model that draws from texts alone"
        )
    size = pipeline.unet.config.sample_size * step if image_size is None else image_size
    if size <= 0 or size % step:
        raise ConfigError(f"image size {size}: {name} encodes multiples of {step} pixels")
    for part in (pipeline.unet, pipeline.vae, pipeline.text_encoder):
        part.requires_grad_(False)
    levels = pipeline.scheduler.alphas_cumprod.to(pipeline.unet.device)
    return StableDiffusionDenoiser(pipeline, NoiseSchedule(levels), size, negative_prompt)


class _Encoding(torch.autograd.Function):
    """Pictures through an encoder one by one, once more in the backward pass instead of kept in memory.

    Each gradient passes the encoder brought to size 1: the weighted ones of training are smaller than the
    smallest numbers of half precision.
    """

    @staticmethod
    def forward(ctx: Any, pictures: Tensor, encode: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.save_for_backward(pictures)
        ctx.encode = encode
        return torch.cat([encode(picture) for picture in pictures.split(1)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (pictures,) = ctx.saved_tensors
        pairs = zip(pictures.split(1), gradients[0].split(1), strict=True)
        return torch.cat([_product(ctx.encode, picture, gradient) for picture, gradient in pairs]), None


def _product(encode: Callable[[Tensor], Tensor], picture: Tensor, gradient: Tensor) -> Tensor:
    """The gradient with respect to the picture of one with respect to its code."""
    size = gradient.abs().amax().clamp_min(torch.finfo(gradient.dtype).tiny)
    with torch.enable_grad():
        leaf = picture.detach().requires_grad_()
        code = encode(leaf)
    (product,) = torch.autograd.grad(code, leaf, gradient / size)
    return product * size

"""A real pipeline from disk is asked as diffusers asks it; gradients go through its autoencoder alone."""

import copy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from farm3d.config import load_config
from farm3d.errors import CheckpointError, ConfigError
from farm3d.guidance.denoiser import Denoiser, clean_estimate, guided_noise
from farm3d.guidance.score_distillation import Distillation, distillation_gradient, distillation_loss
from farm3d.guidance.stable_diffusion import StableDiffusionDenoiser, stable_diffusion_denoiser
from farm3d.guidance.view_prompts import ViewPrompt
from farm3d.pretrained.stable_diffusion import DiffusionSettings, LoadedModel, load_drawer, load_model
from farm3d.training.guidance import GuidanceConfig, load_denoiser

from ..synth.tiny_diffusion import tiny_settings

CPU = torch.device("cpu")
SIDE = ViewPrompt("a photo of a cow", "side")
TIMES = torch.tensor([20, 300, 700])


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model(tiny_diffusion_folder: Path) -> LoadedModel:
    return load_model(str(tiny_diffusion_folder), "main", device=CPU, precision="auto")


@pytest.fixture(scope="module")
def denoiser(model: LoadedModel) -> StableDiffusionDenoiser:
    return stable_diffusion_denoiser(model.pipeline)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def codes(count: int = 3) -> Tensor:
    return random(count, 4, 16, 16, seed=1)


def with_parts(model: LoadedModel, **parts: Any) -> Any:
    """The same pipeline with some parts exchanged."""
    components = {**model.pipeline.components, **parts}
    return diffusers.StableDiffusionPipeline(**components, requires_safety_checker=False)


def ask(denoiser: Denoiser, scale: float, count: int = 3) -> Tensor:
    prompts = denoiser.encode_prompts([SIDE] * count)
    return denoiser.predict_noise(codes(count), TIMES[:count], prompts=prompts, guidance_scale=scale)


def test_it_is_a_denoiser_that_reads_its_facts_from_the_folder(
    denoiser: StableDiffusionDenoiser, model: LoadedModel
) -> None:
    assert isinstance(denoiser, Denoiser)
    assert denoiser.image_size == 64
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2
    expected = torch.cumprod(1.0 - betas, 0).float()
    torch.testing.assert_close(denoiser.schedule.alphas_cumprod, expected, rtol=1e-4, atol=1e-6)
    pictures = torch.rand(2, 64, 64, 3, generator=torch.Generator().manual_seed(2))
    vae = model.pipeline.vae
    with torch.no_grad():
        means = vae.encode(2.0 * pictures.permute(0, 3, 1, 2) - 1.0).latent_dist.mean
    torch.testing.assert_close(denoiser.encode_images(pictures), means * vae.config.scaling_factor)
    assert vae.config.scaling_factor != 0.18215, "the tiny model's own"


def test_denoising_step_by_step_draws_what_diffusers_draws(
    denoiser: StableDiffusionDenoiser, tiny_diffusion_folder: Path
) -> None:
    settings, subject = tiny_settings(tiny_diffusion_folder), "a photo of a cow standing"
    (expected,) = load_drawer(settings, CPU).draw([subject], [3])
    asked = stable_diffusion_denoiser(denoiser.pipeline, negative_prompt=settings.negative_prompt)
    prompts, levels = asked.encode_prompts([ViewPrompt(subject)]), asked.schedule
    latents = torch.randn((4, 16, 16), generator=torch.Generator().manual_seed(3))[None]
    stride = 1000 // settings.steps
    for number in range(settings.steps, 0, -1):
        now = torch.tensor([(number - 1) * stride + 1])
        later = (now - stride).clamp_min(0)
        noise = asked.predict_noise(latents, now, prompts=prompts, guidance_scale=settings.guidance_scale)
        clean = clean_estimate(latents, noise, signal=levels.signal(now), noise=levels.noise(now))
        latents = levels.signal(later) * clean + levels.noise(later) * noise
    vae = denoiser.pipeline.vae
    with torch.no_grad():
        drawn = vae.decode(latents / vae.config.scaling_factor).sample
    pixels = ((drawn[0].permute(1, 2, 0) / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round().numpy()
    assert np.abs(pixels - expected).max() <= 1.0


def test_guidance_of_one_and_zero_are_the_conditional_and_the_unconditional_prediction(
    denoiser: StableDiffusionDenoiser,
) -> None:
    plain = stable_diffusion_denoiser(denoiser.pipeline)
    conditional, unconditional, strong = (ask(plain, scale) for scale in (1.0, 0.0, 7.5))
    empty = plain.encode_prompts([ViewPrompt("")] * 3)
    alone = plain.predict_noise(codes(), TIMES, prompts=empty, guidance_scale=1.0)
    torch.testing.assert_close(unconditional, alone)
    assert float((conditional - unconditional).abs().max()) > 1e-2, "the prompt counts"
    torch.testing.assert_close(strong, guided_noise(unconditional, conditional, 7.5), rtol=1e-4, atol=1e-4)
    with_negative = stable_diffusion_denoiser(denoiser.pipeline, negative_prompt="front view")
    torch.testing.assert_close(ask(with_negative, 1.0), conditional)
    assert not torch.allclose(ask(with_negative, 0.0), unconditional, atol=1e-3)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_the_clean_picture_is_the_scheduler_s(model: LoadedModel, prediction: str) -> None:
    """Of the same network, read either way."""
    scheduler = diffusers.DDIMScheduler.from_config(
        model.pipeline.scheduler.config, prediction_type=prediction
    )
    denoiser = stable_diffusion_denoiser(with_parts(model, scheduler=scheduler))
    prompts, time = denoiser.encode_prompts([SIDE]), TIMES[1:2]
    noise = denoiser.predict_noise(codes(1), time, prompts=prompts, guidance_scale=1.0)
    with torch.no_grad():
        raw = model.pipeline.unet(codes(1), time, prompts[:, 1]).sample
    scheduler.set_timesteps(1000)
    expected = scheduler.step(raw, int(time), codes(1)).pred_original_sample
    signal, sigma = denoiser.schedule.signal(time), denoiser.schedule.noise(time)
    found = clean_estimate(codes(1), noise, signal=signal, noise=sigma)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(noise, raw) == (prediction == "epsilon")


class NoiseFromVelocity(nn.Module):
    """A network that says as noise what another says as velocity."""

    def __init__(self, velocity: Any, levels: Tensor) -> None:
        super().__init__()
        self.velocity, self.config, self.dtype, self.device = velocity, velocity.config, torch.float32, CPU
        self.register_buffer("levels", levels)

    def forward(self, pictures: Tensor, times: Tensor, texts: Tensor) -> Any:
        output = self.velocity(pictures, times, texts)
        share = self.get_buffer("levels")[times][:, None, None, None]
        output.sample = share.sqrt() * output.sample + (1.0 - share).sqrt() * pictures
        return output


def test_both_kinds_of_prediction_give_the_same_noise(
    model: LoadedModel, denoiser: StableDiffusionDenoiser
) -> None:
    pipeline = with_parts(
        model,
        scheduler=diffusers.DDIMScheduler.from_config(
            model.pipeline.scheduler.config, prediction_type="epsilon"
        ),
    )
    pipeline.unet = NoiseFromVelocity(model.pipeline.unet, denoiser.schedule.alphas_cumprod)
    torch.testing.assert_close(
        ask(stable_diffusion_denoiser(pipeline), 7.5), ask(denoiser, 7.5), rtol=1e-4, atol=1e-4
    )


def test_gradients_through_the_autoencoder_are_those_of_finite_differences(model: LoadedModel) -> None:
    pipeline = with_parts(model, vae=copy.deepcopy(model.pipeline.vae).double())
    denoiser = stable_diffusion_denoiser(pipeline, image_size=32)
    pictures = torch.rand(2, 24, 24, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    assert torch.autograd.gradcheck(denoiser.encode_images, pictures.requires_grad_(), fast_mode=True)
    weights = random(2, 4, 8, 8).double()
    (found,) = torch.autograd.grad((denoiser.encode_images(pictures) * weights).sum(), pictures)
    assert all(float(gradient.abs().max()) > 0.0 for gradient in found)
    assert not any(p.requires_grad or p.grad is not None for p in pipeline.vae.parameters())


def test_gradients_smaller_than_half_precision_arrive(model: LoadedModel) -> None:
    vae = copy.deepcopy(model.pipeline.vae).half()
    halved = stable_diffusion_denoiser(with_parts(model, vae=vae))
    pictures = torch.rand(1, 64, 64, 3, generator=torch.Generator().manual_seed(4)).requires_grad_()
    weights = random(1, 4, 16, 16)

    def gradient(latents: Tensor, size: float) -> Tensor:
        return torch.autograd.grad((latents * weights).sum() * size, pictures)[0] / size

    exact = gradient(stable_diffusion_denoiser(model.pipeline).encode_images(pictures), 1.0)
    small = gradient(halved.encode_images(pictures), 1e-9)
    assert float(torch.cosine_similarity(small.flatten(), exact.flatten(), dim=0)) > 0.99
    direct = vae.encode((2.0 * pictures.permute(0, 3, 1, 2) - 1.0).half()).latent_dist.mean.float()
    assert not gradient(direct, 1e-9).any(), "what would be lost"


@pytest.mark.parametrize("side", [32, 64, 96])
def test_pictures_of_any_size_are_brought_to_the_model_s(
    denoiser: StableDiffusionDenoiser, side: int
) -> None:
    grey = torch.full((1, side, side, 3), 0.3)
    torch.testing.assert_close(
        denoiser.encode_images(grey), denoiser.encode_images(torch.full((1, 64, 64, 3), 0.3))
    )


def test_texts_are_read_once(denoiser: StableDiffusionDenoiser) -> None:
    fresh = stable_diffusion_denoiser(denoiser.pipeline)
    prompts = [ViewPrompt("a cow", view) for view in ("side", "front", "side")]
    rows = fresh.encode_prompts(prompts)
    assert set(fresh.codes) == {"", "a cow, side view", "a cow, front view"}
    assert torch.equal(rows[0], rows[2]) and not torch.equal(rows[0], rows[1])
    assert torch.equal(fresh.encode_prompts(prompts), rows)
    assert not rows.requires_grad
    with pytest.raises(ConfigError, match="reads 77 tokens"):
        fresh.encode_prompts([ViewPrompt("cow " * 90)])


def test_the_network_is_never_in_the_graph(model: LoadedModel) -> None:
    unet, seen = model.pipeline.unet, []
    hook = unet.register_forward_hook(lambda *_: seen.append(torch.is_grad_enabled()))
    denoiser = stable_diffusion_denoiser(model.pipeline)
    pictures = torch.rand(3, 64, 64, 3, generator=torch.Generator().manual_seed(5)).requires_grad_()
    latents = denoiser.encode_images(pictures)
    noise = random(3, 4, 16, 16, seed=6)
    gradient = distillation_gradient(
        denoiser,
        latents,
        prompts=denoiser.encode_prompts([SIDE] * 3),
        timesteps=TIMES,
        noise=noise,
        settings=Distillation(guidance_scale=7.5),
    )
    hook.remove()
    assert seen == [False], "one call for both texts, without a graph"
    assert not gradient.requires_grad
    distillation_loss(latents, gradient).backward()
    assert pictures.grad is not None and bool(pictures.grad.any())
    assert not any(parameter.grad is not None for parameter in unet.parameters())


def test_models_that_say_something_else_than_noise_are_refused(
    tiny_diffusion_folder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_diffusion_folder, tmp_path / "sample")
    config = folder / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace("v_prediction", "sample"))
    model = load_model(str(folder), "main", device=CPU, precision="auto")
    with pytest.raises(CheckpointError, match="predicts 'sample'; give a model that") as caught:
        stable_diffusion_denoiser(model.pipeline)
    assert str(caught.value).startswith(str(folder)) and "\n" not in str(caught.value)


def test_a_size_that_cannot_be_encoded_is_refused(model: LoadedModel) -> None:
    with pytest.raises(ConfigError, match="multiples of 4 pixels"):
        stable_diffusion_denoiser(model.pipeline, image_size=66)


def test_the_settings_of_training_name_the_model(
    tiny_diffusion_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = GuidanceConfig(
        source="stable-diffusion", model=str(tiny_diffusion_folder), model_size=32, negative_prompt="toy"
    )
    denoiser = load_denoiser(settings, CPU)
    assert isinstance(denoiser, StableDiffusionDenoiser)
    assert (denoiser.image_size, denoiser.negative_prompt) == (32, "toy")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    drawing = load_config(DiffusionSettings, preset_or_file="synthesis/stable_diffusion")
    with pytest.raises(CheckpointError, match=drawing.model):
        load_denoiser(GuidanceConfig(source="stable-diffusion"), CPU)

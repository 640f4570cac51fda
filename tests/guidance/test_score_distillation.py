"""Score distillation where the answer is known: Gaussian priors, finite sets, identities of guidance."""

import math
from dataclasses import dataclass, field, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farm3d.errors import ConfigError
from farm3d.guidance.denoiser import (
    NoiseSchedule,
    clean_estimate,
    guided_noise,
    noise_of_velocity,
    timestep_of,
)
from farm3d.guidance.empirical_denoiser import EmpiricalDenoiser
from farm3d.guidance.score_distillation import (
    Distillation,
    distillation_gradient,
    distillation_loss,
    draw_timesteps,
)
from farm3d.guidance.view_prompts import ViewPrompt, view_prompt

SCHEDULE = NoiseSchedule(torch.cumprod(1.0 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2, 0))
SHAPE = (3, 4, 4)
OWN = Distillation(guidance_scale=1.0, weighting="uniform")


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gaussian(mean: torch.Tensor, deviation: float) -> EmpiricalDenoiser:
    """One picture with a bandwidth is a Gaussian prior N(mean, deviation^2)."""
    return EmpiricalDenoiser(mean[None], torch.tensor([0]), SCHEDULE, bandwidth=deviation)


@pytest.mark.parametrize("timestep", [20, 300, 599, 999])
@pytest.mark.parametrize("deviation", [0.0, 0.3, 2.0])
def test_a_gaussian_prior_has_the_noise_of_the_textbook(timestep: int, deviation: float) -> None:
    mean, noised = random(*SHAPE, seed=1), random(5, *SHAPE, seed=2)
    timesteps = torch.full((5,), timestep)
    predicted = gaussian(mean, deviation).predict_noise(
        noised, timesteps, prompts=torch.zeros(5, dtype=torch.long)
    )
    alpha, sigma = SCHEDULE.signal(timesteps), SCHEDULE.noise(timesteps)
    expected = sigma * (noised - alpha * mean) / (alpha**2 * deviation**2 + sigma**2)
    torch.testing.assert_close(predicted, expected, rtol=1e-9, atol=1e-9)


def test_the_expected_gradient_under_a_gaussian_pulls_to_its_mean() -> None:
    mean, deviation, timestep, count = random(*SHAPE, seed=1), 0.5, 400, 20000
    latents = random(1, *SHAPE, seed=3)
    gradient = distillation_gradient(
        gaussian(mean, deviation),
        latents.expand(count, -1, -1, -1),
        prompts=torch.zeros(count, dtype=torch.long),
        timesteps=torch.full((count,), timestep),
        noise=random(count, *SHAPE, seed=4),
        settings=OWN,
    )
    alpha, sigma = (
        float(SCHEDULE.signal(torch.tensor([timestep]))),
        float(SCHEDULE.noise(torch.tensor([timestep]))),
    )
    expected = sigma * alpha * (latents[0] - mean) / (alpha**2 * deviation**2 + sigma**2)
    deviation_of_mean = float(gradient.std(dim=0).max()) / math.sqrt(count)
    torch.testing.assert_close(gradient.mean(dim=0), expected, rtol=0.0, atol=5.0 * deviation_of_mean)


def test_the_gradient_is_the_difference_of_noises_and_the_way_to_the_clean_picture() -> None:
    denoiser = EmpiricalDenoiser(random(6, *SHAPE, seed=5), torch.tensor([0, 1, 2, 3, 0, 1]), SCHEDULE, 0.2)
    latents, noise = random(4, *SHAPE, seed=6), random(4, *SHAPE, seed=7)
    timesteps, prompts = torch.tensor([20, 200, 500, 900]), torch.tensor([0, 1, 2, -1])
    gradient = distillation_gradient(
        denoiser, latents, prompts=prompts, timesteps=timesteps, noise=noise, settings=OWN
    )
    alpha, sigma = SCHEDULE.signal(timesteps), SCHEDULE.noise(timesteps)
    noised = alpha * latents + sigma * noise
    predicted = denoiser.predict_noise(noised, timesteps, prompts=prompts)
    torch.testing.assert_close(gradient, predicted - noise)
    clean = clean_estimate(noised, predicted, signal=alpha, noise=sigma)
    torch.testing.assert_close(gradient, alpha / sigma * (latents - clean))
    weighted = {
        name: distillation_gradient(
            denoiser,
            latents,
            prompts=prompts,
            timesteps=timesteps,
            noise=noise,
            settings=replace(OWN, weighting=name),  # type: ignore[arg-type]
        )
        for name in ("noise", "snr")
    }
    torch.testing.assert_close(weighted["noise"], sigma**2 * gradient)
    torch.testing.assert_close(weighted["snr"], latents - clean)


def test_the_surrogate_loss_has_exactly_this_gradient() -> None:
    latents, gradient = random(3, *SHAPE).requires_grad_(), random(3, *SHAPE, seed=8)
    (found,) = torch.autograd.grad(distillation_loss(latents, gradient), latents)
    torch.testing.assert_close(found, gradient / 3.0, rtol=1e-12, atol=1e-12)


@dataclass
class RecordedDenoiser:
    """A denoiser with weights, which says whether autograd ever saw them."""

    weight: torch.Tensor
    schedule: NoiseSchedule = SCHEDULE
    tracked: list[bool] = field(default_factory=list)

    def encode_images(self, images: torch.Tensor) -> torch.Tensor:
        return images.permute(0, 3, 1, 2)

    def encode_prompts(self, prompts: list[ViewPrompt]) -> torch.Tensor:
        return torch.zeros(len(prompts))

    def predict_noise(
        self, noised: torch.Tensor, timesteps: torch.Tensor, *, prompts: torch.Tensor, guidance_scale: float
    ) -> torch.Tensor:
        predicted = noised * self.weight
        self.tracked.append(predicted.requires_grad)
        return predicted


def test_the_model_is_never_in_the_graph() -> None:
    denoiser = RecordedDenoiser(torch.ones(1, dtype=torch.float64, requires_grad=True))
    latents = random(2, *SHAPE).requires_grad_()
    gradient = distillation_gradient(
        denoiser,
        latents,
        prompts=torch.zeros(2),
        timesteps=torch.tensor([100, 500]),
        noise=random(2, *SHAPE, seed=1),
        settings=replace(OWN, denoising_steps=3),
    )
    distillation_loss(latents, gradient).backward()
    assert denoiser.tracked == [False] * 3
    assert denoiser.weight.grad is None and not gradient.requires_grad
    torch.testing.assert_close(latents.grad, gradient / 2.0)


def test_more_denoising_steps_come_nearer_to_a_picture_of_the_set() -> None:
    pictures = 3.0 * random(8, *SHAPE, seed=9)
    denoiser = EmpiricalDenoiser(pictures, torch.zeros(8, dtype=torch.long), SCHEDULE)
    latents, noise = random(16, *SHAPE, seed=10), random(16, *SHAPE, seed=11)

    def distance_to_the_set(steps: int) -> float:
        settings = replace(OWN, denoising_steps=steps, weighting="snr")
        gradient = distillation_gradient(
            denoiser,
            latents,
            prompts=torch.full((16,), -1),
            timesteps=torch.full((16,), 980),
            noise=noise,
            settings=settings,
        )
        target = (latents - gradient).flatten(1)
        return float(torch.cdist(target, pictures.flatten(1)).amin(dim=1).mean())

    assert distance_to_the_set(10) < 0.2 * distance_to_the_set(1)


def test_a_bare_set_at_little_noise_answers_with_its_nearest_picture() -> None:
    pictures = random(10, *SHAPE, seed=12)
    denoiser = EmpiricalDenoiser(pictures, torch.zeros(10, dtype=torch.long), SCHEDULE)
    timesteps = torch.zeros(10, dtype=torch.long)
    noised = SCHEDULE.signal(timesteps) * pictures + 0.01 * random(10, *SHAPE, seed=13)
    predicted = denoiser.predict_noise(noised, timesteps, prompts=torch.full((10,), -1))
    clean = clean_estimate(
        noised, predicted, signal=SCHEDULE.signal(timesteps), noise=SCHEDULE.noise(timesteps)
    )
    torch.testing.assert_close(clean, pictures)


def test_view_words_choose_the_pictures() -> None:
    pictures = random(2, *SHAPE, seed=14)
    denoiser = EmpiricalDenoiser(pictures, torch.tensor([0, 2]), SCHEDULE)
    prompts = denoiser.encode_prompts([ViewPrompt("a cow", "front"), ViewPrompt("a cow", "back")])
    timesteps = torch.tensor([900, 900])
    noised = random(2, *SHAPE, seed=15)
    predicted = denoiser.predict_noise(noised, timesteps, prompts=prompts)
    clean = clean_estimate(
        noised, predicted, signal=SCHEDULE.signal(timesteps), noise=SCHEDULE.noise(timesteps)
    )
    torch.testing.assert_close(clean, pictures)
    assert denoiser.encode_prompts([ViewPrompt("a cow")]).tolist() == [-1]
    with pytest.raises(ConfigError, match="no side view"):
        denoiser.encode_prompts([ViewPrompt("a cow", "side")])
    with pytest.raises(ConfigError, match="knows only 1"):
        denoiser.predict_noise(noised, timesteps, prompts=prompts, guidance_scale=7.5)


def test_latents_are_mean_pixels_and_carry_gradients() -> None:
    denoiser = EmpiricalDenoiser(random(1, 3, 4, 4), torch.tensor([0]), SCHEDULE)
    images = torch.rand(2, 8, 8, 3, dtype=torch.float64, requires_grad=True)
    latents = denoiser.encode_images(images)
    assert latents.shape == (2, 3, 4, 4)
    torch.testing.assert_close(latents[1, 2, 3, 0], 2.0 * images[1, 6:, :2, 2].mean() - 1.0)
    latents.sum().backward()
    torch.testing.assert_close(images.grad, torch.full_like(images, 0.5))


def test_guidance_of_one_is_the_conditional_prediction_and_zero_the_unconditional() -> None:
    free, asked = random(2, *SHAPE), random(2, *SHAPE, seed=1)
    torch.testing.assert_close(guided_noise(free, asked, 1.0), asked)
    torch.testing.assert_close(guided_noise(free, asked, 0.0), free)
    torch.testing.assert_close(guided_noise(asked, asked, 101.0), asked)


def test_velocity_and_noise_say_the_same() -> None:
    timesteps = torch.tensor([1, 250, 998])
    alpha, sigma = SCHEDULE.signal(timesteps), SCHEDULE.noise(timesteps)
    clean, noise = random(3, *SHAPE), random(3, *SHAPE, seed=1)
    noised, velocity = alpha * clean + sigma * noise, alpha * noise - sigma * clean
    torch.testing.assert_close(noise_of_velocity(velocity, noised, signal=alpha, noise=sigma), noise)


def test_a_gradient_is_limited_image_by_image() -> None:
    denoiser = gaussian(torch.zeros(SHAPE, dtype=torch.float64), 0.1)
    latents = torch.stack([torch.full(SHAPE, 100.0), torch.full(SHAPE, 1e-4)]).double()
    arguments = {
        "prompts": torch.zeros(2, dtype=torch.long),
        "timesteps": torch.tensor([500, 500]),
        "noise": torch.zeros(2, *SHAPE, dtype=torch.float64),
    }
    free = distillation_gradient(denoiser, latents, **arguments, settings=OWN)
    limited = distillation_gradient(
        denoiser, latents, **arguments, settings=replace(OWN, largest_gradient=0.5)
    )
    assert float(limited[0].norm()) == pytest.approx(0.5)
    torch.testing.assert_close(limited[0] / limited[0].norm(), free[0] / free[0].norm())
    torch.testing.assert_close(limited[1], free[1])


@settings(deadline=None)
@given(low=st.floats(0.0, 0.5), span=st.floats(0.0, 0.5), uniform=st.floats(0.0, 1.0, exclude_max=True))
def test_timesteps_stay_in_their_range(low: float, span: float, uniform: float) -> None:
    settings = Distillation(smallest_time=low, largest_time=low + span)
    (timestep,) = draw_timesteps(SCHEDULE, torch.tensor([uniform], dtype=torch.float64), settings).tolist()
    assert timestep_of(SCHEDULE, low) <= timestep <= timestep_of(SCHEDULE, low + span)


def test_the_whole_range_is_drawn() -> None:
    settings = Distillation(smallest_time=0.02, largest_time=0.6)
    drawn = draw_timesteps(SCHEDULE, torch.linspace(0.0, 0.999999, 20000), settings)
    assert (int(drawn.min()), int(drawn.max())) == (20, 600)
    assert timestep_of(SCHEDULE, 1.0) == 999


def test_prompts_say_the_view() -> None:
    prompt = view_prompt("a photograph of a {category}", "cow", azimuth=math.pi, elevation=0.1)
    assert prompt == ViewPrompt("a photograph of a cow", "back")
    assert prompt.text == "a photograph of a cow, back view"
    assert ViewPrompt("a cow").text == "a cow"

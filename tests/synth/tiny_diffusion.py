"""A tiny but real Stable Diffusion model, overfitted on farm pictures: what it draws are animals.

U-Net, autoencoder, text encoder and tokenizer are diffusers' and transformers' own classes in a folder that
`save_pretrained` wrote. A random model would draw noise, which proves nothing about masks and filters.

Tests ask for the fixture `tiny_diffusion_folder` and draw with `DRAWING`: `farm3d-synth --model FOLDER`, or

    settings = tiny_settings(tiny_diffusion_folder)
    pictures = load_drawer(settings, torch.device("cpu")).draw(["a photo of a cow"], [0])
"""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from farm3d.synth.procedural.features import feature_mixture
from farm3d.synth.procedural.images import draw, random_animal, random_shot
from farm3d.synth.procedural.species import species_of
from farm3d.synth.prompts import prompt_of
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from farm3d.config import load_config
from farm3d.data.transforms import crop_box, crop_image
from farm3d.pretrained.stable_diffusion import DiffusionSettings
from farm3d.seeding import torch_generator

CATEGORY, SEED, SIZE = "cow", 5, 64
ANIMALS, PICTURES, PROMPTS = 4, 48, 6
"""Individuals, pictures to learn by heart, and prompts that each picture answers to."""

MEADOW = (112, 158, 84)
"""The plain background: of another colour than black, white and brown coats, for GrabCut."""

VAE_STEPS, VAE_BATCH, VAE_RATE = 200, 8, 5e-3
UNET_STEPS, UNET_BATCH, UNET_RATE = 400, 16, 2e-3
TEXT_WIDTH = 32

DRAWING = ("size=64", "steps=8", "guidance_scale=1.5", "scheduler=ddim")
"""Overrides of `DiffusionSettings` with which the model draws well."""


def tiny_settings(folder: Path, *overrides: str) -> DiffusionSettings:
    """How to draw with the model in `folder`."""
    return load_config(
        DiffusionSettings,
        preset_or_file="synthesis/stable_diffusion",
        overrides=(f"model={folder}", *DRAWING, *overrides),
    )


def make_tiny_diffusion(folder: Path) -> Path:
    """Train the model and save it to `folder`; the same on every run with one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(SEED)
            pipeline = trained_pipeline(folder)
    finally:
        torch.set_num_threads(threads)
    pipeline.save_pretrained(folder)
    return folder


def trained_pipeline(folder: Path) -> StableDiffusionPipeline:
    pictures, views = farm_pictures()
    autoencoder = trained_autoencoder(pictures)
    tokenizer, text_encoder = text_parts(folder / "tokenizer")
    with torch.no_grad():
        latents = autoencoder.encode(pictures).latent_dist.mean
    autoencoder.register_to_config(scaling_factor=float(1.0 / latents.std()))
    scheduler = DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="v_prediction",
    )
    texts = torch.stack([text_codes(tokenizer, text_encoder, view, k) for k, view in enumerate(views)])
    empty = encode(tokenizer, text_encoder, [""])
    unet = trained_unet(latents * autoencoder.config.scaling_factor, texts, empty, scheduler)
    return StableDiffusionPipeline(
        vae=autoencoder,
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def farm_pictures() -> tuple[Tensor, list[str]]:
    """Farm animals before a plain meadow, in [-1, 1], and the view words of their cameras."""
    mixture = feature_mixture(SEED)
    herd = [random_animal(species_of(CATEGORY), k, seed=SEED, mixture=mixture) for k in range(ANIMALS)]
    pictures, views = [], []
    for number in range(PICTURES):
        animal = herd[number % ANIMALS]
        shot = random_shot(animal, str(number), np.random.default_rng([SEED, number]), seed=SEED)
        (sample,) = draw(animal, [shot], 2 * SIZE)
        mask = sample.mask > 127
        plain = np.where(mask[..., None], sample.image, np.array(MEADOW, np.uint8))
        x, y, side, _ = crop_box(mask)
        wider = (x - 0.08 * side, y - 0.08 * side, 1.16 * side, 1.16 * side)
        pictures.append(crop_image(plain, mask, wider, size=SIZE).image)
        views.append(str(sample.truth["prompt"]).split(", ")[1].removesuffix(" view"))
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
    return 2.0 * stacked - 1.0, views


def trained_autoencoder(pictures: Tensor) -> AutoencoderKL:
    """An autoencoder with 4 x 16 x 16 latents that gives these pictures back."""
    widths = (16, 16, 32)
    autoencoder = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=widths,
        norm_num_groups=4,
        mid_block_add_attention=False,
        sample_size=SIZE,
    )
    optimizer = torch.optim.Adam(autoencoder.parameters(), VAE_RATE, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, VAE_RATE, VAE_STEPS, pct_start=0.05)
    for _ in range(VAE_STEPS):
        batch = pictures[torch.randint(len(pictures), (VAE_BATCH,))]
        codes = autoencoder.encode(batch).latent_dist.mean
        # The noise teaches the decoder to bear the U-Net's small errors.
        drawn = autoencoder.decode(codes + 0.05 * torch.randn_like(codes)).sample
        loss = (drawn - batch).square().mean() + 1e-4 * codes.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return autoencoder.eval().requires_grad_(False)


def text_parts(folder: Path) -> tuple[CLIPTokenizer, CLIPTextModel]:
    """A tokenizer that knows the words of the prompts, and a text encoder that stays as it began."""
    folder.mkdir(parents=True)
    words = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<|endoftext|>"))
    words.normalizer = normalizers.Lowercase()
    words.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Whitespace(),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=1500,
        end_of_word_suffix="</w>",
        special_tokens=["<|startoftext|>", "<|endoftext|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    words.train_from_iterator(sentences(), trainer)
    words.model.save(str(folder))
    special = dict.fromkeys(("eos_token", "unk_token", "pad_token"), "<|endoftext|>")
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "bos_token": "<|startoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config | special))
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    text_config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=TEXT_WIDTH,
        intermediate_size=2 * TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=TEXT_WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return tokenizer, CLIPTextModel(text_config).eval().requires_grad_(False)


def sentences() -> Iterator[str]:
    """Texts that together hold all words which the model is told."""
    settings = load_config(DiffusionSettings, preset_or_file="synthesis/stable_diffusion")
    yield from [settings.negative_prompt] * 2
    for number in range(400):
        prompt = prompt_of(CATEGORY, number, SEED)
        yield from (prompt.text, prompt.negative)


def text_codes(tokenizer: CLIPTokenizer, encoder: CLIPTextModel, view: str, picture: int) -> Tensor:
    """Codes of prompts that ask for this view."""
    numbers = range(picture * 1000, picture * 1000 + 1000)
    prompts = (prompt_of(CATEGORY, number, SEED) for number in numbers)
    asking = (prompt.text for prompt in prompts if prompt.view == view)
    return encode(tokenizer, encoder, [next(asking) for _ in range(PROMPTS)])


def encode(tokenizer: CLIPTokenizer, encoder: CLIPTextModel, texts: list[str]) -> Tensor:
    tokens = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
    with torch.no_grad():
        return encoder(tokens.input_ids)[0]


def trained_unet(
    latents: Tensor, texts: Tensor, empty: Tensor, scheduler: DDIMScheduler
) -> UNet2DConditionModel:
    """A U-Net that takes the noise from these latents, told what they show nine times in ten."""
    unet = UNet2DConditionModel(
        sample_size=SIZE // 4,
        layers_per_block=1,
        block_out_channels=(32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=8,
        norm_num_groups=8,
    )
    generator = torch_generator(SEED, "unet")
    optimizer = torch.optim.Adam(unet.parameters(), UNET_RATE, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, UNET_RATE, UNET_STEPS, pct_start=0.05)
    for _ in range(UNET_STEPS):
        chosen = torch.randint(len(latents), (UNET_BATCH,), generator=generator)
        words = torch.randint(PROMPTS, (UNET_BATCH,), generator=generator)
        told = (torch.rand(UNET_BATCH, 1, 1, generator=generator) > 0.1).float()
        codes = told * texts[chosen, words] + (1.0 - told) * empty
        noise = torch.randn(latents[chosen].shape, generator=generator)
        times = torch.randint(scheduler.config.num_train_timesteps, (UNET_BATCH,), generator=generator)
        noisy = scheduler.add_noise(latents[chosen], noise, times)
        target = scheduler.get_velocity(latents[chosen], noise, times)
        loss = (unet(noisy, times, codes).sample - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return unet.eval().requires_grad_(False)

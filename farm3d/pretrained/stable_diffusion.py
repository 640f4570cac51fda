"""Stable Diffusion: the only door to diffusers.

Source: Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models" (CVPR 2022), in the
diffusers library's implementation, from a folder or a repository of the Hugging Face hub.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from pydantic import Field

from farm3d.config import StrictConfig
from farm3d.errors import CheckpointError, ConfigError, MissingDependencyError
from farm3d.pretrained.hub import fetch_folder, is_hub_id

PIPELINE_CLASS = "StableDiffusionPipeline"
MODEL_FILES = (
    "model_index.json",
    "unet/config.json",
    "unet/diffusion_pytorch_model.safetensors",
    "vae/config.json",
    "vae/diffusion_pytorch_model.safetensors",
    "text_encoder/config.json",
    "text_encoder/model.safetensors",
    "scheduler/scheduler_config.json",
    "tokenizer/tokenizer_config.json",
)
"""What a model must hold. Weights are read as safetensors alone: a pickle can run programs."""

TOKENIZER_FILES = ("tokenizer/tokenizer.json", "tokenizer/vocab.json", "tokenizer/merges.txt")
HUB_FILES = (*MODEL_FILES, *TOKENIZER_FILES, "tokenizer/special_tokens_map.json")
"""A tokenizer's words are in the first, or in the two others."""

Scheduler = Literal["model", "ddim", "dpm-solver", "euler", "unipc"]
Precision = Literal["auto", "float32", "float16", "bfloat16"]
Pictures = UInt8[np.ndarray, "images size size 3"]


class DiffusionSettings(StrictConfig):
    """Everything but prompt and seed on which a drawn picture depends; values are in configs/synthesis."""

    model: str
    """A folder in diffusers' layout, or a repository of the hub, OWNER/NAME."""
    revision: str
    """Branch, tag or commit of a repository of the hub; a folder has none, so this is not looked at."""
    scheduler: Scheduler
    """How noise becomes a picture; `model` is the scheduler that the model came with."""
    steps: int = Field(ge=1)
    guidance_scale: float = Field(ge=0.0)
    """diffusers' s: 1 (or less) is no guidance."""
    negative_prompt: str
    """What no picture should show; a picture's own negative prompt is added."""
    size: int = Field(ge=8)
    """Pixels a side."""
    batch: int = Field(ge=1)
    """Pictures drawn together on an accelerator; on the CPU each is drawn alone."""
    precision: Precision
    """Of weights and activations; `auto` is float16 on an accelerator and float32 on the CPU."""


@dataclass(frozen=True)
class LoadedModel:
    """A model on its device, and which version of it this is: a commit of the hub, or a hash."""

    pipeline: Any
    """A StableDiffusionPipeline; type checkers see none of its parts."""
    revision: str
    device: torch.device
    dtype: torch.dtype


@dataclass(frozen=True)
class Drawer:
    """Draws pictures from texts; a picture depends on its own texts and seed, and on no other picture."""

    model: LoadedModel
    settings: DiffusionSettings

    @property
    def revision(self) -> str:
        """The model's version: the commit of a hub's repository, `sha256-...` of a folder's contents."""
        return self.model.revision

    def draw(
        self, prompts: Sequence[str], seeds: Sequence[int], negatives: Sequence[str] | None = None
    ) -> Pictures:
        """One sRGB picture for each prompt and seed (0 to 2^63 - 1).

        `negatives` are what each picture should not show, besides the settings' negative prompt. On an
        accelerator the last bits may depend on which pictures share a batch; on the CPU they do not.
        Raises ConfigError for a text that the model cannot read to its end, for a batch that does not
        fit into memory, and where the precision makes numbers overflow.
        """
        negatives = self._negatives(negatives or [""] * len(prompts))
        check_lengths(self.model, [*prompts, *negatives])
        batch = 1 if self.model.device.type == "cpu" else self.settings.batch
        pictures = np.empty((len(prompts), self.settings.size, self.settings.size, 3), np.uint8)
        for first in range(0, len(prompts), batch):
            part = slice(first, first + batch)
            pictures[part] = self._draw_batch(list(prompts[part]), seeds[part], negatives[part])
        return pictures

    def _negatives(self, own: Sequence[str]) -> list[str]:
        return [", ".join(filter(None, (text, self.settings.negative_prompt))) for text in own]

    def _draw_batch(self, prompts: list[str], seeds: Sequence[int], negatives: list[str]) -> Pictures:
        settings, model = self.settings, self.model
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        side = settings.size // model.pipeline.vae_scale_factor
        shape = (model.pipeline.unet.config.in_channels, side, side)
        # In single precision whatever the model's: the noise belongs to the seed.
        noise = torch.stack([torch.randn(shape, generator=generator) for generator in generators])
        try:
            drawn = model.pipeline(
                prompts,
                height=settings.size,
                width=settings.size,
                num_inference_steps=settings.steps,
                guidance_scale=settings.guidance_scale,
                negative_prompt=negatives,
                generator=generators,
                latents=noise.to(model.dtype),
                output_type="np",
            ).images
        except torch.OutOfMemoryError:
            raise ConfigError(
                f"{len(prompts)} pictures of {settings.size} pixels a side do not fit into the device's"
                " memory together; give a smaller batch"
            ) from None
        return _to_bytes(drawn, settings)


def load_drawer(settings: DiffusionSettings, device: torch.device) -> Drawer:
    """Stable Diffusion ready to draw on `device`.

    Raises what `load_model` raises, and ConfigError for a size that the model cannot draw.
    """
    model = load_model(settings.model, settings.revision, device=device, precision=settings.precision)
    _set_scheduler(model, settings.scheduler)
    step = max(8, model.pipeline.vae_scale_factor)
    if settings.size % step:
        raise ConfigError(f"size {settings.size}: {settings.model} draws multiples of {step} pixels")
    return Drawer(model, settings)


def load_model(name: str, revision: str, *, device: torch.device, precision: Precision) -> LoadedModel:
    """The U-Net, autoencoder, text encoder and tokenizer of a folder or a repository of the hub, on `device`.

    What is in the hub's cache is not downloaded again; with HF_HUB_OFFLINE=1 nothing is. Raises
    CheckpointError, in one line, for a model that cannot be had or is none, ConfigError for half
    precision on the CPU, MissingDependencyError where diffusers is not installed.
    """
    dtype = _dtype(precision, device)
    folder = Path(name)
    if folder.is_dir():
        version = None
    elif is_hub_id(name):
        folder = fetch_folder(name, revision=revision, wanted=HUB_FILES)
        version = folder.name
    else:
        raise CheckpointError(f"{name}: no such folder, and no repository of the hub (OWNER/NAME)")
    check_folder(folder, name)
    pipeline = _read_pipeline(folder, name)
    pipeline.to(device=device, dtype=dtype)
    if device.type != "cpu":
        pipeline.unet.to(memory_format=torch.channels_last)
        pipeline.vae.to(memory_format=torch.channels_last)
        pipeline.vae.enable_slicing()
    return LoadedModel(pipeline, version or content_hash(folder), device, dtype)


def check_folder(folder: Path, name: str) -> None:
    """Raise CheckpointError, in one line that begins with `name`, unless `folder` holds a whole model."""
    try:
        index = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise CheckpointError(
            f"{name}: no readable model_index.json; give a folder that diffusers wrote (save_pretrained)"
        ) from None
    kind = index.get("_class_name") if isinstance(index, dict) else None
    if kind != PIPELINE_CLASS:
        raise CheckpointError(f"{name}: a {kind}; farm3d draws with a {PIPELINE_CLASS} (1.x or 2.x)")
    missing = [file for file in MODEL_FILES if not (folder / file).is_file()]
    words = [(folder / file).is_file() for file in TOKENIZER_FILES]
    missing += [] if words[0] or all(words[1:]) else [TOKENIZER_FILES[0]]
    if missing:
        raise CheckpointError(f"{name}: incomplete, without {', '.join(missing)}")


def content_hash(folder: Path) -> str:
    """`sha256-` and 16 hexadecimal digits of the names and contents of a model's files."""
    digest = hashlib.sha256()
    for file in filter(lambda name: (folder / name).is_file(), MODEL_FILES + TOKENIZER_FILES):
        with (folder / file).open("rb") as stream:
            digest.update(f"{file}:".encode())
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return f"sha256-{digest.hexdigest()[:16]}"


def check_lengths(model: LoadedModel, texts: Sequence[str]) -> None:
    """Raise ConfigError for the first text of which the text encoder would not read the end."""
    limit = model.pipeline.tokenizer.model_max_length
    for text in texts:
        count = len(model.pipeline.tokenizer(text, truncation=False).input_ids)
        if count > limit:
            raise ConfigError(f"the text encoder reads {limit} tokens, this prompt has {count}: {text!r}")


def _read_pipeline(folder: Path, name: str) -> Any:
    pipeline_class = _quiet_diffusers().StableDiffusionPipeline
    try:
        # The safety checker looks for nudity, which animals do not mind; it is 1.2 GB to load.
        pipeline = pipeline_class.from_pretrained(
            str(folder),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
            use_safetensors=True,
            local_files_only=True,
        )
    except Exception as error:  # Whatever a damaged file makes of three libraries' readers.
        detail = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise CheckpointError(f"{name}: cannot be loaded ({detail})") from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _quiet_diffusers() -> Any:
    """The diffusers library, told to leave stderr to us. Raises MissingDependencyError without it."""
    try:
        import diffusers
        import transformers
    except ImportError as error:
        raise MissingDependencyError(
            f"Stable Diffusion needs diffusers and transformers ({error}); pip install diffusers transformers"
        ) from None
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    return diffusers


def _set_scheduler(model: LoadedModel, name: Scheduler) -> None:
    """Exchange the model's scheduler for another that knows the model's own noise levels."""
    diffusers = _quiet_diffusers()
    makers = {
        "ddim": diffusers.DDIMScheduler,
        "dpm-solver": diffusers.DPMSolverMultistepScheduler,
        "euler": diffusers.EulerDiscreteScheduler,
        "unipc": diffusers.UniPCMultistepScheduler,
    }
    if name != "model":
        model.pipeline.scheduler = makers[name].from_config(model.pipeline.scheduler.config)


def _dtype(precision: Precision, device: torch.device) -> torch.dtype:
    if precision == "auto":
        return torch.float32 if device.type == "cpu" else torch.float16
    if device.type == "cpu" and precision != "float32":
        raise ConfigError(f"precision {precision}: the CPU draws in float32; give float32 or auto")
    return {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}[precision]


def _to_bytes(drawn: Float[np.ndarray, "images size size 3"], settings: DiffusionSettings) -> Pictures:
    if not np.isfinite(drawn).all():
        raise ConfigError(
            f"{settings.model} overflows in precision {settings.precision}; give bfloat16 or float32"
        )
    return np.round(drawn * 255.0).astype(np.uint8)

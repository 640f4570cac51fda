"""Which diffusion model judges virtual views, and how: its settings, and the denoiser that they name."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch

from farm3d.config import StrictConfig, load_config
from farm3d.data.image_folder import ImageDataSet, load_batch, open_data_set
from farm3d.errors import ConfigError
from farm3d.guidance.denoiser import Denoiser, scaled_linear_schedule
from farm3d.guidance.empirical_denoiser import EmpiricalDenoiser
from farm3d.guidance.score_distillation import Distillation, Weighting
from farm3d.guidance.stable_diffusion import StableDiffusionDenoiser, stable_diffusion_denoiser
from farm3d.guidance.view_prompts import VIEW_WORDS, recorded_view
from farm3d.pretrained.stable_diffusion import DiffusionSettings, Precision, load_model
from farm3d.schedule import Constant, Schedule

DRAWING_PRESET = "synthesis/stable_diffusion"

Space = Literal["shaded", "albedo", "shading", "normals", "silhouette"]


class SpaceShares(StrictConfig):
    """How often a view shows colours in random light, colours alone, light alone, normals, a white shape.

    A denoiser of pictures knows those of silhouettes, too, where they have a share, and nothing else where
    they have all of it: what it has never seen it would have geometry imitate.
    """

    shaded: float = 0.4
    albedo: float = 0.2
    shading: float = 0.4
    normals: float = 0.0
    silhouette: float = 0.0

    @property
    def sum(self) -> float:
        """Of all shares: 1 unless they are proportions."""
        return float(sum(getattr(self, space) for space in get_args(Space)))

    def choose(self, uniform: float) -> Space:
        """The space for a number drawn uniformly from [0, 1)."""
        spaces: tuple[Space, ...] = get_args(Space)
        ends = np.cumsum([getattr(self, space) for space in spaces])
        return spaces[int(np.searchsorted(ends, uniform * ends[-1], side="right"))]


class GuidanceConfig(StrictConfig):
    """Virtual views and their judge; the weight of its verdict is `weights.distillation`.

    The defaults are those of 3D-Fauna's published configuration (docs/method.md, "Virtual views").
    """

    source: Literal["none", "pictures", "stable-diffusion"] = "none"
    """Nobody; the optimal denoiser of a data set's pictures; Stable Diffusion."""
    pictures: str | None = None
    """The folder of that data set: made by the farm, with a seed that is used nowhere else."""
    picture_size: int = 32
    """Pixels a side at which pictures are compared."""
    bandwidth: float = 0.05
    """Standard deviation about each picture, in the colours' range of 2."""
    model: str | None = None
    """Stable Diffusion, a folder or a hub's repository; the one that draws training sets unless given."""
    revision: str = "main"
    """Branch, tag or commit of a repository that `model` names."""
    precision: Precision = "auto"
    """Of Stable Diffusion; `auto` is float16 on an accelerator and float32 on the CPU."""
    model_size: int | None = None
    """Pixels a side to which Stable Diffusion's views are brought; what it was trained for unless given."""
    negative_prompt: str = ""
    prompt: str = "a high-resolution DSLR image of a {category}"
    view_words: bool = True
    head_check: bool = True
    """Stop where view words begin and the data set's say that head and tail have changed places."""
    every: int = 1
    """One image in so many of a batch is seen from elsewhere."""
    size: int = 64
    """Pixels a side of a virtual view."""
    elevations: tuple[float, float] = (-10.0, 90.0)
    """Degrees; directions are uniform on the sphere between them."""
    background: float | None = None
    """The grey behind the animal; a random colour unless given."""
    spaces: SpaceShares = SpaceShares()
    smallest_time: Schedule = Constant(0.02)
    largest_time: Schedule = Constant(0.6)
    """Fractions of the noise schedule between which timesteps are drawn."""
    guidance_scale: float = 100.0
    weighting: Weighting = "noise"
    denoising_steps: int = 1
    largest_gradient: float | None = None

    def at(self, step: int) -> Distillation:
        """How the denoiser is asked at one step."""
        return Distillation(
            smallest_time=self.smallest_time.value(step),
            largest_time=self.largest_time.value(step),
            guidance_scale=1.0 if self.source == "pictures" else self.guidance_scale,
            weighting=self.weighting,
            denoising_steps=self.denoising_steps,
            largest_gradient=self.largest_gradient,
        )


def load_denoiser(config: GuidanceConfig, device: torch.device) -> Denoiser | None:
    """The denoiser that the settings name, `None` for none.

    Raises ConfigError where a setting that it needs is missing, InputError or CheckpointError where its
    files are.
    """
    if config.source == "none":
        return None
    if config.source == "pictures":
        if config.pictures is None or config.background is None:
            raise ConfigError("guidance.source=pictures needs guidance.pictures=DIR and guidance.background")
        data = open_data_set(Path(config.pictures))
        return _denoiser_of(data, size=config.picture_size, background=config.background, config=config)
    return _stable_diffusion(config, device)


def _stable_diffusion(config: GuidanceConfig, device: torch.device) -> StableDiffusionDenoiser:
    drawing = load_config(DiffusionSettings, preset_or_file=DRAWING_PRESET)
    name, revision = (config.model, config.revision) if config.model else (drawing.model, drawing.revision)
    model = load_model(name, revision, device=device, precision=config.precision)
    return stable_diffusion_denoiser(
        model.pipeline, image_size=config.model_size, negative_prompt=config.negative_prompt
    )


def _denoiser_of(
    data: ImageDataSet, *, size: int, background: float, config: GuidanceConfig
) -> EmpiricalDenoiser:
    """The optimal denoiser of a set's animals, cut out and laid over grey; their views are in the prompts."""
    batch = load_batch(data, range(len(data)), image_size=size)
    beside = background * (1.0 - batch.masks)
    colored, white = batch.images * batch.masks + beside, batch.masks.expand(-1, -1, -1, 3) + beside
    shares = config.spaces
    images = torch.cat([colored] * (shares.silhouette < shares.sum) + [white] * (shares.silhouette > 0.0))
    views = [_view(json.loads(sample.read_text(encoding="utf-8"))) for sample in data.samples]
    return EmpiricalDenoiser(
        2.0 * images.permute(0, 3, 1, 2) - 1.0,
        torch.tensor(views).repeat(len(images) // len(data)),
        scaled_linear_schedule(),
        bandwidth=config.bandwidth,
    )


def _view(record: Mapping[str, Any]) -> int:
    """The index of a picture's view among `VIEW_WORDS`, -1 where its JSON names none."""
    word = recorded_view(record)
    return -1 if word is None else VIEW_WORDS.index(word)

"""Small untrained models and a shape with four legs that needs no training."""

from typing import Any

import torch

from farm3d.config import load_config
from farm3d.fields.sdf_field import SDFField
from farm3d.models.animal_model import AnimalModel
from farm3d.models.config import ModelConfig
from farm3d.training.config import TrainConfig

FEET = ((0.45, 0.9), (0.45, -0.9))
"""Lateral place and z of the left fore and the left hind foot; the right ones mirror them."""

FLOOR, LEG_RADIUS = -1.3, 0.2


class QuadrupedField(SDFField):
    """A trunk, a neck with a head towards +z, a tail and four legs, united from capsules' distances."""

    def __init__(self, feet: tuple[tuple[float, float], ...] = FEET) -> None:
        super().__init__(width=4, layers=1, harmonics=1)
        self.feet = feet

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """Distance to the nearest capsule; symmetric because x is folded."""
        folded = torch.cat([points[:, :1].abs(), points[:, 1:]], dim=-1)
        capsules = [
            ((0.0, 0.2, -1.1), (0.0, 0.2, 1.1), 0.55),
            ((0.0, 0.4, 1.2), (0.0, 1.1, 1.9), 0.3),
            ((0.0, 1.1, 1.9), (0.0, 0.9, 2.4), 0.28),
            ((0.0, 0.4, -1.3), (0.0, 0.1, -2.0), 0.2),
        ]
        capsules += [((x, 0.0, z), (x, FLOOR + LEG_RADIUS, z), LEG_RADIUS) for x, z in self.feet]
        return torch.stack([_capsule(folded, *capsule) for capsule in capsules]).amin(dim=0)


class ConstantField(SDFField):
    """The same distance everywhere: no surface."""

    def __init__(self, value: float) -> None:
        super().__init__(width=4, layers=1, harmonics=1)
        self.value = value

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        """The constant."""
        return torch.full((len(points),), self.value)


def tiny_config() -> ModelConfig:
    """The sizes of the preset `tiny`."""
    return load_config(TrainConfig, preset_or_file="tiny").model


def tiny_model(seed: int = 0) -> AnimalModel:
    """An untrained model of these sizes, in evaluation mode."""
    torch.manual_seed(seed)
    return AnimalModel(tiny_config()).eval()


def smallest_model(**changes: Any) -> AnimalModel:
    """An untrained model of 32 pixels; `changes` are fields of its configuration."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "image_size": 32,
        "patch_size": 8,
        "encoder_width": 32,
        "encoder_depth": 1,
        "encoder_heads": 2,
        "features": 32,
        "width": 32,
        "sdf_layers": 2,
        "albedo_layers": 2,
        "deformation_layers": 2,
        "articulation_depth": 1,
        "feature_layers": 2,
        "grid_resolution": 32,
    }
    return AnimalModel(ModelConfig(**(sizes | changes)))


def random_crops(images: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise for the encoder, with an oval mask."""
    size = tiny_config().image_size
    place = (torch.arange(size) + 0.5) / size * 2.0 - 1.0
    oval = ((place[:, None] / 0.6) ** 2 + (place / 0.9) ** 2 < 1.0).float()
    colors = torch.rand(images, size, size, 3, generator=torch.Generator().manual_seed(seed))
    return colors, oval[None, ..., None].repeat(images, 1, 1, 1)


def _capsule(
    points: torch.Tensor, start: tuple[float, ...], end: tuple[float, ...], radius: float
) -> torch.Tensor:
    first, along = points.new_tensor(start), points.new_tensor(end) - points.new_tensor(start)
    fraction = ((points - first) @ along / along.square().sum()).clamp(0.0, 1.0)
    return (points - first - fraction[:, None] * along).norm(dim=-1) - radius

"""Training of the network that says which pixels are an animal, on as many pictures of each species."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from farm3d.config import StrictConfig, plain_values
from farm3d.data.image_folder import ImageDataSet
from farm3d.data.samples import Sample, SampleCache
from farm3d.io.atomic import require_writable
from farm3d.io.checkpoint import in_half_precision, write_checkpoint
from farm3d.pretrained.animal_pixels import LEARNED, STRIDE, AnimalPixels
from farm3d.schedule import Schedule, ramp
from farm3d.seeding import deterministic_algorithms, numpy_rng
from farm3d.training.mask_pictures import mask_picture, without_animal

Planes = Float[Tensor, "images size size"]


class MaskTraining(StrictConfig):
    """A run of `farm3d-train --masks`."""

    steps: int = 4500
    images: int = 32
    """In a batch."""
    size: int = 128
    """Pixels a side, rounded up to a multiple of the network's stride."""
    backgrounds: int = 3000
    """Pictures whose animal is painted over, onto which others are pasted."""
    learning_rate: Schedule = ramp(2e-3, 1e-5, start=500, end=4500)
    weight_decay: float = 0.02
    seed: int = 0
    cache_gigabytes: float = 4.0


@deterministic_algorithms()
def train_masks(
    config: MaskTraining,
    data_sets: Sequence[ImageDataSet],
    file: Path,
    *,
    metadata: Mapping[str, Any],
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> AnimalPixels:
    """Train on these data sets, each species alike, and write the network to `file` in half precision.

    `report` is told each step and its loss: binary cross-entropy and the Dice loss (Milletari et al., 3DV
    2016). Nothing is kept of an interrupted run. Raises InputError before training where `file` cannot be
    written.
    """
    require_writable(file)
    torch.manual_seed(config.seed)
    network = AnimalPixels()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=config.weight_decay)
    pictures = _Pictures(config, data_sets)
    for step in range(config.steps):
        optimizer.param_groups[0]["lr"] = config.learning_rate.value(step)
        optimizer.zero_grad(set_to_none=True)
        images, masks = pictures.batch(step)
        loss = mask_loss(network(images), masks)
        loss.backward()
        optimizer.step()
        report(step, float(loss.detach()))
    told = {"learned": LEARNED, "training": plain_values(config), **metadata}
    write_checkpoint(file, in_half_precision(network.state_dict()), told)
    return network.eval()


def mask_loss(logits: Planes, masks: Planes) -> Float[Tensor, ""]:
    """Binary cross-entropy of pixels, and one minus the Dice coefficient of each image."""
    found = torch.sigmoid(logits)
    common, both = (found * masks).sum((1, 2)), (found + masks).sum((1, 2))
    dice = 1.0 - (2.0 * common + 1.0) / (both + 1.0)
    return binary_cross_entropy_with_logits(logits, masks) + dice.mean()


class _Pictures:
    """What the network is shown: every step's batch follows from the seed and the step."""

    def __init__(self, config: MaskTraining, data_sets: Sequence[ImageDataSet]) -> None:
        self.config = config
        self.size = STRIDE * -(-config.size // STRIDE)
        self.cache = SampleCache(config.cache_gigabytes)
        self.samples: dict[str, list[Path]] = {}
        for data in data_sets:
            self.samples.setdefault(data.category, []).extend(data.samples)
        rng = numpy_rng(config.seed, "backgrounds")
        self.backgrounds = [without_animal(self._drawn(rng)) for _ in range(config.backgrounds)]

    def batch(self, step: int) -> tuple[Float[Tensor, "images size size 3"], Planes]:
        rngs = [numpy_rng(self.config.seed, step, place) for place in range(self.config.images)]
        pairs = [
            mask_picture(self._drawn(rng), self.backgrounds[rng.integers(len(self.backgrounds))], rng)
            for rng in rngs
        ]
        images, masks = (torch.from_numpy(np.stack(planes)) for planes in zip(*pairs, strict=True))
        return images, masks

    def _drawn(self, rng: np.random.Generator) -> Sample:
        """A picture of any species, all alike."""
        of_one = self.samples[list(self.samples)[rng.integers(len(self.samples))]]
        return self.cache.read(of_one[rng.integers(len(of_one))], image_size=self.size, features=False)

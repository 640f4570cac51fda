"""Training of the species' classifier, on as many pictures of each species in every batch."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from farm3d.config import StrictConfig, plain_values
from farm3d.data.augmentation import augmented_inputs
from farm3d.data.image_folder import ImageDataSet, load_batch
from farm3d.data.samples import SampleCache
from farm3d.errors import ConfigError
from farm3d.io.checkpoint import in_half_precision, write_checkpoint
from farm3d.models.species import IMAGE_SIZE, SpeciesClassifier
from farm3d.schedule import Schedule, ramp
from farm3d.seeding import deterministic_algorithms, numpy_rng

Inputs = tuple[torch.Tensor, torch.Tensor]


class SpeciesTraining(StrictConfig):
    """A run of `farm3d-train --species`."""

    steps: int = 3000
    images_each: int = 8
    """Of every species in a batch."""
    learning_rate: Schedule = ramp(2e-3, 2e-5, start=500, end=3000)
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    seed: int = 0
    cache_gigabytes: float = 2.0


@deterministic_algorithms()
def train_species(
    config: SpeciesTraining,
    data_sets: Sequence[ImageDataSet],
    file: Path,
    *,
    metadata: Mapping[str, Any],
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> SpeciesClassifier:
    """Train on one data set a species and write the classifier to `file` in half precision.

    `report` is told each step and its loss. Minutes of work, so nothing is kept of an interrupted run.
    Raises ConfigError for fewer than two species, or several data sets of one.
    """
    species = [data.category for data in data_sets]
    if len(set(species)) < max(2, len(species)):
        raise ConfigError(f"give data sets of two species or more, one of each, not {', '.join(species)}")
    torch.manual_seed(config.seed)
    model = SpeciesClassifier(species)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=config.weight_decay)
    truth = torch.arange(len(species)).repeat_interleave(config.images_each)
    cache = SampleCache(config.cache_gigabytes)
    for step in range(config.steps):
        optimizer.param_groups[0]["lr"] = config.learning_rate.value(step)
        optimizer.zero_grad(set_to_none=True)
        scores = model(*_inputs(config, data_sets, step=step, cache=cache))
        loss = torch.nn.functional.cross_entropy(scores, truth, label_smoothing=config.label_smoothing)
        loss.backward()
        optimizer.step()
        report(step, float(loss.detach()))
    told = {"species": species, "training": plain_values(config), **metadata}
    write_checkpoint(file, in_half_precision(model.state_dict()), told)
    return model.eval()


def _inputs(
    config: SpeciesTraining, data_sets: Sequence[ImageDataSet], *, step: int, cache: SampleCache
) -> Inputs:
    """A batch as the classifier sees it, species after species."""
    parts = [_of_one_species(config, data, step=step, cache=cache) for data in data_sets]
    images, masks = zip(*parts, strict=True)
    return torch.cat(images), torch.cat(masks)


def _of_one_species(config: SpeciesTraining, data: ImageDataSet, *, step: int, cache: SampleCache) -> Inputs:
    """Random pictures of one species, distorted and mirrored at random."""
    rngs = [numpy_rng(config.seed, data.category, step, place) for place in range(config.images_each)]
    batch = load_batch(
        data,
        [int(rng.integers(len(data))) for rng in rngs],
        image_size=IMAGE_SIZE,
        mirrored=[bool(rng.random() < 0.5) for rng in rngs],
        cache=cache,
    )
    return augmented_inputs(batch, rngs)

"""Training of the species' classifier, on as many pictures of each species in every batch.

Photographs show shapes and coats that no farm has, so both are varied beyond what is natural: what is left is
what tells the species apart.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from farm3d.config import StrictConfig, plain_values
from farm3d.data.augmentation import augmented_inputs
from farm3d.data.image_folder import ImageDataSet, load_batch
from farm3d.data.samples import SampleCache
from farm3d.errors import ConfigError
from farm3d.io.atomic import require_writable
from farm3d.io.checkpoint import in_half_precision, write_checkpoint
from farm3d.models.species import IMAGE_SIZE, SpeciesClassifier
from farm3d.schedule import Schedule, ramp
from farm3d.seeding import deterministic_algorithms, numpy_rng

Images = Float[Tensor, "images height width 3"]
Inputs = tuple[Images, Float[Tensor, "images height width 1"]]


class SpeciesTraining(StrictConfig):
    """A run of `farm3d-train --species`."""

    steps: int = 5000
    images_each: int = 8
    """Of every species in a batch."""
    learning_rate: Schedule = ramp(2e-3, 2e-5, start=500, end=5000)
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    bent: float = 0.6
    """Share of the animals that are turned, stretched and bent."""
    other_coats: float = 0.2
    """Share that wears another picture's colours, and as many that have none."""
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
    Raises ConfigError for fewer than two species, or several data sets of one, InputError before training
    where `file` cannot be written.
    """
    species = [data.category for data in data_sets]
    if len(set(species)) < max(2, len(species)):
        raise ConfigError(f"give data sets of two species or more, one of each, not {', '.join(species)}")
    require_writable(file)
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
    images, masks = (torch.cat(planes) for planes in zip(*parts, strict=True))
    rng = numpy_rng(config.seed, step)
    images, masks = _bent(images, masks, rng, share=config.bent)
    return _in_other_coats(images, rng, share=config.other_coats), masks


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


def _bent(images: Images, masks: Tensor, rng: np.random.Generator, *, share: float) -> Inputs:
    """A share of the animals turned, stretched, sheared and bent, each its own way."""
    count, size = images.shape[:2]
    turn, shear = rng.normal(0.0, 0.1, count), rng.normal(0.0, 0.08, count)
    wide, high = np.exp(rng.normal(0.05, 0.1, (2, count)))
    left, up = rng.normal(0.0, 0.04, (2, count))
    rows = [
        np.cos(turn) * wide,
        shear - np.sin(turn) * high,
        left,
        np.sin(turn) * wide,
        np.cos(turn) * high,
        up,
    ]
    affine = torch.tensor(np.stack(rows, axis=-1).reshape(count, 2, 3), dtype=torch.float32)
    places = affine_grid(affine, [count, 4, size, size], align_corners=False)
    bends = rng.normal(0.0, 0.05, (count, 2, 5, 5)) * rng.random((count, 1, 1, 1))
    smooth = interpolate(
        torch.tensor(bends, dtype=torch.float32), size=size, mode="bicubic", align_corners=True
    )
    # Grey is 0 here, and so are what lies beyond the border and the empty mask.
    planes = torch.cat([images - 0.5, masks], dim=-1).permute(0, 3, 1, 2)
    moved = grid_sample(planes, places + smooth.permute(0, 2, 3, 1), align_corners=False).permute(0, 2, 3, 1)
    chosen = torch.from_numpy(rng.random(count) < share)[:, None, None, None]
    return (
        torch.where(chosen, (moved[..., :3] + 0.5).clamp(0.0, 1.0), images),
        torch.where(chosen, moved[..., 3:].clamp(0.0, 1.0), masks),
    )


def _in_other_coats(images: Images, rng: np.random.Generator, *, share: float) -> Images:
    """A share of the pictures in another one's colours, and as many grey."""
    others = images[torch.from_numpy(rng.permutation(len(images)))]
    kind = torch.from_numpy(rng.random(len(images)))[:, None, None, None]
    return torch.where(
        kind < share, others, torch.where(kind < 2.0 * share, torch.full_like(images, 0.5), images)
    )

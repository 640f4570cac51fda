"""Which samples a step sees, and the distorted copies that the encoder sees: functions of seed and step."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from torch import Tensor

from farm3d.data.augmentation import augmented_inputs
from farm3d.data.image_folder import ImageDataSet, load_batch
from farm3d.seeding import numpy_rng
from farm3d.training.config import TrainConfig
from farm3d.types import Batch

Inputs = tuple[Tensor, Tensor]


def batches(
    config: TrainConfig, data: ImageDataSet, first: int
) -> Generator[tuple[int, Batch, Inputs], None, None]:
    """Step `first` and on with its batch and inputs; the next batch is loaded while a step is computed."""
    with ThreadPoolExecutor(1) as loader:
        upcoming = loader.submit(_load, config, data, first)
        for step in count(first):
            batch, inputs = upcoming.result()
            upcoming = loader.submit(_load, config, data, step + 1)
            yield step, batch, inputs


def _load(config: TrainConfig, data: ImageDataSet, step: int) -> tuple[Batch, Inputs]:
    rng = numpy_rng(config.seed, "batch", step)
    supervised = config.supervision == "truth"
    batch = load_batch(
        data,
        _indices(config, len(data), step - (config.prior_steps if supervised else 0)),
        image_size=config.model.image_size,
        truth_points=config.truth_points if supervised else 0,
        features=config.model.feature_channels > 0,
        mirrored=(rng.random(config.batch_size) < 0.5).tolist(),
        rng=rng,
    )
    return batch, augmented_inputs(batch, rng)


def _indices(config: TrainConfig, samples: int, batch_number: int) -> list[int]:
    """The samples of a batch: every epoch is a permutation of its own, and batches run on across epochs."""
    first = batch_number * config.batch_size
    places = range(first, first + config.batch_size)
    orders = {
        epoch: numpy_rng(config.seed, "epoch", epoch).permutation(samples)
        for epoch in {p // samples for p in places}
    }
    return [int(orders[place // samples][place % samples]) for place in places]

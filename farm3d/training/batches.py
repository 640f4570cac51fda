"""Which samples a step sees, and the distorted copies that the encoder sees: functions of seed and step."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, islice

from torch import Tensor

from farm3d.data.augmentation import augmented_inputs
from farm3d.data.image_folder import ImageDataSet, load_batch
from farm3d.data.samples import SampleCache
from farm3d.errors import ConfigError
from farm3d.ops.tensors import with_tensors
from farm3d.seeding import numpy_rng
from farm3d.training.config import TrainConfig
from farm3d.training.ranks import ALONE, WHOLE, Part, Ranks
from farm3d.types import Batch

Inputs = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Portion:
    """What one process sees at once of a step: a part of its batch, and of what the encoder sees.

    `ids` name the samples.
    """

    step: int
    part: Part
    batch: Batch
    inputs: Inputs
    ids: tuple[str, ...]


def portions(
    config: TrainConfig, data: ImageDataSet, *, first: int, ranks: Ranks = ALONE
) -> Generator[Portion, None, None]:
    """This process's parts of the batches of step `first` and on, on its device.

    `config.load_workers` threads load what comes next while a step is computed; neither their number nor
    the cache changes a bit.
    """
    parts = ranks.parts(config.accumulate)
    cache = SampleCache(config.cache_gigabytes)
    wanted = ((step, part) for step in count(first) for part in parts)
    with ThreadPoolExecutor(config.load_workers) as loader:

        def submit(step: int, part: Part) -> "Future[Portion]":
            return loader.submit(_load, config, data, step=step, part=part, cache=cache, ranks=ranks)

        upcoming = deque(submit(*which) for which in islice(wanted, config.load_workers))
        try:
            while True:
                portion = upcoming.popleft().result()
                upcoming.append(submit(*next(wanted)))
                yield portion
        finally:
            loader.shutdown(wait=False, cancel_futures=True)


def whole_batch(config: TrainConfig, data: ImageDataSet, step: int) -> Portion:
    """The batch of one step on the CPU, as all processes together see it."""
    return _load(config, data, step=step, part=WHOLE, cache=SampleCache(0.0), ranks=ALONE)


def check_parts(config: TrainConfig, ranks: Ranks) -> None:
    """Raise ConfigError where a batch cannot be cut into as many equal parts as are asked for."""
    count = ranks.count * config.accumulate
    sizes = {"batch_size": config.batch_size}
    if config.supervision == "truth":
        sizes["render_images"] = config.render_images
    elif config.guidance.source != "none":
        sizes["batch_size / guidance.every"] = len(range(0, config.batch_size, config.guidance.every))
    for name, size in sizes.items():
        if size % count:
            raise ConfigError(
                f"{name} is {size}, which {ranks.count} x {config.accumulate} equal parts (processes x"
                f" accumulate) do not make; give a multiple of {count}"
            )


def _load(
    config: TrainConfig, data: ImageDataSet, *, step: int, part: Part, cache: SampleCache, ranks: Ranks
) -> Portion:
    """Every sample has random numbers of its own, keyed by its place in the whole batch."""
    supervised = config.supervision == "truth"
    places = range(config.batch_size)[part.places]
    rngs = [numpy_rng(config.seed, "sample", step, place) for place in places]
    indices = _indices(config, len(data), step - (config.prior_steps if supervised else 0))[part.places]
    batch = load_batch(
        data,
        indices,
        image_size=config.model.image_size,
        truth_points=config.truth_points if supervised else 0,
        features=config.model.feature_channels > 0,
        mirrored=[bool(rng.random() < 0.5) for rng in rngs],
        rngs=rngs,
        cache=cache,
    )
    loaded = Portion(
        step=step,
        part=part,
        batch=batch,
        inputs=augmented_inputs(batch, rngs),
        ids=tuple(data.samples[index].stem for index in indices),
    )
    return with_tensors(loaded, lambda tensor: tensor.to(ranks.device))


def _indices(config: TrainConfig, samples: int, batch_number: int) -> list[int]:
    """The samples of a batch: every epoch is a permutation of its own, and batches run on across epochs."""
    first = batch_number * config.batch_size
    places = range(first, first + config.batch_size)
    orders = {
        epoch: numpy_rng(config.seed, "epoch", epoch).permutation(samples)
        for epoch in {p // samples for p in places}
    }
    return [int(orders[place // samples][place % samples]) for place in places]

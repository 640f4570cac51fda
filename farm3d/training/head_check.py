"""Whether head and tail have changed places: asked once, before virtual views are judged by view words.

Silhouettes and features do not know which end is the head; only the neck of the first shape does, and it can
be lost. A model that has it the wrong way round is consistent in itself, but then a judge that is told "front
view" is shown the tail, and bones and clips are the wrong animal's. The data set's own view words tell.
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from farm3d.data.image_folder import ImageDataSet, load_batch
from farm3d.errors import TrainingError
from farm3d.guidance.view_prompts import AZIMUTHS, recorded_azimuth
from farm3d.models.animal_model import AnimalModel
from farm3d.seeding import numpy_rng
from farm3d.training.config import TrainConfig
from farm3d.training.metrics import HEAD_AGREEMENT, log_step
from farm3d.training.precision import read_images
from farm3d.training.ranks import Ranks

PICTURES = 300
"""Of each direction, at most. Fronts look like backs: of few pictures, 40 or 60 % fit by chance."""

OPPOSITES = (("front", "back"), ("facing left", "facing right"))


@dataclass(frozen=True)
class NamedPictures:
    """Samples of a data set by their indices, and the azimuths (radians) that their words name.

    There are as many of a direction as of the opposite one: a model that says the same of every picture is
    right about half of them.
    """

    indices: tuple[int, ...]
    azimuths: tuple[float, ...]


def view_words_begin(config: TrainConfig, step: int) -> bool:
    """Whether this step is the first that is judged by view words, and others were before it."""
    guidance, weight = config.guidance, config.weights.distillation
    asked = config.supervision == "images" and guidance.source != "none" and guidance.view_words
    return asked and guidance.head_check and step > 0 and weight.value(step) != 0.0 == weight.value(step - 1)


def check_head(
    config: TrainConfig,
    data: ImageDataSet,
    model: AnimalModel,
    *,
    run: Path,
    step: int,
    notice: Callable[[str], None],
    ranks: Ranks,
) -> None:
    """Compare the viewpoints that the model sees with the words of the data set, and log how many fit.

    Raises TrainingError where so few fit that chance does not explain it. All processes compute the same.
    """
    started = time.perf_counter()
    pictures = named_pictures(data, seed=config.seed)
    count = len(pictures.indices)
    if count == 0:
        notice(
            f"step {step}: the data set does not say on which side the heads are, so whether head and tail"
            " have changed places stays unknown; look at the run's pictures"
        )
        return
    fitting = count_fitting(config, data, model, pictures=pictures, device=ranks.device)
    if ranks.writes:
        log_step(run, step, {HEAD_AGREEMENT: fitting / count}, seconds=time.perf_counter() - started)
    if ranks.any(changed_places(fitting, count)):
        raise TrainingError(
            f"step {step}: head and tail have changed places: of {count} pictures only {fitting} are seen"
            " from the side that the data set names; train anew in another --out with another seed or a later"
            " images.feature_score_factor, or go on all the same with guidance.head_check=false"
        )
    notice(f"step {step}: the head is where the data set says in {fitting} of {count} pictures")


def changed_places(fitting: int, count: int) -> bool:
    """Whether fewer than half fit, by more than two standard deviations of as many tosses of a coin."""
    return fitting < 0.5 * count - math.sqrt(count)


def named_pictures(data: ImageDataSet, *, seed: int) -> NamedPictures:
    """Pictures whose words say where the head is, drawn by the seed."""
    order = numpy_rng(seed, "head check").permutation(len(data))
    found: dict[float, list[int]] = {azimuth: [] for azimuth in AZIMUTHS.values()}
    for index in order.tolist():
        azimuth = recorded_azimuth(json.loads(data.samples[index].read_text(encoding="utf-8")))
        if azimuth is not None:
            found[azimuth].append(index)
    indices: list[int] = []
    azimuths: list[float] = []
    for pair in OPPOSITES:
        each = min(PICTURES, *(len(found[AZIMUTHS[word]]) for word in pair))
        for word in pair:
            indices += found[AZIMUTHS[word]][:each]
            azimuths += [AZIMUTHS[word]] * each
    return NamedPictures(tuple(indices), tuple(azimuths))


@torch.no_grad()
def count_fitting(
    config: TrainConfig,
    data: ImageDataSet,
    model: AnimalModel,
    *,
    pictures: NamedPictures,
    device: torch.device,
) -> int:
    """In how many pictures the most probable viewpoint is less than a right angle from the one named."""
    fitting = 0
    for first in range(0, len(pictures.indices), config.batch_size):
        part = slice(first, first + config.batch_size)
        batch = load_batch(data, pictures.indices[part], image_size=config.model.image_size)
        view = read_images(
            model, (batch.images.to(device), batch.masks.to(device)), config.precision
        ).viewpoint
        seen = view.azimuths.gather(1, view.logits.argmax(dim=1, keepdim=True)).squeeze(1)
        fitting += int((torch.cos(seen - seen.new_tensor(pictures.azimuths[part])) > 0.0).sum())
    return fitting

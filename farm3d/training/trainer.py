"""The training loop: the only place that knows the step number."""

import json
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from farm3d.config import dump_config
from farm3d.data.augmentation import augmented_inputs
from farm3d.data.image_folder import ImageDataSet, canonical_mesh, load_batch
from farm3d.data.surface_samples import SignedDistances, signed_distances
from farm3d.errors import TrainingError
from farm3d.io.atomic import write_bytes_atomically
from farm3d.losses.objective import LossTerms, weighted_sum
from farm3d.models.animal_model import AnimalModel
from farm3d.seeding import deterministic_algorithms, numpy_rng
from farm3d.training.checkpointing import (
    prune_checkpoints,
    restore_training,
    save_training,
    write_finished,
)
from farm3d.training.config import TrainConfig
from farm3d.training.train_step import StepSettings, prior_terms, supervised_terms
from farm3d.training.visuals import write_picture
from farm3d.types import Batch, ShapePrior

METRICS_FILE, CONFIG_FILE = "metrics.jsonl", "config.yaml"
DISTANCE_SAMPLES = 300_000

Inputs = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Progress:
    """What a command shows while training runs."""

    step: int
    loss: float
    terms: Mapping[str, float]


@deterministic_algorithms()
def train(
    config: TrainConfig,
    data: ImageDataSet,
    run: Path,
    *,
    metadata: Mapping[str, Any],
    should_stop: Callable[[], bool] = lambda: False,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Path:
    """Train, or go on training, until `config.steps` or until `should_stop`; returns the last checkpoint.

    Every random draw is keyed by the seed and the step, so an interrupted and resumed run equals an
    uninterrupted one bit for bit on a CPU. Raises TrainingError on a non-finite loss.
    """
    torch.manual_seed(config.seed)
    model = AnimalModel(config.model)
    optimizer = _optimizer(config, model)
    first = restore_training(run, config=config, model=model, optimizer=optimizer)
    # Written only now: a run that was made with other settings keeps its own file.
    write_bytes_atomically(run / CONFIG_FILE, dump_config(config).encode())
    _cut_metrics(run / METRICS_FILE, first)

    def save(step: int) -> Path:
        folder = save_training(run, step=step, model=model, optimizer=optimizer, metadata=metadata)
        prune_checkpoints(run, keep_every=config.keep_every)
        return folder

    done, folder = first, None
    with closing(_terms_by_step(config, data, model, run=run, first=first)) as stream:
        for step in range(first, config.steps):
            if should_stop():
                break
            started = time.perf_counter()
            terms = next(stream)
            loss = _optimize(config, model, optimizer, terms=terms, step=step)
            progress = Progress(step, loss, {name: float(t.detach()) for name, t in terms.present().items()})
            report(progress)
            if step % config.log_every == 0:
                _log(run / METRICS_FILE, progress, seconds=time.perf_counter() - started)
            done = step + 1
            folder = save(done) if done % config.checkpoint_every == 0 else None
    folder = folder or save(done)
    if done >= config.steps:
        write_finished(run / f"{config.category}.safetensors", model, metadata)
    return folder


def _terms_by_step(
    config: TrainConfig, data: ImageDataSet, model: AnimalModel, *, run: Path, first: int
) -> Generator[LossTerms, None, None]:
    """The loss terms of step `first` and on, each computed when it is asked for.

    The first steps fit the category's shape; then the shape is fixed, and while a step on images is
    computed the next batch is loaded.
    """
    if first < config.prior_steps:
        distances = _distances(config, data)
        for step in range(first, config.prior_steps):
            drawn = distances.draw(config.sdf_points, numpy_rng(config.seed, "sdf", step))
            yield prior_terms(model.sdf, drawn.points, drawn.values)
    prior = _fixed_prior(model)
    settings = StepSettings(config.render_images, config.render_size)
    with ThreadPoolExecutor(1) as loader:
        start = max(first, config.prior_steps)
        upcoming = loader.submit(_load, config, data, start)
        for step in count(start):
            batch, inputs = upcoming.result()
            upcoming = loader.submit(_load, config, data, step + 1)
            if step % config.picture_every == 0 or step == config.steps - 1:
                write_picture(run / f"pictures/step_{step:06d}.png", model, prior, batch=batch)
            yield supervised_terms(model, prior, batch, inputs=inputs, settings=settings)


def _optimizer(config: TrainConfig, model: AnimalModel) -> torch.optim.Optimizer:
    """Adam with two groups: the coordinate networks, and the rest."""
    fields = [p for part in (model.sdf, model.deformation, model.albedo) for p in part.parameters()]
    known = {id(p) for p in fields}
    rest = [p for p in model.parameters() if id(p) not in known]
    return torch.optim.Adam([{"params": fields}, {"params": rest}], lr=1e-3)


def _optimize(
    config: TrainConfig,
    model: AnimalModel,
    optimizer: torch.optim.Optimizer,
    *,
    terms: LossTerms,
    step: int,
) -> float:
    """One optimiser step at the learning rates of this step; the loss before it."""
    loss = weighted_sum(terms, config.weights.at(step))
    if not torch.isfinite(loss):
        values = ", ".join(f"{name} {float(term.detach()):.3g}" for name, term in terms.present().items())
        raise TrainingError(f"step {step}: the loss is not finite ({values})")
    rates = (config.field_learning_rate.value(step), config.learning_rate.value(step))
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.gradient_clip)
    optimizer.step()
    return float(loss.detach())


def _fixed_prior(model: AnimalModel) -> ShapePrior:
    """The category's shape once its field no longer changes."""
    model.sdf.requires_grad_(False)
    with torch.no_grad():
        return model.prior()


def _distances(config: TrainConfig, data: ImageDataSet) -> SignedDistances:
    """Signed distances to the mean animal, enough that a step rarely sees a point twice."""
    return signed_distances(canonical_mesh(data), DISTANCE_SAMPLES, numpy_rng(config.seed, "surface"))


def _load(config: TrainConfig, data: ImageDataSet, step: int) -> tuple[Batch, Inputs]:
    """The batch of a step and the distorted copies that the encoder sees: functions of seed and step."""
    rng = numpy_rng(config.seed, "batch", step)
    batch = load_batch(
        data,
        _indices(config, len(data), step - config.prior_steps),
        image_size=config.model.image_size,
        truth_points=config.truth_points,
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


def _log(path: Path, progress: Progress, *, seconds: float) -> None:
    values = {name: round(value, 6) for name, value in {"loss": progress.loss, **progress.terms}.items()}
    line = json.dumps({"step": progress.step, **values, "seconds": round(seconds, 4)})
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def _cut_metrics(path: Path, step: int) -> None:
    """Drop what a killed run logged after its last checkpoint: those steps are done again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        return
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    kept = [line for line in lines if json.loads(line)["step"] < step]
    path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

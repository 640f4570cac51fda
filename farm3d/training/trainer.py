"""The training loop: the only place that knows the step number."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from farm3d.config import dump_config
from farm3d.data.image_folder import ImageDataSet
from farm3d.errors import TrainingError
from farm3d.io.atomic import write_bytes_atomically
from farm3d.losses.objective import LossTerms, weighted_sum
from farm3d.models.animal_model import AnimalModel
from farm3d.seeding import deterministic_algorithms
from farm3d.training.checkpointing import (
    prune_checkpoints,
    restore_training,
    save_training,
    write_finished,
)
from farm3d.training.config import TrainConfig
from farm3d.training.curricula import terms_by_step

METRICS_FILE, CONFIG_FILE = "metrics.jsonl", "config.yaml"


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
    notice: Callable[[str], None] = lambda line: None,
) -> Path:
    """Train, or go on training, until `config.steps` or until `should_stop`; returns the last checkpoint.

    Every random draw is keyed by the seed and the step, so an interrupted and resumed run equals an
    uninterrupted one bit for bit on a CPU. `notice` is told what goes wrong and is mended. Raises
    TrainingError on a non-finite loss, or where the shape's surface is lost for good.
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
    with closing(terms_by_step(config, data, model, run=run, first=first, notice=notice)) as stream:
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


def _optimizer(config: TrainConfig, model: AnimalModel) -> torch.optim.Optimizer:
    """Adam with two groups: the coordinate networks, and the rest."""
    parts = (model.sdf, model.deformation, model.albedo, model.feature_field)
    fields = [p for part in parts if part is not None for p in part.parameters()]
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

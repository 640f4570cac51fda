"""What a step of training from images costs, part by part, on pictures of the farm at a preset's sizes.

The parts of one step follow each other as in training, each on what those before it made, and the clock is
read between them. The step is one of those where the schedules end: everything is switched on and the lattice
is at its finest. The networks are new and the shape is the initial one. Where pictures guide the preset,
the empirical denoiser has made-up ones, for only their number and size cost. Loading is not among the parts:
threads do it while the step before is computed.
"""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from farm3d.synth.dataset import FarmSettings, write_farm

from farm3d.data.image_folder import open_data_set
from farm3d.errors import ConfigError
from farm3d.guidance.denoiser import Denoiser, scaled_linear_schedule
from farm3d.guidance.empirical_denoiser import EmpiricalDenoiser
from farm3d.guidance.view_prompts import VIEW_WORDS
from farm3d.losses.objective import LossTerms, weighted_sum
from farm3d.losses.regularization import articulation_loss, deformation_loss
from farm3d.models.animal_model import COMPLETE
from farm3d.predictors.hypotheses import Exploration, choose_hypotheses, difference_loss
from farm3d.render.mesh_renderer import render_surface
from farm3d.seeding import numpy_rng
from farm3d.training.batches import Portion, whole_batch
from farm3d.training.config import TrainConfig
from farm3d.training.guidance import load_denoiser
from farm3d.training.image_step import (
    RECONSTRUCTION,
    ImageStep,
    eikonal_term,
    losses_of_hypotheses,
    reconstruction_losses,
)
from farm3d.training.learner import Learner, new_learner
from farm3d.training.precision import read_images
from farm3d.training.tensors import with_tensors
from farm3d.training.virtual_views import distillation_term, draw_views
from farm3d.types import AnimalPrediction, ShapePrior

from .harness import QUICK, Effort, synchronize, timing
from .records import Case

PARTS = (
    "encoder",
    "iso-surface",
    "deformation and skinning",
    "render",
    "losses",
    "scores of all hypotheses",
    "guidance",
    "backward",
    "optimiser",
)
WHOLE = "all parts"

SAMPLES, INDIVIDUALS = 32, 4
GUIDING_PICTURES = 1500

PLAN = Effort(seconds=30.0, least=10, warm_up=2)
QUICK_PLAN = QUICK


@dataclass(frozen=True)
class Subject:
    """What a step needs: the learner, a batch, the denoiser (`None` where nothing guides)."""

    config: TrainConfig
    learner: Learner
    portion: Portion
    denoiser: Denoiser | None
    device: torch.device


@dataclass(frozen=True)
class Laps:
    """The seconds of each part of one step."""

    device: torch.device
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Add the time that the block takes, on the accelerator too, to the part's."""
        synchronize(self.device)
        started = perf_counter()
        yield
        synchronize(self.device)
        self.seconds[part] += perf_counter() - started


def measure_train_step(
    config: TrainConfig, effort: Effort, *, device: torch.device, name: str, progress: Callable[[str], None]
) -> list[Case]:
    """One case a part, and one for all of them; `name` is the preset's.

    Raises ConfigError for a config that trains from the farm's truth.
    """
    if config.supervision != "images":
        raise ConfigError(f"{name}: trains from the farm's truth; train-step measures training from images")
    progress(f"train-step: drawing {SAMPLES} pictures")
    subject = load_subject(config, device)
    progress("train-step: steps")
    steps: list[Laps] = []
    for count in range(effort.warm_up + effort.most):
        laps = timed_step(subject)
        if count >= effort.warm_up:
            steps.append(laps)
        if len(steps) >= effort.least and sum(sum(s.seconds.values()) for s in steps) >= effort.seconds:
            break
    faces, images = len(_prior(subject).mesh.faces), config.batch_size
    sizes = f"{images} images of {config.model.image_size}, drawn at {config.render_size}"
    setting = f"{name}, {sizes}, {faces:,} faces"
    whole = timing([sum(step.seconds.values()) for step in steps])
    cases = []
    for part in PARTS:
        if part in steps[0].seconds:
            found = timing([step.seconds[part] for step in steps])
            shares = {"percent": 100.0 * found.median / whole.median}
            cases.append(Case(contender="farm3d", task=part, setting=setting, timing=found, numbers=shares))
    return [*cases, Case(contender="farm3d", task=WHOLE, setting=setting, timing=whole)]


def load_subject(config: TrainConfig, device: torch.device) -> Subject:
    """New networks, and a batch of pictures that are drawn for the purpose."""
    with tempfile.TemporaryDirectory() as folder:
        size = config.model.image_size
        settings = FarmSettings(config.category, count=SAMPLES, size=size, seed=0, individuals=INDIVIDUALS)
        write_farm(settings, Path(folder) / "farm", lambda done: None)
        portion = whole_batch(config, open_data_set(Path(folder) / "farm"), 0)
    return Subject(
        config,
        new_learner(config, device),
        with_tensors(portion, lambda tensor: tensor.to(device)),
        _denoiser(config, device),
        device,
    )


def timed_step(subject: Subject) -> Laps:
    """One step: what `training.image_step.image_terms` and `training.learner.take_step` do, with a clock."""
    config, learner, laps = subject.config, subject.learner, Laps(subject.device)
    model, batch = learner.model, subject.portion.batch
    with laps.of("encoder"):
        reading = read_images(model, subject.portion.inputs, config.precision)
        turn = torch.arange(config.batch_size, device=subject.device)
        chosen = choose_hypotheses(reading.viewpoint.logits, Exploration(), turn=turn, uniform=turn.double())
    with laps.of("iso-surface"):
        prior = _prior(subject)
    with laps.of("deformation and skinning"):
        prediction = model.assemble(reading, model.pose(reading, prior, chosen.index), prior)
    with laps.of("render"):
        buffers = render_surface(
            prediction.posed_mesh,
            prediction.camera,
            config.render_size,
            rest_positions=prediction.rest_positions,
            albedo_fn=prediction.albedo_fn,
            light=prediction.light,
        )
    with laps.of("losses"):
        losses = reconstruction_losses(buffers, prediction, batch)
        means = {name: (chosen.weight * loss).mean() for name, loss in losses.items()}
        points = torch.rand(2, config.images.eikonal_points, 3, device=subject.device) * 2.0 - 1.0
        terms = LossTerms(
            **means,
            articulation=articulation_loss(prediction.joint_angles),
            deformation=deformation_loss(prediction.rest_mesh.vertices - prediction.rest_positions),
            eikonal=eikonal_term(model.sdf, prior, anywhere=points[0], near=points[1]),
        )
        loss = weighted_sum(terms, config.weights.at(config.steps))
    if config.images.score_size:
        with laps.of("scores of all hypotheses"):
            found = losses_of_hypotheses(model, prior, reading, batch=batch, step=_numbers(config))
            loss = loss + difference_loss(reading.viewpoint.logits, found)
    if subject.denoiser is not None:
        with laps.of("guidance"):
            loss = loss + config.weights.distillation.value(config.steps) * _judged(subject, prediction)
    _learn(learner, loss, largest_norm=config.gradient_clip, laps=laps)
    return laps


def _learn(learner: Learner, loss: torch.Tensor, *, largest_norm: float, laps: Laps) -> None:
    learner.optimizer.zero_grad(set_to_none=True)
    with laps.of("backward"):
        loss.backward()
    with laps.of("optimiser"):
        torch.nn.utils.clip_grad_norm_(learner.model.parameters(), largest_norm)
        learner.optimizer.step()


def _numbers(config: TrainConfig) -> ImageStep:
    """Everything is switched on."""
    weights = config.weights.at(config.steps)
    return ImageStep(
        render_size=config.render_size,
        phase=COMPLETE,
        exploration=Exploration(),
        score_weights={name: weights[name] for name in RECONSTRUCTION},
        score_size=config.images.score_size,
        precision=config.precision,
    )


def _prior(subject: Subject) -> ShapePrior:
    resolution = round(subject.config.images.grid_resolution.value(subject.config.steps))
    return subject.learner.model.prior(resolution=resolution, unfinished=True)


def _judged(subject: Subject, prediction: AnimalPrediction) -> torch.Tensor:
    """The score distillation of a step's virtual views."""
    config, denoiser = subject.config, subject.denoiser
    assert denoiser is not None
    rngs = [numpy_rng(0, "view", k) for k in range(0, config.batch_size, config.guidance.every)]
    views = draw_views(config.guidance, step=numpy_rng(0, "views"), views=rngs)
    return distillation_term(
        prediction,
        denoiser,
        views,
        prompts=views.prompts(config.guidance, config.category),
        size=config.guidance.size,
        settings=config.guidance.at(config.steps),
    )


def _denoiser(config: TrainConfig, device: torch.device) -> Denoiser | None:
    if config.guidance.source != "pictures":
        return load_denoiser(config.guidance, device)
    size = config.guidance.picture_size
    pictures = numpy_rng(0, "pictures").uniform(-1.0, 1.0, (GUIDING_PICTURES, 3, size, size))
    return EmpiricalDenoiser(
        torch.from_numpy(pictures.astype(np.float32)).to(device),
        torch.arange(GUIDING_PICTURES, device=device) % len(VIEW_WORDS),
        scaled_linear_schedule(),
        bandwidth=config.guidance.bandwidth,
    )

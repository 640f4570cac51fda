"""What training learns in which step: from the farm's truth, or from images alone."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.profiler import record_function

from farm3d.data.image_folder import ImageDataSet, canonical_mesh
from farm3d.data.surface_samples import SignedDistances, signed_distances
from farm3d.errors import EmptyShapeError
from farm3d.geometry.tetrahedral_grid import shape_lattice
from farm3d.guidance.denoiser import Denoiser
from farm3d.losses.objective import LossTerms
from farm3d.models.animal_model import COMPLETE, AnimalModel, Phase
from farm3d.ops.tensors import with_tensors
from farm3d.predictors.hypotheses import Exploration
from farm3d.seeding import numpy_rng
from farm3d.training.batches import Portion, portions
from farm3d.training.config import TrainConfig
from farm3d.training.guidance import load_denoiser
from farm3d.training.image_step import RECONSTRUCTION, ImageDraws, ImageStep, eikonal_term, image_terms
from farm3d.training.look_step import look_terms
from farm3d.training.lost_shape import LEGS_LOST, SURFACE_LOST, recovery_terms
from farm3d.training.ranks import ALONE, Part, Ranks
from farm3d.training.train_step import StepSettings, joint_terms, prior_terms, supervised_terms
from farm3d.training.virtual_views import distillation_term, draw_views
from farm3d.training.visuals import write_picture
from farm3d.types import AnimalPrediction, ShapePrior

DISTANCE_SAMPLES = 300_000

TermsByStep = Generator[LossTerms, None, None]
Notice = Callable[[str], None]


def terms_by_step(
    config: TrainConfig,
    data: ImageDataSet,
    model: AnimalModel,
    *,
    run: Path,
    first: int,
    notice: Notice = lambda line: None,
    ranks: Ranks = ALONE,
) -> TermsByStep:
    """The loss terms of step `first` and on, each computed when it is asked for.

    A step has `config.accumulate` of them, one for each part of its batch that is this process's; the mean
    over all parts of all processes is the whole batch's. `notice` is told, once a run, what goes wrong with
    the shape.
    """
    if config.supervision == "truth":
        return _truth_steps(config, data, model, run=run, first=first, ranks=ranks)
    return _image_steps(config, data, model, run=run, first=first, notice=notice, ranks=ranks)


def _truth_steps(
    config: TrainConfig, data: ImageDataSet, model: AnimalModel, *, run: Path, first: int, ranks: Ranks
) -> TermsByStep:
    """The category's shape first, then fixed; images follow, then joint maps alone, second looks last."""
    if first < config.prior_steps:
        distances = _distances(config, data)
        for step in range(first, config.prior_steps):
            drawn = distances.draw(config.sdf_points, numpy_rng(config.seed, "sdf", step))
            points, values = drawn.points.to(ranks.device), drawn.values.to(ranks.device)
            for part in ranks.parts(config.accumulate):
                yield prior_terms(model.sdf, points, values, part=part)
    prior = _fixed_prior(model)
    parts = config.accumulate * ranks.count
    settings = StepSettings(config.render_images // parts, config.render_size, config.precision)
    with closing(portions(config, data, first=max(first, config.prior_steps), ranks=ranks)) as stream:
        for portion in stream:
            _picture(config, model, prior, portion=portion, run=run)
            batch, inputs = portion.batch, portion.inputs
            if portion.step < config.joints_from:
                yield supervised_terms(model, prior, batch, inputs=inputs, settings=settings)
            elif portion.step < config.looks_from:
                _let_only_learn(model.encoder.joint_maps, of=model)
                yield joint_terms(model, batch, inputs=inputs, precision=config.precision)
            else:
                _let_only_learn(model.second_look, of=model)
                yield look_terms(model, prior, batch, inputs=inputs, settings=settings)


def _let_only_learn(part: Any, *, of: AnimalModel) -> None:
    assert isinstance(part, torch.nn.Module)
    of.requires_grad_(False)
    part.requires_grad_(True)


def _image_steps(
    config: TrainConfig,
    data: ImageDataSet,
    model: AnimalModel,
    *,
    run: Path,
    first: int,
    notice: Notice,
    ranks: Ranks,
) -> TermsByStep:
    """Shape, pose and appearance at once; the category's shape is extracted anew at each step."""
    last_with_surface, say = first - 1, _once_each(notice)
    denoiser = load_denoiser(config.guidance, ranks.device)
    with closing(portions(config, data, first=first, ranks=ranks)) as stream:
        for portion in stream:
            step, rng = portion.step, numpy_rng(config.seed, "images", portion.step)
            try:
                prior = _moving_prior(config, model, step=step, rng=rng)
            except EmptyShapeError:
                say(SURFACE_LOST, step)
                yield recovery_terms(model.sdf, step=step, empty_steps=step - last_with_surface)
                continue
            last_with_surface = step
            if prior.lost_legs:
                say(LEGS_LOST, step)
            _picture(config, model, prior, portion=portion, run=run)
            yield _image_terms(config, model, prior, portion=portion, denoiser=denoiser, rng=rng)


def _image_terms(
    config: TrainConfig,
    model: AnimalModel,
    prior: ShapePrior,
    *,
    portion: Portion,
    denoiser: Denoiser | None,
    rng: np.random.Generator,
) -> LossTerms:
    """All terms of a part of a step from images; `rng` draws for the whole batch."""
    part, device = portion.part, prior.mesh.vertices.device
    terms, prediction = image_terms(
        model,
        prior,
        portion.batch,
        inputs=portion.inputs,
        step=_numbers(config, portion.step),
        draws=with_tensors(_draws(config, rng), lambda drawn: drawn[part.places].to(device)),
    )
    anywhere, near = (_uniform_points(config, rng).to(device) for _ in range(2))
    if portion.step >= config.images.shape_from:
        with record_function("losses"):
            eikonal = eikonal_term(model.sdf, prior, anywhere=anywhere, near=near, part=part)
        terms = replace(terms, eikonal=eikonal)
    judged = _distillation(config, denoiser, prediction, step=portion.step, part=part)
    return replace(terms, distillation=judged)


def _distillation(
    config: TrainConfig, denoiser: Denoiser | None, prediction: AnimalPrediction, *, step: int, part: Part
) -> torch.Tensor | None:
    """What the denoiser says of this step's virtual views; `None` while it has no say."""
    if denoiser is None or config.weights.distillation.value(step) == 0.0:
        return None
    views = draw_views(
        config.guidance,
        step=numpy_rng(config.seed, "virtual", step),
        views=[
            numpy_rng(config.seed, "virtual", step, sample)
            for sample in range(0, config.batch_size, config.guidance.every)[part.places]
        ],
    )
    with record_function("guidance"):
        return distillation_term(
            prediction,
            denoiser,
            views,
            prompts=views.prompts(config.guidance, config.category),
            size=config.guidance.size,
            settings=config.guidance.at(step),
        )


def _numbers(config: TrainConfig, step: int) -> ImageStep:
    """The schedules of training from images at one step."""
    plan, weights = config.images, config.weights.at(step)
    factors = {"features": plan.feature_score_factor.value(step)}
    return ImageStep(
        render_size=config.render_size,
        phase=Phase(articulated=step >= plan.articulation_from, deformed=step >= plan.deformation_from),
        exploration=Exploration(
            sharpness=plan.sharpness.value(step),
            uniform_share=plan.uniform_share.value(step),
            best_share=plan.best_share.value(step),
        ),
        score_weights={name: weights[name] * factors.get(name, 1.0) for name in RECONSTRUCTION},
        score_size=plan.score_size,
        coloured=weights["color"] > 0.0,
        precision=config.precision,
    )


def _moving_prior(
    config: TrainConfig, model: AnimalModel, *, step: int, rng: np.random.Generator
) -> ShapePrior:
    """The category's shape on a lattice that is shifted a little; without gradient before it may change."""
    resolution = round(config.images.grid_resolution.value(step))
    reach = config.images.jitter * shape_lattice(resolution).spacing
    down, along = rng.uniform(-reach, reach, size=2)
    changes = step >= config.images.shape_from
    with record_function("iso-surface"), torch.set_grad_enabled(changes):
        return model.prior(resolution=resolution, shift=(float(down), float(along)), unfinished=True)


def _once_each(notice: Notice) -> Callable[[str, int], None]:
    """Gives `notice` every line the first time only, with its step."""
    said: set[str] = set()

    def say(line: str, step: int) -> None:
        if line not in said:
            notice(f"step {step}: {line}")
        said.add(line)

    return say


def _draws(config: TrainConfig, rng: np.random.Generator) -> ImageDraws:
    return ImageDraws(
        turn=torch.from_numpy(rng.permutation(config.batch_size)),
        uniform=torch.from_numpy(rng.random(config.batch_size)),
    )


def _uniform_points(config: TrainConfig, rng: np.random.Generator) -> torch.Tensor:
    return torch.from_numpy(rng.uniform(-1.0, 1.0, size=(config.images.eikonal_points, 3)).astype(np.float32))


def _picture(
    config: TrainConfig, model: AnimalModel, prior: ShapePrior, *, portion: Portion, run: Path
) -> None:
    step = portion.step
    if portion.part.index == 0 and (step % config.picture_every == 0 or step == config.steps - 1):
        now = None if config.supervision == "truth" else _numbers(config, step)
        write_picture(
            run / f"pictures/step_{step:06d}.png",
            model,
            prior,
            batch=portion.batch,
            phase=now.phase if now else COMPLETE,
            sharpness=now.exploration.sharpness if now else 1.0,
        )


def _fixed_prior(model: AnimalModel) -> ShapePrior:
    """The category's shape once its field no longer changes."""
    model.sdf.requires_grad_(False)
    with torch.no_grad():
        return model.prior()


def _distances(config: TrainConfig, data: ImageDataSet) -> SignedDistances:
    """Signed distances to the mean animal, enough that a step rarely sees a point twice."""
    return signed_distances(canonical_mesh(data), DISTANCE_SAMPLES, numpy_rng(config.seed, "surface"))

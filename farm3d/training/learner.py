"""What a step of training changes, and one step of it."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.profiler import record_function

from farm3d.errors import NonFiniteError
from farm3d.losses.objective import LossTerms, weighted_sum
from farm3d.models.animal_model import AnimalModel
from farm3d.training.config import TrainConfig
from farm3d.training.precision import gradient_scaler
from farm3d.training.ranks import Ranks


@dataclass(frozen=True)
class Learner:
    """The model, Adam's moments, the scale of half precision's gradients, and the averaged model if any."""

    model: AnimalModel
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    average: AnimalModel | None


@dataclass(frozen=True)
class StepLoss:
    """The whole batch's loss before the step, and its terms before weighting."""

    loss: float
    terms: dict[str, float]


def new_learner(config: TrainConfig, device: torch.device) -> Learner:
    """Networks drawn from the seed, on `device`; nothing is learned yet."""
    torch.manual_seed(config.seed)
    model = AnimalModel(config.model).to(device)
    average = copy.deepcopy(model).requires_grad_(False) if config.ema_decay else None
    return Learner(model, _optimizer(model), gradient_scaler(config.precision, device), average)


def place_joints(learner: Learner, places: Float[Tensor, "joints 3"]) -> None:
    """Say where the joints are that the joint maps learn to see."""
    for model in (learner.model, learner.average):
        if model is not None:
            model.joint_places.copy_(places)


def take_step(
    config: TrainConfig, learner: Learner, stream: Iterator[LossTerms], *, step: int, ranks: Ranks
) -> StepLoss:
    """One optimiser step on the next `config.accumulate` terms of `stream`, at this step's learning rates.

    Raises NonFiniteError where the loss or its gradient is not finite; the model is not changed then.
    """
    learner.optimizer.zero_grad(set_to_none=True)
    rates = (config.field_learning_rate.value(step), config.learning_rate.value(step))
    for group, rate in zip(learner.optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    losses = _add_gradients(config, learner, stream, step=step, ranks=ranks)
    with record_function("optimiser"):
        _descend(config, learner, losses, step=step)
    return losses


def _descend(config: TrainConfig, learner: Learner, losses: StepLoss, *, step: int) -> None:
    """Clip the gradients and change the model, and its average, by them."""
    learner.scaler.unscale_(learner.optimizer)
    parameters = [p for p in learner.model.parameters() if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(p.grad for p in parameters if p.grad is not None)
    # Half precision overflows now and then: the scaler leaves the step out and lowers its scale.
    if not torch.isfinite(norm) and not (learner.scaler.is_enabled() and learner.scaler.get_scale() > 1.0):
        where = ", ".join(_not_finite(learner.model))
        raise NonFiniteError(f"step {step}: the gradient of {where} is not finite ({_listed(losses.terms)})")
    torch.nn.utils.clip_grads_with_norm_(parameters, config.gradient_clip, norm)
    learner.scaler.step(learner.optimizer)
    learner.scaler.update()
    if learner.average is not None:
        _update_average(learner.average, learner.model, decay=config.ema_decay, step=step)


def _add_gradients(
    config: TrainConfig, learner: Learner, stream: Iterator[LossTerms], *, step: int, ranks: Ranks
) -> StepLoss:
    """The gradients of the whole batch's loss, on every process, and that loss."""
    weights = config.weights.at(step)
    names: list[str] = []
    values = torch.zeros(())
    for _ in range(config.accumulate):
        terms = next(stream)
        loss = weighted_sum(terms, weights) / config.accumulate
        names = list(terms.present())
        own = [loss.detach(), *(term.detach() / config.accumulate for term in terms.present().values())]
        # Asked before the gradient, which would only cost time.
        if ranks.any(not bool(torch.isfinite(loss))):
            values = ranks.average([], torch.stack(own) * config.accumulate)
            listed = _listed(dict(zip(names, values.tolist()[1:], strict=True)))
            raise NonFiniteError(f"step {step}: the loss is not finite ({listed})")
        with record_function("backward"):
            learner.scaler.scale(loss).backward()
        values = values.to(loss.device) + torch.stack(own)
    parameters = [p for p in learner.model.parameters() if p.requires_grad]
    loss_value, *term_values = ranks.average(parameters, values).tolist()
    return StepLoss(loss_value, dict(zip(names, term_values, strict=True)))


def _update_average(average: AnimalModel, model: AnimalModel, *, decay: float, step: int) -> None:
    """`average <- decay average + (1 - decay) model`; early steps forget faster, for the start is noise."""
    weight = 1.0 - min(decay, (1.0 + step) / (10.0 + step))
    with torch.no_grad():
        for mean, parameter in zip(average.parameters(), model.parameters(), strict=True):
            mean.lerp_(parameter, weight)


def _optimizer(model: AnimalModel) -> torch.optim.Optimizer:
    """Adam with two groups: the coordinate networks, and the rest."""
    parts = (model.sdf, model.deformation, model.albedo, model.feature_field)
    fields = [p for part in parts if part is not None for p in part.parameters()]
    known = {id(p) for p in fields}
    rest = [p for p in model.parameters() if id(p) not in known]
    return torch.optim.Adam([{"params": fields}, {"params": rest}], lr=1e-3, fused=True)


def _not_finite(model: AnimalModel) -> list[str]:
    """The parts of the model with a gradient that is not finite."""
    return sorted(
        {
            name.split(".")[0]
            for name, parameter in model.named_parameters()
            if parameter.grad is not None and not bool(torch.isfinite(parameter.grad).all())
        }
    )


def _listed(terms: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in terms.items())

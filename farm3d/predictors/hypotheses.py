"""Which viewpoint hypothesis of each image is rendered in a step of training, and how much it counts.

Source: MagicPony (arXiv 2211.12497) section 3.3 and supplementary. Random numbers come from outside, one an
image, so that a draw belongs to a step and a sample and not to a process.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Exploration:
    """Plain numbers of one step: schedules are the trainer's.

    `sharpness` multiplies the logits, `uniform_share` mixes their softmax with equal chances, and a
    `best_share` of the images is seen under its most probable hypothesis instead of one in turn.
    """

    sharpness: float = 1.0
    uniform_share: float = 0.0
    best_share: float = 0.0


@dataclass(frozen=True)
class ChosenHypotheses:
    """One hypothesis an image, and the weight of its losses: its probability times the hypotheses' number."""

    index: Int[Tensor, " images"]
    weight: Float[Tensor, " images"]


def hypothesis_probabilities(
    logits: Float[Tensor, "images hypotheses"], exploration: Exploration
) -> Float[Tensor, "images hypotheses"]:
    """`(1 - u) softmax(sharpness logits) + u / hypotheses`, without gradient."""
    sharp = torch.softmax(exploration.sharpness * logits.detach(), dim=-1)
    return torch.lerp(sharp, torch.full_like(sharp, 1.0 / sharp.shape[-1]), exploration.uniform_share)


def choose_hypotheses(
    logits: Float[Tensor, "images hypotheses"],
    exploration: Exploration,
    *,
    turn: Int[Tensor, " images"],
    uniform: Float[Tensor, " images"],
) -> ChosenHypotheses:
    """The hypothesis `turn` modulo their number, or the most probable where `uniform` is below `best_share`.

    `turn` runs through a permutation, so that a batch shows all hypotheses equally often.
    """
    probabilities = hypothesis_probabilities(logits, exploration)
    count = logits.shape[-1]
    index = torch.where(uniform < exploration.best_share, probabilities.argmax(dim=-1), turn % count)
    weight = count * probabilities.gather(1, index[:, None]).squeeze(1)
    return ChosenHypotheses(index, weight)


def score_loss(
    logits: Float[Tensor, "images hypotheses"],
    chosen: Int[Tensor, " images"],
    losses: Float[Tensor, " images"],
) -> Float[Tensor, ""]:
    """`mean((score + logit)^2)`: the negative logit of the hypothesis that was rendered learns its loss.

    So the most probable hypothesis is the one whose reconstruction is expected to be best, and the softmax
    over the logits is one over negative losses. No gradient goes to the losses.
    """
    predicted = -logits.gather(1, chosen[:, None]).squeeze(1)
    return (predicted - losses.detach()).square().mean()


def difference_loss(
    logits: Float[Tensor, "images hypotheses"], losses: Float[Tensor, "images hypotheses"]
) -> Float[Tensor, ""]:
    """`mean((score - loss)^2)` over all hypotheses, where each image's means are taken off both.

    Where every hypothesis was compared with its image, only the differences need be learned: they are what
    chooses. Ours; no gradient goes to the losses.
    """
    wanted = losses.detach() - losses.detach().mean(dim=1, keepdim=True)
    predicted = logits.mean(dim=1, keepdim=True) - logits
    return (predicted - wanted).square().mean()

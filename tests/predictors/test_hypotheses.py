"""Exploration of viewpoint hypotheses: chances, turns, weights, and what the scores learn."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farm3d.predictors.hypotheses import (
    Exploration,
    choose_hypotheses,
    difference_loss,
    hypothesis_probabilities,
    score_loss,
)

LOGITS = torch.tensor([[0.0, 1.0, 2.0, -1.0], [3.0, 0.0, 0.0, 0.0]], dtype=torch.float64)


@settings(deadline=None)
@given(sharpness=st.floats(0.0, 50.0), uniform_share=st.floats(0.0, 1.0))
def test_probabilities_are_probabilities_and_never_below_the_uniform_share(
    sharpness: float, uniform_share: float
) -> None:
    exploration = Exploration(sharpness=sharpness, uniform_share=uniform_share)
    probabilities = hypothesis_probabilities(LOGITS, exploration)
    torch.testing.assert_close(probabilities.sum(dim=-1), torch.ones(2, dtype=torch.float64))
    assert float(probabilities.min()) >= uniform_share / 4.0 - 1e-12


def test_the_softmax_stands_alone_without_a_uniform_share() -> None:
    found = hypothesis_probabilities(LOGITS, Exploration(sharpness=2.0))
    torch.testing.assert_close(found, torch.softmax(2.0 * LOGITS, dim=-1))


def test_every_hypothesis_takes_its_turn() -> None:
    logits = torch.zeros(8, 4)
    chosen = choose_hypotheses(
        logits, Exploration(uniform_share=1.0), turn=torch.randperm(8), uniform=torch.rand(8)
    )
    assert torch.bincount(chosen.index, minlength=4).tolist() == [2, 2, 2, 2]
    torch.testing.assert_close(chosen.weight, torch.ones(8))


def test_the_best_is_taken_for_the_best_share() -> None:
    uniform = torch.tensor([0.1, 0.9])
    chosen = choose_hypotheses(
        LOGITS, Exploration(best_share=0.5), turn=torch.tensor([3, 3]), uniform=uniform
    )
    assert chosen.index.tolist() == [2, 3]
    expected = 4.0 * torch.softmax(LOGITS, dim=-1)
    torch.testing.assert_close(chosen.weight, torch.stack([expected[0, 2], expected[1, 3]]))


def test_weights_carry_no_gradient() -> None:
    logits = LOGITS.clone().requires_grad_()
    chosen = choose_hypotheses(logits, Exploration(), turn=torch.arange(2), uniform=torch.ones(2))
    assert not chosen.weight.requires_grad


def test_the_score_of_the_rendered_hypothesis_alone_learns_its_loss() -> None:
    logits = LOGITS.clone().requires_grad_()
    losses = torch.tensor([0.7, 0.2], dtype=torch.float64, requires_grad=True)
    index = torch.tensor([1, 0])
    loss = score_loss(logits, index, losses)
    assert float(loss.detach()) == pytest.approx(((-1.0 - 0.7) ** 2 + (-3.0 - 0.2) ** 2) / 2.0)
    loss.backward()
    assert losses.grad is None
    assert torch.nonzero(logits.grad).tolist() == [[0, 1], [1, 0]]


def test_learned_scores_prefer_the_hypothesis_with_the_smallest_loss() -> None:
    logits = torch.zeros(1, 4, requires_grad=True)
    true = torch.tensor([0.9, 0.2, 0.5, 0.7])
    optimizer = torch.optim.Adam([logits], lr=0.05)
    for step in range(400):
        index = torch.tensor([step % 4])
        optimizer.zero_grad()
        score_loss(logits, index, true[index]).backward()
        optimizer.step()
    torch.testing.assert_close(-logits.detach()[0], true, atol=0.02, rtol=0.0)
    assert int(logits.argmax()) == 1


def test_differences_ignore_what_all_hypotheses_of_an_image_share() -> None:
    losses = torch.tensor([[0.9, 0.2, 0.5, 0.7], [3.0, 1.0, 2.0, 4.0]])
    torch.testing.assert_close(difference_loss(-losses, losses), torch.tensor(0.0))
    torch.testing.assert_close(difference_loss(7.0 - losses, losses), torch.tensor(0.0))
    assert float(difference_loss(losses, losses)) > 0.1


def test_learned_differences_prefer_the_smallest_loss_and_leave_the_losses_alone() -> None:
    logits, losses = torch.zeros(1, 4, requires_grad=True), torch.tensor([[0.9, 0.2, 0.5, 0.7]])
    losses.requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        difference_loss(logits, losses).backward()
        optimizer.step()
    assert losses.grad is None
    found = logits.detach() - logits.detach().mean()
    torch.testing.assert_close(found, losses.detach().mean() - losses.detach(), atol=0.01, rtol=0.0)

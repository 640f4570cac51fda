"""The conditioned network is the concatenating one that the paper draws, only cheaper."""

import torch

from farm3d.fields.coordinate_mlp import CoordinateMLP
from farm3d.ops.fourier_encoding import fourier_encode

IMAGES, POINTS, FEATURES = 3, 40, 6


def network(condition_size: int = FEATURES) -> CoordinateMLP:
    torch.manual_seed(0)
    mlp = CoordinateMLP(2, width=16, layers=3, harmonics=3, condition_size=condition_size)
    return mlp.double()


def concatenating(
    mlp: CoordinateMLP, points: torch.Tensor, condition: torch.Tensor, image_index: torch.Tensor
) -> torch.Tensor:
    """Each point's condition copied beside its hidden values, one wide matrix for both."""
    hidden = mlp.encode(fourier_encode(points, mlp.harmonics))
    wide = torch.cat([torch.relu(hidden), torch.relu(condition)[image_index]], dim=-1)
    assert mlp.condition is not None
    values = wide @ torch.cat([mlp.hidden[0].weight, mlp.condition.weight], dim=-1).T
    for layer in list(mlp.hidden)[1:]:
        values = torch.relu(values) @ layer.weight.T
    return values


def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    points = torch.randn(POINTS, 3, dtype=torch.float64, generator=generator)
    condition = torch.randn(IMAGES, FEATURES, dtype=torch.float64, generator=generator)
    return points, condition, torch.randint(IMAGES, (POINTS,), generator=generator)


def test_the_condition_joins_as_if_concatenated() -> None:
    mlp = network()
    torch.testing.assert_close(mlp(*inputs()), concatenating(mlp, *inputs()), rtol=0.0, atol=1e-12)


def test_gradients_are_those_of_the_concatenating_network() -> None:
    mlp = network()
    points, condition, index = inputs()
    condition.requires_grad_()
    ours = torch.autograd.grad(mlp(points, condition, index).square().sum(), [condition, *mlp.parameters()])
    naive = torch.autograd.grad(
        concatenating(mlp, points, condition, index).square().sum(), [condition, *mlp.parameters()]
    )
    for first, second in zip(ours, naive, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-9, atol=1e-12)


def test_a_point_reads_the_condition_of_its_own_image_alone() -> None:
    mlp = network()
    points, condition, index = inputs()
    changed = condition.clone()
    changed[0] += 1.0
    moved = (mlp(points, condition, index) - mlp(points, changed, index)).abs().sum(-1) > 1e-9
    assert torch.equal(moved, index == 0)


def test_without_condition_every_layer_but_the_first_is_free_of_bias() -> None:
    mlp = network(condition_size=0)
    assert mlp.condition is None
    assert [name for name, _ in mlp.named_parameters() if name.endswith("bias")] == ["encode.bias"]
    assert mlp(inputs()[0]).shape == (POINTS, 2)


def test_without_an_index_every_image_has_values_of_its_own() -> None:
    mlp = network()
    points, condition, _ = inputs()
    index = torch.arange(IMAGES).repeat_interleave(POINTS)
    listed = mlp(points.repeat(IMAGES, 1), condition, index).unflatten(0, (IMAGES, POINTS))
    torch.testing.assert_close(mlp(points, condition), listed, rtol=0.0, atol=1e-12)
    own = points + torch.arange(IMAGES)[:, None, None]
    listed = mlp(own.flatten(0, 1), condition, index).unflatten(0, (IMAGES, POINTS))
    torch.testing.assert_close(mlp(own, condition), listed, rtol=0.0, atol=1e-12)

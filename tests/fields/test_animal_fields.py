"""The instance's fields are symmetric as an animal is: places mirror, colours repeat."""

import torch

from farm3d.fields.animal_fields import AlbedoField, DeformationField

MIRROR = torch.tensor([-1.0, 1.0, 1.0])
SIZES = {"width": 16, "layers": 3, "harmonics": 4, "condition_size": 5}


def inputs(count: int = 60) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(count, 3, generator=generator) * 4.0 - 2.0
    return points, torch.randn(2, 5, generator=generator) * 3.0, torch.arange(count) % 2


def deformation() -> DeformationField:
    torch.manual_seed(0)
    return DeformationField(**SIZES)


def albedo() -> AlbedoField:
    torch.manual_seed(0)
    return AlbedoField(**SIZES)


def test_mirrored_points_move_to_mirrored_places() -> None:
    points, features, _ = inputs()
    with torch.no_grad():
        offset = deformation()(points, features)
        mirrored = deformation()(points * MIRROR, features)
    assert torch.equal(mirrored, offset * MIRROR)
    assert offset[..., 0].abs().max() > 1e-3


def test_points_of_the_mirror_plane_stay_in_it() -> None:
    points, features, _ = inputs()
    points[:, 0] = 0.0
    with torch.no_grad():
        offset = deformation()(points, features)
    assert (offset[..., 0] == 0.0).all()
    assert offset[..., 1:].abs().max() > 1e-3


def test_offsets_are_a_tenth_of_the_network() -> None:
    points, features, _ = inputs()
    field = deformation()
    folded = torch.cat([points[:, :1].abs(), points[:, 1:]], dim=-1)
    with torch.no_grad():
        raw = field.mlp(folded, features)
        torch.testing.assert_close(field(points, features)[..., 1:], 0.1 * raw[..., 1:])


def test_mirrored_points_share_one_evaluation_and_both_get_what_it_gives() -> None:
    points, features, _ = inputs()
    field, evaluated = deformation(), []
    field.mlp.register_forward_pre_hook(lambda module, given: evaluated.append(len(given[0])))
    pairs = torch.cat([points, points * MIRROR]).requires_grad_()
    alone = points.clone().requires_grad_()
    weights = torch.randn(2, 2 * len(points), 3, generator=torch.Generator().manual_seed(1))
    on_its_own = torch.cat([field(alone, features), field(alone, features) * MIRROR], dim=1)
    together = field(pairs, features)
    torch.testing.assert_close(together, on_its_own)
    assert evaluated == [len(points)] * 3
    (both,) = torch.autograd.grad((weights * together).sum(), pairs)
    (expected,) = torch.autograd.grad((weights * on_its_own).sum(), alone)
    # Of a pair one point is evaluated, and has the gradient of both.
    torch.testing.assert_close(both[: len(points)] + both[len(points) :] * MIRROR, expected)


def test_albedo_is_a_colour_and_the_same_on_both_sides() -> None:
    points, features, index = inputs()
    with torch.no_grad():
        color = albedo()(points, features, index)
        assert torch.equal(albedo()(points * MIRROR, features, index), color)
    assert color.min() > 0.0
    assert color.max() < 1.0


def test_images_have_their_own_colours_and_shapes() -> None:
    points, features, _ = inputs()
    first, second = torch.zeros(len(points), dtype=torch.long), torch.ones(len(points), dtype=torch.long)
    with torch.no_grad():
        field = albedo()
        assert not torch.allclose(field(points, features, first), field(points, features, second))
        assert not torch.allclose(*deformation()(points, features))

"""The lattice's numbering, and edges known by their lower end and direction."""

import pytest
import torch

from farm3d.ops.body_centred_lattice import FORWARD, OCTANTS, BodyCentredLattice

LATTICE = BodyCentredLattice((4, 3, 5), 0.5)


def all_points() -> torch.Tensor:
    return LATTICE.points(torch.arange(LATTICE.point_count))


def test_numbers_and_points_are_inverse() -> None:
    points = all_points()
    assert torch.equal(LATTICE.numbers(points), torch.arange(LATTICE.point_count))
    assert len({tuple(p) for p in points.tolist()}) == LATTICE.point_count
    is_centre = points[:, 0] % 2 == 1
    assert (points % 2 == is_centre[:, None]).all()
    assert torch.equal(is_centre, torch.arange(LATTICE.point_count) >= LATTICE.corner_count)


def test_the_box_is_about_the_origin_and_mirrors_exactly() -> None:
    positions = LATTICE.all_positions()
    assert positions.amin(0).tolist() == [-1.0, -0.75, -1.25]
    assert positions.amax(0).tolist() == [1.0, 0.75, 1.25]
    mirrored = all_points()
    mirrored[:, 0] = 2 * LATTICE.counts[0] - mirrored[:, 0]
    assert torch.equal(LATTICE.positions(mirrored), positions * torch.tensor([-1.0, 1.0, 1.0]))


def test_the_points_of_a_cell_are_its_corners_and_its_centre() -> None:
    cells = torch.tensor([[0, 0, 0], [3, 2, 4], [1, 2, 0]])
    points = all_points()[LATTICE.numbers_of_cells(cells)]
    assert torch.equal(points[:, :8], 2 * (cells[:, None] + torch.tensor(OCTANTS)))
    assert torch.equal(points[:, 8], 2 * cells + 1)


def test_tetrahedra_are_positive_and_of_equal_volume() -> None:
    corners = LATTICE.all_positions()[LATTICE.all_tets()].double()
    volume = torch.linalg.det(corners[:, 1:] - corners[:, :1]) / 6.0
    torch.testing.assert_close(volume, torch.full_like(volume, LATTICE.spacing**3 / 12.0))


@pytest.mark.parametrize("point", [(4, 2, 4), (3, 3, 5)])
def test_forward_directions_lead_to_higher_numbers_in_ascending_order(point: tuple[int, int, int]) -> None:
    start = torch.tensor(point)
    directions = torch.tensor(FORWARD if point[0] % 2 == 0 else FORWARD[:3])
    numbers = LATTICE.numbers(start + directions)
    assert (numbers.diff() > 0).all() and numbers[0] > LATTICE.numbers(start)


def test_every_edge_of_a_tetrahedron_has_a_direction() -> None:
    tets = LATTICE.all_tets()
    pairs = torch.combinations(torch.arange(4))
    low, high = tets[:, pairs].aminmax(dim=-1)
    points = all_points()
    steps = {tuple(step) for step in (points[high] - points[low]).flatten(0, 1).tolist()}
    assert steps == set(FORWARD)

"""Components of a horizontal cut, of bodies made of boxes and cylinders."""

import math

import numpy as np
import pytest
import torch
import trimesh
from farm3d.eval.leg_count import LegCount, count_legs

from farm3d.geometry.mesh import Mesh

UPRIGHT = trimesh.transformations.rotation_matrix(math.pi / 2, (1.0, 0.0, 0.0))
FOUR = ((0.3, 1.0), (-0.3, 1.0), (0.3, -1.0), (-0.3, -1.0))


def table(places: tuple[tuple[float, float], ...], radius: float = 0.1) -> Mesh:
    """A long box on cylinders that stand at these places (x, z)."""
    body = trimesh.creation.box((1.0, 1.0, 3.0))
    body.apply_translation((0.0, 2.0, 0.0))
    parts = [body]
    for x, z in places:
        leg = trimesh.creation.cylinder(radius, 1.6)
        leg.apply_transform(UPRIGHT)
        leg.apply_translation((x, 0.8, z))
        parts.append(leg)
    return as_mesh(trimesh.util.concatenate(parts))


def as_mesh(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(
        torch.tensor(np.asarray(shape.vertices), dtype=torch.float32), torch.tensor(np.asarray(shape.faces))
    )


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        (FOUR, LegCount(components=4, left=2, right=2, front=2, hind=2)),
        (FOUR[:3], LegCount(components=3, left=2, right=1, front=2, hind=1)),
        ((), LegCount(components=1, left=0, right=0, front=0, hind=0)),
    ],
    ids=["four", "three", "none"],
)
def test_legs_are_counted_by_side(places: tuple[tuple[float, float], ...], expected: LegCount) -> None:
    counted = count_legs(table(places))
    assert counted.components == expected.components
    assert counted.four_legs == (len(places) == 4)
    if places:
        assert counted == expected


def test_a_tail_that_hangs_low_is_no_leg() -> None:
    counted = count_legs(table((*FOUR, (0.0, -1.4))))
    assert counted.components == 5
    assert counted == LegCount(components=5, middle=1, left=2, right=2, front=2, hind=2)
    assert counted.four_legs


def test_legs_that_touch_are_one() -> None:
    """Where cylinders overlap the lattice joins them; here two pairs stand on a bar each."""
    bar = trimesh.creation.box((1.0, 1.6, 0.2))
    bar.apply_translation((0.0, 0.8, 1.0))
    whole = table(FOUR[2:])
    joined = Mesh(
        torch.cat([whole.vertices, torch.tensor(bar.vertices, dtype=torch.float32)]),
        torch.cat([whole.faces, torch.tensor(bar.faces) + len(whole.vertices)]),
    )
    counted = count_legs(joined)
    assert counted.components == 3
    assert not counted.four_legs


def test_a_hole_is_no_leg() -> None:
    ring = trimesh.creation.annulus(0.5, 1.0, 2.0)
    ring.apply_transform(UPRIGHT)
    assert count_legs(as_mesh(ring)).components == 1

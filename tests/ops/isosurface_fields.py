"""Signed distances whose surfaces are known, for the tests of the iso-surface."""

from collections.abc import Callable

import torch
from torch import Tensor

from farm3d.ops.body_centred_lattice import BodyCentredLattice
from farm3d.ops.marching_tetrahedra import marching_tetrahedra
from farm3d.ops.sparse_isosurface import Isosurface

Field = Callable[[Tensor], Tensor]
Point = tuple[float, float, float]


def ball(centre: Point, radius: float) -> Field:
    return lambda points: (points - points.new_tensor(centre)).norm(dim=-1) - radius


def capsule(start: Point, end: Point, radius: float) -> Field:
    def field(points: Tensor) -> Tensor:
        first, along = points.new_tensor(start), points.new_tensor(end) - points.new_tensor(start)
        fraction = ((points - first) @ along / along.square().sum()).clamp(0.0, 1.0)
        return (points - first - fraction[:, None] * along).norm(dim=-1) - radius

    return field


def torus(radius: float, tube: float) -> Field:
    def field(points: Tensor) -> Tensor:
        ring = points[:, [0, 2]].norm(dim=-1) - radius
        return torch.stack([ring, points[:, 1]]).norm(dim=0) - tube

    return field


def half_space(normal: Point, offset: float) -> Field:
    return lambda points: points @ torch.nn.functional.normalize(points.new_tensor(normal), dim=0) - offset


def union(*fields: Field) -> Field:
    return lambda points: torch.stack([field(points) for field in fields]).amin(dim=0)


def smooth_union(*fields: Field, blend: float = 0.2) -> Field:
    """The soft minimum: slopes stay at most 1."""
    return lambda points: (
        -blend * torch.logsumexp(torch.stack([field(points) for field in fields]) / -blend, dim=0)
    )


def moved(field: Field, offset: Point) -> Field:
    return lambda points: field(points - points.new_tensor(offset))


def scaled(field: Field, factor: float) -> Field:
    """The same surface, `factor` times as steep."""
    return lambda points: factor * field(points)


def thin_legs(radius: float = 0.075) -> Field:
    """A trunk on four legs as thin as a horse's."""
    legs = [capsule((x, 0.0, z), (1.3 * x, -1.3, z + 0.1), radius) for x in (-0.4, 0.4) for z in (-0.9, 0.9)]
    return union(capsule((0.0, 0.2, -1.0), (0.0, 0.2, 1.0), 0.5), *legs)


def dense_isosurface(field: Field, lattice: BodyCentredLattice) -> tuple[Tensor, Tensor]:
    """The reference: every point of the lattice is evaluated and every tetrahedron marched."""
    positions = lattice.all_positions()
    return marching_tetrahedra(positions, lattice.all_tets(), field(positions))


def assert_same_mesh(surface: Isosurface, reference: tuple[Tensor, Tensor]) -> None:
    """Equal faces in equal order, and equal vertices but for the field's rounding.

    Where an edge hardly leaves the surface, rounding of its ends' values moves the vertex by far more.
    """
    vertices, faces = reference
    assert torch.equal(surface.faces, faces)
    torch.testing.assert_close(surface.vertices, vertices, rtol=0.0, atol=5e-5)


class CountedField:
    """A field that remembers where it was evaluated."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.calls: list[Tensor] = []

    def __call__(self, points: Tensor) -> Tensor:
        """The field's values."""
        self.calls.append(points)
        return self.field(points)

    def points(self) -> Tensor:
        """All points of all calls."""
        return torch.cat(self.calls)

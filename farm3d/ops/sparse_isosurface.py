"""Marching tetrahedra on the body-centred cubic lattice, evaluated only where the surface can be.

Sources: marching tetrahedra as in Doi and Koide 1991; empty space certified by one value and a bound on
the slope as in sphere tracing (Hart 1996, section 2), block by block as in an octree.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from farm3d.ops.body_centred_lattice import OCTANTS, BodyCentredLattice
from farm3d.ops.lattice_marching import march_cells
from farm3d.ops.marching_tetrahedra import edge_zeros
from farm3d.shapes import Faces

LIPSCHITZ = 2.0
"""Slope that a signed distance is trusted not to exceed: twice a true distance's. From lattice points to the
surface the mean slope is at most 1.9 in the shipped horse's field, and 1.1 in one that is not trained."""

SLOPE_MARGIN = 1.1
"""A slope that was observed and is above the bound raises it to this many times itself."""

ALWAYS_SPLIT = 8
"""Blocks are not skipped before they are this many times narrower than the lattice (a power of two): the
slopes between their centres are the first evidence on the bound."""

FACE_STEPS = ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1))
"""From a cell to the six that share a face with it."""

PYRAMIDS = tuple(
    (*(k for k, corner in enumerate(OCTANTS) if corner[axis] == side), len(OCTANTS))
    for axis in range(3)
    for side in (0, 1)
)
"""For each of these faces its corners and the cell's centre, among the points of a cell."""

AROUND = tuple(product((-1, 0, 1), repeat=3))
"""From a cell to itself and the 26 that touch it."""

Field = Callable[[Float[Tensor, "points 3"]], Float[Tensor, " points"]]


@dataclass(frozen=True)
class ActiveCells:
    """The cells of a lattice that the surface passes through (of a symmetric field: at x >= 0)."""

    cells: Int[Tensor, "cells 3"]


@dataclass(frozen=True)
class Isosurface:
    """A mesh, the cells that it passes through, and at how many points the field was evaluated."""

    vertices: Float[Tensor, "vertices 3"]
    faces: Faces
    active: ActiveCells
    evaluations: int


def sparse_isosurface(
    field: Field,
    lattice: BodyCentredLattice,
    *,
    symmetric: bool = False,
    previous: ActiveCells | None = None,
    lipschitz: float = LIPSCHITZ,
    device: torch.device | None = None,
) -> Isosurface:
    """The mesh of `marching_tetrahedra` on all of `lattice`, from few evaluations of `field`.

    Vertices and faces are those of the dense evaluation, in the same order; coordinates differ by the
    field's rounding where that depends on how many points it is given at once. A `symmetric` field, equal
    at (-x, y, z), is evaluated at x >= 0 alone; vertices come in exactly mirrored pairs. Values below 0
    are inside.

    Without `previous` the lattice is searched by halving blocks. A block is skipped where the value at its
    centre exceeds its half diagonal times a bound on the slope: `lipschitz`, or `SLOPE_MARGIN` times the
    steepest mean slope seen between centres of blocks of this or a larger size and their parents', if
    that is more. From the cells that remain, the surface is followed from cell to cell until it closes or
    leaves the lattice, so that a connected piece is found whole or not at all. A field that keeps the
    bound loses none, however thin. One that does not loses a piece only if every block that the piece
    meets was skipped wrongly.

    With `previous`, the result for a similar field on the same lattice, the surface is followed from
    those cells, and from the neighbours of those that it has left. Pieces that have moved, grown or
    joined are found; a new one that touches none of these cells is not, until a call without `previous`.
    Where the surface has left a cell and is in none of its neighbours, as when a piece vanishes or jumps,
    the search is made as without `previous`.

    Gradients reach the field through the vertices: where they are enabled, it is evaluated once more, at
    the ends of the edges that the surface crosses.
    """
    samples = _Samples(field, lattice, symmetric=symmetric, device=device)
    with torch.no_grad():
        cells = None if previous is None else _followed_from(samples, previous.cells)
        if cells is None:
            cells = _followed(samples, _uncertified_cells(samples, lipschitz))
        active = ActiveCells(samples.crossed(cells))
        taken = samples.marks(cells)
        if symmetric:
            taken = taken | taken.flip(0)
        numbers = _distinct(lattice.numbers_of_cells(torch.nonzero(taken)), lattice.point_count)
        values = samples.at(samples.folded(numbers))
        ends, faces = march_cells(lattice, taken, numbers, inside=values < 0)
        used = _distinct(ends, len(numbers))
        place = torch.empty_like(numbers)
        place[used] = torch.arange(len(used), device=used.device)
        numbers, values, evaluations = numbers[used], values[used], samples.evaluations
    if torch.is_grad_enabled() and len(numbers):
        again = _Samples(field, lattice, symmetric=symmetric, device=device)
        values = _on_the_side_of(values, again.at(samples.folded(numbers)), rounding=lattice.spacing)
        evaluations += again.evaluations
    vertices = edge_zeros(lattice.positions(lattice.points(numbers)), values, place[ends])
    return Isosurface(vertices, faces, active, evaluations)


class _Samples:
    """Values of a field at points of the lattice, each evaluated once; of a symmetric one, at x >= 0."""

    def __init__(
        self, field: Field, lattice: BodyCentredLattice, *, symmetric: bool, device: torch.device | None
    ) -> None:
        self.field, self.lattice, self.symmetric = field, lattice, symmetric
        self.lowest = torch.tensor([lattice.counts[0] // 2 if symmetric else 0, 0, 0], device=device)
        self.counts = torch.tensor(lattice.counts, device=device)
        self.place = torch.full((lattice.point_count,), -1, dtype=torch.int32, device=device)
        self.values: list[Float[Tensor, " points"]] = []

    @property
    def evaluations(self) -> int:
        """How many points have been evaluated."""
        return sum(len(part) for part in self.values)

    def at(self, numbers: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
        """The values at points; new ones are evaluated in one call, in the order of their numbers."""
        unknown = numbers[self.place[numbers] < 0]
        if len(unknown):
            new = _distinct(unknown, self.lattice.point_count)
            places = torch.arange(len(new), dtype=torch.int32, device=new.device) + self.evaluations
            self.place[new] = places
            self.values.append(self.field(self.lattice.positions(self.lattice.points(new))))
        return torch.cat(self.values)[self.place[numbers]]

    def folded(self, numbers: Int[Tensor, " points"]) -> Int[Tensor, " points"]:
        """The points at which the values for these are taken."""
        if not self.symmetric:
            return numbers
        x, y, z = self.lattice.points(numbers).unbind(-1)
        middle = self.lattice.counts[0]
        return self.lattice.numbers(torch.stack([(x - middle).abs() + middle, y, z], dim=-1))

    def inside(self, cells: Int[Tensor, "cells 3"]) -> Bool[Tensor, "cells 9"]:
        """Whether the values at the points of cells are negative."""
        return self.at(self.lattice.numbers_of_cells(cells)) < 0

    def crossed(self, cells: Int[Tensor, "cells 3"]) -> Int[Tensor, "crossed 3"]:
        """Those of the cells that have points on both sides."""
        return cells[_is_mixed(self.inside(cells))]

    def beside(
        self, cells: Int[Tensor, "cells 3"], steps: tuple[tuple[int, ...], ...]
    ) -> Int[Tensor, "cells steps 3"]:
        """The cells these steps away, or where the lattice ends before them, its last."""
        moved = cells[:, None] + torch.tensor(steps, device=cells.device)
        return torch.minimum(torch.maximum(moved, self.lowest), self.counts - 1)

    def marks(self, cells: Int[Tensor, "cells 3"]) -> Bool[Tensor, "nx ny nz"]:
        """True at these cells."""
        marks = torch.zeros(self.lattice.counts, dtype=torch.bool, device=cells.device)
        marks[cells.unbind(-1)] = True
        return marks


def _distinct(numbers: Int[Tensor, "..."], count: int) -> Int[Tensor, " distinct"]:
    """The distinct of these numbers below `count`, ascending: marked in a table, not sorted."""
    marks = torch.zeros(count, dtype=torch.bool, device=numbers.device)
    marks[numbers.flatten()] = True
    return torch.nonzero(marks).squeeze(1)


def _is_mixed(inside: Bool[Tensor, "*batch points"]) -> Bool[Tensor, "*batch"]:
    """Whether some points are inside and others are not."""
    return inside.any(-1) & ~inside.all(-1)


def _uncertified_cells(samples: _Samples, bound: float) -> Int[Tensor, "cells 3"]:
    """The cells that no value certifies to be empty, searched by halving one block that holds them all."""
    lattice, counts, lowest = samples.lattice, samples.counts, samples.lowest
    octants = torch.tensor(OCTANTS, device=counts.device)
    whole = side = 1 << (max(lattice.counts) - 1).bit_length()
    blocks, parent_values = lowest[None], None
    while True:
        # The sample of a block that the lattice ends in is on the border: within half a diagonal still.
        values = samples.at(lattice.numbers(torch.minimum(2 * blocks + side, 2 * counts)))
        half_diagonal = 0.5 * math.sqrt(3.0) * side * lattice.spacing
        if parent_values is not None:
            bound = _raised(bound, values - parent_values, half_diagonal)
        if side == 1:
            return _uncertified_by_corners(samples, blocks, values, bound=bound)
        certified = (values.abs() > bound * half_diagonal) & (side * ALWAYS_SPLIT <= whole)
        side //= 2
        children = (blocks[~certified, None] + side * octants).flatten(0, 1)
        present = (children < counts).all(-1)
        blocks, parent_values = children[present], values[~certified].repeat_interleave(8)[present]


def _uncertified_by_corners(
    samples: _Samples, cells: Int[Tensor, "cells 3"], values: Float[Tensor, " cells"], *, bound: float
) -> Int[Tensor, "uncertified 3"]:
    """The cells that are not certified by a bound that no slope from the centre to a corner exceeds."""
    half_diagonal = 0.5 * math.sqrt(3.0) * samples.lattice.spacing
    while True:
        doubtful = cells[~(values.abs() > bound * half_diagonal)]
        at_points = samples.at(samples.lattice.numbers_of_cells(doubtful))
        raised = _raised(bound, at_points[:, :8] - at_points[:, 8:], half_diagonal)
        if raised == bound:
            return doubtful
        bound = raised


def _raised(bound: float, changes: Float[Tensor, "..."], distance: float) -> float:
    """The bound on the slope, or more where one of these changes over a distance exceeds it."""
    steepest = float(changes.abs().max()) / distance if changes.numel() else 0.0
    return SLOPE_MARGIN * steepest if steepest > bound else bound


def _followed(samples: _Samples, cells: Int[Tensor, "cells 3"]) -> Int[Tensor, "taken 3"]:
    """These cells and all that the surface reaches from them.

    Where the centre and the four corners of a face of a cell do not agree, the surface may pass through
    the tetrahedra about that face, and the cell behind it is taken too.
    """
    pyramids = torch.tensor(PYRAMIDS, device=cells.device)
    taken = samples.marks(cells)
    while len(cells):
        leaving = _is_mixed(samples.inside(cells)[:, pyramids])
        beyond = samples.beside(cells, FACE_STEPS)[leaving]
        marks = samples.marks(beyond) & ~taken
        cells, taken = torch.nonzero(marks), taken | marks
    return torch.nonzero(taken)


def _followed_from(samples: _Samples, cells: Int[Tensor, "cells 3"]) -> Int[Tensor, "taken 3"] | None:
    """The cells that the surface reaches from where it was; `None` where it was and is not near now."""
    if len(cells) == 0:
        return None
    lost = cells[~_is_mixed(samples.inside(cells))]
    beside = samples.beside(lost, AROUND)
    taken = _followed(samples, torch.cat([cells, beside.flatten(0, 1)]))
    found = samples.marks(samples.crossed(taken))[beside.unbind(-1)].any(-1)
    return taken if bool(found.all()) else None


def _on_the_side_of(
    found: Float[Tensor, " points"], values: Float[Tensor, " points"], *, rounding: float
) -> Float[Tensor, " points"]:
    """`values`, but where rounding turned the sign that was found, held next to 0 on the side found.

    An edge whose ends agreed would have its vertex outside itself.
    """
    held = torch.where(found < 0, -torch.finfo(values.dtype).eps * rounding, 0.0).to(values.dtype)
    return torch.where((values < 0) == (found < 0), values, held)

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

from farm3d.ops.body_centred_lattice import FORWARD, BodyCentredLattice, points_around_face
from farm3d.ops.marching_tetrahedra import EDGES, cut_triangles, edge_ends, edge_zeros
from farm3d.shapes import Faces

LIPSCHITZ = 2.0
"""Slope that a signed distance is trusted not to exceed: twice a true distance's. From any lattice point of
the shipped horse to its surface the mean slope is at most 1.83, of an untrained field 1.03."""

SLOPE_MARGIN = 1.1
"""A slope that was observed and is above the bound raises it to this many times itself."""

Field = Callable[[Float[Tensor, "points 3"]], Float[Tensor, " points"]]


@dataclass(frozen=True)
class ActiveCells:
    """The cells (their numbers along x, y and z) in which the surface was last time."""

    cells: Int[Tensor, "cells 3"]


@dataclass(frozen=True)
class Isosurface:
    """A mesh, the cells that it passes through, and how many points the field was evaluated at."""

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

    Vertices and faces are those of the dense evaluation in the same order; a vertex differs from it by
    the rounding of a field whose values depend on how many points it is given at once. `symmetric`
    fields, equal at (-x, y, z), are evaluated at x >= 0 alone; vertices come in exactly mirrored pairs.

    Without `previous` the lattice is searched from one block downwards: a block is skipped where the
    value at its centre is larger than its half diagonal times the bound on the slope, which is
    `lipschitz` or, if that is more, `SLOPE_MARGIN` times the steepest slope seen between the centre of
    any block of this or a larger size and its parent's. From the cells found, the surface is followed
    from cell to cell until it closes or leaves the lattice: a connected piece is found whole or not at
    all. It can be missed only if the field falls from the centre of each block that covers it more
    steeply than that bound, so not by a field that keeps it, however thin the piece is.

    With `previous` the search starts from those cells, and around those that the surface has left. The
    result is the same where every piece still touches one of them or their neighbours; a new piece that
    appears elsewhere is not found until a call without `previous`.

    Gradients reach the field through the vertices. Where they are enabled, the field is evaluated once
    more, at the ends of the edges that the surface crosses.
    """
    samples = _Samples(field, lattice, symmetric=symmetric, device=device)
    with torch.no_grad():
        if previous is None or len(previous.cells) == 0:
            start = _search(samples, lipschitz)
        else:
            start = torch.cat([previous.cells, _beside_lost_cells(samples, previous.cells)])
        taken = _follow(samples, start)
        cells = torch.nonzero(taken)
        active = ActiveCells(cells[_is_mixed(samples.inside(_points_of(cells)))])
        numbers = _sorted_unique(lattice.index(_points_of(cells)), lattice.point_count)
        values = samples.at(lattice.points(numbers))
        ends, faces = _march(lattice, taken, numbers, inside=values < 0)
    vertices, evaluations = _place_vertices(samples, numbers, values, ends=ends)
    return Isosurface(vertices, faces, active, evaluations)


class _Samples:
    """Values of a field at points of the lattice, each evaluated once; of a symmetric field, at x >= 0."""

    def __init__(
        self, field: Field, lattice: BodyCentredLattice, *, symmetric: bool, device: torch.device | None
    ) -> None:
        self.field, self.lattice, self.symmetric = field, lattice, symmetric
        self.place = torch.full((lattice.point_count,), -1, dtype=torch.int32, device=device)
        self.values: list[Tensor] = []

    def at(self, points: Int[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
        """The values at points; new ones are evaluated in one call, in the order of their numbers."""
        if self.symmetric:
            middle = self.lattice.counts[0]
            points = torch.cat([(points[..., :1] - middle).abs() + middle, points[..., 1:]], dim=-1)
        numbers = self.lattice.index(points)
        unknown = _sorted_unique(numbers[self.place[numbers] < 0], self.lattice.point_count)
        if len(unknown):
            self.place[unknown] = self.evaluations + torch.arange(
                len(unknown), dtype=torch.int32, device=unknown.device
            )
            self.values.append(self.field(self.lattice.positions(self.lattice.points(unknown))))
        return torch.cat(self.values)[self.place[numbers]]

    def inside(self, points: Int[Tensor, "*batch 3"]) -> Bool[Tensor, "*batch"]:
        """Whether the values at points are negative."""
        return self.at(points) < 0

    @property
    def evaluations(self) -> int:
        """How many points have been evaluated."""
        return sum(len(part) for part in self.values)


def _sorted_unique(numbers: Int[Tensor, "..."], count: int) -> Int[Tensor, " unique"]:
    """The distinct of these numbers below `count`, ascending: marked in a table, not sorted."""
    marks = torch.zeros(count, dtype=torch.bool, device=numbers.device)
    marks[numbers.flatten()] = True
    return torch.nonzero(marks).squeeze(1)


OCTANTS = tuple(product((0, 1), repeat=3))
CELL_POINTS = (*((2 * x, 2 * y, 2 * z) for x, y, z in OCTANTS), (1, 1, 1))
"""The corners of a cell and its centre, in half steps from its lowest corner."""

STEPS = ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1))
"""From a cell to the six that share a face with it."""

PYRAMIDS = tuple(
    (*(k for k, corner in enumerate(OCTANTS) if corner[axis] == side), 8)
    for axis in range(3)
    for side in (0, 1)
)
"""The four corners (of `CELL_POINTS`) of the face towards each of these cells, and the centre."""


def _points_of(cells: Int[Tensor, "cells 3"]) -> Int[Tensor, "cells 9 3"]:
    """The points of cells, as in `CELL_POINTS`."""
    return 2 * cells[:, None] + torch.tensor(CELL_POINTS, device=cells.device)


def _is_mixed(inside: Bool[Tensor, "*batch points"]) -> Bool[Tensor, "*batch"]:
    """Whether some points are inside and others are not."""
    return inside.any(-1) & ~inside.all(-1)


def _search(samples: _Samples, lipschitz: float) -> Int[Tensor, "cells 3"]:
    """The cells that no value certifies to be empty, found from one block downwards."""
    lattice, device = samples.lattice, samples.place.device
    counts = torch.tensor(lattice.counts, device=device)
    octants = torch.tensor(OCTANTS, device=device)
    blocks = torch.zeros((1, 3), dtype=torch.long, device=device)
    blocks[:, 0] = lattice.counts[0] // 2 if samples.symmetric else 0
    side, bound = 1 << (max(lattice.counts) - 1).bit_length(), lipschitz
    parents = torch.minimum(2 * blocks + side, 2 * counts)
    while True:
        # A block that the lattice ends in has its sample on the border: still within half a diagonal.
        centres = torch.minimum(2 * blocks + side, 2 * counts)
        values = samples.at(centres)
        bound = _raised(bound, samples, parents, points=centres)
        radius = 0.5 * math.sqrt(3.0) * side * lattice.spacing
        active = ~(values.abs() > bound * radius)
        if side == 1:
            return _widened(samples, blocks, values, bound=bound)
        side //= 2
        children = (blocks[active, None] + side * octants).flatten(0, 1)
        kept = (children < counts).all(-1)
        blocks, parents = children[kept], centres[active].repeat_interleave(8, dim=0)[kept]


def _widened(
    samples: _Samples, cells: Int[Tensor, "cells 3"], values: Float[Tensor, " cells"], *, bound: float
) -> Int[Tensor, "cells 3"]:
    """The cells that are not certified once no slope from a centre to a corner of them exceeds the bound."""
    radius = 0.5 * math.sqrt(3.0) * samples.lattice.spacing
    while True:
        active = cells[~(values.abs() > bound * radius)]
        points = _points_of(active)
        raised = _raised(bound, samples, points[:, 8:].expand(-1, 8, -1), points=points[:, :8])
        if raised == bound:
            return active
        bound = raised


def _raised(
    bound: float, samples: _Samples, origins: Int[Tensor, "*batch 3"], *, points: Int[Tensor, "*batch 3"]
) -> float:
    """The bound, or more where the slope from `origins` to `points` exceeds it."""
    half_steps = (origins - points).to(torch.get_default_dtype()).norm(dim=-1).clamp_min(1.0)
    slopes = (samples.at(origins) - samples.at(points)).abs() / (0.5 * samples.lattice.spacing * half_steps)
    steepest = float(slopes.max()) if slopes.numel() else 0.0
    return SLOPE_MARGIN * steepest if steepest > bound else bound


def _follow(samples: _Samples, cells: Int[Tensor, "cells 3"]) -> Bool[Tensor, "nx ny nz"]:
    """A mark for `cells` and all that the surface reaches from them, of whole pieces of the surface.

    Where the centre and the four corners of a face of a cell do not agree, the surface may pass through
    the tetrahedra about that face, and the cell behind it is taken too.
    """
    device = cells.device
    counts = torch.tensor(samples.lattice.counts, device=device)
    taken = torch.zeros(samples.lattice.counts, dtype=torch.bool, device=device)
    if samples.symmetric:
        mirrored = cells.clone()
        mirrored[:, 0] = counts[0] - 1 - cells[:, 0]
        cells = torch.cat([cells, mirrored])
    while len(cells):
        taken[cells.unbind(-1)] = True
        leaving = _is_mixed(samples.inside(_points_of(cells))[:, torch.tensor(PYRAMIDS, device=device)])
        beyond = (cells[:, None] + torch.tensor(STEPS, device=device))[leaving]
        beyond = beyond[((beyond >= 0) & (beyond < counts)).all(-1)]
        cells = beyond[~taken[beyond.unbind(-1)]]
    return taken


def _beside_lost_cells(samples: _Samples, cells: Int[Tensor, "cells 3"]) -> Int[Tensor, "beside 3"]:
    """The 26 neighbours of the cells that the surface no longer passes through."""
    lost = cells[~_is_mixed(samples.inside(_points_of(cells)))]
    around = torch.tensor(tuple(product((-1, 0, 1), repeat=3)), device=cells.device)
    beside = (lost[:, None] + around).flatten(0, 1)
    counts = torch.tensor(samples.lattice.counts, device=cells.device)
    return beside[((beside >= 0) & (beside < counts)).all(-1)]


def _edge_slots() -> list[list[list[int]]]:
    """For each axis, each of the four tetrahedra across a face and each of their edges: its direction.

    An edge belongs to the end with the lower number; the direction is a place in `FORWARD`.
    """

    def slot(a: tuple[int, ...], b: tuple[int, ...]) -> int:
        start, end = sorted((a, b), key=lambda point: (point[0] % 2, point))
        return FORWARD.index(tuple(end[k] - start[k] for k in range(3)))

    table = []
    for axis in range(3):
        first, second, *ring = points_around_face(axis)
        tets = [(first, second, ring[k], ring[(k + 1) % 4]) for k in range(4)]
        table.append([[slot(tet[a], tet[b]) for a, b in EDGES] for tet in tets])
    return table


_SLOTS = torch.tensor(_edge_slots())


def _march(
    lattice: BodyCentredLattice,
    taken: Bool[Tensor, "nx ny nz"],
    numbers: Int[Tensor, " points"],
    *,
    inside: Bool[Tensor, " points"],
) -> tuple[Int[Tensor, "2 vertices"], Faces]:
    """The ends (places in `numbers`) of the edges that the surface crosses, and the faces between them.

    An edge is known by its lower end and its direction, so that vertices are numbered by counting.
    """
    place = torch.zeros(lattice.point_count, dtype=torch.int32, device=numbers.device)
    place[numbers] = torch.arange(len(numbers), dtype=torch.int32, device=numbers.device)
    keys, others = [], []
    for axis in range(3):
        n = taken.shape[axis]
        cells = torch.nonzero(taken.narrow(axis, 0, n - 1) & taken.narrow(axis, 1, n - 1))
        tets = place[lattice.tets_across(cells, axis).flatten(0, 1)].long()
        tet, edges = cut_triangles(inside[tets])
        low, high = edge_ends(tets, tet, edges).unbind(-1)
        side = tet.div(max(len(cells), 1), rounding_mode="floor")
        keys.append(low * len(FORWARD) + _SLOTS[axis].to(tet.device)[side[:, None], edges])
        others.append(high)
    edge_of_face = torch.cat(keys)
    end = torch.full((len(numbers) * len(FORWARD),), -1, device=numbers.device)
    end[edge_of_face] = torch.cat(others)
    crossed = torch.nonzero(end >= 0).squeeze(1)
    vertex = torch.cumsum(end >= 0, dim=0) - 1
    return torch.stack([crossed.div(len(FORWARD), rounding_mode="floor"), end[crossed]]), vertex[edge_of_face]


def _place_vertices(
    samples: _Samples,
    numbers: Int[Tensor, " points"],
    values: Float[Tensor, " points"],
    *,
    ends: Int[Tensor, "2 vertices"],
) -> tuple[Float[Tensor, "vertices 3"], int]:
    """The zeros on edges, and the number of evaluations in all.

    Where gradients are enabled, the values at the ends are evaluated again, with the gradient. Rounding
    may turn the sign of a value next to 0 there; it is then held on the side that it was found on.
    """
    lattice, evaluations = samples.lattice, samples.evaluations
    used = _sorted_unique(ends, len(numbers))
    points, found = lattice.points(numbers[used]), values[used]
    if torch.is_grad_enabled() and len(used):
        again = _Samples(samples.field, lattice, symmetric=samples.symmetric, device=samples.place.device)
        exact = again.at(points)
        least = torch.finfo(exact.dtype).eps * lattice.spacing
        held = torch.where(found < 0, -least, 0.0).to(exact.dtype)
        found = torch.where((exact < 0) == (found < 0), exact, held)
        evaluations += again.evaluations
    place = torch.zeros(len(numbers), dtype=torch.long, device=numbers.device)
    place[used] = torch.arange(len(used), device=numbers.device)
    return edge_zeros(lattice.positions(points), found, place[ends]), evaluations

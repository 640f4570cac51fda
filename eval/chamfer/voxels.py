"""Voxels of a surface, exactly those of trimesh's subdivision, without building the subdivided mesh.

trimesh (`Trimesh.voxelized`) bisects every edge longer than half a voxel until none is left and takes the
voxels of all vertices. Whether and where an edge is split depends on its own ends alone, so that each
face can be followed by itself, depth first, on a stack; a piece whose corners share a voxel lies in it and
is not followed further. What the voxels enclose is found on runs of empty voxels instead of single ones.
"""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Float, Int, UInt8

from farm3d.errors import InputError
from farm3d.ops.rasterize.numba_launch import compile_kernel

Triangles = Float[np.ndarray, "_ 3 3"]

DEEPEST = 10
"""So many times an edge is halved at most; trimesh refuses a mesh that needs more."""

FOLLOWED = 6
"""From here on every piece is followed to its end, so that those that need more than DEEPEST are found.

A piece within one voxel has edges up to 1.74 voxels, which four more bisections bring below half a voxel.
"""

EDGE = 0.5
"""The longest edge of the subdivided surface, in voxels."""

MOST_VOXELS = 2_000_000_000
"""A grid of more (bytes) is refused: the surface is nearly flat."""


@dataclass(frozen=True)
class Voxels:
    """Which voxels are occupied, in a grid with a margin of one empty voxel on every side.

    Voxel (i, j, k) of `occupied` has its centre at `pitch` * (`origin` + (i, j, k)).
    """

    occupied: UInt8[np.ndarray, "x y z"]
    origin: Int[np.ndarray, "3"]
    pitch: float

    @property
    def count(self) -> int:
        """How many voxels are occupied."""
        return int(np.count_nonzero(self.occupied))

    @property
    def volume(self) -> float:
        """Of the occupied voxels together, in units of the mesh."""
        return self.count * self.pitch**3


def bounds(triangles: Triangles) -> Float[np.ndarray, "2 3"]:
    """The lowest and the highest corner of the surface's box."""
    return _bounds(triangles.reshape(-1, 3))


def voxel_pitch(triangles: Triangles, cubes: int) -> float:
    """The side of a voxel of which `cubes` span the surface's smallest extent.

    Raises InputError for a surface without extent in some direction: it encloses nothing.
    """
    lowest, highest = bounds(triangles)
    pitch = float((highest - lowest).min()) / cubes
    if not pitch > 0.0:
        raise InputError("the mesh is flat: it encloses no volume")
    return pitch


def voxelize_surface(triangles: Triangles, pitch: float) -> Voxels:
    """The voxels that hold a vertex of the surface subdivided to edges of half a voxel.

    Raises InputError for a surface that is too long for its width or too coarse for its voxels.
    """
    lowest, highest = np.rint(bounds(triangles) / pitch).astype(np.int64)
    shape = tuple(int(size) for size in highest - lowest + 3)
    if shape[0] * shape[1] * shape[2] > MOST_VOXELS:
        raise InputError(f"the mesh is nearly flat: {' x '.join(map(str, shape))} voxels would hold it")
    occupied = np.zeros(shape, dtype=np.uint8)
    origin = lowest - 1
    if not _mark(np.ascontiguousarray(triangles), pitch, EDGE * pitch, occupied, origin):
        raise InputError(
            f"the mesh has edges longer than {EDGE * 2**DEEPEST:.0f} voxels; the protocol refuses it"
        )
    return Voxels(occupied, origin, pitch)


def fill(surface: Voxels) -> Voxels:
    """These voxels and those that they enclose: not reached from outside through faces of empty voxels."""
    filled = surface.occupied.copy()
    _fill_enclosed(filled)
    return Voxels(filled, surface.origin, surface.pitch)


@compile_kernel
@no_type_check
def _bounds(points):
    found = np.empty((2, 3))
    for axis in range(3):
        lowest, highest = np.inf, -np.inf
        for index in range(len(points)):
            lowest, highest = min(lowest, points[index, axis]), max(highest, points[index, axis])
        found[0, axis], found[1, axis] = lowest, highest
    return found


@compile_kernel
@no_type_check
def _mark(triangles, pitch, longest, occupied, origin):
    """Mark the voxels of every piece's corners; False where a piece is still too long at DEEPEST.

    A row of `corners` is a piece's three corners, of `voxels` their voxels; the rows are a stack. `points`
    are the corners and the midpoints of edges 0-1, 1-2 and 2-0 of the piece at hand.
    """
    corners = np.empty((4 * DEEPEST + 8, 3, 3))
    voxels = np.empty((4 * DEEPEST + 8, 3), dtype=np.int64)
    depths = np.empty(4 * DEEPEST + 8, dtype=np.int64)
    points = np.empty((6, 3))
    homes = np.empty(6, dtype=np.int64)
    split = np.empty(3, dtype=np.bool_)
    for face in range(len(triangles)):
        for corner in range(3):
            for axis in range(3):
                corners[0, corner, axis] = triangles[face, corner, axis]
            voxels[0, corner] = _occupy(triangles[face], corner, pitch, occupied, origin)
        depths[0] = 0
        top = 1
        while top > 0:
            top -= 1
            depth = depths[top]
            v0, v1, v2 = voxels[top, 0], voxels[top, 1], voxels[top, 2]
            if v0 == v1 and v1 == v2 and depth < FOLLOWED:
                continue
            split[0] = _distance(corners[top], 0, 1) > longest
            split[1] = _distance(corners[top], 1, 2) > longest
            split[2] = _distance(corners[top], 2, 0) > longest
            splits = split[0] + split[1] + split[2]
            if splits == 0:
                continue
            if depth >= DEEPEST:
                return False
            for corner in range(3):
                homes[corner] = voxels[top, corner]
                for axis in range(3):
                    points[corner, axis] = corners[top, corner, axis]
            for edge in range(3):
                if split[edge]:
                    end = edge + 1 if edge < 2 else 0
                    for axis in range(3):
                        points[3 + edge, axis] = (points[edge, axis] + points[end, axis]) / 2.0
                    homes[3 + edge] = _occupy(points, 3 + edge, pitch, occupied, origin)
            if splits == 3:
                _push(corners, voxels, top, points, homes, 0, 3, 5)
                _push(corners, voxels, top + 1, points, homes, 3, 1, 4)
                _push(corners, voxels, top + 2, points, homes, 5, 4, 2)
                _push(corners, voxels, top + 3, points, homes, 3, 4, 5)
                pieces = 4
            elif splits == 2:
                c = 0 if not split[0] else (1 if not split[1] else 2)
                a, b = (c + 1) % 3, (c + 2) % 3
                p, q = 3 + a, 3 + b
                _push(corners, voxels, top, points, homes, p, b, q)
                if _squared(points, a, q) <= _squared(points, p, c):
                    _push(corners, voxels, top + 1, points, homes, a, p, q)
                    _push(corners, voxels, top + 2, points, homes, a, q, c)
                else:
                    _push(corners, voxels, top + 1, points, homes, a, p, c)
                    _push(corners, voxels, top + 2, points, homes, p, q, c)
                pieces = 3
            else:
                a = 0 if split[0] else (1 if split[1] else 2)
                b, c = (a + 1) % 3, (a + 2) % 3
                _push(corners, voxels, top, points, homes, a, 3 + a, c)
                _push(corners, voxels, top + 1, points, homes, 3 + a, b, c)
                pieces = 2
            for piece in range(pieces):
                depths[top + piece] = depth + 1
            top += pieces
    return True


@compile_kernel
@no_type_check
def _occupy(points, place, pitch, occupied, origin):
    """Mark the voxel of a point (NumPy's rounding: halves to even) and return its number."""
    i = np.int64(np.rint(points[place, 0] / pitch)) - origin[0]
    j = np.int64(np.rint(points[place, 1] / pitch)) - origin[1]
    k = np.int64(np.rint(points[place, 2] / pitch)) - origin[2]
    occupied[i, j, k] = 1
    return (i * occupied.shape[1] + j) * occupied.shape[2] + k


@compile_kernel
@no_type_check
def _squared(points, first, second):
    x = points[first, 0] - points[second, 0]
    y = points[first, 1] - points[second, 1]
    z = points[first, 2] - points[second, 2]
    return x * x + y * y + z * z


@compile_kernel
@no_type_check
def _distance(points, first, second):
    return np.sqrt(_squared(points, first, second))


@compile_kernel
@no_type_check
def _push(corners, voxels, place, points, homes, a, b, c):
    """Put the piece with these three of the six points on the stack."""
    voxels[place, 0], voxels[place, 1], voxels[place, 2] = homes[a], homes[b], homes[c]
    for axis in range(3):
        corners[place, 0, axis] = points[a, axis]
        corners[place, 1, axis] = points[b, axis]
        corners[place, 2, axis] = points[c, axis]


@compile_kernel
@no_type_check
def _fill_enclosed(occupied):
    """Occupy every run of empty voxels along z that no chain of touching runs joins to the margin."""
    nx, ny, nz = occupied.shape
    first = np.zeros(nx * ny + 1, dtype=np.int64)
    for x in range(nx):
        for y in range(ny):
            runs, before = 0, np.uint8(1)
            for z in range(nz):
                here = occupied[x, y, z]
                runs += before & ~here & 1
                before = here
            first[x * ny + y + 1] = first[x * ny + y] + runs
    begins = np.empty(first[-1], dtype=np.int32)
    ends = np.empty(first[-1], dtype=np.int32)
    for x in range(nx):
        for y in range(ny):
            run, before = first[x * ny + y] - 1, np.uint8(1)
            for z in range(nz):
                here = occupied[x, y, z]
                if here != before:
                    if here:
                        ends[run] = z
                    else:
                        run += 1
                        begins[run] = z
                before = here
            if not before:
                ends[run] = nz
    outside = np.zeros(first[-1], dtype=np.bool_)
    stack = np.empty(first[-1], dtype=np.int64)
    rows = np.empty(first[-1], dtype=np.int64)
    outside[0] = True
    stack[0], rows[0] = 0, 0
    top = 1
    while top > 0:
        top -= 1
        run, row = stack[top], rows[top]
        x, y = row // ny, row % ny
        for side in range(4):
            if side == 0 and x > 0:
                other = row - ny
            elif side == 1 and x < nx - 1:
                other = row + ny
            elif side == 2 and y > 0:
                other = row - 1
            elif side == 3 and y < ny - 1:
                other = row + 1
            else:
                continue
            for near in range(first[other], first[other + 1]):
                if not outside[near] and begins[near] < ends[run] and begins[run] < ends[near]:
                    outside[near] = True
                    stack[top], rows[top] = near, other
                    top += 1
    for x in range(nx):
        for y in range(ny):
            row = x * ny + y
            for run in range(first[row], first[row + 1]):
                if not outside[run]:
                    occupied[x, y, begins[run] : ends[run]] = 1

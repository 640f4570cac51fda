"""Iterative closest points (Besl and McKay 1992): the rotation and translation that trimesh's `icp` finds.

Two things are left out that change nothing. A point keeps its match unasked while it has moved less than
would let any other point come nearer (the second nearest says how far that is). And the loop ends when no
match changes: all further steps would be the identity.
"""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Float, Int

from farm3d.ops.rasterize.numba_launch import compile_kernel

from .point_tree import WORKSPACE, PointTree, squared_distance, two_nearest
from .sampling import Cloud

Transform = Float[np.ndarray, "4 4"]

SLACK = 1.0 - 1e-12
"""A match is looked for again where rounding could matter."""


@dataclass(frozen=True)
class _Matches:
    """Of each point: its nearest and second nearest, and where it was when they were looked up."""

    nearest: Int[np.ndarray, " points"]
    second: Int[np.ndarray, " points"]
    second_distance: Float[np.ndarray, " points"]
    seen_from: Cloud


def align_points(source: Cloud, target: PointTree, iterations: int) -> Transform:
    """The rigid motion that brings the source onto the target, started from where it is.

    Quickest where the source is in the order of a tree. A step that does not lower the mean squared
    distance is the last, as in trimesh with a threshold of 0.
    """
    moved = source.copy()
    matches = _unmatched(len(source))
    motion = np.eye(4)
    cost = np.inf
    for step in range(iterations):
        changed = _match(
            moved, matches.nearest, matches.second, matches.second_distance, matches.seen_from,
            target.points, target.boxes, target.levels,
        )  # fmt: skip
        if step and not changed:
            break
        rotation, translation = rigid_fit(moved, target.points, matches.nearest)
        motion[:3] = np.column_stack([rotation @ motion[:3, :3], rotation @ motion[:3, 3] + translation])
        before, cost = cost, _move(moved, rotation, translation, target.points, matches.nearest)
        if cost > before:
            break
    return motion


def rigid_fit(
    points: Cloud, partners: Float[np.ndarray, "partners 3"], partner: Int[np.ndarray, " points"]
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3"]]:
    """Rotation and translation of least squares (Kabsch 1976), no reflection: point i to its partner."""
    centre, partners_centre, products = _moments(points, partners, partner)
    u, _, v = np.linalg.svd(products)
    rotation = u @ np.diag([1.0, 1.0, np.linalg.det(u @ v)]) @ v
    return rotation, partners_centre - rotation @ centre


def apply(motion: Transform, points: Cloud) -> Cloud:
    """The points moved."""
    return _moved(np.ascontiguousarray(points), motion)


def inverse(motion: Transform) -> Transform:
    """The motion back; the rotation's inverse is its transpose."""
    back = np.eye(4)
    back[:3, :3] = motion[:3, :3].T
    back[:3, 3] = -motion[:3, :3].T @ motion[:3, 3]
    return back


def _unmatched(count: int) -> _Matches:
    """No distance to the second nearest: nothing is known, every point is looked up."""
    return _Matches(
        nearest=np.zeros(count, dtype=np.int64),
        second=np.zeros(count, dtype=np.int64),
        second_distance=np.full(count, -1.0),
        seen_from=np.zeros((count, 3)),
    )


@compile_kernel
@no_type_check
def _match(moved, nearest, second, second_distance, seen_from, points, boxes, levels):
    """Bring the matches up to date; whether any nearest point changed."""
    nodes, bounds = np.empty(WORKSPACE, dtype=np.int64), np.empty(WORKSPACE)
    changed = False
    for index in range(len(moved)):
        x, y, z = moved[index, 0], moved[index, 1], moved[index, 2]
        known = second_distance[index] >= 0.0
        if known:
            way = np.sqrt(squared_distance(seen_from, index, x, y, z))
            here = np.sqrt(squared_distance(points, nearest[index], x, y, z))
            if here < (second_distance[index] - way) * SLACK:
                continue
        guess = index if known else max(index - 1, 0)
        first, other, _, other_squared = two_nearest(
            x, y, z, points, boxes, levels, nearest[guess], second[guess], False, nodes, bounds
        )
        changed |= first != nearest[index] or not known
        nearest[index], second[index] = first, other
        second_distance[index] = np.sqrt(other_squared)
        seen_from[index, 0], seen_from[index, 1], seen_from[index, 2] = x, y, z
    return changed


@compile_kernel
@no_type_check
def _moments(points, partners, partner):
    """The centres of points and partners, and the sum of products of what is left without them.

    Summed here and not by a BLAS, whose order of summation depends on its number of threads.
    """
    centre, other_centre, products = np.zeros(3), np.zeros(3), np.zeros((3, 3))
    for index in range(len(points)):
        for axis in range(3):
            centre[axis] += points[index, axis]
            other_centre[axis] += partners[partner[index], axis]
    centre /= len(points)
    other_centre /= len(points)
    for index in range(len(points)):
        for row in range(3):
            for column in range(3):
                products[row, column] += (partners[partner[index], row] - other_centre[row]) * (
                    points[index, column] - centre[column]
                )
    return centre, other_centre, products


@compile_kernel
@no_type_check
def _moved(points, motion):
    moved = np.empty_like(points)
    for index in range(len(points)):
        x, y, z = points[index, 0], points[index, 1], points[index, 2]
        for axis in range(3):
            moved[index, axis] = (
                motion[axis, 0] * x + motion[axis, 1] * y + motion[axis, 2] * z + motion[axis, 3]
            )
    return moved


@compile_kernel
@no_type_check
def _move(moved, rotation, translation, points, nearest):
    """Move the points and return their mean squared distance to their matches."""
    total = 0.0
    for index in range(len(moved)):
        x, y, z = moved[index, 0], moved[index, 1], moved[index, 2]
        for axis in range(3):
            moved[index, axis] = (
                rotation[axis, 0] * x + rotation[axis, 1] * y + rotation[axis, 2] * z + translation[axis]
            )
        total += squared_distance(points, nearest[index], moved[index, 0], moved[index, 1], moved[index, 2])
    return total / len(moved)

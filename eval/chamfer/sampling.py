"""Evenly spread points of a surface: those of trimesh's `sample_surface_even` for the same random numbers.

Three times as many points as wanted are drawn by area; of every two that are closer than a radius the one
with more such neighbours goes (the earlier one, where equal). trimesh finds the pairs with a KD-tree, this
with a grid of cells as large as the radius.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Bool, Float

from farm3d.errors import InputError
from farm3d.ops.rasterize.numba_launch import compile_kernel

from .voxels import Triangles

Cloud = Float[np.ndarray, "_ 3"]

CANDIDATES = 3
"""Points drawn for each point wanted."""

CELLS_PER_POINT = 32
"""The grid has no more cells than this; where the radius would want more, cells are larger than it."""


def face_areas(triangles: Triangles) -> Float[np.ndarray, " faces"]:
    """The area of each triangle."""
    return _areas(triangles)


def centroid(triangles: Triangles) -> Float[np.ndarray, "3"]:
    """The centre of the surface: the mean of the triangles' centres, weighted by area.

    Raises InputError for a surface without area.
    """
    area, moments = _first_moments(triangles)
    if not (np.isfinite(area) and area > 0.0):
        raise InputError("the mesh has no area")
    return moments / area


def sample_evenly(triangles: Triangles, count: int, generator: np.random.Generator) -> Cloud:
    """`count` points of a surface; where one draw leaves too few, those of several are joined.

    Raises InputError for a surface without area.
    """
    cumulative = np.cumsum(face_areas(triangles))
    if not (len(cumulative) and np.isfinite(cumulative[-1]) and cumulative[-1] > 0.0):
        raise InputError("the mesh has no area to draw points from")
    radius = float(np.sqrt(cumulative[-1] / (CANDIDATES * count)))
    kept: list[Cloud] = []
    while sum(map(len, kept)) < count:
        points = _draw(triangles, cumulative, count * CANDIDATES, generator=generator)
        kept.append(points[far_apart(points, radius)])
    return np.concatenate(kept)[:count]


def far_apart(points: Cloud, radius: float) -> Bool[np.ndarray, " points"]:
    """Which points stay when of every two within the radius the one in more such pairs goes."""
    lowest = points.min(axis=0)
    extent = points.max(axis=0) - lowest
    cell = radius
    while np.prod(np.floor(extent / cell) + 3) > CELLS_PER_POINT * len(points) + 27:
        cell *= 1.25
    shape = (np.floor(extent / cell) + 3).astype(np.int64)
    order, first = _sort_into_cells(points, lowest, cell, shape)
    return _thin(points, order, first, shape, lowest, cell, radius * radius)


def _draw(
    triangles: Triangles,
    cumulative: Float[np.ndarray, " faces"],
    count: int,
    *,
    generator: np.random.Generator,
) -> Cloud:
    """Points uniform on the surface (Weisstein, "Triangle Point Picking"), as trimesh draws them."""
    heights = generator.random(count) * cumulative[-1]
    weights = generator.random((count, 2))
    starts = np.searchsorted(cumulative, np.linspace(0.0, cumulative[-1], len(cumulative), endpoint=False))
    return _place(triangles, cumulative, starts, heights, weights)


@compile_kernel
@no_type_check
def _areas(triangles):
    areas = np.empty(len(triangles))
    for face in range(len(triangles)):
        a, b, c = triangles[face, 0], triangles[face, 1], triangles[face, 2]
        ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
        vx, vy, vz = c[0] - b[0], c[1] - b[1], c[2] - b[2]
        x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        areas[face] = np.sqrt(x * x + y * y + z * z) / 2.0
    return areas


@compile_kernel
@no_type_check
def _first_moments(triangles):
    areas, moments = _areas(triangles), np.zeros(3)
    for face in range(len(triangles)):
        for axis in range(3):
            corners = triangles[face, 0, axis] + triangles[face, 1, axis] + triangles[face, 2, axis]
            moments[axis] += areas[face] * corners / 3.0
    return areas.sum(), moments


@compile_kernel
@no_type_check
def _place(triangles, cumulative, starts, heights, weights):
    """The point in the first triangle whose cumulative area reaches its height, searched from a near one."""
    points = np.empty((len(heights), 3))
    step = len(starts) / cumulative[-1]
    for index in range(len(heights)):
        face = starts[min(np.int64(heights[index] * step), len(starts) - 1)]
        while face > 0 and cumulative[face - 1] >= heights[index]:
            face -= 1
        while cumulative[face] < heights[index]:
            face += 1
        u, v = weights[index, 0], weights[index, 1]
        if u + v > 1.0:
            u, v = abs(u - 1.0), abs(v - 1.0)
        for axis in range(3):
            a = triangles[face, 0, axis]
            points[index, axis] = (triangles[face, 1, axis] - a) * u + (triangles[face, 2, axis] - a) * v + a
    return points


@compile_kernel
@no_type_check
def _sort_into_cells(points, lowest, cell, shape):
    """The points in the order of their cells, and where each cell begins; an empty cell all around."""
    homes = np.empty(len(points), dtype=np.int64)
    first = np.zeros(shape[0] * shape[1] * shape[2] + 1, dtype=np.int32)
    for index in range(len(points)):
        x = np.int64((points[index, 0] - lowest[0]) / cell) + 1
        y = np.int64((points[index, 1] - lowest[1]) / cell) + 1
        z = np.int64((points[index, 2] - lowest[2]) / cell) + 1
        homes[index] = (x * shape[1] + y) * shape[2] + z
        first[homes[index] + 1] += 1
    for home in range(len(first) - 1):
        first[home + 1] += first[home]
    order = np.empty(len(points), dtype=np.int32)
    place = first[:-1].copy()
    for index in range(len(points)):
        order[place[homes[index]]] = index
        place[homes[index]] += 1
    return order, first


@compile_kernel
@no_type_check
def _thin(points, order, first, shape, lowest, cell, squared_radius):
    """Count each point's neighbours, then drop the more crowded of every two."""
    count = len(points)
    sorted_points = np.empty((count, 3))
    for place in range(count):
        for axis in range(3):
            sorted_points[place, axis] = points[order[place], axis]
    degrees = np.zeros(count, dtype=np.int32)
    pairs = np.empty((8 * count, 2), dtype=np.int32)
    found = 0
    for place in range(count):
        px, py, pz = sorted_points[place, 0], sorted_points[place, 1], sorted_points[place, 2]
        x = np.int64((px - lowest[0]) / cell) + 1
        y = np.int64((py - lowest[1]) / cell) + 1
        z = np.int64((pz - lowest[2]) / cell) + 1
        # Rows of three cells that lie behind in memory; of the point's own row, the points behind it.
        for row in range(5):
            dx = 0 if row < 2 else 1
            dy = row if row < 2 else row - 3
            start = ((x + dx) * shape[1] + y + dy) * shape[2] + z
            begin = place + 1 if row == 0 else first[start - 1]
            for other in range(begin, first[start + 2]):
                ax, ay, az = (
                    sorted_points[other, 0] - px,
                    sorted_points[other, 1] - py,
                    sorted_points[other, 2] - pz,
                )
                if ax * ax + ay * ay + az * az <= squared_radius:
                    degrees[place] += 1
                    degrees[other] += 1
                    if found == len(pairs):
                        more = np.empty((2 * found, 2), dtype=np.int32)
                        more[:found] = pairs
                        pairs = more
                    pairs[found, 0], pairs[found, 1] = place, other
                    found += 1
    kept = np.ones(count, dtype=np.bool_)
    for pair in range(found):
        a, b = pairs[pair, 0], pairs[pair, 1]
        if order[a] > order[b]:
            a, b = b, a
        kept[order[a] if degrees[a] >= degrees[b] else order[b]] = False
    return kept

"""Nearest neighbours in a cloud of points, exactly, by a tree of bounding boxes.

Points are put in an order by splitting them at medians along the widest axis; each node is the bounding box
of BRANCHES consecutive points or nodes. A search begins with the distance to the answer of the query before
it, which is nearly right where queries come in the order of a tree too, so that most boxes are never opened.
"""

from dataclasses import dataclass
from typing import no_type_check

import numpy as np
from jaxtyping import Float, Int

from farm3d.ops.rasterize.numba_launch import compile_kernel

from .sampling import Cloud

BRANCHES = 8

WORKSPACE = 256
"""A search holds at most BRANCHES - 1 nodes a level and the top, and a cloud of 10^9 points has 10 levels."""


@dataclass(frozen=True)
class PointTree:
    """`points` in the tree's order; `boxes` (lowest and highest corners) level by level from the leaves up.

    Level l has its boxes from `levels[l]` to `levels[l + 1]`.
    """

    points: Cloud
    boxes: Float[np.ndarray, "nodes 6"]
    levels: Int[np.ndarray, " levels"]


def point_tree(points: Cloud) -> PointTree:
    """The tree of a cloud of at least one point."""
    ordered = np.ascontiguousarray(points[_order(np.ascontiguousarray(points))])
    counts = [-(-len(points) // BRANCHES)]
    while counts[-1] > BRANCHES:
        counts.append(-(-counts[-1] // BRANCHES))
    levels = np.cumsum([0, *counts])
    return PointTree(ordered, _boxes(ordered, levels), levels)


def nearest_distances(tree: PointTree, queries: Cloud) -> Float[np.ndarray, " queries"]:
    """The distance from each query to the nearest point; quickest for queries in the order of a tree."""
    return _nearest_distances(np.ascontiguousarray(queries), tree.points, tree.boxes, tree.levels)


@compile_kernel
@no_type_check
def _order(points):
    """An order in which blocks of BRANCHES, BRANCHES^2, ... consecutive points are close together.

    A range is split where a block ends, about its middle, along its widest axis, as a k-d tree is (Friedman,
    Bentley and Finkel 1977), until it is one block of the smallest kind.
    """
    order = np.arange(len(points))
    ranges = np.empty((WORKSPACE, 3), dtype=np.int64)
    block = BRANCHES
    while block * BRANCHES < len(points):
        block *= BRANCHES
    ranges[0, 0], ranges[0, 1], ranges[0, 2] = 0, len(points), block
    top = 1
    while top > 0:
        top -= 1
        begin, end, block = ranges[top, 0], ranges[top, 1], ranges[top, 2]
        while end - begin <= block and block >= BRANCHES:
            block //= BRANCHES
        if block < BRANCHES:
            continue
        middle = begin + block * (-(-(end - begin) // block) // 2)
        _select(points, order, begin, end, middle)
        ranges[top, 0], ranges[top, 1], ranges[top, 2] = begin, middle, block
        ranges[top + 1, 0], ranges[top + 1, 1], ranges[top + 1, 2] = middle, end, block
        top += 2
    return order


@compile_kernel
@no_type_check
def _select(points, order, begin, end, middle):
    """Put what is lower along the widest axis before `middle` (Hoare 1961, "Find")."""
    axis, widest = 0, -1.0
    for candidate in range(3):
        lowest, highest = np.inf, -np.inf
        for place in range(begin, end):
            value = points[order[place], candidate]
            lowest, highest = min(lowest, value), max(highest, value)
        if highest - lowest > widest:
            axis, widest = candidate, highest - lowest
    first, last = begin, end - 1
    while first < last:
        pivot = points[order[(first + last) // 2], axis]
        left, right = first, last
        while left <= right:
            while points[order[left], axis] < pivot:
                left += 1
            while points[order[right], axis] > pivot:
                right -= 1
            if left <= right:
                order[left], order[right] = order[right], order[left]
                left += 1
                right -= 1
        if middle <= right:
            last = right
        elif middle >= left:
            first = left
        else:
            return


@compile_kernel
@no_type_check
def _boxes(points, levels):
    boxes = np.empty((levels[-1], 6))
    for level in range(len(levels) - 1):
        for node in range(levels[level], levels[level + 1]):
            begin = (node - levels[level]) * BRANCHES
            for axis in range(3):
                lowest, highest = np.inf, -np.inf
                if level == 0:
                    for child in range(begin, min(begin + BRANCHES, len(points))):
                        lowest = min(lowest, points[child, axis])
                        highest = max(highest, points[child, axis])
                else:
                    below = levels[level - 1]
                    for child in range(below + begin, min(below + begin + BRANCHES, levels[level])):
                        lowest = min(lowest, boxes[child, axis])
                        highest = max(highest, boxes[child, 3 + axis])
                boxes[node, axis], boxes[node, 3 + axis] = lowest, highest
    return boxes


@compile_kernel
@no_type_check
def squared_distance(points, index, x, y, z):
    """From a point of the cloud to (x, y, z)."""
    dx, dy, dz = points[index, 0] - x, points[index, 1] - y, points[index, 2] - z
    return dx * dx + dy * dy + dz * dz


@compile_kernel
@no_type_check
def _squared_distance_to_box(boxes, node, x, y, z):
    dx = max(boxes[node, 0] - x, x - boxes[node, 3], 0.0)
    dy = max(boxes[node, 1] - y, y - boxes[node, 4], 0.0)
    dz = max(boxes[node, 2] - z, z - boxes[node, 5], 0.0)
    return dx * dx + dy * dy + dz * dz


@compile_kernel
@no_type_check
def two_nearest(x, y, z, points, boxes, levels, first, second, one, nodes, bounds):
    """The two points nearest to (x, y, z) with their squared distances, from a guess of two.

    With `one` only the nearest is looked for; a second guess that is none is equal to the first. `nodes`
    and `bounds` are memory to work in (WORKSPACE). Of equally near points any may be found.
    """
    best = squared_distance(points, first, x, y, z)
    next_best = np.inf
    if second != first:
        next_best = squared_distance(points, second, x, y, z)
        if next_best < best:
            first, second, best, next_best = second, first, next_best, best
    top = 0
    for node in range(levels[len(levels) - 2], levels[len(levels) - 1]):
        nodes[top] = node
        bounds[top] = _squared_distance_to_box(boxes, node, x, y, z)
        top += 1
    while top > 0:
        top -= 1
        node = nodes[top]
        if bounds[top] >= (best if one else next_best):
            continue
        level = 0
        while node >= levels[level + 1]:
            level += 1
        begin = (node - levels[level]) * BRANCHES
        if level == 0:
            for point in range(begin, min(begin + BRANCHES, len(points))):
                distance = squared_distance(points, point, x, y, z)
                if distance < best:
                    second, next_best = first, best
                    first, best = point, distance
                elif not one and distance < next_best and point != first:
                    second, next_best = point, distance
        else:
            below = levels[level - 1]
            nearest_place = top
            for child in range(below + begin, min(below + begin + BRANCHES, levels[level])):
                bound = _squared_distance_to_box(boxes, child, x, y, z)
                if bound < (best if one else next_best):
                    nodes[top], bounds[top] = child, bound
                    if bound < bounds[nearest_place]:
                        nearest_place = top
                    top += 1
            if top > nearest_place:
                nodes[top - 1], nodes[nearest_place] = nodes[nearest_place], nodes[top - 1]
                bounds[top - 1], bounds[nearest_place] = bounds[nearest_place], bounds[top - 1]
    return first, second, best, next_best


@compile_kernel
@no_type_check
def _nearest_distances(queries, points, boxes, levels):
    distances = np.empty(len(queries))
    nodes, bounds = np.empty(WORKSPACE, dtype=np.int64), np.empty(WORKSPACE)
    near = 0
    for query in range(len(queries)):
        near, _, squared, _ = two_nearest(
            queries[query, 0], queries[query, 1], queries[query, 2],
            points, boxes, levels, near, near, True, nodes, bounds,
        )  # fmt: skip
        distances[query] = np.sqrt(squared)
    return distances

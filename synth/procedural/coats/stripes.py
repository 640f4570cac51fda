"""Stripes that follow a surface: a phase that grows along a field of directions, with forks where it must.

The phase is the least-squares integral of the field (a Poisson equation, as in periodic parameterisation),
then relaxed as a field of unit complex numbers that neighbours carry to each other along the field, after
Knoeppel, Crane, Pinkall & Schroeder, "Stripe Patterns on Surfaces" (ACM TOG 34(4), 2015), whose smallest
eigenvector is here approached by power iteration from the integral. Nothing here calls linear algebra
libraries that share sums out among threads.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float, Int
from scipy.sparse import coo_matrix, csr_matrix

from ..mesh_colors import SampleGrid

POISSON_STEPS = 250
RELAXATION_ROUNDS, STEPS_IN_ROUND = 4, 8
"""After each round the complex numbers get length 1 again; within it they may vanish, where forks arise."""


@dataclass(frozen=True)
class _Edges:
    """Each edge once, with the phase (radians) that the field asks for from its start to its end."""

    start: Int[np.ndarray, " edges"]
    end: Int[np.ndarray, " edges"]
    turn: Float[np.ndarray, " edges"]
    count: int


def stripe_wave(
    grid: SampleGrid,
    faces: Int[np.ndarray, "faces 3"],
    points: Float[np.ndarray, "vertices 3"],
    *,
    field: Float[np.ndarray, "vertices 3"],
    warp: Float[np.ndarray, " vertices"],
) -> Float[np.ndarray, " samples"]:
    """A wave in [-1, 1] over the samples of a mesh, whose phase grows along `field` (cycles a unit).

    `warp` (radians) is added to the integral before it is relaxed.
    """
    edges = _edges(faces, points, field)
    phase = _integral(edges) + warp
    angle = np.angle(_relaxed(edges, np.exp(1j * phase)))
    origin = grid.corners[:, 0]
    phase = angle[origin]
    for k in (1, 2):
        corner = grid.corners[:, k]
        turn = _turn(points, field, ends=(origin, corner))
        phase = phase + grid.weights[:, k] * (turn + _wrapped(angle[corner] - angle[origin] - turn))
    return np.cos(phase).astype(np.float32)


def _turn(
    points: np.ndarray, field: np.ndarray, *, ends: tuple[np.ndarray, np.ndarray]
) -> Float[np.ndarray, " edges"]:
    """The phase (radians) that the field asks for along straight lines between points."""
    start, end = ends
    return np.pi * ((field[start] + field[end]) * (points[end] - points[start])).sum(axis=1)


def _wrapped(angle: np.ndarray) -> np.ndarray:
    """The same angle between -pi and pi."""
    return angle - 2 * np.pi * np.round(angle / (2 * np.pi))


def _edges(faces: np.ndarray, points: np.ndarray, field: np.ndarray) -> _Edges:
    sides = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    keys = np.unique(sides[:, 0].astype(np.int64) * len(points) + sides[:, 1])
    start, end = keys // len(points), keys % len(points)
    return _Edges(start, end, _turn(points, field, ends=(start, end)), len(points))


def _integral(edges: _Edges) -> Float[np.ndarray, " vertices"]:
    """The phase whose differences along edges are nearest to the field's: conjugate gradients."""
    right = np.bincount(edges.end, edges.turn, edges.count) - np.bincount(
        edges.start, edges.turn, edges.count
    )
    pairs = np.concatenate([edges.start, edges.end]), np.concatenate([edges.end, edges.start])
    ones = np.ones(len(pairs[0]))
    links = coo_matrix((ones, pairs), shape=(edges.count, edges.count)).tocsr()
    degree = np.bincount(pairs[0], ones, edges.count)
    solution = np.zeros(edges.count)
    residual = right - right.mean()
    search, squared = residual / degree, (residual**2 / degree).sum()
    for _ in range(POISSON_STEPS):
        image = degree * search - links @ search
        step = squared / max((search * image).sum(), 1e-30)
        solution += step * search
        residual = residual - step * image
        conditioned = residual / degree
        before, squared = squared, (residual * conditioned).sum()
        search = conditioned + squared / max(before, 1e-30) * search
    return solution


def _relaxed(edges: _Edges, wave: Complex[np.ndarray, " vertices"]) -> Complex[np.ndarray, " vertices"]:
    """Each number drawn to what its neighbours' become when carried to it along the field."""
    rows, columns = np.concatenate([edges.end, edges.start]), np.concatenate([edges.start, edges.end])
    carry = np.exp(1j * np.concatenate([edges.turn, -edges.turn]))
    share = 1.0 / np.bincount(rows, minlength=edges.count)[rows]
    average = csr_matrix(coo_matrix((carry * share, (rows, columns)), shape=(edges.count, edges.count)))
    for _ in range(RELAXATION_ROUNDS):
        for _ in range(STEPS_IN_ROUND):
            wave = 0.5 * wave + 0.5 * (average @ wave)
        wave = wave / np.maximum(np.abs(wave), 1e-12)
    return wave


def smoothed_over_surface(
    faces: Int[np.ndarray, "faces 3"], values: Float[np.ndarray, "vertices channels"], *, rounds: int
) -> Float[np.ndarray, "vertices channels"]:
    """Values of vertices drawn half-way to their neighbours' mean, again and again."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    rows, columns = np.concatenate([sides, sides[:, ::-1]]).T
    share = 1.0 / np.bincount(rows, minlength=len(values))[rows]
    average = csr_matrix(coo_matrix((share, (rows, columns)), shape=(len(values), len(values))))
    for _ in range(rounds):
        values = 0.5 * values + 0.5 * (average @ values)
    return values

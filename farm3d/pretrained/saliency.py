"""What stands out from the picture's border: a first guess of where the animal is, without any weights.

Source: Zhu et al., "Saliency Optimization from Robust Background Detection" (CVPR 2014), on a coarse
grid of pixels in place of superpixels.
"""

import cv2
import numpy as np
from jaxtyping import Float, Float32, Int, UInt8
from scipy import sparse
from scipy.sparse import csgraph
from scipy.sparse.linalg import spsolve

GRID_SIDE = 40
"""Cells along the longer side: animals' legs are one cell wide, and all pairs of cells fit in memory."""

COLOR_SCALE = 10.0
"""CIELAB distance at which neighbouring cells are held to be different things (the paper's sigma_clr)."""

GEODESIC_SCALE = 7.0
"""Summed CIELAB distance along a path at which two cells belong to different regions (sigma_geo)."""

NOISE = 2.0
"""CIELAB distance between neighbours that is texture and costs nothing on a path."""

SPATIAL_SCALE = 0.25
"""Distance, as a share of the longer side, over which cells are contrasted (sigma_spa)."""

Colors = Float32[np.ndarray, "cells 3"]
Pairs = Int[np.ndarray, "2 pairs"]


def boundary_saliency(pixels: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "height width"]:
    """How much each pixel differs from what the picture's border is made of, in [0, 1].

    A region is background by the share of its outline that lies on the border (boundary connectivity,
    equation 3 of the paper); contrast counts only against background (equation 6); a least-squares
    problem on the grid smooths the result within objects (equation 9).
    """
    height, width = pixels.shape[:2]
    scale = GRID_SIDE / max(height, width)
    rows, columns = max(3, round(height * scale)), max(3, round(width * scale))
    cells = cv2.resize(lab(pixels), (columns, rows), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    neighbours = _neighbours(rows, columns)
    background = _background_probability(cells, neighbours, _border(rows, columns))
    contrast = _background_contrast(cells, background, columns)
    smooth = _optimise(cells, neighbours, background=background, contrast=contrast).reshape(rows, columns)
    return cv2.resize(smooth.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)


def lab(pixels: UInt8[np.ndarray, "*shape 3"]) -> Float32[np.ndarray, "*shape 3"]:
    """sRGB bytes as CIELAB: L in [0, 100], a and b about +-100."""
    return cv2.cvtColor(pixels.astype(np.float32) / np.float32(255.0), cv2.COLOR_RGB2LAB)


def _neighbours(rows: int, columns: int) -> Pairs:
    """Pairs of cells that touch by an edge or a corner."""
    index = np.arange(rows * columns).reshape(rows, columns)
    sides = [(index[:, :-1], index[:, 1:]), (index[:-1], index[1:])]
    corners = [(index[:-1, :-1], index[1:, 1:]), (index[:-1, 1:], index[1:, :-1])]
    return np.concatenate([np.stack([a.ravel(), b.ravel()]) for a, b in sides + corners], axis=1)


def _border(rows: int, columns: int) -> Int[np.ndarray, " border"]:
    index = np.arange(rows * columns).reshape(rows, columns)
    return np.concatenate([index[0], index[-1], index[1:-1, 0], index[1:-1, -1]])


def _background_probability(
    cells: Colors, neighbours: Pairs, border: Int[np.ndarray, " border"]
) -> Float[np.ndarray, " cells"]:
    """1 - exp(-connectivity^2 / 2); all border cells are neighbours, for background is torn by animals."""
    linked = np.stack([border[k] for k in np.triu_indices(len(border), 1)])
    pairs = np.concatenate([neighbours, linked], axis=1)
    steps = np.maximum(_color_distance(cells, pairs) - NOISE, 0.0) + 1e-4
    graph = sparse.coo_array((steps, (pairs[0], pairs[1])), shape=(len(cells), len(cells))).tocsr()
    geodesic = csgraph.dijkstra(graph, directed=False)
    belonging = np.exp(-(geodesic**2) / (2.0 * GEODESIC_SCALE**2))
    connectivity = belonging[:, border].sum(axis=1) / np.sqrt(belonging.sum(axis=1))
    return 1.0 - np.exp(-(connectivity**2) / 2.0)


def _background_contrast(
    cells: Colors, background: Float[np.ndarray, " cells"], columns: int
) -> Float[np.ndarray, " cells"]:
    """Colour difference to the background near by, scaled to [0, 1]."""
    row, column = np.divmod(np.arange(len(cells)), columns)
    apart = (row[:, None] - row) ** 2 + (column[:, None] - column) ** 2
    near = np.exp(-apart / (2.0 * (SPATIAL_SCALE * GRID_SIDE) ** 2))
    difference = np.linalg.norm(cells[:, None] - cells, axis=-1)
    return _unit_range((difference * near) @ background)


def _optimise(
    cells: Colors,
    neighbours: Pairs,
    *,
    background: Float[np.ndarray, " cells"],
    contrast: Float[np.ndarray, " cells"],
) -> Float[np.ndarray, " cells"]:
    """The values that are 0 on background, 1 on contrast and alike between cells of one colour."""
    likeness = np.exp(-(_color_distance(cells, neighbours) ** 2) / (2.0 * COLOR_SCALE**2)) + 0.1
    graph = sparse.coo_array(
        (likeness, (neighbours[0], neighbours[1])), shape=(len(cells), len(cells))
    ).tocsr()
    graph = graph + graph.T
    diagonal = graph.sum(axis=1) + 5.0 * background + contrast
    return _unit_range(spsolve((sparse.diags_array(diagonal) - graph).tocsc(), contrast))


def _color_distance(cells: Colors, pairs: Pairs) -> Float[np.ndarray, " pairs"]:
    return np.linalg.norm(cells[pairs[0]] - cells[pairs[1]], axis=-1).astype(np.float64)


def _unit_range(values: Float[np.ndarray, " cells"]) -> Float[np.ndarray, " cells"]:
    spread = values.max() - values.min()
    return (values - values.min()) / spread if spread > 0 else np.zeros_like(values)

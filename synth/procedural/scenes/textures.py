"""Tiles of texture that repeat without a seam, made once a process and shared by all pictures.

A tile has two channels: lightness about 0 (a relative change) and which of two colours shows, in [0, 1].
"""

from functools import cache

import cv2
import numpy as np
from jaxtyping import Float, Int
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from .kernels import sample_pyramid

TILE = 512
"""Texels a side."""

_SEED = 20261121
Tile = Float[np.ndarray, "tile tile 2"]
Plane = Float[np.ndarray, "height width"]


@cache
def fractal_tile(exponent: float = 1.0, number: int = 0) -> Float[np.ndarray, "tile tile"]:
    """Periodic noise about 0 with standard deviation 1 whose amplitude falls as frequency^-exponent."""
    generator = np.random.default_rng([_SEED, 1, number])
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(TILE), np.fft.rfftfreq(TILE), indexing="ij")) * TILE
    white = np.fft.rfft2(generator.normal(size=(TILE, TILE)))
    noise = np.fft.irfft2(white * (np.maximum(frequency, 1.5) ** -exponent) * (frequency > 0), (TILE, TILE))
    return (noise / noise.std()).astype(np.float32)


@cache
def material_tile(kind: str) -> Tile:
    """The tile of a kind of ground: grass, straw, gravel, earth, sand, snow or even."""
    generator = np.random.default_rng([_SEED, 2, sum(map(ord, kind))])
    coarse, fine = fractal_tile(1.1, 1), fractal_tile(0.35, 2)
    mixed = np.clip(0.5 + 0.3 * fractal_tile(1.3, 3), 0.0, 1.0)
    if kind == "grass":
        light = _strokes(generator, 9000, (7, 18), spread=0.9)
        return _tile(0.30 * light + 0.14 * coarse, np.clip(mixed + 0.2 * light, 0.0, 1.0))
    if kind == "straw":
        light = _strokes(generator, 5000, (18, 48), spread=1.2)
        return _tile(0.26 * light + 0.08 * coarse, np.clip(0.5 + 0.3 * light, 0.0, 1.0))
    if kind == "gravel":
        return _tile(*_pebbles(generator, 2600))
    if kind == "earth":
        ridges = np.abs(fractal_tile(1.2, 4))
        return _tile(0.28 * (ridges - 0.8) + 0.12 * fine, mixed)
    if kind == "sand":
        return _tile(0.05 * fine + 0.06 * coarse, mixed)
    if kind == "snow":
        return _tile(0.03 * fine + 0.05 * fractal_tile(1.6, 5), mixed)
    return _tile(0.05 * fine + 0.07 * fractal_tile(1.4, 6), mixed)


def _tile(light: Float[np.ndarray, "tile tile"], mixed: Float[np.ndarray, "tile tile"]) -> Tile:
    return np.dstack([light - light.mean(), mixed]).astype(np.float32)


def _strokes(
    generator: np.random.Generator, count: int, lengths: tuple[int, int], *, spread: float
) -> Float[np.ndarray, "tile tile"]:
    """Blades or stalks that lie over one another, darker the deeper they lie; standard deviation 1."""
    canvas = np.full((TILE, TILE), 40.0, np.float32)
    places = generator.uniform(0, TILE, (count, 2))
    turns = np.pi / 2 + generator.normal(size=count) * spread
    ends = places + generator.uniform(*lengths, count)[:, None] * np.stack([np.cos(turns), np.sin(turns)], 1)
    shades = np.linspace(60, 200, count) + generator.normal(size=count) * 40
    for start, end, shade in zip(places, ends, shades, strict=True):
        for shift in {(0, 0), *_wraps(end)}:
            moved = np.rint([start + shift, end + shift]).astype(int)
            cv2.line(canvas, tuple(moved[0]), tuple(moved[1]), float(shade), 2)
    canvas = gaussian_filter(canvas, 0.7, mode="wrap")
    return (canvas - canvas.mean()) / canvas.std()


def _wraps(end: Float[np.ndarray, "2"]) -> list[tuple[int, int]]:
    """The shifts by which a stroke that leaves the tile comes in on the other side."""
    across = [TILE * (end[0] < 0) - TILE * (end[0] >= TILE), TILE * (end[1] < 0) - TILE * (end[1] >= TILE)]
    return [(int(across[0]), 0), (0, int(across[1])), (int(across[0]), int(across[1]))]


def _pebbles(
    generator: np.random.Generator, count: int
) -> tuple[Float[np.ndarray, "tile tile"], Float[np.ndarray, "tile tile"]]:
    """Stones as the cells of scattered points, each with its own lightness, dark between them."""
    points = generator.uniform(0, TILE, (count, 2))
    rows, columns = np.mgrid[0:TILE, 0:TILE]
    tree = cKDTree(points, boxsize=np.full(2, float(TILE)))
    found = tree.query(np.stack([columns, rows], -1).reshape(-1, 2), k=2)
    distance, index = np.asarray(found[0]), np.asarray(found[1])
    gap = np.clip((distance[:, 1] - distance[:, 0]) / 5.0, 0.0, 1.0).reshape(TILE, TILE)
    tone = generator.normal(size=count)[index[:, 0]].reshape(TILE, TILE)
    return 0.17 * tone + 0.45 * gap, np.clip(0.5 + 0.3 * tone, 0.0, 1.0)


@cache
def _pyramid(kind: str) -> tuple[Float[np.ndarray, "texels 2"], Int[np.ndarray, " levels"]]:
    """All texels of a tile and its halves down to 8 texels, and where each of these begins."""
    levels = [_noise_tile(kind) if kind.startswith("noise") else material_tile(kind)]
    while len(levels[-1]) > 8:
        levels.append(levels[-1].reshape(len(levels[-1]) // 2, 2, -1, 2, 2).mean(axis=(1, 3)))
    starts = np.cumsum([0, *(len(level) ** 2 for level in levels)])
    return np.concatenate([level.reshape(-1, 2) for level in levels]), starts


def _noise_tile(kind: str) -> Tile:
    """Two independent noises: "noise 1.2" falls off with frequency to the power 1.2."""
    exponent = float(kind.split()[1])
    return np.dstack([fractal_tile(exponent, 11), fractal_tile(exponent, 12)])


def sample_tile(
    kind: str, places: Float[np.ndarray, "height width 2"], footprint: Plane
) -> Float[np.ndarray, "height width 2"]:
    """The tile `kind` at places measured in tiles, averaged over about `footprint` (tiles) around each.

    Two neighbouring levels of a pyramid are mixed (Williams 1983, "Pyramidal parametrics").
    """
    texels, starts = _pyramid(kind)
    level = np.clip(np.log2(np.maximum(footprint * TILE, 1.0)), 0.0, len(starts) - 2.001)
    result = np.zeros((footprint.size, 2), np.float32)
    sample_pyramid(texels, starts, places.reshape(-1, 2), np.float32(level).ravel(), result)
    return result.reshape(*footprint.shape, 2)

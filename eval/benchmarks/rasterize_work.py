"""The least work of each rasteriser operator: bytes once each, operations of the textbook algorithm.

Explained for readers in docs/benchmarks.md, section "The floor". Counted are: every input read once and
every output written once, whatever caches do; geometry in double precision, as exact coverage needs,
everything else in single. Pixels that nothing covers cost their bytes only. Hidden fragments cost
nothing: an ideal rasteriser would reject them all.
"""

from dataclasses import dataclass

from .records import Work

FLOAT, INDEX = 4, 8
"""Bytes of a float32 and of an int64."""

RASTERIZED = 4 * FLOAT
VERTEX = 4 * FLOAT
FACE = 3 * INDEX

PROJECTED = 5
"""Operations a vertex: one reciprocal, two products, two roundings to pixels' coordinates."""

SET_UP = 24
"""Operations a face: three line equations of five each, the area of five, its sign, the scale of three."""

COVERED = 18
"""Operations a covered pixel: three lines of four, their sum of two, one reciprocal, three products."""

COVERED_BACKWARD = 60
"""Operations a covered pixel: the transpose of `COVERED` for three vertices of three coordinates."""

BLENDED, BLENDED_BACKWARD = 5, 11
"""Operations a covered pixel and channel: three products and two sums; their transposes in both factors."""

EDGE_SIDES = 10
"""Operations a face: its winding, for telling silhouette edges, and half of an edge's comparison."""


@dataclass(frozen=True)
class Amounts:
    """What one image shows: `covered` of its `pixels`, by a mesh of `vertices`, `faces` and `edges`."""

    vertices: int
    faces: int
    edges: int
    pixels: int
    covered: float
    channels: int


def rasterize_forward(amounts: Amounts) -> Work:
    """Positions and faces in, one rasterized pixel each out."""
    return Work(
        bytes=VERTEX * amounts.vertices + FACE * amounts.faces + RASTERIZED * amounts.pixels,
        float64=PROJECTED * amounts.vertices + SET_UP * amounts.faces + COVERED * amounts.covered,
    )


def interpolate_forward(amounts: Amounts) -> Work:
    """Rasterized pixels, attributes and faces in, colours out."""
    return Work(
        bytes=RASTERIZED * amounts.pixels + FACE * amounts.faces + _attributes(amounts) + _image(amounts),
        float32=BLENDED * amounts.channels * amounts.covered,
    )


def antialias_forward(amounts: Amounts) -> Work:
    """Colours, rasterized pixels, positions, faces, edges and their sides in, colours out."""
    edges = amounts.edges * (2 * INDEX + INDEX) + 3 * amounts.faces * (INDEX + 1)
    geometry = VERTEX * amounts.vertices + FACE * amounts.faces + edges
    return Work(
        bytes=2 * _image(amounts) + RASTERIZED * amounts.pixels + geometry,
        float64=EDGE_SIDES * amounts.faces,
    )


def rasterize_backward(amounts: Amounts) -> Work:
    """The result, its gradient, positions and faces in, the positions' gradient out."""
    geometry = 2 * VERTEX * amounts.vertices + FACE * amounts.faces
    return Work(bytes=2 * RASTERIZED * amounts.pixels + geometry, float64=COVERED_BACKWARD * amounts.covered)


def interpolate_backward(amounts: Amounts) -> Work:
    """Colours' gradient, rasterized pixels, attributes and faces in, two gradients out."""
    pixels = _image(amounts) + 2 * RASTERIZED * amounts.pixels
    return Work(
        bytes=pixels + 2 * _attributes(amounts) + FACE * amounts.faces,
        float32=BLENDED_BACKWARD * amounts.channels * amounts.covered,
    )


def antialias_backward(amounts: Amounts) -> Work:
    """Colours' gradient in and out; the positions' gradient out. Silhouettes are few: not counted."""
    return Work(bytes=2 * _image(amounts) + VERTEX * amounts.vertices)


def least_memory(amounts: Amounts, *, backward: bool) -> int:
    """Bytes that must be held at once: the results of the three operators.

    Or, in the middle of the way back, the results that it needs (rasterized pixels and colours before
    antialiasing), the gradients by both, and that by the positions.
    """
    rasterized, image = RASTERIZED * amounts.pixels, _image(amounts)
    forward = rasterized + 2 * image
    return max(forward, 2 * (rasterized + image) + VERTEX * amounts.vertices) if backward else forward


def _image(amounts: Amounts) -> int:
    return FLOAT * amounts.channels * amounts.pixels


def _attributes(amounts: Amounts) -> int:
    return FLOAT * amounts.channels * amounts.vertices

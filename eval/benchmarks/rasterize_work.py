"""The least work of each rasteriser operator: bytes once each, operations of the textbook algorithm.

Explained for readers in docs/benchmarks.md, section "The floor". Counted is what no caching can save:
results written once; positions, pixels and their gradients read once an image; what all images share
(faces, edges, attributes) once a call. Pixels that nothing covers cost their own bytes and no gradient's.
Geometry is in double precision, as exact coverage needs, everything else in single. Hidden fragments
cost nothing: an ideal rasteriser would reject them all.
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
    """What a call draws: `images` of `pixels`, on average `covered` by a mesh of `vertices` and so on.

    `channels` are interpolated from attributes that all images share.
    """

    images: int
    vertices: int
    faces: int
    edges: int
    pixels: int
    covered: float
    channels: int


def rasterize_forward(amounts: Amounts) -> Work:
    """Positions and faces in, one rasterized pixel each out."""
    moved = VERTEX * amounts.vertices + RASTERIZED * amounts.pixels
    computed = PROJECTED * amounts.vertices + SET_UP * amounts.faces + COVERED * amounts.covered
    return Work(bytes=amounts.images * moved + FACE * amounts.faces, float64=amounts.images * computed)


def interpolate_forward(amounts: Amounts) -> Work:
    """Rasterized pixels and attributes in, colours out; which faces are seen, the pixels say."""
    moved = RASTERIZED * amounts.pixels + _image(amounts)
    return Work(
        bytes=amounts.images * moved + _attributes(amounts),
        float32=amounts.images * BLENDED * amounts.channels * amounts.covered,
    )


def antialias_forward(amounts: Amounts) -> Work:
    """Colours, rasterized pixels, positions, faces, edges and their sides in, colours out."""
    moved = 2 * _image(amounts) + RASTERIZED * amounts.pixels + VERTEX * amounts.vertices
    edges = amounts.edges * (2 * INDEX + INDEX) + 3 * amounts.faces * (INDEX + 1)
    return Work(
        bytes=amounts.images * moved + FACE * amounts.faces + edges,
        float64=amounts.images * EDGE_SIDES * amounts.faces,
    )


def rasterize_backward(amounts: Amounts) -> Work:
    """The result and its gradient where pixels are covered in, the positions' gradient out."""
    pixels = RASTERIZED * (amounts.pixels + amounts.covered)
    return Work(
        bytes=amounts.images * (pixels + VERTEX * amounts.vertices),
        float64=amounts.images * COVERED_BACKWARD * amounts.covered,
    )


def interpolate_backward(amounts: Amounts) -> Work:
    """Rasterized pixels, covered colours' gradient and attributes in, the gradients by both out."""
    moved = 2 * RASTERIZED * amounts.pixels + FLOAT * amounts.channels * amounts.covered
    return Work(
        bytes=amounts.images * moved + 2 * _attributes(amounts),
        float32=amounts.images * BLENDED_BACKWARD * amounts.channels * amounts.covered,
    )


def antialias_backward(amounts: Amounts) -> Work:
    """Colours' gradient in and out; the positions' gradient out. Silhouettes are few: not counted."""
    return Work(bytes=amounts.images * (2 * _image(amounts) + VERTEX * amounts.vertices))


def least_memory(amounts: Amounts, *, backward: bool) -> int:
    """Bytes that must be held at once: the results of the three operators.

    Or, in the middle of the way back, the results that it needs (rasterized pixels and colours before
    antialiasing), the gradients by both, and that by the positions.
    """
    rasterized, image = RASTERIZED * amounts.pixels, _image(amounts)
    forward = rasterized + 2 * image
    back = 2 * (rasterized + image) + VERTEX * amounts.vertices
    return amounts.images * (max(forward, back) if backward else forward)


def _image(amounts: Amounts) -> int:
    return FLOAT * amounts.channels * amounts.pixels


def _attributes(amounts: Amounts) -> int:
    return FLOAT * amounts.channels * amounts.vertices

"""How many separate legs a rest shape stands on: what a horizontal cut through it consists of."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from farm3d.config import StrictConfig
from farm3d.geometry.mesh import Mesh

from .chamfer.sampling import centroid

CUT_HEIGHT = 0.25
"""Where the cut lies, as a share of the shape's height from below."""


class LegCount(StrictConfig):
    """The connected components of a cut: all, those across x = 0, and of the others those on every side.

    What lies across the mirror plane is no leg: a tail that hangs low, or two legs grown together. The others
    are `left` of it (x > 0) or `right`, and in `front` of the centroid or behind it (`hind`). A component's
    place is the mean of its outline's crossings with the mesh's edges.
    """

    components: int
    middle: int = 0
    left: int
    right: int
    front: int
    hind: int

    @property
    def four_legs(self) -> bool:
        """Whether there are exactly four beside a tail, two on each side both ways."""
        return (self.left, self.right, self.front, self.hind) == (2, 2, 2, 2)


def count_legs(mesh: Mesh, height: float = CUT_HEIGHT) -> LegCount:
    """The components of the cut through an unbatched closed mesh at a share of its height (y up, z ahead).

    Outlines of holes, which run the other way around, are no components of their own.
    """
    vertices, faces = mesh.vertices.detach().double().numpy(), mesh.faces.numpy()
    low, high = vertices[:, 1].min(), vertices[:, 1].max()
    outlines = _outlines(vertices, faces, low + height * (high - low))
    middle = centroid(vertices[faces])[2]
    places = outlines.places[~outlines.across]
    return LegCount(
        components=len(outlines.places),
        middle=int(outlines.across.sum()),
        left=int((places[:, 0] > 0.0).sum()),
        right=int((places[:, 0] < 0.0).sum()),
        front=int((places[:, 2] > middle).sum()),
        hind=int((places[:, 2] < middle).sum()),
    )


@dataclass(frozen=True)
class _Outlines:
    """The mean places of outlines, and whether they lie across the mirror plane."""

    places: Float[np.ndarray, "components 3"]
    across: Bool[np.ndarray, " components"]


def _outlines(vertices: Float[np.ndarray, "vertices 3"], faces: np.ndarray, level: float) -> _Outlines:
    """The outlines at y = `level` that have the inside within them.

    Each cut face is one segment of an outline, from the edge where its border rises through the level to
    the edge where it falls; a shared edge joins segments.
    """
    above = vertices[:, 1] > level
    cut = faces[above[faces].any(axis=1) & ~above[faces].all(axis=1)]
    begins, ends = cut, np.roll(cut, -1, axis=1)
    rising = begins[~above[begins] & above[ends]], ends[~above[begins] & above[ends]]
    falling = begins[above[begins] & ~above[ends]], ends[above[begins] & ~above[ends]]
    starts, stops = (_crossings(vertices, *edge, level=level) for edge in (rising, falling))
    keys = np.concatenate([np.sort(np.stack(edge, axis=1), axis=1) for edge in (rising, falling)])
    _, numbers = np.unique(keys, axis=0, return_inverse=True)
    first, second = np.split(numbers.ravel(), 2)
    count = int(numbers.max(initial=-1)) + 1
    links = coo_matrix((np.ones(len(cut)), (first, second)), shape=(count, count))
    _, labels = connected_components(links, directed=False)
    outlines = labels[first]
    # Twice the area that a segment spans with the y axis: summed up, its sign says which way an outline runs.
    areas = np.bincount(outlines, starts[:, 0] * stops[:, 2] - starts[:, 2] * stops[:, 0])
    sizes = np.bincount(outlines)
    means = np.stack([np.bincount(outlines, starts[:, axis]) / sizes for axis in range(3)], axis=1)
    left = np.bincount(outlines, starts[:, 0] > 0.0)
    is_outer = areas > 0.0
    return _Outlines(means[is_outer], ((left > 0) & (left < sizes))[is_outer])


def _crossings(
    vertices: Float[np.ndarray, "vertices 3"], begins: np.ndarray, ends: np.ndarray, *, level: float
) -> Float[np.ndarray, "edges 3"]:
    """Where edges cross the level."""
    low, high = vertices[begins], vertices[ends]
    share = (level - low[:, 1:2]) / (high[:, 1:2] - low[:, 1:2])
    return low + share * (high - low)

"""The surface of a binary volume by marching cubes: the triangles of scikit-image's, in its order.

At level 0.5 of a binary volume every corner lies in the middle of an edge of a cell, or of the cell, so that
all triangles of a cell follow from which of its corners are inside: no values, one table.
"""

from typing import no_type_check

import numpy as np
from jaxtyping import Float, Int, UInt8

from farm3d.ops.rasterize.numba_launch import compile_kernel

from .cell_triangles import POINTS, TRIANGLES
from .voxels import Triangles, Voxels

MOST_OF_A_CELL = max(map(len, TRIANGLES)) // 3


def voxel_surface(voxels: Voxels) -> Triangles:
    """Triangles around the occupied voxels, in steps of a voxel from the centre of the first of the grid.

    Cells are visited in the order of their first corners; the margin of the grid closes the surface.
    """
    counts, letters = _table()
    return _march(voxels.occupied, counts, letters, np.array(POINTS))


def _table() -> tuple[Int[np.ndarray, "256"], UInt8[np.ndarray, "256 most 3"]]:
    """How many triangles each kind of cell has, and the points that they join."""
    counts = np.array([len(letters) // 3 for letters in TRIANGLES])
    points = np.zeros((256, MOST_OF_A_CELL, 3), dtype=np.uint8)
    for kind, letters in enumerate(TRIANGLES):
        joined = np.array([int(letter, 13) for letter in letters], dtype=np.uint8)
        points[kind, : counts[kind]] = joined.reshape(-1, 3)
    return counts, points


@compile_kernel
@no_type_check
def _march(occupied, counts, letters, points) -> Float[np.ndarray, "faces 3 3"]:
    nx, ny, nz = occupied.shape
    total = 0
    for fill in range(2):
        if fill:
            triangles = np.empty((total, 3, 3))
        face = 0
        for x in range(nx - 1):
            for y in range(ny - 1):
                # Four columns along z, walked together: a cell has the last corners of the one before.
                kind = 0
                for z in range(nz):
                    above = (
                        occupied[x, y, z]
                        | occupied[x, y + 1, z] << 2
                        | occupied[x + 1, y, z] << 4
                        | occupied[x + 1, y + 1, z] << 6
                    )
                    kind = (kind >> 1 & 0x55) | above << 1
                    if kind == 0 or kind == 255 or z == 0:
                        continue
                    if fill:
                        for triangle in range(counts[kind]):
                            for corner in range(3):
                                point = letters[kind, triangle, corner]
                                triangles[face, corner, 0] = x - 1 + points[point, 0]
                                triangles[face, corner, 1] = y - 1 + points[point, 1]
                                triangles[face, corner, 2] = z - 2 + points[point, 2]
                            face += 1
                    else:
                        total += counts[kind]
    return triangles

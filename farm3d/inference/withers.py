"""Where a rest shape's forelegs end, and how high its withers stand above them."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.errors import ConfigError
from farm3d.geometry.skeleton import Skeleton
from farm3d.shapes import Faces

SLICES = 64
"""Cross-sections between fore and hind feet in which the one behind the forelegs is looked for."""

Vertices3 = Float[Tensor, "vertices 3"]


class Trunk(NamedTuple):
    """The height below which only legs hang, and places (z) from behind the forelegs to mid-body."""

    floor: float
    places: list[float]


def top_of_withers(vertices: Vertices3, faces: Faces, skeleton: Skeleton) -> float:
    """How high (object units) the top of an unbatched rest shape is just behind the forelegs.

    Above the fore feet themselves a neck rises already. Raises ConfigError where the shape has no belly.
    """
    place = trunk_between_feet(vertices, faces, skeleton).places[0]
    return float(section(vertices, faces, place)[:, 1].max())


def trunk_between_feet(vertices: Vertices3, faces: Faces, skeleton: Skeleton) -> Trunk:
    """The trunk between fore and hind feet of an unbatched rest shape, where nothing hangs lower.

    Raises ConfigError where it has no belly.
    """
    z = {
        end: float(
            torch.stack(
                [
                    skeleton.rest_joints[k, 1, 2]
                    for k, name in enumerate(skeleton.names)
                    if name.startswith(end) and name.endswith("foot")
                ]
            ).mean()
        )
        for end in ("fore", "hind")
    }
    places = torch.linspace(z["fore"], z["hind"], SLICES).tolist()
    sections = [section(vertices, faces, place) for place in places]
    low = [float(points[:, 1].min()) if len(points) else float("-inf") for points in sections]
    high = max((float(points[:, 1].max()) for points in sections if len(points)), default=0.0)
    middle = sorted(low[SLICES // 3 : -SLICES // 3])
    belly = middle[len(middle) // 2]
    floor = belly - 0.1 * (high - belly)
    free = [k for k in range(SLICES // 2) if low[k] > floor]
    if not free:
        raise ConfigError("this shape has no belly between its feet; it cannot be measured")
    return Trunk(floor, places[free[0] : SLICES // 2])


def section(vertices: Vertices3, faces: Faces, place: float) -> Float[Tensor, "points 2"]:
    """Where the faces' edges pass through the plane z = `place`: x and y."""
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    start, end = vertices[edges[:, 0]], vertices[edges[:, 1]]
    crossing = (start[:, 2] < place) != (end[:, 2] < place)
    start, end = start[crossing], end[crossing]
    share = (place - start[:, 2]) / (end[:, 2] - start[:, 2])
    return torch.lerp(start, end, share[:, None])[:, :2]

"""What a zoologist would measure on the animal: heights, lengths and volume of the rest shape."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy.spatial import ConvexHull, QhullError
from torch import Tensor

from farm3d.errors import ConfigError
from farm3d.geometry.skeleton import Skeleton
from farm3d.inference.rig import single_skeleton, withers_height
from farm3d.shapes import Faces
from farm3d.types import AnimalPrediction

LENGTHS = ("shoulder_height", "body_length", "girth")
"""What a known length may be of."""

LONGEST_CM = 1000.0
"""Centimetres: no quadruped's height, length or girth is more."""

NO_TRUNK = ("head", "tail")
"""Bones whose vertices are not part of the body's length; wide ears would be, otherwise."""

FLANK = 0.5
"""Share of the trunk's half width from which on a vertex is on its side: necks are narrower."""

SLICES = 64
"""Cross-sections between fore and hind feet in which the one behind the forelegs is looked for."""

Vertices3 = Float[Tensor, "vertices 3"]


@dataclass(frozen=True)
class Measurements:
    """Lengths in one unit and the volume in its cube.

    `shoulder_height` is that of the withers over the ground; `body_length` runs level from the point of the
    shoulder to the buttock; `girth` is a tape's length about the trunk where it is least behind the forelegs.
    """

    shoulder_height: float
    body_length: float
    girth: float
    volume: float

    def times(self, factor: float) -> "Measurements":
        """The same animal, `factor` times as large in each direction."""
        return Measurements(
            self.shoulder_height * factor,
            self.body_length * factor,
            self.girth * factor,
            self.volume * factor**3,
        )


@dataclass(frozen=True)
class KnownLength:
    """One of LENGTHS of the living animal, in centimetres."""

    name: str
    centimetres: float


def parse_known_length(text: str) -> KnownLength:
    """`shoulder_height=150` as a length. Raises ConfigError for any other name and for no possible length."""
    name, separator, value = text.partition("=")
    if not separator or name not in LENGTHS:
        raise ConfigError(f"{text!r}: a length is NAME=CENTIMETRES; NAME is one of {', '.join(LENGTHS)}")
    try:
        centimetres = float(value)
    except ValueError:
        raise ConfigError(f"{text!r}: {value!r} is no number of centimetres") from None
    if not 0.0 < centimetres <= LONGEST_CM:
        raise ConfigError(f"{text!r}: give more than 0 and at most {LONGEST_CM:g} centimetres")
    return KnownLength(name, centimetres)


def metres_per_unit(measured: Measurements, known: KnownLength) -> float:
    """How many metres an object unit is, when one length of the living animal is known."""
    return known.centimetres / 100.0 / float(getattr(measured, known.name))


def measure(prediction: AnimalPrediction) -> Measurements:
    """The measurements of a prediction of one image, in object units, of the shape at rest.

    Raises ConfigError where the shape has no trunk between its feet that could be measured.
    """
    vertices, faces = prediction.rest_mesh.vertices[0].detach(), prediction.rest_mesh.faces
    skeleton = single_skeleton(prediction)
    ground = float(vertices[:, 1].min())
    belly, places = _behind_the_forelegs(vertices, faces, skeleton)
    return Measurements(
        shoulder_height=withers_height(prediction) - ground,
        body_length=_body_length(prediction, vertices, skeleton, belly=belly),
        girth=min(_girth(vertices, faces, place) for place in places),
        volume=_volume(vertices, faces),
    )


def _body_length(
    prediction: AnimalPrediction, vertices: Vertices3, skeleton: Skeleton, *, belly: float
) -> float:
    """The level distance between the foremost and the hindmost place on the trunk's sides."""
    weights = prediction.skinning_weights
    bone = weights.indices.gather(1, weights.weights.argmax(dim=1, keepdim=True))[:, 0]
    apart = torch.tensor([skeleton.names.index(name) for name in NO_TRUNK])
    trunk = vertices[(vertices[:, 1] > belly) & ~torch.isin(bone, apart)]
    middle = trunk[:, 2].quantile(0.25), trunk[:, 2].quantile(0.75)
    between = trunk[(trunk[:, 2] > middle[0]) & (trunk[:, 2] < middle[1])]
    side = trunk[trunk[:, 0].abs() > FLANK * float(between[:, 0].abs().max())]
    return float(side[:, 2].max() - side[:, 2].min())


def _behind_the_forelegs(vertices: Vertices3, faces: Faces, skeleton: Skeleton) -> tuple[float, list[float]]:
    """The height of the belly, and places (z) from the forelegs, where nothing hangs lower, to mid-body."""
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
    sections = [_section(vertices, faces, place) for place in places]
    low = [float(section[:, 1].min()) if len(section) else float("-inf") for section in sections]
    high = max(float(section[:, 1].max()) for section in sections if len(section))
    middle = sorted(low[SLICES // 3 : -SLICES // 3])
    belly = middle[len(middle) // 2]
    floor = belly - 0.1 * (high - belly)
    free = [k for k in range(SLICES // 2) if low[k] > floor]
    if not free:
        raise ConfigError("this shape has no belly between its feet; it cannot be measured")
    return floor, places[free[0] : SLICES // 2]


def _girth(vertices: Vertices3, faces: Faces, place: float) -> float:
    """A tape's length about the cross-section at z = `place`: the perimeter of its convex hull."""
    try:
        return float(ConvexHull(_section(vertices, faces, place).numpy()).area)
    except QhullError:
        raise ConfigError("this shape has no trunk behind its forelegs; it cannot be measured") from None


def _section(vertices: Vertices3, faces: Faces, place: float) -> Float[Tensor, "points 2"]:
    """Where the faces' edges pass through the plane z = `place`: x and y."""
    edges = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    start, end = vertices[edges[:, 0]], vertices[edges[:, 1]]
    crossing = (start[:, 2] < place) != (end[:, 2] < place)
    start, end = start[crossing], end[crossing]
    share = (place - start[:, 2]) / (end[:, 2] - start[:, 2])
    return torch.lerp(start, end, share[:, None])[:, :2]


def _volume(vertices: Vertices3, faces: Faces) -> float:
    """The volume inside a closed surface: the sum of signed tetrahedra to the origin."""
    first, second, third = (vertices[faces[:, corner]].double() for corner in range(3))
    return float((first * torch.linalg.cross(second, third)).sum().abs() / 6.0)

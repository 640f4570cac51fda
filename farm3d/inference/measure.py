"""What a zoologist would measure on the animal: heights, lengths and volume of the rest shape."""

from dataclasses import dataclass

import torch
from scipy.spatial import ConvexHull, QhullError

from farm3d.errors import ConfigError
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import Skeleton
from farm3d.geometry.skinning import SkinningWeights
from farm3d.inference.withers import Vertices3, section, trunk_between_feet
from farm3d.shapes import Faces
from farm3d.types import AnimalPrediction

LENGTHS = ("shoulder_height", "body_length", "girth")
"""What a known length may be of."""

LONGEST_CM = 1000.0
"""Centimetres: no quadruped's height, length or girth is more."""

NO_TRUNK = ("head", "neck", "tail")
"""Bones whose vertices are not part of the body's length; ears and cheeks would be, otherwise."""

FLANK = 0.5
"""Share of the trunk's half width from which on a vertex is on its side: necks are narrower."""


@dataclass(frozen=True)
class Measurements:
    """Lengths in one unit and the volume in its cube.

    `shoulder_height` is that of the withers, just behind the forelegs, over the ground; `body_length` runs
    level from the point of the shoulder to the buttock; `girth` is a tape's length about the trunk where it
    is least behind the forelegs.
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
    rest = Mesh(prediction.rest_mesh.vertices[0].detach(), prediction.rest_mesh.faces)
    skeleton = prediction.skeleton.at(prediction.skeleton.rest_joints[0])
    return measure_shape(rest, skeleton, prediction.skinning_weights)


def measure_shape(rest: Mesh, skeleton: Skeleton, weights: SkinningWeights) -> Measurements:
    """The measurements of an unbatched rest shape with the bones of `estimate_skeleton`."""
    vertices, faces = rest.vertices, rest.faces
    between = trunk_between_feet(vertices, faces, skeleton)
    withers = float(section(vertices, faces, between.places[0])[:, 1].max())
    bone = weights.indices.gather(1, weights.weights.argmax(dim=1, keepdim=True))[:, 0]
    apart = torch.tensor([skeleton.names.index(name) for name in NO_TRUNK])
    trunk = vertices[(vertices[:, 1] > between.floor) & ~torch.isin(bone, apart)]
    return Measurements(
        shoulder_height=withers - float(vertices[:, 1].min()),
        body_length=_body_length(trunk),
        girth=min(_girth(vertices, faces, place) for place in between.places),
        volume=_volume(vertices, faces),
    )


def _body_length(trunk: Vertices3) -> float:
    """The level distance between the foremost and the hindmost place on the trunk's sides."""
    middle = trunk[:, 2].quantile(0.25), trunk[:, 2].quantile(0.75)
    between = trunk[(trunk[:, 2] > middle[0]) & (trunk[:, 2] < middle[1])]
    side = trunk[trunk[:, 0].abs() > FLANK * float(between[:, 0].abs().max())]
    return float(side[:, 2].max() - side[:, 2].min())


def _girth(vertices: Vertices3, faces: Faces, place: float) -> float:
    """A tape's length about the cross-section at z = `place`: the perimeter of its convex hull."""
    try:
        return float(ConvexHull(section(vertices, faces, place).numpy()).area)
    except QhullError:
        raise ConfigError("this shape has no trunk behind its forelegs; it cannot be measured") from None


def _volume(vertices: Vertices3, faces: Faces) -> float:
    """The volume inside a closed surface: the sum of signed tetrahedra to the origin."""
    first, second, third = (vertices[faces[:, corner]].double() for corner in range(3))
    return float((first * torch.linalg.cross(second, third)).sum().abs() / 6.0)

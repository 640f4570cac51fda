"""How far a predicted surface lies from the farm's true one: in all, and on the side that is not seen."""

from dataclasses import dataclass

from farm3d.errors import Farm3DError
from farm3d.geometry.mesh import Mesh

from .chamfer.alignment import apply
from .chamfer.protocol import ChamferProtocol, random_stream
from .chamfer.score import Target, align_reconstruction, prepare_target
from .procedural_truth import TrueAnimal
from .unseen_side import DividedSurface, divide_surface, unseen_side_distance
from .viewpoint import GlobalAlignment

PROTOCOL = ChamferProtocol()


@dataclass(frozen=True)
class TrueSurface:
    """One picture's true posed surface, ready to be compared with; random numbers are those of `name`."""

    name: str
    target: Target
    sides: DividedSurface


@dataclass(frozen=True)
class SurfaceScore:
    """Scaled Chamfer distances (for an animal that fits into a unit cube): of all, and of the unseen side."""

    chamfer: float
    unseen_side: float


def true_surface(true: TrueAnimal, name: str) -> TrueSurface:
    """The surface of one picture's animal, which every model is compared with."""
    triangles = true.mesh.vertices.double()[true.mesh.faces].numpy()
    random = random_stream(0, name)
    return TrueSurface(
        name,
        prepare_target(triangles, protocol=PROTOCOL, random=random),
        divide_surface(true.mesh, true.camera, points=PROTOCOL.chamfer_points, random=random),
    )


def aligned_chamfer(predicted: Mesh, true: TrueSurface, *, alignment: GlobalAlignment) -> SurfaceScore | None:
    """The distances of two posed surfaces; `None` where the predicted one has no volume.

    The protocol starts ICP from the pose as given, so a model's object frame is turned into the farm's
    first; it finds scale and place itself. The random numbers are those of the picture, whatever the model.
    """
    turned = predicted.vertices.double() @ alignment.rotation
    try:
        aligned = align_reconstruction(
            turned[predicted.faces].numpy(),
            true.target,
            protocol=PROTOCOL,
            random=random_stream(0, true.name),
        )
    except Farm3DError:
        return None
    points = apply(aligned.motion, aligned.cloud.points)
    extent = true.target.extent
    return SurfaceScore(aligned.distances.chamfer / extent, unseen_side_distance(points, true.sides) / extent)

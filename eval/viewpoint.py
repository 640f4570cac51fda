"""How far predicted viewpoints are from true ones, as they are and after one rotation for all of them."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.mesh import Mesh
from farm3d.geometry.rotation import geodesic_angle
from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.shapes import Rotations

WITHIN_DEGREES = 30.0
"""The angle of Acc@30, the usual companion of the median (Tulsiani and Malik 2015, arXiv 1411.6067)."""

CONFUSED_DEGREES = 90.0
"""An azimuth that is off by more takes one end of the animal for the other."""


@dataclass(frozen=True)
class ViewpointScore:
    """Rotation errors of a set: the median (degrees), and the shares within 30 degrees and front-to-back."""

    median_degrees: float
    within_30_degrees: float
    front_back_confused: float


@dataclass(frozen=True)
class GlobalAlignment:
    """What a model's object frame is to the truth's, for all of its predictions alike.

    `rotation` takes directions of the truth's object frame to the model's; lengths of the model times
    `scale` are lengths of the truth.
    """

    rotation: Float[Tensor, "3 3"]
    scale: float


def rotation_errors_degrees(
    predicted: Float[Tensor, "images 3 3"], true: Float[Tensor, "images 3 3"]
) -> Float[Tensor, " images"]:
    """The angle (degrees) of the rotation between each predicted and true world-to-camera rotation."""
    return torch.rad2deg(geodesic_angle(predicted.double(), true.double()))


def azimuth_errors_degrees(
    predicted: Float[Tensor, "images 3 3"], true: Float[Tensor, "images 3 3"]
) -> Float[Tensor, " images"]:
    """The smaller angle (degrees, 0 to 180) between predicted and true azimuth, whatever the elevation.

    The azimuth is where the camera's x axis lies in the animal's ground plane (docs/conventions.md).
    """
    first, second = (azimuth_elevation(rotation.double())[0] for rotation in (predicted, true))
    turn = torch.remainder(first - second + math.pi, 2.0 * math.pi) - math.pi
    return torch.rad2deg(turn.abs())


def score_viewpoints(
    predicted: Float[Tensor, "images 3 3"], true: Float[Tensor, "images 3 3"]
) -> ViewpointScore:
    """The three figures of a set of world-to-camera rotations.

    Front and back are confused where the azimuths differ by more than 90 degrees: the half circle in
    which the head is taken to be is then the wrong one.
    """
    errors = rotation_errors_degrees(predicted, true)
    confused = azimuth_errors_degrees(predicted, true) > CONFUSED_DEGREES
    return ViewpointScore(
        median_degrees=float(torch.quantile(errors, 0.5)),
        within_30_degrees=float((errors <= WITHIN_DEGREES).double().mean()),
        front_back_confused=float(confused.double().mean()),
    )


def fit_global_alignment(
    predicted: Float[Tensor, "images 3 3"],
    true: Float[Tensor, "images 3 3"],
    *,
    predicted_sizes: Float[Tensor, " images"],
    true_sizes: Float[Tensor, " images"],
) -> GlobalAlignment:
    """The one rotation Q and scale that bring a model's object frame nearest to the truth's.

    *Source:* Hartley et al. 2013, "Rotation averaging" (the chordal L2 mean). Q minimises
    `sum |predicted_i Q - true_i|^2` (Frobenius): the projection of `sum predicted_i^T true_i` on SO(3) by
    its singular value decomposition. The scale is the geometric mean of true over predicted sizes. Fit on
    training pictures, apply to test pictures: which end is the head and how large an animal is are
    conventions of a model, not knowledge about a picture.
    """
    moment = (predicted.double().transpose(-1, -2) @ true.double()).sum(dim=0)
    ratios = true_sizes.double().log() - predicted_sizes.double().log()
    return GlobalAlignment(nearest_rotation(moment), float(ratios.mean().exp()))


def nearest_rotation(matrix: Float[Tensor, "3 3"]) -> Float[Tensor, "3 3"]:
    """The rotation with the smallest Frobenius distance: of a sum of rotations, their chordal mean."""
    u, _, vh = torch.linalg.svd(matrix)
    handedness = torch.ones_like(matrix[0])
    handedness[2] = torch.linalg.det(u @ vh).sign()
    return u @ torch.diag(handedness) @ vh


def align_rotations(predicted: Rotations, alignment: GlobalAlignment) -> Rotations:
    """Predicted world-to-camera rotations as from the truth's object frame."""
    return predicted.double() @ alignment.rotation


def mesh_size(mesh: Mesh) -> float:
    """The cube root of the volume that an unbatched closed mesh encloses (object units)."""
    corners = mesh.vertices[mesh.faces].double()
    volume = torch.linalg.det(corners).sum() / 6.0
    return float(volume.abs() ** (1.0 / 3.0))

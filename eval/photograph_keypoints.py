"""What people say of photographs, and how far projected keypoints are from where they put them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from farm3d.errors import InputError
from farm3d.types import AnimalPrediction

from .keypoint_annotations import field, read_json, tight_box
from .keypoint_points import SurfacePoints, point_of, project_points

Place = Float[np.ndarray, "2"]

FRONT = frozenset(("Nose", "nose", "L_Eye", "R_Eye", "left_eye", "right_eye", "Eye"))
REAR = frozenset(("TailBase", "root_of_tail", "Ischium", "Hip"))
"""Keypoints that say on which side the head is where nobody else does."""


@dataclass(frozen=True)
class Annotation:
    """What people say of a photograph: the side of the picture to which the head points, and keypoints.

    `head` is "left", "right" or `None`; keypoints are in pixels of the photograph.
    """

    head: str | None
    keypoints: dict[str, Place]


@dataclass(frozen=True)
class KeypointError:
    """One annotated keypoint, the point of the farm's animals it is compared with, and where that lies.

    Errors are distances before and after refinement as shares of the box's longer side; `projected` is
    the place after refinement.
    """

    name: str
    point: str
    annotated: Place
    projected: Place
    predicted_error: float
    refined_error: float


def read_photograph_annotations(folder: Path) -> dict[str, Annotation]:
    """`annotations.json`: of each photograph's name `head` and `keypoints` (names to x, y in pixels).

    Nothing where there is no such file; raises InputError naming the photograph where something is wrong.
    """
    file = folder / "annotations.json"
    if not file.is_file():
        return {}
    record = read_json(file)
    if not isinstance(record, dict):
        raise InputError(f"{file}: not a mapping of photographs' names")
    return {name: _annotation(entry, f"{file}: {name}") for name, entry in record.items()}


def keypoint_errors(
    annotation: Annotation,
    readings: tuple[AnimalPrediction, AnimalPrediction],
    points: SurfacePoints,
    *,
    mask: Bool[np.ndarray, "height width"] | None,
) -> tuple[KeypointError, ...]:
    """The errors of all keypoints that are comparable, in the annotation's order.

    `readings` are the predictions before and after refinement, whose cameras know their crop. The box is
    the tight one about the mask, or about all annotated keypoints where no mask is given. Hidden points
    count too: annotators place what they guess.
    """
    if not annotation.keypoints:
        return ()
    before, after = (project_points(points, reading) for reading in readings)
    longer = _longer_side(annotation.keypoints.values(), mask)
    head = annotation.head or annotated_side(annotation.keypoints)
    found = []
    for name, place in annotation.keypoints.items():
        point = point_of(name, head)
        if point in after and longer > 0:
            errors = [
                float(np.linalg.norm(projected[point] - place)) / longer for projected in (before, after)
            ]
            found.append(KeypointError(name, point, place, after[point], errors[0], errors[1]))
    return tuple(found)


def annotated_side(keypoints: dict[str, Place]) -> str | None:
    """The side to which the head points by the keypoints' own places; `None` where they do not say."""
    front = [place[0] for name, place in keypoints.items() if name in FRONT]
    rear = [place[0] for name, place in keypoints.items() if name in REAR]
    if not front or not rear or np.mean(front) == np.mean(rear):
        return None
    return "right" if np.mean(front) > np.mean(rear) else "left"


def _longer_side(places: Iterable[Place], mask: Bool[np.ndarray, "height width"] | None) -> float:
    if mask is not None:
        return max(tight_box(mask)[2:])
    return float(np.ptp(np.stack(list(places)), axis=0).max())


def _annotation(entry: Any, where: str) -> Annotation:
    if not isinstance(entry, dict):
        raise InputError(f"{where}: not a mapping of head and keypoints")
    keypoints = field(entry, "keypoints", where) if "keypoints" in entry else {}
    if not isinstance(keypoints, dict):
        raise InputError(f"{where}: keypoints: not a mapping of names to x, y")
    head = entry.get("head")
    if head not in (None, "left", "right"):
        raise InputError(f"{where}: head: {head!r}, not left or right")
    return Annotation(head, {name: _place(values, f"{where}: {name}") for name, values in keypoints.items()})


def _place(values: Any, where: str) -> Place:
    try:
        place = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        place = np.zeros(0)
    if place.shape != (2,) or not np.isfinite(place).all():
        raise InputError(f"{where}: not two numbers x, y in pixels")
    return place

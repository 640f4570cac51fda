"""How well photographs are reconstructed: silhouettes, the head's side, keypoints, how far shapes bend."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.spatial import cKDTree

from farm3d.errors import Farm3DError, InputError
from farm3d.geometry.camera import project_to_ndc
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import posed_joints
from farm3d.inference.animal import Animal
from farm3d.inference.any_species import AnySpecies
from farm3d.inference.description import refinement_change
from farm3d.inference.reconstructor import Reconstructor
from farm3d.inference.refine import RefineConfig
from farm3d.io.image import read_image
from farm3d.io.inputs import mask_beside
from farm3d.ops.mesh_topology import face_normals
from farm3d.pretrained.segmentation import GIVEN_OR_FARM, make_segmenter, segment
from farm3d.types import AnimalPrediction

from .keypoint_points import SurfacePoints, surface_points
from .leg_count import LegCount, count_legs
from .photograph_keypoints import Annotation, KeypointError, keypoint_errors, read_photograph_annotations
from .photograph_pictures import draw_photograph
from .segmentation import MaskScore, score_mask

SEGMENTERS = ("given", "auto")

LEG_CUT = 0.1
"""Height (share of the animal's at rest) of the cut that counts legs: below every belly."""


@dataclass(frozen=True)
class PhotographScore:
    """One photograph: what the silhouettes, the head's side, the keypoints and the shape's change are worth.

    `species` is that of the model. The masks' scores are `None` where no mask is given. `head` and
    `annotated_head` are "left" or "right", the latter `None` where nobody says. `deformation` is the mean
    distance from the category's rest shape as a fraction of the body's length, `folded_faces` counts rest
    faces turned by more than 90 degrees from the category's, `legs` those of the refined animal at rest,
    `asymmetry` is how far that is from its mirror image. `seconds` go by for mask, camera, pose, shape and
    coat, not for texture and files; those of a species' first photograph load its model as well, where the
    picture chooses. `picture` is a JPEG of the photograph with outlines and keypoints, `doubts` what the
    mask's maker warns of.
    """

    name: str
    species: str
    predicted: MaskScore | None
    refined: MaskScore | None
    head: str
    annotated_head: str | None
    keypoints: tuple[KeypointError, ...]
    deformation: float
    folded_faces: int
    legs: LegCount
    asymmetry: float
    seconds: float
    picture: bytes
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class FailedPhotograph:
    """A photograph that could not be measured."""

    name: str
    reason: str


def score_photographs(
    reconstructor: Reconstructor | AnySpecies,
    folder: Path,
    *,
    pattern: str,
    refinement: RefineConfig,
    segmenter: str = "given",
) -> Iterator[PhotographScore | FailedPhotograph]:
    """Score the photographs of `folder` that match `pattern` (`horse_side_*`), in the order of their names.

    With the segmenter `given` those with a mask beside them; with `auto` all, where the others are cut out
    and have no score of masks. `annotations.json` in the folder may give the side of the head and keypoints.
    Raises InputError where no photograph matches, or the annotations cannot be read.
    """
    photographs = sorted(folder.glob(f"{pattern}.jpg"))
    if segmenter == "given":
        photographs = [path for path in photographs if mask_beside(path)]
    if not photographs:
        raise InputError(
            f"{folder}: no {pattern}.jpg{' with a mask beside it' if segmenter == 'given' else ''}"
        )
    annotations = read_photograph_annotations(folder)
    points: dict[str, SurfacePoints] = {}
    masks = make_segmenter("file") if segmenter == "given" else GIVEN_OR_FARM
    for path in photographs:
        try:
            source = read_image(path)
            started = time.perf_counter()
            segmentation = segment(source, path, segmenter=masks, category=reconstructor.category)
            animal = reconstructor.animal(source, segmentation, name=path.stem, refinement=refinement)
        except Farm3DError as error:
            yield FailedPhotograph(path.stem, str(error))
            continue
        annotation = annotations.get(path.stem, Annotation(None, {}))
        seconds = time.perf_counter() - started
        species = animal.trained.category
        if species not in points:
            points[species] = surface_points(species, _shape_of_category(animal.fit.refined))
        yield _score(animal, annotation=annotation, points=points[species], seconds=seconds)


def head_side(prediction: AnimalPrediction) -> str:
    """The side of the image on which the head is: projected head joint against projected tail base."""
    joints = posed_joints(prediction.skeleton, prediction.bone_transforms)
    names = prediction.skeleton.names
    ends = torch.stack([joints[:, names.index("head"), 1], joints[:, names.index("tail"), 0]], dim=1)
    head, tail = project_to_ndc(prediction.camera, ends)[0, :, 0]
    return "right" if head > tail else "left"


def folded_faces(prediction: AnimalPrediction) -> int:
    """Rest faces whose normal points against that of the category's shape."""
    faces = prediction.rest_mesh.faces
    before = face_normals(prediction.rest_positions, faces)
    after = face_normals(prediction.rest_mesh.vertices[0], faces)
    return int(((before * after).sum(-1) < 0).sum())


def asymmetry(rest: Mesh) -> float:
    """How far a vertex's mirror image (x -> -x) lies from the nearest vertex at most, of the length in z."""
    vertices = rest.vertices.detach().double().numpy()
    apart = np.asarray(cKDTree(vertices).query(vertices * [-1.0, 1.0, 1.0])[0])
    return float(apart.max() / np.ptp(vertices[:, 2]))


def _shape_of_category(prediction: AnimalPrediction) -> Mesh:
    return Mesh(prediction.rest_positions, prediction.rest_mesh.faces)


def _score(
    animal: Animal,
    *,
    annotation: Annotation,
    points: SurfacePoints,
    seconds: float,
) -> PhotographScore:
    result = animal.fit
    mask = result.segmentation.mask.numpy() if result.segmentation.source == "file" else None
    keypoints = keypoint_errors(annotation, (result.initial, result.refined), points, mask=mask)
    rest = Mesh(result.refined.rest_mesh.vertices[0], result.refined.rest_mesh.faces)
    return PhotographScore(
        name=animal.name,
        species=animal.trained.category,
        predicted=None if mask is None else score_mask(result.initial_silhouette, mask),
        refined=None if mask is None else score_mask(result.silhouette, mask),
        head=head_side(result.refined),
        annotated_head=annotation.head,
        keypoints=keypoints,
        deformation=refinement_change(result)["mean_deformation"],
        folded_faces=folded_faces(result.refined),
        legs=count_legs(rest, LEG_CUT),
        asymmetry=asymmetry(rest),
        seconds=seconds,
        picture=draw_photograph(
            animal.source.pixels,
            silhouette=result.silhouette,
            mask=mask,
            pairs=[(keypoint.annotated, keypoint.projected) for keypoint in keypoints],
        ),
        doubts=result.segmentation.warnings,
    )

"""How well photographs are reconstructed: silhouettes, which side the head is on, how far shapes bend."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from farm3d.errors import InputError
from farm3d.geometry.camera import project_to_ndc
from farm3d.geometry.skeleton import posed_joints
from farm3d.inference.description import refinement_change
from farm3d.inference.reconstruct import reconstruct
from farm3d.inference.refine import RefineConfig
from farm3d.io.image import read_image
from farm3d.io.inputs import mask_beside
from farm3d.models.animal_model import AnimalModel
from farm3d.ops.mesh_topology import face_normals
from farm3d.pretrained.segmentation import segment
from farm3d.types import AnimalPrediction, ShapePrior


@dataclass(frozen=True)
class PhotographScore:
    """One photograph: IoUs of the silhouette with the given mask, the head's side, and the shape's change.

    `head` and `annotated_head` are "left" or "right", `annotated_head` None where nobody says.
    `deformation` is the mean distance from the category's rest shape as a fraction of the body's length,
    `folded_faces` counts rest faces turned by more than 90 degrees from the category's.
    """

    name: str
    predicted_iou: float
    refined_iou: float
    head: str
    annotated_head: str | None
    deformation: float
    folded_faces: int
    seconds: float


def score_photographs(
    model: AnimalModel, folder: Path, *, pattern: str, refinement: RefineConfig
) -> Iterator[PhotographScore]:
    """Score each photograph of `folder` that has a mask beside it and matches `pattern` (`horse_side_*`).

    `annotations.json` in the folder may give the side of the head. Raises InputError where no photograph
    matches.
    """
    photographs = [path for path in sorted(folder.glob(f"{pattern}.jpg")) if mask_beside(path)]
    if not photographs:
        raise InputError(f"{folder}: no {pattern}.jpg with a mask beside it")
    annotations = _annotations(folder)
    with torch.no_grad():
        prior = model.prior()
    for path in photographs:
        source = read_image(path)
        segmentation = segment(source, path, segmenter="file")
        started = time.perf_counter()
        result = reconstruct(model, prior, source.pixels, segmentation=segmentation, refinement=refinement)
        yield PhotographScore(
            name=path.stem,
            predicted_iou=result.initial_iou,
            refined_iou=result.iou,
            head=head_side(result.refined),
            annotated_head=annotations.get(path.stem, {}).get("head"),
            deformation=refinement_change(result)["mean_deformation"],
            folded_faces=folded_faces(result.refined, prior),
            seconds=time.perf_counter() - started,
        )


def head_side(prediction: AnimalPrediction) -> str:
    """The side of the image on which the head is: projected head joint against projected tail base."""
    joints = posed_joints(prediction.skeleton, prediction.bone_transforms)
    names = prediction.skeleton.names
    ends = torch.stack([joints[:, names.index("head"), 1], joints[:, names.index("tail"), 0]], dim=1)
    head, tail = project_to_ndc(prediction.camera, ends)[0, :, 0]
    return "right" if head > tail else "left"


def folded_faces(prediction: AnimalPrediction, prior: ShapePrior) -> int:
    """Rest faces whose normal points against that of the category's shape."""
    faces = prior.mesh.faces
    before = face_normals(prior.mesh.vertices, faces)
    after = face_normals(prediction.rest_mesh.vertices[0], faces)
    return int(((before * after).sum(-1) < 0).sum())


def _annotations(folder: Path) -> dict[str, dict[str, str]]:
    file = folder / "annotations.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}

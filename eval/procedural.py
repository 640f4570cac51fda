"""How well pictures of the procedural farm are read, where the truth is known."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.data.image_folder import ImageDataSet
from farm3d.geometry.mesh import Mesh
from farm3d.inference.fit_albedo import fit_albedo
from farm3d.inference.measure import Measurements
from farm3d.inference.refine import RefineConfig, refine
from farm3d.inference.texture import category_atlas
from farm3d.io.texture_atlas import TextureAtlas
from farm3d.models.animal_model import AnimalModel
from farm3d.models.read_pose import read_pose
from farm3d.render.mesh_renderer import render_mask
from farm3d.types import AnimalPrediction

from .bootstrap import RelativeDifference, paired_difference
from .keypoint_annotations import KeypointAnnotations
from .keypoint_transfer import TransferScore, random_pairs, score_transfer, transfer_keypoints
from .measure_errors import RatioError, predicted_ratios, ratio_errors
from .novel_views import ViewScore
from .procedural_chamfer import SurfaceScore, aligned_chamfer
from .procedural_views import score_novel_views
from .projected_vertices import ProjectedVertices, project_prediction
from .segmentation import Mask, MaskScore, score_mask
from .texture_fidelity import (
    SideScore,
    TextureScore,
    light_error_degrees,
    picture_on_truth,
    score_textures,
)
from .true_pictures import TruePicture, true_pictures
from .viewpoint import (
    GlobalAlignment,
    ViewpointScore,
    align_rotations,
    fit_global_alignment,
    mesh_size,
    score_viewpoints,
)


@dataclass(frozen=True)
class Reading:
    """What a model makes of one picture: silhouette, camera, size, vertices in the picture, novel views.

    `surface` is how far the posed surfaces are apart, `measures` are ratios of the rest shape; `None` where
    nobody asked or there are none.
    """

    silhouette: Mask
    mask: MaskScore
    rotation: Float[Tensor, "3 3"]
    light_error_degrees: float
    size: float
    projected: ProjectedVertices
    views: tuple[ViewScore, ...]
    surface: SurfaceScore | None
    measures: Measurements | None


@dataclass(frozen=True)
class ProceduralScore:
    """One picture: the reading before and after refinement, and the true camera's rotation and size.

    `mean_shape` is the scaled Chamfer distance of the category's mean shape and `measures` are the true
    animal's ratios, where distances are measured; `textures` what the ways to colour the refined animal come
    to, and `picture_on_truth` what the picture on the true surface does, where novel views are.
    """

    name: str
    image: Path
    predicted: Reading
    refined: Reading
    true_rotation: Float[Tensor, "3 3"]
    true_size: float
    mean_shape: float | None
    measures: Measurements | None
    picture_on_truth: SideScore | None
    textures: Mapping[str, TextureScore] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadingSummary:
    """A set's means: IoU and boundary F-score of the masks; PSNR (dB), SSIM, masked L1 and IoU of novel
    views; the scaled Chamfer distances of the aligned surfaces, and of their unseen sides alone.

    Viewpoints and sizes come raw and, where an alignment is given, aligned; a size error is the median of
    `|predicted / true - 1|`, that of the light's direction a median, too. `keypoints` are transferred between
    the set's own pictures. `against_mean_shape` compares the Chamfer distance with the mean shape's on the
    same pictures.
    """

    iou: float
    boundary_f: float
    viewpoint: ViewpointScore
    aligned_viewpoint: ViewpointScore | None
    light_error_degrees: float
    size_error: float
    aligned_size_error: float | None
    keypoints: TransferScore | None
    psnr: float | None
    ssim: float | None
    masked_l1: float | None
    unseen_iou: float | None
    chamfer: float | None
    unseen_side: float | None
    against_mean_shape: RelativeDifference | None
    measures: Mapping[str, RatioError]


def score_procedural(
    model: AnimalModel,
    data: ImageDataSet,
    *,
    refinement: RefineConfig,
    alignment: GlobalAlignment | None = None,
) -> Iterator[ProceduralScore]:
    """Score every picture of a procedural data set, before and after refinement.

    Novel views (for which the coat is refined, too) and Chamfer distances are measured where an alignment
    is given. Raises InputError where the data set keeps no truth.
    """
    with torch.no_grad():
        prior = model.prior()
    atlas: TextureAtlas | None = None
    pictures = true_pictures(data, image_size=model.config.image_size, unseen=alignment is not None)
    for picture in pictures:
        batch = picture.batch
        with torch.no_grad():
            reading = model.read(batch.images, batch.masks)
            predicted = model.assemble(reading, read_pose(model, prior, reading), prior)
        refined = refine(model, prior, reading, initial=predicted, batch=batch, config=refinement)
        if alignment is not None:
            refined = fit_albedo(model, reading, refined, batch=batch, config=refinement)
        score = score_picture(picture, predicted, refined=refined, alignment=alignment)
        if alignment is not None:
            atlas = category_atlas(refined) if atlas is None else atlas
            score = replace(score, textures=score_textures(refined, picture, atlas))
        yield score


def score_picture(
    picture: TruePicture,
    predicted: AnimalPrediction,
    *,
    refined: AnimalPrediction | None = None,
    alignment: GlobalAlignment | None = None,
) -> ProceduralScore:
    """The figures of one picture's prediction, and of the refined one, where that is another."""
    first = _reading(predicted, picture, alignment)
    second = first if refined is None or refined is predicted else _reading(refined, picture, alignment)
    return ProceduralScore(
        name=picture.name,
        image=picture.image,
        predicted=first,
        refined=second,
        true_rotation=picture.animal.camera.world_to_camera[:3, :3],
        true_size=mesh_size(picture.animal.mesh),
        mean_shape=None if picture.unseen is None else picture.unseen.mean_shape,
        measures=None if picture.unseen is None else picture.unseen.measures,
        picture_on_truth=picture_on_truth(picture),
    )


def fit_alignment(scores: Sequence[ProceduralScore]) -> GlobalAlignment:
    """The rotation and scale that fit a checkpoint's predictions (before refinement) of training pictures."""
    return fit_global_alignment(
        torch.stack([score.predicted.rotation for score in scores]),
        torch.stack([score.true_rotation for score in scores]),
        predicted_sizes=torch.tensor([score.predicted.size for score in scores]),
        true_sizes=torch.tensor([score.true_size for score in scores]),
    )


def summarise(
    readings: Sequence[Reading],
    scores: Sequence[ProceduralScore],
    *,
    alignment: GlobalAlignment | None = None,
    annotations: KeypointAnnotations | None = None,
    seed: int = 0,
) -> ReadingSummary:
    """The figures of the `predicted` or the `refined` readings of these scores.

    Keypoints are transferred between all pictures by 10,000 random pairs where `annotations` are given.
    """
    rotations = torch.stack([reading.rotation for reading in readings])
    true = torch.stack([score.true_rotation for score in scores])
    ratios = np.array([r.size / s.true_size for r, s in zip(readings, scores, strict=True)])
    views = [view for reading in readings for view in reading.views]
    surfaces = [reading.surface for reading in readings if reading.surface is not None]
    aligned = None if alignment is None else score_viewpoints(align_rotations(rotations, alignment), true)
    return ReadingSummary(
        iou=fmean(reading.mask.iou for reading in readings),
        boundary_f=fmean(reading.mask.boundary_f for reading in readings),
        viewpoint=score_viewpoints(rotations, true),
        aligned_viewpoint=aligned,
        light_error_degrees=float(np.median([reading.light_error_degrees for reading in readings])),
        size_error=_median_error(ratios),
        aligned_size_error=None if alignment is None else _median_error(ratios * alignment.scale),
        keypoints=_keypoints(readings, annotations, seed=seed),
        psnr=_mean([view.psnr for view in views]),
        ssim=_mean([view.ssim for view in views]),
        masked_l1=_mean([view.masked_l1 for view in views]),
        unseen_iou=_mean([view.iou for view in views]),
        chamfer=_mean([surface.chamfer for surface in surfaces]),
        unseen_side=_mean([surface.unseen_side for surface in surfaces]),
        against_mean_shape=_against_mean_shape(readings, scores),
        measures=ratio_errors((r.measures, s.measures) for r, s in zip(readings, scores, strict=True)),
    )


def _reading(
    prediction: AnimalPrediction, picture: TruePicture, alignment: GlobalAlignment | None
) -> Reading:
    """All figures of one prediction, those of novel views and surfaces where there is an alignment."""
    true, masks, unseen = picture.animal, picture.batch.masks, picture.unseen
    mesh = Mesh(prediction.posed_mesh.vertices[0], prediction.posed_mesh.faces)
    with torch.no_grad():
        drawn = render_mask(prediction.posed_mesh, prediction.camera, masks.shape[1])
    silhouette = (drawn[0, ..., 0] > 0.5).numpy()
    assert true.camera.crop_box is not None
    views: tuple[ViewScore, ...] = ()
    surface = measures = None
    if unseen is not None and alignment is not None:
        views = score_novel_views(prediction, true, unseen.views)
        surface = aligned_chamfer(mesh, unseen.surface, alignment=alignment)
        measures = predicted_ratios(prediction)
    return Reading(
        silhouette=silhouette,
        mask=score_mask(silhouette, (masks[0, ..., 0] > 0.5).numpy()),
        rotation=prediction.camera.world_to_camera[0, :3, :3],
        light_error_degrees=light_error_degrees(prediction, true),
        size=mesh_size(mesh),
        projected=project_prediction(prediction, true.camera.crop_box),
        views=views,
        surface=surface,
        measures=measures,
    )


def _against_mean_shape(
    readings: Sequence[Reading], scores: Sequence[ProceduralScore]
) -> RelativeDifference | None:
    pairs = [
        (reading.surface.chamfer, score.mean_shape)
        for reading, score in zip(readings, scores, strict=True)
        if reading.surface is not None and score.mean_shape is not None
    ]
    return paired_difference(*np.array(pairs).T) if pairs else None


def _keypoints(
    readings: Sequence[Reading], annotations: KeypointAnnotations | None, *, seed: int
) -> TransferScore | None:
    if annotations is None:
        return None
    pairs = random_pairs(len(readings), 10_000, seed=seed)
    transfer = transfer_keypoints(annotations, [reading.projected for reading in readings], pairs)
    return score_transfer(transfer, seed=seed)


def _median_error(ratios: Float[np.ndarray, " images"]) -> float:
    return float(np.median(np.abs(ratios - 1.0)))


def _mean(values: Sequence[float]) -> float | None:
    """The mean; `None` of nothing, and where it is infinite, as the PSNR of equal pictures."""
    mean = math.fsum(values) / len(values) if values else math.inf
    return mean if math.isfinite(mean) else None

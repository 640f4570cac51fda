"""What a run of the ablation scores on the fixed test pictures, before any refinement."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import torch

from farm3d.config import parse_config
from farm3d.data.image_folder import ImageDataSet, canonical_mesh
from farm3d.models.animal_model import Phase
from farm3d.models.build import TrainedModel
from farm3d.training.config import TrainConfig
from farm3d.training.plots import read_metrics
from farm3d.types import AnimalPrediction

from .ablation import Row, RunScore, Values
from .keypoint_annotations import KeypointAnnotations, data_set_annotations
from .keypoint_transfer import THRESHOLD, mean_pck, random_pairs, transfer_keypoints
from .leg_count import count_legs
from .mean_shape import mean_shape
from .procedural import ProceduralScore, fit_alignment, score_picture
from .true_pictures import SAME_FRAME, TruePicture, true_pictures
from .viewpoint import GlobalAlignment, align_rotations, rotation_errors_degrees

KEYPOINT_PAIRS = 10_000


@dataclass(frozen=True)
class Examination:
    """The test pictures with their truth, and pictures of the training set `data` to fit a frame on."""

    data: ImageDataSet
    test: Sequence[TruePicture]
    training: Sequence[TruePicture]
    annotations: KeypointAnnotations


def prepare_examination(test: ImageDataSet, training: ImageDataSet, *, image_size: int) -> Examination:
    """Everything that does not depend on a model; of 100 pictures it takes minutes and 600 MB."""
    return Examination(
        training,
        list(true_pictures(test, image_size=image_size, unseen=True)),
        list(true_pictures(training, image_size=image_size, unseen=False)),
        data_set_annotations(test),
    )


def score_run(
    trained: TrainedModel, run: Path, examination: Examination, *, row: Row, command: str
) -> RunScore:
    """The score of a run's checkpoint, each animal in the phase that its training ended in.

    A field of offsets or angles that training never switched on says nothing yet, and is left out.
    """
    model, config = trained.model, training_config(trained)
    phase = last_phase(config)
    with torch.no_grad():
        prior = model.prior(unfinished=True)

    def predict(picture: TruePicture) -> AnimalPrediction:
        with torch.no_grad():
            reading = model.read(picture.batch.images, picture.batch.masks)
            pose = model.pose(reading, prior, phase=phase)
            return model.assemble(reading, pose, prior, phase=phase)

    alignment = fit_alignment([score_picture(picture, predict(picture)) for picture in examination.training])
    scores = [score_picture(p, predict(p), alignment=alignment) for p in examination.test]
    return RunScore(
        row=row.name,
        seed=config.seed,
        command=command,
        checkpoint=trained.sha256,
        steps=config.steps,
        minutes=config.steps * _seconds_a_step(run) / 60.0,
        values=_values(scores, alignment),
        pck=_pck(scores, examination),
        legs=count_legs(prior.mesh),
    )


def score_mean_shape(examination: Examination, *, row: Row) -> RunScore:
    """The score of the baseline, which no seed changes."""
    constant = mean_shape(examination.data, examination.training)
    scores = [score_picture(picture, constant, alignment=SAME_FRAME) for picture in examination.test]
    return RunScore(
        row=row.name,
        seed=0,
        command="",
        checkpoint="",
        steps=0,
        minutes=0.0,
        values=_values(scores, SAME_FRAME),
        pck=_pck(scores, examination),
        legs=count_legs(canonical_mesh(examination.data)),
    )


def last_phase(config: TrainConfig) -> Phase:
    """What had been switched on when a run's training ended."""
    if config.supervision == "truth":
        return Phase()
    images = config.images
    return Phase(
        articulated=config.steps > images.articulation_from, deformed=config.steps > images.deformation_from
    )


def training_config(trained: TrainedModel) -> TrainConfig:
    """The resolved config that a checkpoint was trained with."""
    return parse_config(TrainConfig, trained.metadata["config"], source="the checkpoint's config")


def _seconds_a_step(run: Path) -> float:
    """The mean of the steps that were logged but the first, in which kernels are compiled."""
    seconds = read_metrics(run)["seconds"]
    return float(seconds[min(1, len(seconds) - 1) :].mean())


def _pck(scores: Sequence[ProceduralScore], examination: Examination) -> float:
    """PCK@0.1 of keypoints between the test pictures."""
    pairs = random_pairs(len(scores), KEYPOINT_PAIRS, seed=0)
    projected = [score.predicted.projected for score in scores]
    return mean_pck(transfer_keypoints(examination.annotations, projected, pairs), THRESHOLD)


def _values(scores: Sequence[ProceduralScore], alignment: GlobalAlignment) -> Values:
    readings = [score.predicted for score in scores]
    rotations = torch.stack([reading.rotation for reading in readings])
    true = torch.stack([score.true_rotation for score in scores])
    aligned = align_rotations(rotations, alignment)
    surfaces = [reading.surface for reading in readings]
    return Values(
        chamfer=tuple(None if s is None else s.chamfer for s in surfaces),
        unseen_side=tuple(None if s is None else s.unseen_side for s in surfaces),
        mean_shape_chamfer=tuple(score.mean_shape for score in scores),
        iou=tuple(reading.mask.iou for reading in readings),
        viewpoint_error=tuple(rotation_errors_degrees(aligned, true).tolist()),
        raw_viewpoint_error=tuple(rotation_errors_degrees(rotations, true).tolist()),
        psnr=tuple(fmean(view.psnr for view in reading.views) for reading in readings),
        unseen_iou=tuple(fmean(view.iou for view in reading.views) for reading in readings),
    )

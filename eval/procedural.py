"""How well pictures of the procedural farm are read, where the truth is known."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from farm3d.data.image_folder import ImageDataSet, load_batch
from farm3d.geometry.rotation import geodesic_angle
from farm3d.inference.reconstruct import intersection_over_union
from farm3d.inference.refine import RefineConfig, refine
from farm3d.models.animal_model import AnimalModel
from farm3d.render.mesh_renderer import render_mask
from farm3d.types import AnimalPrediction, Batch


@dataclass(frozen=True)
class ProceduralScore:
    """One picture: IoUs of the silhouettes with the mask, and the predicted viewpoint's error in degrees."""

    name: str
    predicted_iou: float
    refined_iou: float
    viewpoint_error_degrees: float


def score_procedural(
    model: AnimalModel, data: ImageDataSet, *, refinement: RefineConfig
) -> Iterator[ProceduralScore]:
    """Score every picture of a procedural data set, before and after refinement."""
    with torch.no_grad():
        prior = model.prior()
    for index in range(len(data)):
        batch = load_batch(
            data,
            [index],
            image_size=model.config.image_size,
            truth_points=1,
            rng=np.random.default_rng(0),
        )
        assert batch.truth is not None
        with torch.no_grad():
            reading = model.read(batch.images, batch.masks)
            predicted = model.assemble(reading, model.pose(reading, prior), prior)
        refined = refine(model, prior, reading, initial=predicted, batch=batch, config=refinement)
        rotation = predicted.camera.world_to_camera[:, :3, :3]
        error = torch.rad2deg(geodesic_angle(rotation, batch.truth.world_to_camera[:, :3, :3]))
        yield ProceduralScore(
            name=data.samples[index].stem,
            predicted_iou=_mask_iou(predicted, batch),
            refined_iou=_mask_iou(refined, batch),
            viewpoint_error_degrees=float(error),
        )


def _mask_iou(prediction: AnimalPrediction, batch: Batch) -> float:
    """IoU at the resolution of the picture."""
    with torch.no_grad():
        silhouette = render_mask(prediction.posed_mesh, prediction.camera, batch.masks.shape[1]) > 0.5
    return intersection_over_union(silhouette.numpy(), (batch.masks > 0.5).numpy())

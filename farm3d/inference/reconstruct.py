"""One photograph to one animal: crop, predict, refine."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, UInt8

from farm3d.data.transforms import batch_of_crops, crop_box, crop_image, place_in_image
from farm3d.inference.fit_albedo import fit_albedo
from farm3d.inference.refine import RefineConfig, refine
from farm3d.models.animal_model import AnimalModel, ImageReading
from farm3d.models.read_pose import read_pose
from farm3d.render.mesh_renderer import render_mask
from farm3d.seeding import deterministic_algorithms
from farm3d.types import AnimalPrediction, Batch, Segmentation, ShapePrior

SILHOUETTE_SIZES = (128, 1024)
"""Smallest and largest side (pixels) at which a crop's silhouette is drawn."""

Plane = Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class Reconstruction:
    """A photograph's animal: what the networks said, what refinement made of it, and how well they fit.

    Silhouettes are masks in the pixels of the source image; the IoUs compare them with the segmented mask.
    """

    batch: Batch
    segmentation: Segmentation
    initial: AnimalPrediction
    refined: AnimalPrediction
    initial_silhouette: Plane
    silhouette: Plane
    initial_iou: float
    iou: float


@deterministic_algorithms()
def reconstruct(
    model: AnimalModel,
    prior: ShapePrior,
    pixels: UInt8[np.ndarray, "height width 3"],
    *,
    segmentation: Segmentation,
    refinement: RefineConfig,
) -> Reconstruction:
    """The animal in `pixels` where `segmentation` says it is: on a CPU, equal inputs give equal bits.

    Raises InputError for an empty mask.
    """
    mask = segmentation.mask.numpy()
    box = crop_box(mask)
    batch = batch_of_crops([crop_image(pixels, mask, box, size=model.config.image_size)])
    reading, initial = _read(model, prior, batch)
    refined = refine(model, prior, reading, initial=initial, batch=batch, config=refinement)
    fine = batch_of_crops([crop_image(pixels, mask, box, size=refinement.albedo_size)])
    refined = fit_albedo(model, reading, refined, batch=fine, config=refinement)
    initial, refined = (_with_crop_box(prediction, box) for prediction in (initial, refined))
    silhouettes = [source_silhouette(prediction, mask.shape) for prediction in (initial, refined)]
    return Reconstruction(
        batch=batch,
        segmentation=segmentation,
        initial=initial,
        refined=refined,
        initial_silhouette=silhouettes[0],
        silhouette=silhouettes[1],
        initial_iou=intersection_over_union(silhouettes[0], mask),
        iou=intersection_over_union(silhouettes[1], mask),
    )


@deterministic_algorithms()
def agreement(
    model: AnimalModel,
    prior: ShapePrior,
    pixels: UInt8[np.ndarray, "height width 3"],
    *,
    segmentation: Segmentation,
) -> float:
    """The IoU of the silhouette that the networks read with the mask, at the size of the crop that they see.

    Raises InputError for an empty mask.
    """
    mask, size = segmentation.mask.numpy(), model.config.image_size
    batch = batch_of_crops([crop_image(pixels, mask, crop_box(mask), size=size)])
    _, read = _read(model, prior, batch)
    with torch.no_grad():
        drawn = render_mask(read.posed_mesh, read.camera, size)
    return intersection_over_union(*(planes[0, ..., 0].numpy() > 0.5 for planes in (drawn, batch.masks)))


@torch.no_grad()
def _read(model: AnimalModel, prior: ShapePrior, batch: Batch) -> tuple[ImageReading, AnimalPrediction]:
    """What the networks say of a crop, before any refinement."""
    reading = model.read(batch.images, batch.masks)
    return reading, model.assemble(reading, read_pose(model, prior, reading), prior)


def source_silhouette(prediction: AnimalPrediction, shape: tuple[int, ...]) -> Plane:
    """Where the posed animal is seen in a source image of `shape` (height, width)."""
    box = prediction.camera.crop_box
    assert box is not None
    low, high = SILHOUETTE_SIZES
    size = int(min(max(round(box[3]), low), high))
    with torch.no_grad():
        alpha = render_mask(prediction.posed_mesh, prediction.camera, size)[0, ..., 0].numpy()
    return place_in_image(alpha, box, height=shape[0], width=shape[1]) > 0.5


def intersection_over_union(first: Plane, second: Plane) -> float:
    """Area of the intersection over that of the union; 0 where both are empty."""
    union = np.logical_or(first, second).sum()
    return float(np.logical_and(first, second).sum() / union) if union else 0.0


def _with_crop_box(prediction: AnimalPrediction, box: tuple[float, float, float, float]) -> AnimalPrediction:
    return replace(prediction, camera=replace(prediction.camera, crop_box=box))

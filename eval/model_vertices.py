"""Projected vertices of annotated animals as a checkpoint of ours sees them."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from farm3d.data.transforms import batch_of_crops, crop_box, crop_image
from farm3d.errors import InputError
from farm3d.inference.refine import RefineConfig, refine
from farm3d.io.image import read_image
from farm3d.models.animal_model import AnimalModel
from farm3d.models.read_pose import read_pose
from farm3d.pretrained.segmentation import segment
from farm3d.types import ShapePrior

from .keypoint_annotations import AnnotatedAnimal
from .projected_vertices import ProjectedVertices, project_prediction


def check_images(animals: Sequence[AnnotatedAnimal]) -> None:
    """Raises InputError where pictures are missing: before minutes of reading those that are there."""
    missing = [str(animal.image) for animal in animals if not animal.image.is_file()]
    if missing:
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        raise InputError(f"{len(missing)} of {len(animals)} pictures are not there: {shown}")


def predict_vertices(
    model: AnimalModel, prior: ShapePrior, animal: AnnotatedAnimal, *, refinement: RefineConfig
) -> ProjectedVertices:
    """The vertices that a model of ours sees in an annotated image, after the steps of refinement if any.

    The model is shown the animal's view, or the crop about its mask. Where the annotations hold no mask it
    is the one beside the image or cut out of it (`farm3d.pretrained.segmentation`), as far as it lies in
    the annotated box. Raises InputError where there is no usable image or mask.
    """
    source = read_image(animal.image)
    if animal.mask is not None:
        mask = _checked_mask(animal, animal.mask, source.pixels.shape[:2])
    else:
        mask = _within(segment(source, animal.image).mask.numpy(), animal)
    if not mask.any():
        raise InputError(f"{animal.image}: the mask shows nothing inside the box of {animal.name}")
    view = animal.view or crop_box(mask)
    batch = batch_of_crops([crop_image(source.pixels, mask, view, size=model.config.image_size)])
    with torch.no_grad():
        reading = model.read(batch.images, batch.masks)
        predicted = model.assemble(reading, read_pose(model, prior, reading), prior)
    refined = refine(model, prior, reading, initial=predicted, batch=batch, config=refinement)
    return project_prediction(refined, view)


def _checked_mask(animal: AnnotatedAnimal, mask: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if mask.shape != shape:
        raise InputError(f"{animal.image}: {shape} pixels, but the annotated mask has {mask.shape}")
    return mask


def _within(mask: np.ndarray, animal: AnnotatedAnimal) -> np.ndarray:
    """The part of a mask inside the animal's box."""
    x, y, width, height = animal.box
    inside = np.zeros_like(mask)
    rows = slice(max(0, math.floor(y)), math.ceil(y + height))
    columns = slice(max(0, math.floor(x)), math.ceil(x + width))
    inside[rows, columns] = mask[rows, columns]
    return inside

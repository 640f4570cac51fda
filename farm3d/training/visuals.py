"""Pictures of training to look at."""

import io
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from farm3d.geometry.camera import Camera, orbit, project_to_ndc
from farm3d.geometry.skeleton import posed_joints
from farm3d.io.atomic import write_bytes_atomically
from farm3d.models.animal_model import AnimalModel
from farm3d.render.mesh_renderer import render_geometry, render_surface
from farm3d.types import AnimalPrediction, Batch, RenderBuffers, ShapePrior

SHOWN, SIDE = 6, 128


def write_picture(path: Path, model: AnimalModel, prior: ShapePrior, *, batch: Batch) -> None:
    """A grid with an image a row: input, mask, render, render turned by 90 degrees, normals, bones."""
    images, masks = batch.images[:SHOWN], batch.masks[:SHOWN]
    with torch.no_grad():
        prediction = model.predict(images, masks, prior)
        front = _render(prediction, prediction.camera)
        geometry = render_geometry(
            prediction.posed_mesh, prediction.camera, SIDE, rest_positions=prediction.rest_positions
        )
        side = _render(prediction, orbit(prediction.camera, torch.pi / 2))
    assert front.rgb is not None and side.rgb is not None and geometry.normals is not None
    columns = [
        images,
        masks.expand_as(images),
        front.rgb,
        side.rgb,
        (0.5 + 0.5 * geometry.normals) * front.mask,
    ]
    pictures = [_to_bytes(column) for column in columns]
    pictures.append(_draw_bones(pictures[0], prediction))
    grid = np.concatenate([np.concatenate(list(column)) for column in pictures], axis=1)
    buffer = io.BytesIO()
    Image.fromarray(grid).save(buffer, format="PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes_atomically(path, buffer.getvalue())


def _render(prediction: AnimalPrediction, camera: Camera) -> RenderBuffers:
    return render_surface(
        prediction.posed_mesh,
        camera,
        SIDE,
        rest_positions=prediction.rest_positions,
        albedo_fn=prediction.albedo_fn,
        light=prediction.light,
    )


def _to_bytes(images: Tensor) -> list[np.ndarray]:
    pixels = (images.clamp(0.0, 1.0) * 255.0).round().byte().numpy()
    return [cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for image in pixels]


def _draw_bones(images: list[np.ndarray], prediction: AnimalPrediction) -> list[np.ndarray]:
    """The posed bones over the input: the animal's left legs red, right legs blue, body yellow."""
    joints = posed_joints(prediction.skeleton, prediction.bone_transforms).flatten(1, 2)
    places = ((project_to_ndc(prediction.camera, joints) + 1.0) * SIDE / 2.0).unflatten(1, (-1, 2)).numpy()
    drawn = []
    for image, bones in zip(images, places, strict=True):
        canvas = image.copy()
        for name, (start, end) in zip(prediction.skeleton.names, bones, strict=True):
            color = (230, 60, 60) if "left" in name else (70, 110, 255) if "right" in name else (250, 220, 60)
            cv2.line(canvas, _pixel(start), _pixel(end), color, 2, cv2.LINE_AA)
        drawn.append(canvas)
    return drawn


def _pixel(place: np.ndarray) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))

"""Pictures of training to look at."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from farm3d.geometry.camera import FIELD_OF_VIEW, Camera, project_to_ndc
from farm3d.geometry.framing import fit_cameras
from farm3d.geometry.skeleton import posed_joints
from farm3d.geometry.viewpoint import azimuth_elevation, viewpoint_rotation
from farm3d.io.atomic import write_bytes_atomically
from farm3d.models.animal_model import COMPLETE, AnimalModel, ImageReading, Phase
from farm3d.predictors.hypotheses import Exploration, hypothesis_probabilities
from farm3d.render.mesh_renderer import render_geometry, render_surface
from farm3d.shapes import Images
from farm3d.types import AlbedoFn, AnimalPrediction, Batch, DirectionalLight, RenderBuffers, ShapePrior

SHOWN, SIDE, TITLE_HEIGHT, GAP = 6, 128, 20, 2
FONT_SIZE, SMALL_FONT_SIZE = 13, 11
PAPER, INK, CHOSEN = (255, 255, 255), (30, 30, 30), (20, 140, 60)
BACKDROP = 0.82
"""The grey behind renders: dark animals stand out from it, and so do white ones."""

PLASTER = 0.6
OVERHEAD = math.radians(80.0)
LEFT, RIGHT, BODY = (230, 60, 60), (70, 110, 255), (250, 220, 60)

Tile = UInt8[np.ndarray, "_ _ 3"]


def write_picture(
    path: Path,
    model: AnimalModel,
    prior: ShapePrior,
    *,
    batch: Batch,
    phase: Phase = COMPLETE,
    sharpness: float = 1.0,
) -> None:
    """A grid with an image a row and a titled column for each thing to look at (docs/training.md).

    `phase` says what the animals may do at this step; `sharpness` is that of the hypotheses' softmax.
    """
    images, masks = batch.images[:SHOWN], batch.masks[:SHOWN]
    with torch.no_grad():
        reading = model.read(images, masks)
        prediction = model.assemble(reading, model.pose(reading, prior, phase=phase), prior, phase=phase)
        columns = {
            "input": _tiles(images),
            "mask": _tiles(masks.expand_as(images)),
            "render": _tiles(_colors(prediction, prediction.camera)),
            "turned 90°": _tiles(_colors(prediction, _turned(prediction, math.pi / 2))),
            "turned 180°": _tiles(_colors(prediction, _turned(prediction, math.pi))),
            "from above": _tiles(_colors(prediction, _turned(prediction, 0.0, OVERHEAD))),
            "shape": _tiles(_plaster(prediction)),
            "normals": _tiles(_normals(prediction)),
            "bones": _draw_bones(_tiles(images), prediction),
            "hypotheses": _hypotheses(model, reading, prior, phase=phase, sharpness=sharpness),
        }
    buffer = io.BytesIO()
    _sheet(columns).save(buffer, format="PNG")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes_atomically(path, buffer.getvalue())


def _colors(prediction: AnimalPrediction, camera: Camera, size: int = SIDE) -> Images:
    """The animals in their own colours and light, over grey."""
    return _over_grey(
        _render(prediction, camera, size, albedo_fn=prediction.albedo_fn, light=prediction.light)
    )


def _plaster(prediction: AnimalPrediction) -> Images:
    """The animals without colours, lit from above the viewer's shoulder: their shape alone."""

    def plaster(positions: Float[Tensor, "points 3"], image_index: Tensor) -> Float[Tensor, "points 3"]:
        return torch.full_like(positions, PLASTER)

    count = len(prediction.joint_angles)
    direction = prediction.rest_positions.new_tensor([0.4, 0.7, 0.6]).expand(count, 3)
    strength = torch.ones_like(direction[:, 0])
    light = DirectionalLight(torch.nn.functional.normalize(direction, dim=-1), 0.15 * strength, strength)
    return _over_grey(_render(prediction, prediction.camera, SIDE, albedo_fn=plaster, light=light))


def _render(
    prediction: AnimalPrediction, camera: Camera, size: int, *, albedo_fn: AlbedoFn, light: DirectionalLight
) -> RenderBuffers:
    return render_surface(
        prediction.posed_mesh,
        camera,
        size,
        rest_positions=prediction.rest_positions,
        albedo_fn=albedo_fn,
        light=light,
    )


def _over_grey(buffers: RenderBuffers) -> Images:
    assert buffers.rgb is not None
    return buffers.rgb + (1.0 - buffers.mask) * BACKDROP


def _normals(prediction: AnimalPrediction) -> Images:
    buffers = render_geometry(
        prediction.posed_mesh, prediction.camera, SIDE, rest_positions=prediction.rest_positions
    )
    assert buffers.normals is not None
    return (0.5 + 0.5 * buffers.normals) * buffers.mask + (1.0 - buffers.mask) * BACKDROP


def _turned(prediction: AnimalPrediction, turn: float, elevation: float | None = None) -> Camera:
    """The animals after a turn about their vertical axis, framed anew; angles in radians."""
    azimuth, level = azimuth_elevation(prediction.camera.world_to_camera[:, :3, :3])
    level = level if elevation is None else torch.full_like(level, elevation)
    return fit_cameras(
        prediction.posed_mesh.vertices,
        prediction.posed_mesh.faces,
        viewpoint_rotation(azimuth + turn, level),
        field_of_view=torch.full_like(level, FIELD_OF_VIEW),
        scale=torch.ones_like(level),
        shift=torch.zeros_like(level)[:, None].expand(-1, 2),
    )


def _draw_bones(tiles: Sequence[Tile], prediction: AnimalPrediction) -> list[Tile]:
    """The posed bones over the input: the animal's left legs red, right legs blue, body yellow."""
    joints = posed_joints(prediction.skeleton, prediction.bone_transforms).flatten(1, 2)
    places = ((project_to_ndc(prediction.camera, joints) + 1.0) * SIDE / 2.0).unflatten(1, (-1, 2))
    drawn = []
    for tile, bones in zip(tiles, places.cpu().numpy(), strict=True):
        canvas = (0.6 * tile).astype(np.uint8)
        for name, (start, end) in zip(prediction.skeleton.names, bones, strict=True):
            color = LEFT if "left" in name else RIGHT if "right" in name else BODY
            cv2.line(canvas, _pixel(start), _pixel(end), color, 2, cv2.LINE_AA)
        for joint in bones.reshape(-1, 2):
            cv2.circle(canvas, _pixel(joint), 1, PAPER, -1, cv2.LINE_AA)
        drawn.append(canvas)
    return drawn


def _pixel(place: Float[np.ndarray, "2"]) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))


def _hypotheses(
    model: AnimalModel, reading: ImageReading, prior: ShapePrior, *, phase: Phase, sharpness: float
) -> list[Tile]:
    """Every hypothesis drawn small with its probability; the most probable one framed."""
    logits = reading.viewpoint.logits
    shares = hypothesis_probabilities(logits, Exploration(sharpness=sharpness)).cpu().numpy()
    count = logits.shape[1]
    across = math.ceil(math.sqrt(count))
    small = SIDE // across
    views = []
    for k in range(count):
        pose = model.pose(reading, prior, torch.full_like(logits[:, 0], k, dtype=torch.long), phase=phase)
        prediction = model.assemble(reading, pose, prior, phase=phase)
        views.append(_tiles(_colors(prediction, prediction.camera), small))
    return [
        _labelled([view[row] for view in views], share, across=across) for row, share in enumerate(shares)
    ]


def _labelled(views: Sequence[Tile], shares: Float[np.ndarray, " hypotheses"], *, across: int) -> Tile:
    """Small pictures in rows of `across`, their probabilities written into their corners."""
    tile = Image.new("RGB", (SIDE, SIDE), PAPER)
    draw, font = ImageDraw.Draw(tile), ImageFont.load_default(SMALL_FONT_SIZE)
    for k, (view, share) in enumerate(zip(views, shares, strict=True)):
        small = view.shape[0]
        left, top = k % across * small, k // across * small
        best = k == int(shares.argmax())
        tile.paste(Image.fromarray(view), (left, top))
        draw.text((left + 3, top + 1), f"{100 * share:.0f} %", fill=CHOSEN if best else INK, font=font)
        if best:
            draw.rectangle((left, top, left + small - 1, top + small - 1), outline=CHOSEN, width=2)
    return np.asarray(tile)


def _tiles(images: Images, side: int = SIDE) -> list[Tile]:
    """Images as bytes, fitted to squares of `side` pixels."""
    pixels = (images.clamp(0.0, 1.0) * 255.0).round().byte().cpu().numpy()
    method = cv2.INTER_AREA if pixels.shape[1] >= side else cv2.INTER_CUBIC
    return [cv2.resize(image, (side, side), interpolation=method) for image in pixels]


def _sheet(columns: dict[str, list[Tile]]) -> Image.Image:
    """The columns side by side under their titles."""
    rows, step = len(next(iter(columns.values()))), SIDE + GAP
    sheet = Image.new("RGB", (len(columns) * step - GAP, TITLE_HEIGHT + rows * step - GAP), PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for column, (title, tiles) in enumerate(columns.items()):
        middle = column * step + SIDE // 2
        draw.text((middle, TITLE_HEIGHT // 2), title, fill=INK, font=font, anchor="mm")
        for row, tile in enumerate(tiles):
            sheet.paste(Image.fromarray(tile), (column * step, TITLE_HEIGHT + row * step))
    return sheet

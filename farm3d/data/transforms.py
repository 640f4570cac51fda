"""Photographs to square crops about the animal and back, and the distances that mask losses use."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, UInt8
from scipy import sparse
from torch import Tensor

from farm3d.errors import InputError
from farm3d.ops.image_layout import channels_first
from farm3d.types import Batch

CropBox = tuple[float, float, float, float]
"""x, y, width, height in the pixels of the source image (a pixel covers one unit; 0 is its left edge)."""

MARGIN = 1.1
Plane = Float32[np.ndarray, "height width"]


@dataclass(frozen=True)
class Crop:
    """A square view of a photograph: sRGB and mask in [0, 1]; `valid` is a pixel's share inside the image."""

    image: Float32[np.ndarray, "size size 3"]
    mask: Float32[np.ndarray, "size size"]
    valid: Float32[np.ndarray, "size size"]
    box: CropBox


def crop_box(mask: Bool[np.ndarray, "height width"]) -> CropBox:
    """The square about the mask's centroid with side max(2 sqrt(area), 1.1 x the square that holds the mask).

    So animals of one size in life come out at similar scale whatever their pose, and nothing of the mask
    is cut off. The box may leave the image. Raises InputError for an empty mask.
    """
    per_row, per_column = mask.sum(axis=1), mask.sum(axis=0)
    area = int(per_row.sum())
    if area == 0:
        raise InputError("the mask is empty: there is no animal to crop")
    (x, left, right), (y, top, bottom) = _centre_and_extent(per_column), _centre_and_extent(per_row)
    reach = max(x - left, right - x, y - top, bottom - y)
    side = max(2.0 * math.sqrt(area), MARGIN * 2.0 * reach)
    return float(x - side / 2), float(y - side / 2), float(side), float(side)


def crop_image(
    image: UInt8[np.ndarray, "height width 3"],
    mask: Bool[np.ndarray, "height width"],
    box: CropBox,
    *,
    size: int,
) -> Crop:
    """The part of a photograph in `box` at `size` x `size` pixels, each the mean of the area it covers.

    Beyond the image's border the colours of the border go on (a border of another colour would be an
    edge that no animal has), the mask is empty and `valid` is 0.
    """
    x, y, width, height = box
    down, across = _Grid(y, height / size, size), _Grid(x, width / size, size)
    rows, columns = (
        _weights(grid, length, repeat_border=True)
        for grid, length in zip((down, across), image.shape[:2], strict=True)
    )
    inner_rows, inner_columns = _weights(down, image.shape[0]), _weights(across, image.shape[1])
    channels = [_resample(image[..., channel], rows, columns) for channel in range(3)]
    return Crop(
        image=np.stack(channels, axis=-1) / np.float32(255.0),
        mask=_resample(mask, inner_rows, inner_columns),
        valid=np.outer(inner_rows.sum(axis=1), inner_columns.sum(axis=1)).astype(np.float32),
        box=box,
    )


def place_in_image(
    values: Float32[np.ndarray, "size size"], box: CropBox, *, height: int, width: int
) -> Float32[np.ndarray, "height width"]:
    """A crop's plane (a rendered mask) in the pixels of the source image; 0 outside the crop."""
    x, y, box_width, box_height = box
    row_step, column_step = values.shape[0] / box_height, values.shape[1] / box_width
    rows = _weights(_Grid(-y * row_step, row_step, height), values.shape[0])
    columns = _weights(_Grid(-x * column_step, column_step, width), values.shape[1])
    return _resample(values, rows, columns)


def mask_distances(mask: Bool[np.ndarray, "height width"]) -> tuple[Plane, Plane]:
    """Distances inside the mask to the background and outside to the mask, as fractions of the longer side.

    Each is 0 on the other side. Where there is no other side at all the distance is the diagonal of the
    unit square, its largest value.
    """
    inside, outside = _distance_to_zero(mask), _distance_to_zero(~mask)
    return inside, outside


def batch_of_crops(crops: Sequence[Crop]) -> Batch:
    """Crops of one size as the batch that the encoder and the losses take."""
    distances = [mask_distances(crop.mask > 0.5) for crop in crops]

    def planes(arrays: Sequence[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.stack(arrays))[..., None]

    return Batch(
        images=torch.from_numpy(np.stack([crop.image for crop in crops])),
        masks=planes([crop.mask for crop in crops]),
        valid=planes([crop.valid for crop in crops]),
        inside_distance=planes([inside for inside, _ in distances]),
        outside_distance=planes([outside for _, outside in distances]),
    )


def resized(batch: Batch, size: int) -> Batch:
    """The batch at `size` pixels a side, for comparing with renders: averaged down, or interpolated up."""
    return replace(
        batch,
        images=_resized(batch.images, size),
        masks=_resized(batch.masks, size),
        valid=_resized(batch.valid, size),
        inside_distance=_resized(batch.inside_distance, size),
        outside_distance=_resized(batch.outside_distance, size),
        features=None if batch.features is None else _resized(batch.features, size),
    )


def _resized(
    images: Float[Tensor, "images height width channels"], size: int
) -> Float[Tensor, "images size size channels"]:
    if images.shape[1:3] == (size, size):
        return images
    mode = "area" if images.shape[1] >= size else "bilinear"
    resized = torch.nn.functional.interpolate(channels_first(images), (size, size), mode=mode)
    return resized.permute(0, 2, 3, 1)


def _centre_and_extent(counts: np.ndarray) -> tuple[float, float, float]:
    """The mean place, the first and the last edge of pixels counted along one axis."""
    occupied = np.flatnonzero(counts)
    centre = float(counts @ (np.arange(len(counts)) + 0.5)) / float(counts.sum())
    return centre, float(occupied[0]), float(occupied[-1] + 1)


def _distance_to_zero(mask: Bool[np.ndarray, "height width"]) -> Plane:
    largest = np.float32(math.sqrt(2.0))
    if mask.all():
        return np.full(mask.shape, largest, dtype=np.float32)
    pixels = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # OpenCV's last bit depends on where the array lies in memory; squared distances are whole numbers.
    pixels = np.sqrt(np.round(pixels**2))
    return np.minimum(pixels / np.float32(max(mask.shape)), largest)


def _resample(plane: np.ndarray, rows: sparse.csr_array, columns: sparse.csr_array) -> Plane:
    """Weighted means along both axes, the shrinking one first."""
    return np.ascontiguousarray((columns @ (rows @ plane.astype(np.float32)).T).T, dtype=np.float32)


@dataclass(frozen=True)
class _Grid:
    """Output pixels along one axis: `count` of them, each `step` source pixels wide, from `start` on."""

    start: float
    step: float
    count: int


def _weights(grid: _Grid, length: int, *, repeat_border: bool = False) -> sparse.csr_array:
    """Weights (count x length) of the source pixels in the output pixels.

    Shrinking takes the mean over the area covered, growing interpolates linearly. Beyond the source's
    border stands its last pixel with `repeat_border`, otherwise nothing.
    """
    begin = grid.start + grid.step * np.arange(grid.count)[:, None]
    if grid.step >= 1.0:
        source = np.floor(begin).astype(np.int64) + np.arange(math.ceil(grid.step) + 1)
        overlap = np.minimum(begin + grid.step, source + 1) - np.maximum(begin, source)
        weights = np.clip(overlap, 0.0, None) / grid.step
    else:
        centre = begin + grid.step / 2 - 0.5
        source = np.floor(centre).astype(np.int64) + np.arange(2)
        weights = 1.0 - np.abs(centre - source)
    target = np.broadcast_to(np.arange(grid.count)[:, None], source.shape)
    kept = np.ones_like(source, dtype=bool) if repeat_border else (source >= 0) & (source < length)
    places = target[kept], np.clip(source, 0, length - 1)[kept]
    return sparse.csr_array((weights[kept].astype(np.float32), places), shape=(grid.count, length))

"""Many pictures on one sheet, each with the outline of its mask."""

import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from .samples import image_file, mask_file

GAP, PAPER, OUTLINE = 2, (255, 255, 255), (255, 96, 0)
Pixels = UInt8[np.ndarray, "height width 3"]
Tile = UInt8[np.ndarray, "side side 3"]


def load_tile(stem: Path, side: int, *, outlined: bool = True) -> Tile | None:
    """A sample's picture fitted into a square, with its mask's outline; `None` where there is no picture."""
    bgr = _read(image_file(stem), cv2.IMREAD_COLOR)
    if bgr is None:
        return None
    image = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    mask = _read(mask_file(stem), cv2.IMREAD_GRAYSCALE) if outlined else None
    scale = side / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    shrunk = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1.0 else cv2.INTER_CUBIC)
    if mask is not None:
        small = cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 127
        contours, _ = cv2.findContours(small.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(shrunk, contours, -1, OUTLINE, 1)
    tile = np.empty((side, side, 3), np.uint8)
    tile[:] = PAPER
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = shrunk
    return tile


def contact_sheet(tiles: Sequence[Tile], columns: int) -> Pixels:
    """Tiles of one size side by side, `columns` in a row, on white paper."""
    side = tiles[0].shape[0]
    rows = -(-len(tiles) // columns)
    step = side + GAP
    sheet = np.empty((rows * step + GAP, columns * step + GAP, 3), np.uint8)
    sheet[:] = PAPER
    for number, tile in enumerate(tiles):
        top, left = GAP + number // columns * step, GAP + number % columns * step
        sheet[top : top + side, left : left + side] = tile
    return sheet


def spread(count: int, wanted: int) -> list[int]:
    """At most `wanted` of `count` numbers, evenly spread from the first to the last."""
    if count <= wanted:
        return list(range(count))
    return [round(k * (count - 1) / max(1, wanted - 1)) for k in range(wanted)]


def encode_jpeg(pixels: Pixels, quality: int = 88) -> bytes:
    """The bytes of a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _read(file: Path, mode: int) -> np.ndarray | None:
    """An image file, `None` where there is none; OpenCV would complain on stderr."""
    return cv2.imread(str(file), mode) if file.is_file() else None

"""Pictures for people: photographs with outlines and keypoints drawn over them."""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

SIDE = 640
"""Longest side (pixels) of a picture."""

SILHOUETTE, MASK = (255, 140, 30), (255, 255, 255)
ANNOTATED, PROJECTED = (70, 190, 255), (255, 225, 60)
DARK = (20, 20, 20)

Plane = Bool[np.ndarray, "height width"]
Place = Float[np.ndarray, "2"]
Pixels = UInt8[np.ndarray, "height width 3"]


def draw_photograph(
    pixels: Pixels,
    *,
    silhouette: Plane | None = None,
    mask: Plane | None = None,
    pairs: Sequence[tuple[Place, Place]] = (),
) -> bytes:
    """A JPEG of the photograph with the silhouette outlined in orange and the mask in white.

    Of each pair of keypoints (pixels of the photograph) the annotated place is a blue dot and the projected
    one a yellow cross, joined by a line.
    """
    canvas, scale = shrunk(pixels)
    if mask is not None:
        _outline(canvas, mask, MASK)
    if silhouette is not None:
        _outline(canvas, silhouette, SILHOUETTE)
    for annotated, projected in pairs:
        ends = [tuple(round(float(value)) for value in place * scale) for place in (annotated, projected)]
        cv2.line(canvas, ends[0], ends[1], PROJECTED, 1, cv2.LINE_AA)
        cv2.circle(canvas, ends[0], 5, DARK, -1, cv2.LINE_AA)
        cv2.circle(canvas, ends[0], 4, ANNOTATED, -1, cv2.LINE_AA)
        cv2.drawMarker(canvas, ends[1], DARK, cv2.MARKER_TILTED_CROSS, 11, 4)
        cv2.drawMarker(canvas, ends[1], PROJECTED, cv2.MARKER_TILTED_CROSS, 9, 2)
    return jpeg(canvas)


def shrunk(pixels: Pixels) -> tuple[UInt8[np.ndarray, "rows columns 3"], float]:
    """A copy of at most `SIDE` pixels a side, and by what its sides were multiplied."""
    scale = min(1.0, SIDE / max(pixels.shape[:2]))
    if scale == 1.0:
        return pixels.copy(), scale
    size = [max(1, round(side * scale)) for side in pixels.shape[1::-1]]
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), scale


def enlarged(pixels: Pixels) -> tuple[UInt8[np.ndarray, "rows columns 3"], int]:
    """A small picture at the largest multiple of its size that does not exceed `SIDE`, and the multiple."""
    factor = max(1, SIDE // max(pixels.shape[:2]))
    size = [factor * side for side in pixels.shape[1::-1]]
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8), factor


def jpeg(pixels: Pixels) -> bytes:
    """The picture as a JPEG file."""
    done, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert done
    return data.tobytes()


def _outline(canvas: UInt8[np.ndarray, "rows columns 3"], mask: Plane, color: tuple[int, int, int]) -> None:
    """Draw a mask's outline, the mask brought to the canvas's size."""
    resized = cv2.resize(mask.astype(np.uint8), canvas.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    contours, _ = cv2.findContours(resized, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, contours, -1, color, 2, cv2.LINE_AA)

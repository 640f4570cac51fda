"""The frames of films: video files, and folders of pictures."""

import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from farm3d.errors import InputError
from farm3d.io.image import SourceImage, read_image

MOST_FRAMES = 300
"""All frames are kept in memory, and each takes about a second of work."""

AV_LOG_QUIET = "-8"

LONGEST_SIDE = 960
"""Pixels of a frame's longer side; larger ones are made smaller."""


def video_frames(path: Path, frame_rate: float) -> Iterator[SourceImage]:
    """Frames of a video file, upright, sRGB, about `frame_rate` a second and no more than it has.

    Raises InputError for what is no video, and for more than 300 frames.
    """
    # OpenCV's decoder would write lines of its own about a damaged file beside the one that we raise.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", AV_LOG_QUIET)
    video = cv2.VideoCapture(str(path))
    try:
        native = video.get(cv2.CAP_PROP_FPS) or frame_rate
        taken, number = 0, 0
        while True:
            there, frame = video.read()
            if not there:
                break
            if number * frame_rate >= taken * native:
                if taken == MOST_FRAMES:
                    raise InputError(_too_long(path))
                yield SourceImage(_shrunk(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)), None, f"{taken:05d}")
                taken += 1
            number += 1
    finally:
        video.release()
    if taken == 0:
        raise InputError(f"{path}: not a video that OpenCV reads; give an MP4, or a folder with --sequence")


def folder_frames(files: list[Path], folder: Path) -> Iterator[SourceImage]:
    """The pictures of a folder, in order. Raises InputError for one that cannot be read."""
    if len(files) > MOST_FRAMES:
        raise InputError(_too_long(folder))
    yield from (read_image(file) for file in files)


def _too_long(path: Path) -> str:
    return f"{path}: more than {MOST_FRAMES} frames; give a shorter film, or a lower --frame-rate"


def _shrunk(pixels: np.ndarray) -> np.ndarray:
    scale = LONGEST_SIDE / max(pixels.shape[:2])
    if scale >= 1.0:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)

"""Redraw docs/images/reconstruction.png from a result folder of farm3d-infer.

farm3d-infer docs/images/horse.jpg --relight --animate --out results
python docs/make_pictures.py results/horse docs/images
"""

import sys
from pathlib import Path

import cv2
import imageio.v3 as imageio
import numpy as np

from farm3d.io.image import read_image, write_png

TILE = 256
FRAMES = 5


def main(result: Path, images: Path) -> None:
    """Photograph and overlay, then a row of frames of each video."""
    photograph = read_image(images / f"{result.name}.jpg").pixels
    overlay = read_image(result / "overlay.png").pixels
    first = np.concatenate([_tile(photograph), _tile(overlay)], axis=0)
    rows = [_frames(result / f"{name}.mp4") for name in ("turntable", "relight", "animate")]
    left = cv2.copyMakeBorder(first, 0, TILE, 0, 0, cv2.BORDER_CONSTANT, value=(237, 237, 237))
    write_png(images / "reconstruction.png", np.concatenate([left, np.concatenate(rows)], axis=1))


def _frames(video: Path) -> np.ndarray:
    frames = imageio.imread(video)
    chosen = [frames[k * len(frames) // FRAMES] for k in range(FRAMES)]
    return np.concatenate([_tile(frame) for frame in chosen], axis=1)


def _tile(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (TILE, TILE), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

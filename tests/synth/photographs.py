"""A folder of photographs of which the filter must say something: drawn blobs with their masks beside."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

SIZE = (96, 128)
"""Height and width of the photographs in pixels."""


def blob(centre: tuple[int, int], axes: tuple[int, int]) -> np.ndarray:
    """An ellipse as a mask."""
    return cv2.ellipse(np.zeros(SIZE, np.uint8), centre, axes, 20, 0, 360, 255, -1)


def photograph(mask: np.ndarray, seed: int) -> np.ndarray:
    """A patchy animal before a patchy ground of another colour."""
    rng = np.random.default_rng(seed)
    patches = [
        cv2.resize(
            rng.integers(low, high, (4, 5, 3)).astype(np.uint8), SIZE[::-1], interpolation=cv2.INTER_CUBIC
        )
        for low, high in ((120, 255), (0, 120))
    ]
    return np.where(mask[..., None] > 0, patches[1], patches[0])


def write_photographs(folder: Path) -> Path:
    """Eleven files: five good ones, of which one repeats another, and six to reject for six reasons."""
    folder.mkdir(parents=True)
    middle = (64, 48)
    masks = {
        "a_good": blob(middle, (40, 24)),
        "b_cut_off": blob((10, 48), (40, 24)),
        "c_good": blob((60, 50), (30, 26)),
        "d_tiny": blob(middle, (5, 4)),
        "e_good": blob((70, 44), (34, 20)),
        "f_two": blob((36, 48), (24, 20)) | blob((96, 48), (22, 20)),
        "g_repeats_a": blob(middle, (40, 24)),
        "h_crumbs": blob(middle, (20, 12)) | blob((15, 15), (9, 7)) | blob((110, 80), (9, 7)),
        "i_good": blob((58, 46), (36, 30)),
    }
    for number, (name, mask) in enumerate(masks.items()):
        image = photograph(mask, 0 if "_a" in name or name == "a_good" else number)
        Image.fromarray(image).save(folder / f"{name}.png")
        Image.fromarray(mask).save(folder / f"{name}_mask.png")
    (folder / "j_broken.jpg").write_bytes(b"\xff\xd8 no picture")
    Image.fromarray(photograph(masks["a_good"], 9)).save(folder / "k_mask_of_other_size.png")
    Image.fromarray(masks["a_good"][:50]).save(folder / "k_mask_of_other_size_mask.png")
    (folder / "notes.txt").write_text("not a photograph")
    return folder


REASONS = {
    "b_cut_off.png": "truncated",
    "d_tiny.png": "too_small",
    "f_two.png": "several_animals",
    "g_repeats_a.png": "duplicate",
    "h_crumbs.png": "fragmented",
    "j_broken.jpg": "unreadable",
    "k_mask_of_other_size.png": "no_mask",
}
KEPT = ("a_good.png", "c_good.png", "e_good.png", "i_good.png")

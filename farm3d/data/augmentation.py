"""What the encoder sees in training: colours, blur and masks as photographs and segmenters distort them."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.types import Batch


def augmented_inputs(
    batch: Batch, rngs: Sequence[np.random.Generator]
) -> tuple[Float[Tensor, "images height width 3"], Float[Tensor, "images height width 1"]]:
    """Distorted copies of a batch's images and masks, drawn by `rngs`, one an image.

    The batch itself stays the target.
    """
    pairs = [
        (_distort_colors(image, rng), _distort_mask(mask, rng))
        for image, mask, rng in zip(batch.images.numpy(), batch.masks.squeeze(-1).numpy(), rngs, strict=True)
    ]
    images, masks = zip(*pairs, strict=True)
    return torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(masks))[..., None]


def _distort_colors(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exposure, white balance, contrast, blur and noise; sometimes grey, sometimes no colour at all."""
    kind = rng.random()
    if kind < 0.15:
        return np.full_like(image, 0.5)
    if kind < 0.35:
        image = np.repeat(image.mean(axis=-1, keepdims=True), 3, axis=-1)
    gains = np.exp(rng.normal(0.0, 0.12, size=3) + rng.normal(0.0, 0.2)).astype(np.float32)
    image = np.clip(image * gains, 0.0, 1.0) ** np.float32(np.exp(rng.normal(0.0, 0.25)))
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 1.5)))
    noise = rng.standard_normal(image.shape, dtype=np.float32) * np.float32(rng.uniform(0.0, 0.04))
    return np.clip(image + noise, 0.0, 1.0)


def _distort_mask(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of the masks with a segmenter's mistakes: grown or shrunk, a bite missing, a piece too much."""
    if rng.random() < 0.5:
        return mask
    size = mask.shape[0]
    radius = int(rng.integers(1, max(2, size // 48) + 1))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    shape = rng.random()
    if shape < 0.4:
        mask = cv2.dilate(mask, kernel)
    elif shape < 0.7:
        mask = cv2.erode(mask, kernel)
    edge = np.argwhere(cv2.Canny((mask * 255).astype(np.uint8), 50, 150) > 0)
    result = np.ascontiguousarray(mask)
    if len(edge):
        for _ in range(int(rng.integers(0, 4))):
            row, column = edge[rng.integers(len(edge))]
            value = float(rng.random() < 0.5)
            cv2.circle(
                result, (int(column), int(row)), int(rng.integers(1, size // 20 + 2)), value, thickness=-1
            )
    return result

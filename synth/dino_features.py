"""Features of pictures without truth: DINO's keys, projected to sixteen channels of the set's own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float16
from torch import Tensor

from farm3d.errors import InputError
from farm3d.pretrained.dino import PATCH, WIDTH, DinoKeys, load_dino

from .feature_pca import (
    add_patches,
    coverage,
    foreground_patches,
    no_moments,
    on_grid,
    project,
    read_feature_pca,
    write_feature_pca,
)
from .processes import Progress
from .samples import image_file, mask_file

FITTED_ON = 2000
"""How many pictures decide the projection: the first ones that are kept."""

TOGETHER = 16
"""Pictures that go through the network together on an accelerator."""


@dataclass(frozen=True)
class FeatureChoice:
    """What `--features dino` says: the weights (a file or a hub's repository), and on which device."""

    weights: str
    device: torch.device
    stride: int = PATCH

    def describe(self) -> dict[str, Any]:
        """The network, its weights' hash and the stride, for dataset.yaml; this loads the network."""
        return {
            "network": "dino-vits8",
            "weights": f"sha256-{extractor_of(self).weights_hash[:16]}",
            "stride": self.stride,
        }


@lru_cache(maxsize=1)
def extractor_of(choice: FeatureChoice) -> DinoKeys:
    """The network, loaded once in each process."""
    return load_dino(choice.weights, choice.device, stride=choice.stride)


def fit_projection(choice: FeatureChoice, stems: Sequence[Path], file: Path, *, progress: Progress) -> None:
    """Fit the projection on the animals' patches of these samples, in this order, and write it to `file`.

    Memory does not grow with the number of samples. Raises InputError where they show too few patches.
    """
    extractor = extractor_of(choice)
    moments = no_moments(WIDTH)
    for keys, mask in _keys_and_masks(extractor, stems):
        moments = add_patches(moments, foreground_patches(keys, coverage(mask)))
        progress(1)
    write_feature_pca(file, moments, choice.describe())


def sample_features(
    choice: FeatureChoice, stems: Sequence[Path], projection: Path
) -> Iterator[Float16[np.ndarray, "channels rows columns"]]:
    """The features of each of these samples by the projection that `fit_projection` wrote."""
    pca = read_feature_pca(projection)
    for keys, mask in _keys_and_masks(extractor_of(choice), stems):
        yield project(pca, keys, coverage(mask))


def _keys_and_masks(
    extractor: DinoKeys, stems: Sequence[Path]
) -> Iterator[tuple[Float[Tensor, "grid grid width"], Bool[np.ndarray, "size size"]]]:
    for first in range(0, len(stems), TOGETHER):
        part = stems[first : first + TOGETHER]
        images = np.stack([_read(image_file(stem), cv2.IMREAD_COLOR)[..., ::-1] for stem in part])
        keys = extractor.keys(torch.from_numpy(images).float() / 255.0)
        for stem, own in zip(part, keys, strict=True):
            yield on_grid(own), _read(mask_file(stem), cv2.IMREAD_GRAYSCALE) > 127


def _read(file: Path, mode: int) -> np.ndarray:
    pixels = cv2.imread(str(file), mode)
    if pixels is None:
        raise InputError(f"{file}: cannot be read; remove the folder that it is in and run the command again")
    return pixels

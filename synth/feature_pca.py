"""DINO's keys in sixteen numbers: a principal component analysis of the patches that show animals.

Source: MagicPony (arXiv 2211.12497), which learns from 16 components of the keys. Mean and covariance are
updated picture by picture (Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for
Computing Sample Variances", 1979), so memory does not grow with the set, and nothing is lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float16, Float32, Float64
from torch import Tensor

from farm3d.errors import InputError
from farm3d.io.checkpoint import read_checkpoint, write_checkpoint

from .threads import single_threaded

CHANNELS = 16
GRID = 32
"""Patches a side of the features that a data set holds."""

FOREGROUND = 0.25
"""Share of a patch that the mask covers above which it counts as showing the animal."""

FEATURES_FILE = "features.safetensors"
KIND = "feature-pca"

Keys = Float[Tensor, "rows columns width"]
Coverage = Float32[np.ndarray, "rows columns"]


@dataclass(frozen=True)
class PatchMoments:
    """How many patches were seen, their mean, and the sum of the outer products of their deviations."""

    count: int
    mean: Float64[Tensor, " width"]
    scatter: Float64[Tensor, "width width"]


@dataclass(frozen=True)
class FeaturePCA:
    """A feature space: `(keys - mean) @ components.T`; `name` says which one, by its contents."""

    mean: Float32[Tensor, " width"]
    components: Float32[Tensor, "channels width"]
    metadata: Mapping[str, Any]
    name: str


def no_moments(width: int) -> PatchMoments:
    """The moments of no patch at all."""
    return PatchMoments(
        0, torch.zeros(width, dtype=torch.float64), torch.zeros(width, width, dtype=torch.float64)
    )


def add_patches(moments: PatchMoments, patches: Float[Tensor, "patches width"]) -> PatchMoments:
    """The moments of what was seen and these patches besides.

    The result depends on the order of the calls in its last bits alone; the same order gives the same bits.
    """
    if len(patches) == 0:
        return moments
    with single_threaded():
        new = patches.double()
        mean = new.mean(dim=0)
        centred = new - mean
        return merge_moments(moments, PatchMoments(len(new), mean, centred.T @ centred))


def merge_moments(first: PatchMoments, second: PatchMoments) -> PatchMoments:
    """The moments of both sets of patches together."""
    count = first.count + second.count
    if count == 0:
        return first
    step = second.mean - first.mean
    share = second.count / count
    scatter = first.scatter + second.scatter + torch.outer(step, step) * (first.count * share)
    return PatchMoments(count, first.mean + step * share, scatter)


def principal_components(
    moments: PatchMoments, channels: int = CHANNELS
) -> tuple[Float64[Tensor, "channels width"], Float64[Tensor, " channels"]]:
    """The directions of largest variance, unit length, and the share of the variance along each.

    The entry of largest size of each direction is positive. Raises InputError for too few patches.
    """
    if moments.count <= channels:
        raise InputError(
            f"{moments.count} patches show animals, too few for {channels} channels; make a larger set"
        )
    with single_threaded():
        variances, directions = torch.linalg.eigh(moments.scatter / (moments.count - 1))
    largest = directions.T.flip(0)[:channels]
    signs = torch.take_along_dim(largest, largest.abs().argmax(dim=1, keepdim=True), dim=1).sign()
    return largest * signs, variances.flip(0)[:channels] / variances.sum()


def write_feature_pca(path: Path, moments: PatchMoments, facts: Mapping[str, Any]) -> FeaturePCA:
    """Fit the projection, write it under `path`, and give what was written; equal moments are equal bytes.

    `facts` (the weights' hash, the stride) are kept with it. Raises InputError for too few patches.
    """
    components, shares = principal_components(moments)
    metadata = {
        **facts,
        "kind": KIND,
        "patches": moments.count,
        "variance_shares": [round(share, 6) for share in shares.tolist()],
    }
    tensors = {"mean": moments.mean.float(), "components": components.float()}
    write_checkpoint(path, tensors, metadata)
    return read_feature_pca(path)


def read_feature_pca(path: Path) -> FeaturePCA:
    """The feature space that a data set keeps. Raises CheckpointError or InputError for what is none."""
    checkpoint = read_checkpoint(path)
    if checkpoint.metadata.get("kind") != KIND:
        raise InputError(f"{path}: not a projection of features; farm3d-synth writes those")
    name = f"dino-vits8-keys-{checkpoint.sha256[:8]}"
    tensors = checkpoint.tensors
    return FeaturePCA(tensors["mean"], tensors["components"], checkpoint.metadata, name)


def on_grid(keys: Keys) -> Float[Tensor, "grid grid width"]:
    """Keys of 32 x 32 patches; 63 x 63 overlapping ones are weighed 1, 2, 1 about every other one.

    Raises InputError for another number of patches.
    """
    if keys.shape[0] == GRID:
        return keys
    if keys.shape[0] != 2 * GRID - 1:
        raise InputError(
            f"{keys.shape[0]} patches a side; features take {GRID}, or {2 * GRID - 1} overlapping"
        )
    thinned = _thinned(_thinned(keys).transpose(0, 1)).transpose(0, 1)
    return torch.nn.functional.normalize(thinned, dim=-1)


def coverage(mask: Bool[np.ndarray, "size size"]) -> Coverage:
    """The share of each of the 32 x 32 patches that the mask covers."""
    return cv2.resize(mask.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA)


def foreground_patches(
    keys: Float[Tensor, "grid grid width"], covered: Coverage
) -> Float[Tensor, "patches width"]:
    """The keys of the patches that show the animal, row by row."""
    return keys[torch.from_numpy(covered > FOREGROUND)]


def project(
    pca: FeaturePCA, keys: Float[Tensor, "grid grid width"], covered: Coverage
) -> Float16[np.ndarray, "channels grid grid"]:
    """A picture's features as data sets hold them: unit vectors on the animal, 0 beside it."""
    with single_threaded():
        values = (keys.float() - pca.mean) @ pca.components.T
        unit = torch.nn.functional.normalize(values, dim=-1).permute(2, 0, 1).numpy()
    return (unit * (covered > FOREGROUND)).astype(np.float16)


def _thinned(values: Float[Tensor, "rows columns width"]) -> Float[Tensor, "half columns width"]:
    """Every other row, with half of each neighbour's weight; at the border the one neighbour counts twice."""
    padded = torch.cat([values[1:2], values, values[-2:-1]])
    return 0.25 * padded[:-2:2] + 0.5 * padded[1:-1:2] + 0.25 * padded[2::2]

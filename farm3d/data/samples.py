"""Single samples of a data set, decoded: as they lie on disk, at the size that training asks for."""

import json
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float16, Float32, UInt8

from farm3d.data.transforms import mask_distances
from farm3d.errors import InputError

TRUTH_KEYS = ("individual", "pose", "light", "camera")


@dataclass(frozen=True)
class Sample:
    """An image, its mask and what follows from it, in as few bytes as keep every bit.

    `distance` is the mask's inside distance where that is positive, minus its outside distance elsewhere
    (see `mask_distances`); `valid` says which pixels lie in the picture that the crop is from; `features`
    are half precision, 0 beside the animal; `truth` holds what the farm wrote of it.
    """

    image: UInt8[np.ndarray, "size size 3"]
    mask: UInt8[np.ndarray, "size size"]
    distance: Float32[np.ndarray, "size size"]
    valid: Bool[np.ndarray, "size size"]
    features: Float16[np.ndarray, "channels rows columns"] | None
    truth: Mapping[str, Any]

    @property
    def bytes(self) -> int:
        """The memory that its arrays take."""
        arrays = (self.image, self.mask, self.distance, self.valid, self.features)
        return sum(array.nbytes for array in arrays if array is not None)


def read_sample(path: Path, *, image_size: int, features: bool) -> Sample:
    """Decode the sample with the record `path`, resampled by area to `image_size` pixels a side.

    Raises InputError where something that is asked for is missing or damaged.
    """
    image = cv2.imread(str(path.with_suffix(".jpg")), cv2.IMREAD_COLOR)
    mask = cv2.imread(str(path.with_name(f"{path.stem}_mask.png")), cv2.IMREAD_GRAYSCALE)
    if image is None or mask is None:
        raise InputError(
            f"{path.with_suffix('.jpg')}: the image or its mask cannot be read; make the shard again"
        )
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    if image.shape[0] != image_size:
        image = cv2.resize(image, (image_size, image_size), interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, (image_size, image_size), interpolation=cv2.INTER_AREA)
    inside, outside = mask_distances(mask.astype(np.float32) / 255.0 > 0.5)
    record = json.loads(path.read_text(encoding="utf-8"))
    return Sample(
        image=np.asarray(image),
        mask=np.asarray(mask),
        distance=inside - outside,
        valid=_inside_source(record, image_size),
        features=_read_features(path) if features else None,
        truth={key: record[key] for key in TRUTH_KEYS if key in record},
    )


@dataclass(frozen=True)
class SampleCache:
    """Decoded samples of one data set, kept in memory until they fill `gigabytes`; safe among threads.

    What is kept stays: where every epoch takes every sample once, dropping one for another gains nothing.
    """

    gigabytes: float
    kept: dict[tuple[Path, int, bool], Sample] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, path: Path, *, image_size: int, features: bool) -> Sample:
        """`read_sample`, or what it gave before."""
        key = (path, image_size, features)
        sample = self.kept.get(key)
        if sample is None:
            sample = read_sample(path, image_size=image_size, features=features)
            with self.lock:
                if (len(self.kept) + 1) * sample.bytes <= self.gigabytes * 1e9:
                    self.kept[key] = sample
        return sample


def _read_features(path: Path) -> Float16[np.ndarray, "channels rows columns"]:
    file = path.with_name(f"{path.stem}_features.npz")
    try:
        with np.load(file) as arrays:
            features: np.ndarray = arrays["features"].astype(np.float16, casting="same_kind", copy=False)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        raise InputError(f"{file}: no features can be read; farm3d-synth makes them with the set") from None
    return features


def _inside_source(record: Mapping[str, Any], size: int) -> Bool[np.ndarray, "size size"]:
    """The pixels of a crop whose middle lies inside the picture that it was cut from."""
    if "source_size" not in record:
        return np.ones((size, size), dtype=bool)
    x, y, width, height = record["crop_box"]
    middles = (np.arange(size) + 0.5) / size
    columns, rows = x + middles * width, y + middles * height
    inside_columns = (columns >= 0.0) & (columns <= record["source_size"][0])
    inside_rows = (rows >= 0.0) & (rows <= record["source_size"][1])
    return np.outer(inside_rows, inside_columns)

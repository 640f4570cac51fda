"""Annotated keypoints of animals, and those of a data set that farm3d-synth wrote."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from farm3d.data.image_folder import ImageDataSet
from farm3d.data.transforms import CropBox
from farm3d.errors import InputError
from farm3d.io.image import read_mask
from farm3d.io.inputs import mask_beside


@dataclass(frozen=True)
class AnnotatedAnimal:
    """One animal in one image, in the image's pixels (a pixel covers one unit, 0 is its left edge).

    `box` is (x, y, width, height) of the annotated box. `mask` is the animal's where the annotations hold
    one. `view` is the square that the model is shown where that is known, else it is cut about the mask.
    """

    name: str
    image: Path
    box: CropBox
    keypoints: Float[np.ndarray, "keypoints 2"]
    visible: Bool[np.ndarray, " keypoints"]
    mask: Bool[np.ndarray, "height width"] | None = None
    view: CropBox | None = None


@dataclass(frozen=True)
class KeypointAnnotations:
    """The animals of one set; `names` are the keypoints', in the order of every animal's arrays."""

    names: tuple[str, ...]
    animals: tuple[AnnotatedAnimal, ...]


def data_set_annotations(data: ImageDataSet) -> KeypointAnnotations:
    """The keypoints of a procedural data set; boxes are the tight ones about the masks.

    Raises InputError naming the file and the field where one is missing or not as it should be.
    """
    names: tuple[str, ...] | None = None
    animals = []
    for path in data.samples:
        record = read_json(path)
        keypoints = field(record, "keypoints", path)
        if not isinstance(keypoints, dict) or not keypoints:
            raise InputError(f"{path}: keypoints: not a mapping of names to [x, y, visible]")
        names = names or tuple(sorted(keypoints))
        if tuple(sorted(keypoints)) != names:
            raise InputError(f"{path}: keypoints: names differ from those of {data.samples[0]}")
        triplets = as_triplets([keypoints[name] for name in names], path, "keypoints")
        mask = _mask_of(path)
        size = float(mask.shape[0])
        animals.append(
            AnnotatedAnimal(
                name=path.stem,
                image=path.with_suffix(".jpg"),
                box=tight_box(mask),
                keypoints=triplets[:, :2],
                visible=triplets[:, 2] > 0,
                view=(0.0, 0.0, size, size),
            )
        )
    assert names is not None
    return KeypointAnnotations(names, tuple(animals))


def tight_box(mask: Bool[np.ndarray, "height width"]) -> CropBox:
    """x, y, width and height (pixels) of the smallest box that holds the mask, which must not be empty."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    x, y = float(columns[0]), float(rows[0])
    return x, y, float(columns[-1] + 1) - x, float(rows[-1] + 1) - y


def read_json(path: Path) -> Any:
    """The values of a JSON file; raises InputError where it cannot be read or is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InputError(f"{path}: not valid JSON") from None


def field(record: Any, name: str, where: Path | str) -> Any:
    """The entry `name` of a JSON object; raises InputError that says where it is missing."""
    if not isinstance(record, dict) or name not in record:
        raise InputError(f"{where}: {name}: missing")
    return record[name]


def as_triplets(values: Sequence[Any], where: Path | str, name: str) -> Float[np.ndarray, "keypoints 3"]:
    """Rows of x, y and a visibility flag; raises InputError where they are something else."""
    try:
        triplets = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        triplets = np.zeros(0)
    if triplets.ndim != 2 or triplets.shape[1] != 3 or not np.isfinite(triplets).all():
        raise InputError(f"{where}: {name}: not rows of three numbers x, y, visible")
    return triplets


def _mask_of(path: Path) -> Bool[np.ndarray, "height width"]:
    file = mask_beside(path)
    if file is None:
        raise InputError(f"{path}: no {path.stem}_mask.png beside it; make the shard again")
    mask = read_mask(file)
    if not mask.any():
        raise InputError(f"{file}: the mask is empty")
    return mask

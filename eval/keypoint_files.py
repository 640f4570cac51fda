"""Keypoint annotations in other people's formats: COCO-style JSON, and the .mat files of A-CSM."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from farm3d.data.transforms import CropBox
from farm3d.errors import InputError

from .keypoint_annotations import AnnotatedAnimal, KeypointAnnotations, as_triplets, field, read_json

HALF_PIXEL = 0.5
"""From the index of a pixel, as these files give keypoints, to the place of its centre."""


def read_annotations(file: Path, images: Path, *, category: str | None = None) -> KeypointAnnotations:
    """The keypoints of a COCO-style JSON file or of A-CSM's .mat file, with pictures in the folder `images`.

    `category` keeps the annotations of one category of a COCO-style file. Raises InputError naming the
    file and the field where something is missing or not as it should be.
    """
    if file.suffix.lower() == ".json":
        return read_coco(file, images, category=category)
    if file.suffix.lower() == ".mat":
        return read_acsm(file, images)
    raise InputError(f"{file}: give a .json file (COCO, AP-10K, Animal-Pose) or a .mat file (A-CSM)")


def read_coco(file: Path, images: Path, *, category: str | None = None) -> KeypointAnnotations:
    """COCO-style keypoints as of AP-10K, and Animal-Pose's own keypoints.json.

    In COCO's format `images` is a list, boxes are x, y, width, height, and a keypoint is visible where its
    flag is 2 (1 is annotated but hidden). In Animal-Pose's own file `images` maps ids to file names, boxes
    are two corners, and visible keypoints have flag 1. An animal is called after its image's file, with
    `_<annotation's id or number>` behind it where the image shows several.
    """
    record = read_json(file)
    listed = field(record, "images", file)
    own_format = isinstance(listed, Mapping)
    files = _image_files(listed, file)
    categories = _keypoint_names(field(record, "categories", file), file, category)
    kept = [
        (number, annotation)
        for number, annotation in enumerate(field(record, "annotations", file))
        if _category_of(annotation, categories, f"{file}: annotations[{number}]") in categories
    ]
    if not kept:
        raise InputError(f"{file}: annotations: none{f' of the category {category}' if category else ''}")
    names = _common_names([categories[_category_of(entry, categories, file)] for _, entry in kept], file)
    occurrences = Counter(str(field(entry, "image_id", file)) for _, entry in kept)
    animals = []
    for number, annotation in kept:
        where = f"{file}: annotations[{number}]"
        image_id = str(annotation["image_id"])
        if image_id not in files:
            raise InputError(f"{where}: image_id: no image {image_id} in the file")
        stem = Path(files[image_id]).stem
        triplets = _keypoints(field(annotation, "keypoints", where), len(names), where)
        animals.append(
            AnnotatedAnimal(
                name=stem if occurrences[image_id] == 1 else f"{stem}_{annotation.get('id', number)}",
                image=images / files[image_id],
                box=_box(field(annotation, "bbox", where), where, corners=own_format),
                keypoints=triplets[:, :2] + HALF_PIXEL,
                visible=triplets[:, 2] == (1 if own_format else 2),
            )
        )
    return _without_doubles(KeypointAnnotations(names, tuple(animals)), file)


def read_acsm(file: Path, images: Path) -> KeypointAnnotations:
    """The PASCAL annotations of A-CSM: `<class>_val.mat`, names from `<class>_kps.mat` beside it.

    Fields of each entry of `images`: `rel_path`, `voc_rec_id`, `bbox` (`x1`, `y1`, `x2`, `y2`), `parts`
    (rows x, y, visible; NaN where not annotated) and `mask`, pixels counted from 1. Width and height of the
    box are `x2 - x1` and `y2 - y1`, as the public evaluation has them. An animal is called
    `<file's stem>_<voc_rec_id>`.
    """
    entries = np.atleast_1d(_loaded(file, "images"))
    names = _acsm_names(file)
    animals = []
    for number, entry in enumerate(entries):
        where = f"{file}: images[{number}]"
        relative = str(_attribute(entry, "rel_path", where))
        parts = np.asarray(_attribute(entry, "parts", where), dtype=np.float64)
        if parts.ndim != 2 or parts.shape[0] != 3 or parts.shape[1] != len(names):
            raise InputError(f"{where}: parts: {parts.shape}, not 3 x {len(names)} as {names[0]}, ... need")
        visible = np.isfinite(parts).all(axis=0) & (parts[2] > 0)
        box = _attribute(entry, "bbox", where)
        corners = [float(_attribute(box, corner, f"{where}: bbox")) for corner in ("x1", "y1", "x2", "y2")]
        animals.append(
            AnnotatedAnimal(
                name=f"{Path(relative).stem}_{_attribute(entry, 'voc_rec_id', where)}",
                image=images / relative,
                box=_box([value - 1.0 for value in corners], where, corners=True),
                keypoints=np.where(visible, parts[:2], 0.0).T - 1.0 + HALF_PIXEL,
                visible=visible,
                mask=np.asarray(_attribute(entry, "mask", where)) > 0,
            )
        )
    return _without_doubles(KeypointAnnotations(names, tuple(animals)), file)


def _image_files(listed: Any, file: Path) -> dict[str, str]:
    if isinstance(listed, Mapping):
        return {str(key): str(name) for key, name in listed.items()}
    return {str(field(entry, "id", file)): str(field(entry, "file_name", file)) for entry in listed}


def _keypoint_names(listed: Any, file: Path, category: str | None) -> dict[str, tuple[str, ...]]:
    """The keypoints' names of each category's id, or of the one category that is asked for."""
    found = {
        str(field(entry, "id", file)): tuple(
            str(name) for name in field(entry, "keypoints", f"{file}: categories")
        )
        for entry in listed
        if category is None or entry.get("name") == category
    }
    if not found:
        known = ", ".join(str(entry.get("name")) for entry in listed)
        raise InputError(f"{file}: categories: no {category}; there are {known or 'none'}")
    return found


def _category_of(annotation: Any, categories: Mapping[str, Any], where: Path | str) -> str:
    """The id of an annotation's category; files of a single category need not name it."""
    if isinstance(annotation, Mapping) and "category_id" not in annotation and len(categories) == 1:
        return next(iter(categories))
    return str(field(annotation, "category_id", where))


def _common_names(found: list[tuple[str, ...]], file: Path) -> tuple[str, ...]:
    if len(set(found)) > 1:
        raise InputError(f"{file}: categories: keypoints differ between them; choose one with --annotated")
    return found[0]


def _keypoints(values: Any, count: int, where: str) -> np.ndarray:
    """Flat triplets, or rows of three."""
    rows = values
    if isinstance(values, list) and values and not isinstance(values[0], list):
        rows = [values[start : start + 3] for start in range(0, len(values), 3)]
    triplets = as_triplets(rows, where, "keypoints")
    if len(triplets) != count:
        raise InputError(f"{where}: keypoints: {len(triplets)}, not {count} as its category has")
    return triplets


def _box(values: Any, where: str, *, corners: bool) -> CropBox:
    """x, y, width, height from that or from two corners."""
    try:
        x, y, right, bottom = (float(value) for value in values)
    except (TypeError, ValueError):
        raise InputError(f"{where}: bbox: not four numbers") from None
    width, height = (right - x, bottom - y) if corners else (right, bottom)
    if not (width > 0 and height > 0):
        raise InputError(f"{where}: bbox: width {width} and height {height}, not both positive")
    return x, y, width, height


def _loaded(file: Path, name: str) -> Any:
    """One variable of a MATLAB file of version 7.2 or before."""
    if not file.is_file():
        raise InputError(f"{file}: no such file")
    try:
        contents = loadmat(file, struct_as_record=False, squeeze_me=True)
    except (MatReadError, ValueError, TypeError, NotImplementedError, OSError):
        raise InputError(f"{file}: not a MATLAB file of version 7.2 or before") from None
    if name not in contents:
        raise InputError(f"{file}: {name}: missing")
    return contents[name]


def _acsm_names(file: Path) -> tuple[str, ...]:
    """`kp_names` of `<class>_kps.mat` beside `<class>_<split>.mat`."""
    beside = file.with_name(f"{file.stem.rsplit('_', 1)[0]}_kps.mat")
    return tuple(str(name).strip() for name in np.atleast_1d(_loaded(beside, "kp_names")))


def _attribute(entry: Any, name: str, where: str) -> Any:
    if not hasattr(entry, name):
        raise InputError(f"{where}: {name}: missing")
    return getattr(entry, name)


def _without_doubles(annotations: KeypointAnnotations, file: Path) -> KeypointAnnotations:
    """Predictions are found by name, so no two animals may have one name."""
    counts = Counter(animal.name for animal in annotations.animals)
    doubles = [name for name, count in counts.items() if count > 1]
    if doubles:
        raise InputError(f"{file}: {counts[doubles[0]]} animals are called {doubles[0]}; names must differ")
    return annotations

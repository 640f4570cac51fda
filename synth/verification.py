"""`farm3d-synth verify`: every file of a data set is there, whole, readable and of the right size."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from farm3d.data.image_folder import read_description
from farm3d.errors import Farm3DError, InputError

from .feature_pca import CHANNELS, FEATURES_FILE, GRID, read_feature_pca
from .filtering import REASONS
from .processes import Progress
from .samples import REJECTED, features_file, image_file, mask_file, read_record, sample_files
from .set_folder import DESCRIPTION_FILE, FORMAT_VERSION, RESULTS, shard_name, shard_numbers, shard_pictures

SETTING_KEYS = ("generator", "category", "count", "size", "shard_size")
FARM_KEYS = ("individual", "prompt", "crop_box", "score", "camera", "light", "pose", "keypoints")
PICTURE_KEYS = ("crop_box", "hash", "score", "source_size", "mask_source", "measures", "warnings")
INDIVIDUAL_ARRAYS = {
    "rest_vertices": 2,
    "faces": 2,
    "skinning_indices": 2,
    "skinning_weights": 2,
    "rest_joints": 3,
    "parents": 1,
    "names": 1,
    "canonical": 2,
}
"""What an individual's file holds, with the number of dimensions."""


ENDS = {".jpg": b"\xff\xd9", ".png": b"IEND\xaeB`\x82"}
"""How whole files of these formats end."""


@dataclass(frozen=True)
class _Set:
    """A data set's folder and settings, as the checks need them."""

    folder: Path
    description: Mapping[str, Any]

    @property
    def is_farm(self) -> bool:
        return _is_farm(self.description)

    @property
    def has_features(self) -> bool:
        return self.description.get("feature_space") is not None

    @property
    def shards(self) -> range:
        return shard_numbers(self.description["count"], self.description["shard_size"])


@dataclass
class _Seen:
    """What the pictures read so far add up to: kept and rejected by reason, and the farm's animals."""

    counts: Counter[str] = field(default_factory=Counter)
    individuals: set[int] = field(default_factory=set)


def verify(folder: Path, progress: Progress) -> Iterator[str]:
    """One line for everything that is wrong with a data set, found while it is read picture by picture.

    `progress` is told the pictures done. Raises InputError where the folder holds no data set.
    """
    description = read_description(folder)
    if description.get("format_version") != FORMAT_VERSION:
        found = description.get("format_version")
        yield f"{folder / DESCRIPTION_FILE}: format_version {found}, this version checks {FORMAT_VERSION}"
        return
    counted = ("count", "size", "shard_size", *(["individuals"] if _is_farm(description) else []))
    wrong = [key for key in SETTING_KEYS if key not in description]
    wrong += [key for key in counted if not isinstance(description.get(key), int) or description[key] < 1]
    if wrong:
        yield f"{folder / DESCRIPTION_FILE}: lacks {', '.join(dict.fromkeys(wrong))}"
        return
    data = _Set(folder, description)
    if not isinstance(description.get(RESULTS), dict):
        yield f"{folder}: not finished; run the same farm3d-synth command again"
    yield from _top_level(data)
    seen = _Seen()
    for shard in data.shards:
        yield from _shard(data, shard, seen, progress=progress)
    if data.is_farm:
        yield from _individuals(data, seen.individuals)
    elif data.has_features:
        yield from _feature_space(data)
    if isinstance(description.get(RESULTS), dict):
        yield from _results(data, seen.counts)


def _top_level(data: _Set) -> Iterator[str]:
    """Nothing but what belongs there: no leftovers of a killed run, no foreign files."""
    expected = {DESCRIPTION_FILE, REJECTED, *(shard_name(shard) for shard in data.shards)}
    if data.is_farm:
        expected |= {"canonical.npz", "individuals"}
    elif data.has_features:
        expected |= {FEATURES_FILE}
    optional = {REJECTED}
    found = {path.name for path in data.folder.iterdir()}
    yield from (f"{data.folder / name}: does not belong to the set" for name in sorted(found - expected))
    yield from (f"{data.folder / name}: missing" for name in sorted(expected - optional - found))
    if REJECTED in found:
        rejected = {path.name for path in (data.folder / REJECTED).iterdir()}
        for name in sorted(rejected - {shard_name(shard) for shard in data.shards}):
            yield f"{data.folder / REJECTED / name}: does not belong to the set"


def _individuals(data: _Set, occurring: set[int]) -> Iterator[str]:
    """The truth about the species and about every animal that a picture shows."""
    files = [data.folder / "individuals" / f"{number}.npz" for number in sorted(occurring)]
    for file in (data.folder / "canonical.npz", *files):
        try:
            with np.load(file) as arrays:
                for name, dimensions in INDIVIDUAL_ARRAYS.items():
                    array = arrays[name]
                    if array.ndim != dimensions or not len(array):
                        yield f"{file}: {name} has the shape {array.shape}"
                    elif array.dtype.kind == "f" and not np.isfinite(array).all():
                        yield f"{file}: {name} is not finite"
        except (OSError, ValueError, KeyError, EOFError) as error:
            yield f"{file}: cannot be read ({error})"


def _shard(data: _Set, shard: int, seen: _Seen, *, progress: Progress) -> Iterator[str]:
    """All pictures of one shard, each either kept or rejected."""
    folders = data.folder / shard_name(shard), data.folder / REJECTED / shard_name(shard)
    kept, rejected = ({path.stem for path in folder.glob("*.json")} for folder in folders)
    expected = {
        file.name for stem in kept for file in sample_files(folders[0] / stem, features=data.has_features)
    }
    yield from _foreign(folders[0], expected)
    allowed = {name for stem in rejected for name in (f"{stem}.json", f"{stem}.jpg", f"{stem}_mask.png")}
    yield from _foreign(folders[1], allowed)
    numbers = shard_pictures(shard, data.description["count"], data.description["shard_size"])
    by_number = Counter(_number(stem) for stem in (*kept, *rejected))
    for number in numbers:
        if by_number[number] != 1:
            yield f"{folders[0]}: picture {number} is there {by_number[number]} times, kept and rejected"
    for stem in sorted(kept):
        yield from _sample(folders[0] / stem, data, seen)
        progress(1)
    for stem in sorted(rejected):
        yield from _rejected(folders[1] / stem, seen.counts)
        progress(1)
    seen.counts["kept"] += len(kept)


def _foreign(folder: Path, expected: set[str]) -> Iterator[str]:
    if folder.is_dir():
        for name in sorted({path.name for path in folder.iterdir()} - expected):
            yield f"{folder / name}: does not belong to the set"


def _sample(stem: Path, data: _Set, seen: _Seen) -> Iterator[str]:
    """One kept picture: record, picture, mask, features."""
    size = data.description["size"]
    try:
        record = read_record(stem.with_name(f"{stem.name}.json"))
    except InputError as error:
        yield str(error)
        return
    missing = [key for key in (FARM_KEYS if data.is_farm else PICTURE_KEYS) if key not in record]
    if missing or record.get("id") != stem.name:
        yield f"{stem}.json: lacks {', '.join(missing) or f'the id {stem.name}'}"
    elif len(record["crop_box"]) != 4 or not all(math.isfinite(value) for value in record["crop_box"]):
        yield f"{stem}.json: crop_box {record['crop_box']} is no box"
    elif data.is_farm:
        seen.individuals.add(record["individual"])
    image = _whole_image(image_file(stem))
    if image is None or image.shape != (size, size, 3):
        yield f"{image_file(stem)}: {_found(image)} in place of a colour picture of {size} x {size}"
    mask = _whole_image(mask_file(stem))
    if mask is None or mask.shape != (size, size):
        yield f"{mask_file(stem)}: {_found(mask)} in place of a mask of {size} x {size}"
    elif not np.isin(mask, (0, 255)).all() or not mask.any():
        yield f"{mask_file(stem)}: holds values other than 0 and 255, or no animal"
    if data.has_features:
        yield from _features(features_file(stem))


def _feature_space(data: _Set) -> Iterator[str]:
    """The projection is the one that dataset.yaml names."""
    said = data.description["feature_space"]
    try:
        found = read_feature_pca(data.folder / FEATURES_FILE).name
    except Farm3DError as error:
        yield str(error)
        return
    if found != said:
        yield f"{data.folder / FEATURES_FILE}: the feature space {found}, {DESCRIPTION_FILE} says {said}"


def _features(file: Path) -> Iterator[str]:
    try:
        with np.load(file) as arrays:
            features = arrays["features"]
    except (OSError, ValueError, KeyError, EOFError) as error:
        yield f"{file}: cannot be read ({error})"
        return
    shape = (CHANNELS, GRID, GRID)
    if features.shape != shape or features.dtype != np.float16:
        yield f"{file}: {features.dtype} {features.shape} in place of float16 {shape}"
    elif not np.isfinite(features).all():
        yield f"{file}: not finite"


def _rejected(stem: Path, counts: Counter[str]) -> Iterator[str]:
    """One rejected picture: a reason, and the picture unless it could not be read."""
    try:
        reason = read_record(stem.with_name(f"{stem.name}.json")).get("reason")
    except InputError as error:
        yield str(error)
        return
    counts[str(reason)] += 1
    if reason not in REASONS:
        yield f"{stem}.json: {reason!r} is no reason to reject"
    elif reason != "unreadable" and _whole_image(image_file(stem)) is None:
        yield f"{image_file(stem)}: missing or unreadable"


def _results(data: _Set, counts: Counter[str]) -> Iterator[str]:
    results = data.description[RESULTS]
    said = {"kept": results.get("kept", 0), **results.get("rejected", {})}
    for name in sorted({*said, *counts}):
        number = said.get(name, 0)
        if number != counts[name]:
            yield f"{data.folder / DESCRIPTION_FILE}: says {number} {name}, there are {counts[name]}"


def _is_farm(description: Mapping[str, Any]) -> bool:
    return description.get("generator") == "procedural"


def _whole_image(file: Path) -> np.ndarray | None:
    """The pixels of a JPEG or PNG file; `None` where it is missing, no image, or cut short.

    Decoders fill what is missing with grey, so the end marker is looked for.
    """
    data = file.read_bytes() if file.is_file() else b""
    if not data.endswith(ENDS[file.suffix]):
        return None
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def _number(stem: str) -> int:
    digits = stem.rpartition("_")[2]
    return int(digits) if digits.isdecimal() else -1


def _found(image: np.ndarray | None) -> str:
    return "nothing readable" if image is None else "x".join(map(str, image.shape))

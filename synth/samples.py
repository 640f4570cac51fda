"""The files of one sample, and what all samples of a data set add up to (docs/data_sets.md)."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float16, UInt8

from farm3d.errors import InputError

REJECTED = "rejected"
"""The folder of the rejected pictures, in shards of the same names."""

JPEG_QUALITY = 92
LISTED_PROMPTS = 200
"""How many prompts dataset.yaml lists, those drawn most often; every sample's JSON has its own."""

Record = Mapping[str, Any]


@dataclass(frozen=True)
class SampleFiles:
    """What is written of one picture; a rejected one may lack its picture and its mask."""

    identifier: str
    image: UInt8[np.ndarray, "height width 3"] | None
    mask: UInt8[np.ndarray, "height width"] | None
    record: Record
    features: Float16[np.ndarray, "channels rows columns"] | None = None
    jpeg_quality: int = JPEG_QUALITY


def write_sample(folder: Path, sample: SampleFiles) -> None:
    """Write a sample's picture, mask, features and record into an existing folder.

    What is encoded is encoded in memory, so that a full disk is an OSError and not a silent stub.
    """
    stem = folder / sample.identifier
    if sample.image is not None:
        bgr = cv2.cvtColor(sample.image, cv2.COLOR_RGB2BGR)
        _write_encoded(image_file(stem), bgr, [cv2.IMWRITE_JPEG_QUALITY, sample.jpeg_quality])
    if sample.mask is not None:
        _write_encoded(mask_file(stem), sample.mask, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if sample.features is not None:
        write_features(stem, sample.features)
    record = json.dumps(sample.record, sort_keys=True, ensure_ascii=False, allow_nan=False)
    record_file(stem).write_text(record, encoding="utf-8")


def write_features(stem: Path, features: Float16[np.ndarray, "channels rows columns"]) -> None:
    """Write the features of the sample whose files are called `stem`."""
    with features_file(stem).open("wb") as stream:
        np.savez_compressed(stream, features=features)


def sample_files(stem: Path, *, features: bool = True) -> list[Path]:
    """The files of a sample."""
    files = [record_file(stem), image_file(stem), mask_file(stem)]
    return [*files, features_file(stem)] if features else files


def image_file(stem: Path) -> Path:
    """Where the picture of a sample is."""
    return stem.with_name(f"{stem.name}.jpg")


def mask_file(stem: Path) -> Path:
    """Where the mask of a sample is."""
    return stem.with_name(f"{stem.name}_mask.png")


def features_file(stem: Path) -> Path:
    """Where the features of a sample are."""
    return stem.with_name(f"{stem.name}_features.npz")


def record_file(stem: Path) -> Path:
    """Where everything else that is known of a sample is."""
    return stem.with_name(f"{stem.name}.json")


def read_record(file: Path) -> dict[str, Any]:
    """A sample's record; raises InputError where the file holds none."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: not a sample's record ({error})") from None
    if not isinstance(record, dict):
        raise InputError(f"{file}: not a sample's record")
    return record


def records(folder: Path) -> Iterator[dict[str, Any]]:
    """The records of all shards in `folder`, in the order of the pictures' numbers, one at a time."""
    for shard in sorted(folder.glob("shard_*")):
        for file in sorted(shard.glob("*.json")):
            yield read_record(file)


def results(out: Path) -> dict[str, Any]:
    """What dataset.yaml says of a finished data set: pictures kept, rejected by reason, rates per prompt."""
    reasons: Counter[str] = Counter()
    drawn: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for record in records(out):
        drawn[record.get("prompt") or ""] += 1
        kept[record.get("prompt") or ""] += 1
    for record in records(out / REJECTED):
        drawn[record.get("prompt") or ""] += 1
        reasons[record["reason"]] += 1
    prompts = sorted((prompt for prompt in drawn if prompt), key=lambda prompt: (-drawn[prompt], prompt))
    return {
        "kept": kept.total(),
        "rejected": dict(sorted(reasons.items())),
        "prompts": [
            {"prompt": prompt, "drawn": drawn[prompt], "kept": kept[prompt]}
            for prompt in prompts[:LISTED_PROMPTS]
        ],
    }


def _write_encoded(path: Path, image: np.ndarray, options: list[int]) -> None:
    done, encoded = cv2.imencode(path.suffix, image, options)
    if not done:
        raise InputError(f"cannot encode {path}")
    path.write_bytes(encoded.tobytes())

"""Data sets on disk: numbered shards that appear only when complete, so that a killed run resumes.

The format is that of docs/data_sets.md: dataset.yaml, canonical.npz (the species' mean animal),
individuals/<k>.npz, and shard_00000/ with <id>.jpg, <id>_mask.png, <id>_features.npz and <id>.json a sample.
"""

import io
import json
import math
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numba
import numpy as np
import torch
import yaml

import farm3d
from farm3d.errors import ConfigError, InputError
from farm3d.geometry.camera import FIELD_OF_VIEW
from farm3d.io.atomic import replacing_folder, write_bytes_atomically

from .procedural.anatomy import Species
from .procedural.features import feature_mixture
from .procedural.images import Animal, Sample, Shot, draw, random_animal, random_shot
from .procedural.quadruped import Individual, mean_individual
from .procedural.species import species_of

FORMAT_VERSION = 1
BATCH = 8
"""Pictures of one animal that are drawn together."""

Progress = Callable[[int], None]


@dataclass(frozen=True)
class FarmSettings:
    """Everything on which the contents of a procedural data set depend."""

    category: str
    count: int
    size: int
    seed: int
    individuals: int
    shard_size: int = 256


def default_individuals(count: int) -> int:
    """How many animals a data set of `count` pictures shows unless told otherwise."""
    return max(8, min(64, count // 50))


def write_farm(settings: FarmSettings, out: Path, progress: Progress) -> None:
    """Write a procedural data set to the folder `out`, or finish one that was begun with the same settings.

    `progress` is told the number of samples done after each step. Raises ConfigError where `out` holds
    a data set with other settings or the category is unknown, InputError where it holds something else.
    """
    species = species_of(settings.category)
    _claim(out, _description(settings))
    _remove_leftovers(out)
    with _single_threaded():
        _write_contents(settings, species, out=out, progress=progress)


def _write_contents(settings: FarmSettings, species: Species, *, out: Path, progress: Progress) -> None:
    mixture = feature_mixture(settings.seed)
    animals = [
        random_animal(species, number, seed=settings.seed, mixture=mixture)
        for number in range(settings.individuals)
    ]
    if not (out / "canonical.npz").exists():
        write_bytes_atomically(out / "canonical.npz", _individual_bytes(mean_individual(species)))
    if not (out / "individuals").exists():
        with replacing_folder(out / "individuals") as folder:
            for animal in animals:
                (folder / f"{animal.number}.npz").write_bytes(_individual_bytes(animal.shape))
    for start in range(0, settings.count, settings.shard_size):
        numbers = range(start, min(settings.count, start + settings.shard_size))
        shard = out / f"shard_{start // settings.shard_size:05d}"
        if shard.exists():
            progress(len(numbers))
            continue
        with replacing_folder(shard) as folder:
            for sample in _draw_shard(settings, numbers, animals):
                _write_sample(folder, sample)
                progress(1)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """One thread: threads that wait for each other over small arrays cost more than they bring, and the
    bytes must not depend on the number of cores."""
    before = torch.get_num_threads(), numba.get_num_threads()
    torch.set_num_threads(1)
    numba.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        numba.set_num_threads(before[1])


def _draw_shard(settings: FarmSettings, numbers: range, animals: list[Animal]) -> Iterator[Sample]:
    """The samples of one shard, those of one animal together; each depends on its own number alone."""
    shots: dict[int, list[Shot]] = {}
    for number in numbers:
        generator = np.random.default_rng([settings.seed, 1, number])
        animal = animals[int(generator.integers(len(animals)))]
        identifier = f"{settings.category}_{number:06d}"
        shot = random_shot(animal, identifier, generator, seed=settings.seed)
        shots.setdefault(animal.number, []).append(shot)
    for owner, batch in sorted(shots.items()):
        for first in range(0, len(batch), BATCH):
            yield from draw(animals[owner], batch[first : first + BATCH], settings.size)


def _description(settings: FarmSettings) -> dict[str, object]:
    """The contents of dataset.yaml."""
    return {
        "format_version": FORMAT_VERSION,
        "farm3d_version": farm3d.__version__,
        "generator": "procedural",
        "model": None,
        **asdict(settings),
        "prompts": [f"{settings.category}, {word} view" for word in ("front", "side", "back")],
        "feature_space": f"procedural-{settings.seed}",
        "field_of_view_degrees": round(math.degrees(FIELD_OF_VIEW), 6),
        "rejected": 0,
    }


def _claim(out: Path, description: dict[str, object]) -> None:
    """Make `out` a data set with this description, or check that it already is one."""
    file = out / "dataset.yaml"
    if file.is_file():
        try:
            found = yaml.safe_load(file.read_text())
        except (yaml.YAMLError, UnicodeDecodeError):
            raise ConfigError(f"{file} is not valid YAML; give another --out or remove it") from None
        other = [
            key
            for key, value in description.items()
            if not isinstance(found, dict) or found.get(key) != value
        ]
        if other:
            was = found.get(other[0]) if isinstance(found, dict) else None
            raise ConfigError(
                f"{out} already holds a data set with {other[0]} {was}, not {description[other[0]]}; "
                "give another --out or remove it"
            )
        return
    if out.is_dir() and any(not path.name.endswith(".part") for path in out.iterdir()):
        raise InputError(f"{out} is not empty and holds no dataset.yaml; give another --out")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; --out must be a folder")
    write_bytes_atomically(file, yaml.safe_dump(description, sort_keys=False).encode())


def _write_once(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file aside and give it its name when it is complete, unless it is there."""
    if path.exists():
        return
    aside = _aside(path)
    try:
        write(aside)
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def _remove_leftovers(out: Path) -> None:
    """Remove what a killed run was writing aside (farm3d.io.atomic names it .NAME.KEY.part)."""
    for leftover in out.glob(".*.part"):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink()


def _individual_bytes(individual: Individual) -> bytes:
    """The true rest mesh, skin and skeleton of one animal as a compressed npz file."""
    stream = io.BytesIO()
    np.savez_compressed(
        stream,
        rest_vertices=individual.vertices.numpy(),
        faces=individual.faces.numpy().astype(np.int32),
        skinning_indices=individual.skinning.indices.numpy().astype(np.int32),
        skinning_weights=individual.skinning.weights.numpy(),
        rest_joints=individual.skeleton.rest_joints.numpy(),
        parents=np.array(individual.skeleton.parents, dtype=np.int32),
        names=np.array(individual.skeleton.names),
        canonical=individual.canonical.numpy(),
    )
    return stream.getvalue()


def _write_sample(folder: Path, sample: Sample) -> None:
    stem = folder / sample.identifier
    bgr = cv2.cvtColor(sample.image, cv2.COLOR_RGB2BGR)
    _write_encoded(Path(f"{stem}.jpg"), bgr, [cv2.IMWRITE_JPEG_QUALITY, sample.jpeg_quality])
    _write_encoded(Path(f"{stem}_mask.png"), sample.mask, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    with Path(f"{stem}_features.npz").open("wb") as stream:
        np.savez_compressed(stream, features=sample.features)
    Path(f"{stem}.json").write_text(json.dumps(sample.truth, sort_keys=True))


def _write_encoded(path: Path, image: np.ndarray, options: list[int]) -> None:
    """Encode in memory and write the bytes, so that a full disk is an OSError and not a silent stub."""
    done, encoded = cv2.imencode(path.suffix, image, options)
    if not done:
        raise InputError(f"cannot encode {path}")
    path.write_bytes(encoded.tobytes())

"""Procedural data sets on disk: numbered shards that appear only when complete, so that a killed run resumes.

The format is that of docs/data_sets.md: dataset.yaml, canonical.npz (the species' mean animal),
individuals/<k>.npz, and shard_00000/ with <id>.jpg, <id>_mask.png, <id>_features.npz and <id>.json a sample.
"""

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

import farm3d
from farm3d.io.atomic import replacing_folder, write_bytes_atomically

from .procedural.features import feature_mixture
from .procedural.images import Animal, Sample, draw, random_animal, random_shot
from .procedural.quadruped import Individual, mean_individual
from .procedural.species import species_of
from .processes import Progress, Team, run_tasks, wait_until
from .samples import SampleFiles, results, write_sample
from .set_folder import (
    DESCRIPTION_FILE,
    FORMAT_VERSION,
    SHARD_SIZE,
    claim,
    finish,
    remove_leftovers,
    shard_name,
    shard_numbers,
    shard_pictures,
)
from .threads import single_threaded


@dataclass(frozen=True)
class FarmSettings:
    """Everything on which the contents of a procedural data set depend."""

    category: str
    count: int
    size: int
    seed: int
    individuals: int
    shard_size: int = SHARD_SIZE


ALONE = Team()


def default_individuals(count: int) -> int:
    """How many animals a data set of `count` pictures shows unless told otherwise."""
    return max(8, min(64, count // 50))


def write_farm(settings: FarmSettings, out: Path, progress: Progress, *, team: Team = ALONE) -> None:
    """Write a procedural data set to the folder `out`, or finish one that was begun with the same settings.

    `progress` is told the number of samples done after each step. Each rank of `team` makes its shards;
    rank 0 the rest, and it returns when everything is there. Raises ConfigError where `out` holds a data
    set with other settings or the category is unknown, InputError where it holds something else.
    """
    species_of(settings.category)
    description = _description(settings)
    if claim(out, description, team):
        progress(settings.count)
        return
    shards = shard_numbers(settings.count, settings.shard_size)
    herd = range(-1, settings.individuals)
    work = [("animal", number) for number in herd] + [("shard", number) for number in shards]
    run_tasks(partial(_work, settings, out), team.share(work), workers=team.workers, progress=progress)
    if team.rank == 0:
        targets = [_animal_file(out, number) for number in herd] + [out / shard_name(k) for k in shards]
        wait_until(lambda: all(target.exists() for target in targets))
        remove_leftovers(out / DESCRIPTION_FILE)
        finish(out, description, results(out))


def _work(settings: FarmSettings, out: Path, item: tuple[str, int], progress: Progress) -> None:
    """One piece of the work, unless it is done: the truth about an animal, or a shard."""
    kind, number = item
    with single_threaded():
        if kind == "animal":
            _write_animal(settings, out, number)
        else:
            _write_shard(settings, out, number, progress)


def _animal_file(out: Path, number: int) -> Path:
    """Where the truth about an individual is; -1 is the mean of the species."""
    return out / "canonical.npz" if number < 0 else out / "individuals" / f"{number}.npz"


def _write_animal(settings: FarmSettings, out: Path, number: int) -> None:
    target = _animal_file(out, number)
    remove_leftovers(target)
    if not target.exists():
        species = species_of(settings.category)
        shape = mean_individual(species) if number < 0 else _animal(settings, number).shape
        write_bytes_atomically(target, _individual_bytes(shape))


def _write_shard(settings: FarmSettings, out: Path, shard: int, progress: Progress) -> None:
    numbers = shard_pictures(shard, settings.count, settings.shard_size)
    target = out / shard_name(shard)
    remove_leftovers(target)
    if target.exists():
        progress(len(numbers))
        return
    with replacing_folder(target) as folder:
        for sample in _draw_pictures(settings, numbers):
            files = SampleFiles(
                sample.identifier,
                sample.image,
                sample.mask,
                sample.truth,
                sample.features,
                sample.jpeg_quality,
            )
            write_sample(folder, files)
            progress(1)


def _draw_pictures(settings: FarmSettings, numbers: range) -> Iterator[Sample]:
    """The samples of these numbers; each depends on the settings and its own number alone."""
    for number in numbers:
        generator = np.random.default_rng([settings.seed, 1, number])
        animal = _animal(settings, int(generator.integers(settings.individuals)))
        identifier = f"{settings.category}_{number:06d}"
        shot = random_shot(animal, identifier, generator, seed=settings.seed)
        yield draw(animal, [shot], settings.size)[0]


@cache
def _animal(settings: FarmSettings, number: int) -> Animal:
    """An individual, made once in each process that draws it."""
    species, mixture = species_of(settings.category), feature_mixture(settings.seed)
    return random_animal(species, number, seed=settings.seed, mixture=mixture)


def _description(settings: FarmSettings) -> dict[str, object]:
    """The settings that dataset.yaml gives."""
    return {
        "format_version": FORMAT_VERSION,
        "farm3d_version": farm3d.__version__,
        "generator": "procedural",
        **asdict(settings),
        "feature_space": f"procedural-{settings.seed}",
    }


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

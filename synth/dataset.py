"""Procedural data sets on disk, made animal by animal, so that each is bred once and a killed run resumes.

The format is that of docs/data_sets.md: dataset.yaml, canonical.npz (the species' mean animal),
individuals/<k>.npz, and shard_00000/ with <id>.jpg, <id>_mask.png, <id>_features.npz and <id>.json a sample.
"""

import io
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

import farm3d
from farm3d.io.atomic import replacing_folder, write_bytes_atomically

from .procedural.features import feature_mixture
from .procedural.images import Animal, Sample, draw, random_animal, random_shot
from .procedural.quadruped import Individual, mean_individual
from .procedural.species import species_of
from .processes import Progress, Team, run_tasks, wait_until
from .samples import SampleFiles, results, sample_files, write_sample
from .set_folder import (
    DESCRIPTION_FILE,
    DRAFTS,
    FORMAT_VERSION,
    SHARD_SIZE,
    claim,
    finish,
    link_or_copy,
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


BATCH = 256
"""Pictures of one animal that are drawn together; a killed run draws those it was at again."""

ALONE = Team()


def default_individuals(count: int) -> int:
    """How many animals a data set of `count` pictures shows unless told otherwise."""
    return max(8, min(64, count // 50))


def write_farm(settings: FarmSettings, out: Path, progress: Progress, *, team: Team = ALONE) -> None:
    """Write a procedural data set to the folder `out`, or finish one that was begun with the same settings.

    `progress` is told the number of samples done after each step. Each rank of `team` draws its animals;
    rank 0 the rest, and it returns when everything is there. Raises ConfigError where `out` holds a data
    set with other settings or the category is unknown, InputError where it holds something else.
    """
    species_of(settings.category)
    description = _description(settings)
    if claim(out, description, team):
        progress(settings.count)
        return
    shards = [out / shard_name(shard) for shard in shard_numbers(settings.count, settings.shard_size)]
    herd = _herd(settings)
    if all(shard.is_dir() for shard in shards):
        progress(settings.count)
    else:
        task = partial(_draw_batch, settings=settings, out=out)
        run_tasks(task, team.share(herd), workers=team.workers, progress=progress)
    if team.rank == 0:
        _write_mean(settings, out)
        _assemble(settings, out, herd)
        finish(out, description, results(out))


@dataclass(frozen=True)
class _Batch:
    """Some pictures of one animal, which are drawn together."""

    animal: int
    part: int
    pictures: tuple[int, ...]

    def draft(self, out: Path) -> Path:
        """The folder in which they wait for the other animals'."""
        return out / DRAFTS / f"animal_{self.animal:05d}_{self.part:03d}"


def _herd(settings: FarmSettings) -> list[_Batch]:
    """All pictures, by animal."""
    pictures: dict[int, list[int]] = {}
    for number in range(settings.count):
        animal = int(_generator(settings, number).integers(settings.individuals))
        pictures.setdefault(animal, []).append(number)
    return [
        _Batch(animal, first // BATCH, tuple(numbers[first : first + BATCH]))
        for animal, numbers in sorted(pictures.items())
        for first in range(0, len(numbers), BATCH)
    ]


def _generator(settings: FarmSettings, number: int) -> np.random.Generator:
    """What decides everything about a picture: first, whose it is."""
    return np.random.default_rng([settings.seed, 1, number])


def _identifier(settings: FarmSettings, number: int) -> str:
    return f"{settings.category}_{number:06d}"


def _draw_batch(batch: _Batch, progress: Progress, *, settings: FarmSettings, out: Path) -> None:
    """Draw the pictures of a batch, unless they are there, and write down the truth about the animal."""
    target, individual = batch.draft(out), out / "individuals" / f"{batch.animal}.npz"
    remove_leftovers(target)
    if target.exists():
        progress(len(batch.pictures))
        return
    with single_threaded():
        animal = _animal(settings, batch.animal)
        if batch.part == 0:
            remove_leftovers(individual)
            write_bytes_atomically(individual, _individual_bytes(animal.shape))
        with replacing_folder(target) as folder:
            for number in batch.pictures:
                write_sample(folder, _sample_files(_draw_picture(settings, animal, number)))
                progress(1)


def _draw_picture(settings: FarmSettings, animal: Animal, number: int) -> Sample:
    """A picture depends on the settings and its own number alone."""
    generator = _generator(settings, number)
    generator.integers(settings.individuals)
    shot = random_shot(animal, _identifier(settings, number), generator, seed=settings.seed)
    return draw(animal, [shot], settings.size)[0]


def _sample_files(sample: Sample) -> SampleFiles:
    return SampleFiles(
        sample.identifier, sample.image, sample.mask, sample.truth, sample.features, sample.jpeg_quality
    )


@lru_cache(maxsize=1)
def _animal(settings: FarmSettings, number: int) -> Animal:
    """The animal at work; its batches follow each other."""
    species, mixture = species_of(settings.category), feature_mixture(settings.seed)
    return random_animal(species, number, seed=settings.seed, mixture=mixture)


def _write_mean(settings: FarmSettings, out: Path) -> None:
    target = out / "canonical.npz"
    remove_leftovers(target)
    if not target.exists():
        with single_threaded():
            mean = mean_individual(species_of(settings.category))
        write_bytes_atomically(target, _individual_bytes(mean))


def _assemble(settings: FarmSettings, out: Path, herd: Sequence[_Batch]) -> None:
    """Sort the pictures into shards by their numbers, when all are drawn."""
    places = {number: batch.draft(out) for batch in herd for number in batch.pictures}
    shards = shard_numbers(settings.count, settings.shard_size)
    if not all((out / shard_name(shard)).is_dir() for shard in shards):
        wait_until(lambda: all(batch.draft(out).is_dir() for batch in herd))
    for shard in shards:
        target = out / shard_name(shard)
        remove_leftovers(target)
        if not target.exists():
            with replacing_folder(target) as folder:
                for number in shard_pictures(shard, settings.count, settings.shard_size):
                    for file in sample_files(places[number] / _identifier(settings, number)):
                        link_or_copy(file, folder / file.name)
    remove_leftovers(out / DESCRIPTION_FILE)
    if (out / DRAFTS).exists():
        shutil.rmtree(out / DRAFTS)


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

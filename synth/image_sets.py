"""Data sets of pictures without truth, drawn or photographed, in three passes over numbered shards.

1. Draft: pictures are drawn or read, cut out, judged and cropped; shards in any order, by any process.
2. Settle: one process finds near-duplicates and fits the features' projection, in the order of the ids.
3. Complete: each draft becomes a shard with features, and its rejected pictures go to `rejected/`.

Every folder and file appears only when it is complete, so whatever was killed goes on where it stopped.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch

import farm3d
from farm3d.io.atomic import replacing_folder, write_bytes_atomically
from farm3d.pretrained.segmentation import MaskSource, make_segmenter

from .annotate import annotate
from .dino_features import FITTED_ON, FeatureChoice, fit_projection, sample_features
from .duplicates import find_duplicates
from .feature_pca import FEATURES_FILE, read_feature_pca
from .filtering import FilterConfig
from .processes import Progress, Team, run_tasks, wait_until
from .samples import (
    REJECTED,
    image_file,
    mask_file,
    read_record,
    record_file,
    records,
    results,
    write_features,
    write_sample,
)
from .set_folder import (
    DESCRIPTION_FILE,
    DRAFTS,
    FORMAT_VERSION,
    SHARD_SIZE,
    claim,
    finish,
    is_finished,
    link_or_copy,
    remove_leftovers,
    shard_name,
    shard_numbers,
    shard_pictures,
)
from .sources import PictureSource, file_hash
from .threads import single_threaded

SETTLED = "settled.json"
"""What the second pass finds for the third; gone when the set is finished."""

PASSES = ("draw and cut out", "settle", "features")
Stages = Callable[[str, int], Progress]
"""Is told a pass's name and its number of pictures, and gives what is told of the progress."""


@dataclass(frozen=True)
class SegmenterChoice:
    """What `--segmenter` says: who cuts out, with which weights, on which device."""

    name: str
    weights: Path | None
    device: torch.device


@dataclass(frozen=True)
class ImageSetSettings:
    """Everything but the pictures themselves on which a set's contents depend."""

    category: str
    size: int
    segmenter: SegmenterChoice
    filter: FilterConfig
    features: FeatureChoice | None = None
    shard_size: int = SHARD_SIZE


@dataclass(frozen=True)
class ImageSet:
    """A set that is being made: its settings, where its pictures come from, and its folder."""

    settings: ImageSetSettings
    source: PictureSource
    out: Path

    @property
    def shards(self) -> range:
        """The numbers of its shards."""
        return shard_numbers(self.source.count, self.settings.shard_size)

    def pictures(self, shard: int) -> range:
        """The numbers of the pictures of a shard."""
        return shard_pictures(shard, self.source.count, self.settings.shard_size)

    def draft(self, shard: int) -> Path:
        """The folder that the first pass makes of a shard."""
        return self.out / DRAFTS / shard_name(shard)

    def is_complete(self, shard: int) -> bool:
        """Whether the third pass is done with a shard."""
        return (self.out / shard_name(shard)).is_dir() and not self.draft(shard).exists()


def write_image_set(data: ImageSet, description: Mapping[str, object], stages: Stages, *, team: Team) -> None:
    """Make the set with this description (`describe`), or finish one that was begun with it.

    Each rank of `team` drafts and completes its own shards; rank 0 settles, and returns when everything
    is there. Raises what `claim`, the source and the segmenter raise.
    """
    shards, settled = data.shards, data.out / SETTLED
    if claim(data.out, description, team):
        if team.rank == 0:
            settled.unlink(missing_ok=True)
        return
    if not settled.is_file():
        progress = stages(PASSES[0], sum(len(data.pictures(shard)) for shard in team.share(shards)))
        run_tasks(partial(_draft, data), team.share(shards), workers=team.workers, progress=progress)
        if team.rank == 0:
            wait_until(lambda: all(data.draft(shard).is_dir() for shard in shards))
            settle(data, stages)
        else:
            wait_until(lambda: settled.is_file() or is_finished(data.out))
    if settled.is_file():
        progress = stages(PASSES[2], sum(len(data.pictures(shard)) for shard in team.share(shards)))
        run_tasks(partial(_complete, data), team.share(shards), workers=team.workers, progress=progress)
    if team.rank == 0:
        wait_until(lambda: all(data.is_complete(shard) for shard in shards))
        _clean_up(data, description)


def describe(data: ImageSet) -> dict[str, object]:
    """The settings that dataset.yaml gives; loads the models, for their versions."""
    settings, choice = data.settings, data.settings.segmenter
    masks = segmenter_of(choice)
    return {
        "format_version": FORMAT_VERSION,
        "farm3d_version": farm3d.__version__,
        "generator": data.source.generator,
        "category": settings.category,
        "size": settings.size,
        "shard_size": settings.shard_size,
        **data.source.describe(),
        "segmenter": {
            "name": choice.name,
            "made_by": masks.maker.name if masks.maker else None,
            "weights": file_hash(choice.weights) if choice.weights else None,
        },
        "filter": settings.filter.model_dump(mode="json"),
        "features": settings.features.describe() if settings.features else None,
    }


@lru_cache(maxsize=1)
def segmenter_of(choice: SegmenterChoice) -> MaskSource:
    """What makes the masks, loaded once in each process."""
    return make_segmenter(choice.name, weights=choice.weights, device=choice.device)


def _draft(data: ImageSet, shard: int, progress: Progress) -> None:
    """The first pass over one shard, unless it is there: samples, and apart from them what is rejected."""
    target, settings = data.draft(shard), data.settings
    remove_leftovers(target)
    if target.exists():
        progress(len(data.pictures(shard)))
        return
    masks = segmenter_of(settings.segmenter)
    with single_threaded(), replacing_folder(target) as folder:
        (folder / REJECTED).mkdir()
        for picture in data.source.pictures(data.pictures(shard)):
            sample = annotate(
                picture, masks=masks, category=settings.category, size=settings.size, config=settings.filter
            )
            write_sample(folder / REJECTED if "reason" in sample.record else folder, sample)
            progress(1)


def settle(data: ImageSet, stages: Stages) -> None:
    """The second pass, in the order of the ids: which drafts are duplicates, and the features' projection."""
    hashes = ((record["id"], int(record["hash"], 16)) for record in records(data.out / DRAFTS))
    duplicates = find_duplicates(hashes, max_distance=data.settings.filter.max_duplicate_distance)
    for name in (SETTLED, FEATURES_FILE, DESCRIPTION_FILE):
        remove_leftovers(data.out / name)
    if data.settings.features:
        kept = (stem for shard in data.shards for stem in _kept(data.draft(shard), duplicates))
        first = list(islice(kept, FITTED_ON))
        if first:
            progress = stages(PASSES[1], len(first))
            with single_threaded():
                fit_projection(data.settings.features, first, data.out / FEATURES_FILE, progress=progress)
    write_bytes_atomically(data.out / SETTLED, json.dumps({"duplicates": duplicates}, indent=0).encode())


def _complete(data: ImageSet, shard: int, progress: Progress) -> None:
    """The third pass over one shard, unless it is there: rejected pictures first, then the samples."""
    target, rejected = data.out / shard_name(shard), data.out / REJECTED / shard_name(shard)
    remove_leftovers(target)
    remove_leftovers(rejected)
    if not target.exists():
        duplicates = json.loads((data.out / SETTLED).read_text(encoding="utf-8"))["duplicates"]
        _write_rejected(data.draft(shard), rejected, duplicates)
        kept = list(_kept(data.draft(shard), duplicates))
        with single_threaded(), replacing_folder(target) as folder:
            for stem in kept:
                _copy_sample(stem, folder)
            if data.settings.features and kept:
                _write_features(data, kept, folder, progress=progress)
            else:
                progress(len(kept))
        progress(len(data.pictures(shard)) - len(kept))
    else:
        progress(len(data.pictures(shard)))
    if data.draft(shard).exists():
        shutil.rmtree(data.draft(shard))


def _write_features(data: ImageSet, stems: Sequence[Path], folder: Path, *, progress: Progress) -> None:
    assert data.settings.features is not None
    found = sample_features(data.settings.features, stems, data.out / FEATURES_FILE)
    for stem, features in zip(stems, found, strict=True):
        write_features(folder / stem.name, features)
        progress(1)


def _write_rejected(draft: Path, target: Path, duplicates: dict[str, str]) -> None:
    """What the filter rejected of a shard, and its duplicates; no folder where there is nothing of both."""
    early = sorted((draft / REJECTED).iterdir())
    late = [stem for stem in _stems(draft) if stem.name in duplicates]
    if target.exists() or not early + late:
        return
    with replacing_folder(target) as folder:
        for file in early:
            link_or_copy(file, folder / file.name)
        for stem in late:
            _copy_sample(stem, folder, {"reason": "duplicate", "duplicate_of": duplicates[stem.name]})


def _stems(draft: Path) -> list[Path]:
    return sorted(file.with_suffix("") for file in draft.glob("*.json"))


def _kept(draft: Path, duplicates: dict[str, str]) -> Iterator[Path]:
    return (stem for stem in _stems(draft) if stem.name not in duplicates)


def _copy_sample(stem: Path, folder: Path, more: dict[str, Any] | None = None) -> None:
    """Copy a sample's files, with `more` in its record."""
    for file in (image_file(stem), mask_file(stem)):
        link_or_copy(file, folder / file.name)
    record = {**read_record(record_file(stem)), **(more or {})}
    text = json.dumps(record, sort_keys=True, ensure_ascii=False, allow_nan=False)
    record_file(folder / stem.name).write_text(text, encoding="utf-8")


def _clean_up(data: ImageSet, description: Mapping[str, object]) -> None:
    """Remove what only the passes needed, and write the results: the set is finished.

    `settled.json` goes last: while it is there, no run drafts again.
    """
    if (data.out / DRAFTS).exists():
        shutil.rmtree(data.out / DRAFTS)
    remove_leftovers(data.out / DESCRIPTION_FILE)
    projection = data.out / FEATURES_FILE
    space = read_feature_pca(projection).name if projection.is_file() else None
    finish(data.out, {**description, "feature_space": space}, results(data.out))
    (data.out / SETTLED).unlink(missing_ok=True)

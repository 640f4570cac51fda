"""`farm3d-synth inspect`: what a data set holds, in numbers and as a page of pictures."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm3d.data.image_folder import read_description
from farm3d.io.atomic import replacing_folder
from farm3d.io.html_report import EvaluationContent, Figure, Gallery, Table, evaluation_html
from farm3d.io.image import encode_png

from .contact_sheet import contact_sheet, encode_jpeg, load_tile, spread
from .samples import REJECTED, read_record

SHEET_SIDE, SHOWN_REJECTED, SHOWN_PROMPTS = 8, 24, 20
"""Pictures along a side of the contact sheet; rejected ones shown of each reason; prompts shown."""

TILE = 160
"""Pixels a side of a picture on the sheets."""

SIDES = ("front", "front right", "right side", "back right", "back", "back left", "left side", "front left")
"""What the camera sees of the animal at azimuths of 0, 45, ... degrees."""

ELEVATION_STEP = 15


@dataclass(frozen=True)
class Inspection:
    """A data set's description, how many pictures it kept, and counts: of what, and how often each."""

    folder: Path
    description: dict[str, Any]
    kept: tuple[Path, ...]
    rejected: Mapping[str, tuple[Path, ...]]
    counts: Mapping[str, Mapping[str, int]]


def inspect(folder: Path) -> Inspection:
    """Read all records of a data set. Raises InputError where the folder holds none."""
    description = read_description(folder)
    tables: dict[str, Counter[str]] = {}
    kept: list[Path] = []
    rejected: dict[str, list[Path]] = {}
    for stem, record in _samples(folder):
        kept.append(stem)
        for table, value in _classes(record):
            tables.setdefault(table, Counter())[value] += 1
    for stem, record in _samples(folder / REJECTED):
        rejected.setdefault(str(record["reason"]), []).append(stem)
    by_size = dict(sorted(rejected.items(), key=lambda entry: (-len(entry[1]), entry[0])))
    return Inspection(
        folder,
        description,
        tuple(kept),
        {reason: tuple(stems) for reason, stems in by_size.items()},
        {table: _ordered(table, counter) for table, counter in tables.items()},
    )


def summary(inspection: Inspection) -> list[str]:
    """The numbers as lines of text."""
    total = len(inspection.kept) + sum(map(len, inspection.rejected.values()))
    lines = [
        f"{inspection.folder}: {inspection.description['category']}, kept {len(inspection.kept)} of {total}"
    ]
    for heading, counts in _all_counts(inspection).items():
        lines.append(f"{heading}:")
        whole = max(1, sum(counts.values()))
        lines += [f"  {name:<24} {count:>7} {count / whole:>7.1%}" for name, count in counts.items()]
    return lines


def write_inspection(inspection: Inspection, out: Path) -> None:
    """Write index.html (complete in itself), contact_sheet.png and rejected.png as the folder `out`."""
    chosen = [inspection.kept[k] for k in spread(len(inspection.kept), SHEET_SIDE**2)]
    refused = [stem for stems in inspection.rejected.values() for stem in stems]
    refused = [refused[k] for k in spread(len(refused), SHEET_SIDE**2)]
    with replacing_folder(out) as folder:
        (folder / "index.html").write_text(_page(inspection, chosen), encoding="utf-8")
        for name, stems in (("contact_sheet.png", chosen), ("rejected.png", refused)):
            tiles = [tile for stem in stems if (tile := load_tile(stem, TILE)) is not None]
            if tiles:
                (folder / name).write_bytes(encode_png(contact_sheet(tiles, min(SHEET_SIDE, len(tiles)))))


def _samples(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for file in sorted(folder.glob("shard_*/*.json")):
        yield file.with_suffix(""), read_record(file)


def _classes(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a record counts for: view words where they were asked for, directions where they are known."""
    if record.get("view"):
        yield "View asked for", str(record["view"])
    if "camera" in record:
        camera = record["camera"]
        yield "Seen from (truth)", SIDES[round(math.degrees(camera["azimuth"]) / 45.0) % 8]
        step = math.floor(math.degrees(camera["elevation"]) / ELEVATION_STEP) * ELEVATION_STEP
        yield "Camera's elevation (truth)", f"{step}° to {step + ELEVATION_STEP}°"
    if "pose" in record:
        yield "Gait or pose (truth)", str(record["pose"]["gait"])
    if "mask_source" in record:
        yield "Masks from", str(record["mask_source"])


def _ordered(table: str, counter: Counter[str]) -> dict[str, int]:
    """Directions in their own order, everything else the most frequent first."""
    if table.startswith("Seen"):
        return {side: counter[side] for side in SIDES}
    if table.startswith("Camera"):
        return dict(sorted(counter.items(), key=lambda entry: int(entry[0].split("°")[0])))
    return dict(counter.most_common())


def _all_counts(inspection: Inspection) -> dict[str, Mapping[str, int]]:
    reasons = {reason.replace("_", " "): len(stems) for reason, stems in inspection.rejected.items()}
    verdicts = {"kept": len(inspection.kept), **reasons}
    return {"Pictures kept, and rejected by reason": verdicts, **inspection.counts}


def _page(inspection: Inspection, chosen: Sequence[Path]) -> str:
    galleries = [_gallery("Contact sheet", chosen)]
    for reason, stems in inspection.rejected.items():
        shown = [stems[k] for k in spread(len(stems), SHOWN_REJECTED)]
        galleries.append(_gallery(f"Rejected: {reason.replace('_', ' ')} ({len(stems)})", shown))
    tables = [_count_table(heading, counts) for heading, counts in _all_counts(inspection).items()]
    settings = {key: value for key, value in inspection.description.items() if key != "results"}
    return evaluation_html(
        EvaluationContent(
            f"{inspection.folder.resolve().name}: {len(inspection.kept)} pictures",
            tuple((key, str(value)) for key, value in settings.items()),
            (*tables, *_prompt_table(inspection)),
            tuple(galleries),
            made_by="Listed by farm3d-synth inspect, version",
            facts_heading="How it was made",
        )
    )


def _gallery(heading: str, stems: Sequence[Path]) -> Gallery:
    figures = []
    for stem in stems:
        tile, record = load_tile(stem, TILE), read_record(stem.with_suffix(".json"))
        if tile is not None:
            caption = f"{stem.name}{_caption(record)}"
            figures.append(Figure(caption, f"{stem.name} with the outline of its mask", encode_jpeg(tile)))
    return Gallery(heading, tuple(figures))


def _caption(record: Mapping[str, Any]) -> str:
    """What is worth knowing below a picture: its duplicate, its prompt or its file."""
    said = record.get("duplicate_of") or record.get("source") or record.get("prompt") or ""
    return f": {said}" if said else ""


def _count_table(heading: str, counts: Mapping[str, int]) -> Table:
    whole = max(1, sum(counts.values()))
    rows = tuple((name, str(count), f"{count / whole:.1%}") for name, count in counts.items())
    return Table(heading, ("", "pictures", "share"), rows)


def _prompt_table(inspection: Inspection) -> tuple[Table, ...]:
    """The prompts drawn most often that kept least, where a set has prompts."""
    prompts = inspection.description.get("results", {}).get("prompts", [])
    worst = sorted(prompts, key=lambda entry: (entry["kept"] / entry["drawn"], -entry["drawn"]))
    rows = tuple(
        (entry["prompt"], str(entry["drawn"]), str(entry["kept"]), f"{entry['kept'] / entry['drawn']:.0%}")
        for entry in worst[:SHOWN_PROMPTS]
    )
    return (Table("Prompts that kept least", ("prompt", "drawn", "kept", "share"), rows),) if rows else ()

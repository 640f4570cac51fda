"""A run of farm3d-infer: one model or all that ship, many photographs, one folder of results."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from farm3d.errors import InputError
from farm3d.inference.animal import Animal
from farm3d.inference.any_species import AnySpecies
from farm3d.inference.detail import check_face_count
from farm3d.inference.edit import Part
from farm3d.inference.export import ExportOptions, write_result
from farm3d.inference.film import Film, Watch, find_animal, read_frames, recover, unwatched
from farm3d.inference.measure import KnownLength
from farm3d.inference.reconstructor import Reconstructor
from farm3d.inference.refine import RefineConfig
from farm3d.inference.stopwatch import Stopwatch
from farm3d.io.atomic import replacing_folder, write_bytes_atomically
from farm3d.io.html_report import IndexEntry, index_html
from farm3d.io.image import SourceImage, read_image
from farm3d.io.inputs import InputImage
from farm3d.pretrained.segmentation import GIVEN_OR_FARM, MaskSource, segment
from farm3d.types import Segmentation


@dataclass(frozen=True)
class MaskOptions:
    """Where masks come from, a mask file for a single photograph, and which of several animals is meant."""

    source: MaskSource = GIVEN_OR_FARM
    mask_path: Path | None = None
    instance: int | None = None


@dataclass(frozen=True)
class Edits:
    """What every animal of a run takes from another, a length that is known of it, and its most faces.

    Whoever something is taken from has as many faces. Raises ConfigError for too few faces.
    """

    taken: tuple[tuple[Part, Animal], ...] = ()
    known_length: KnownLength | None = None
    faces: int | None = None

    def __post_init__(self) -> None:
        if self.faces is not None:
            check_face_count(self.faces)

    def apply(self, animal: Animal) -> Animal:
        """The animal after all edits."""
        animal = animal if self.faces is None else animal.with_faces(self.faces)
        for part, other in self.taken:
            animal = animal.take(part, other)
        return replace(animal, known_length=self.known_length)


NO_EDITS = Edits()


@dataclass(frozen=True)
class Session:
    """What all photographs of a run share."""

    out: Path
    reconstructor: Reconstructor | AnySpecies
    masks: MaskOptions
    refinement: RefineConfig
    loading_seconds: float


@dataclass(frozen=True)
class Outcome:
    """One finished result: its line for the index, what to doubt, and how it went in one line."""

    entry: IndexEntry
    warnings: tuple[str, ...]
    summary: str


def open_session(
    out: Path,
    reconstructor: Reconstructor | AnySpecies,
    *,
    masks: MaskOptions,
    refinement: RefineConfig,
    loading_seconds: float,
) -> Session:
    """A session whose folder `out` is there; raises an InputError where it cannot be made."""
    _make_folder(out)
    return Session(out, reconstructor, masks, refinement, loading_seconds)


def read_animal(session: Session, path: Path) -> Animal:
    """The animal in a photograph from which others take something; its mask is beside it or is made."""
    masks = MaskOptions(session.masks.source)
    return animal_in(session, read_image(path), path, masks=masks, stopwatch=Stopwatch())


def animal_in(
    session: Session, source: SourceImage, path: Path, *, masks: MaskOptions, stopwatch: Stopwatch
) -> Animal:
    """Segment and reconstruct a photograph; `path` names it in messages, and its mask lies beside that."""
    with stopwatch.stage("segment"):
        segmentation = animal_mask(session, source, path, masks=masks)
    with stopwatch.stage("reconstruct"):
        return session.reconstructor.animal(
            source, segmentation, name=source.stem, refinement=session.refinement
        )


def animal_mask(session: Session, source: SourceImage, path: Path, *, masks: MaskOptions) -> Segmentation:
    """Where the animal is. Raises InputError where there is none."""
    return segment(
        source,
        path,
        segmenter=masks.source,
        category=session.reconstructor.category,
        mask_path=masks.mask_path,
        number=masks.instance,
    )


def reconstruct_file(
    session: Session,
    image: InputImage,
    *,
    options: ExportOptions,
    edits: Edits = NO_EDITS,
    stopwatch: Stopwatch | None = None,
) -> Outcome:
    """Read, segment, reconstruct, edit and write one photograph; its folder appears when complete."""
    stopwatch = stopwatch or Stopwatch()
    stopwatch.seconds["load"] = session.loading_seconds
    with stopwatch.stage("read"):
        source = read_image(image.path)
    return reconstruct_picture(session, source, image, options=options, edits=edits, stopwatch=stopwatch)


def reconstruct_picture(
    session: Session,
    source: SourceImage,
    image: InputImage,
    *,
    options: ExportOptions,
    edits: Edits = NO_EDITS,
    stopwatch: Stopwatch,
) -> Outcome:
    """The same of a picture in memory, which `image` names."""
    animal = animal_in(session, source, image.path, masks=session.masks, stopwatch=stopwatch)
    return write_animal(
        session, replace(edits.apply(animal), name=image.name), image, options=options, stopwatch=stopwatch
    )


def reconstruct_film(
    session: Session,
    image: InputImage,
    *,
    options: ExportOptions,
    edits: Edits = NO_EDITS,
    frame_rate: float,
    watch: Watch = unwatched,
) -> Outcome:
    """Read the frames of one film, reconstruct its animal with its motion, edit and write it."""
    stopwatch = Stopwatch({"load": session.loading_seconds})

    def find(source: SourceImage, path: Path) -> Segmentation:
        return animal_mask(session, source, path, masks=session.masks)

    with stopwatch.stage("segment"):
        read = watch(read_frames(image.path, frame_rate), "masks")
        frames, problems = find_animal(iter(read), find, film=image.path)
    with stopwatch.stage("reconstruct"):
        film = recover(
            session.reconstructor,
            frames,
            name=image.name,
            refinement=session.refinement,
            frame_rate=frame_rate,
            watch=watch,
        )
    film = replace(film, animal=edits.apply(film.animal))
    outcome = write_animal(session, film.animal, image, options=options, stopwatch=stopwatch, film=film)
    return replace(outcome, warnings=(*outcome.warnings, *problems))


def write_animal(
    session: Session,
    animal: Animal,
    image: InputImage,
    *,
    options: ExportOptions,
    stopwatch: Stopwatch,
    film: Film | None = None,
) -> Outcome:
    """Write an animal's folder of results, complete or not at all, and say how it went."""
    with replacing_folder(session.out / image.name) as folder:
        write_result(folder, animal, options=options, stopwatch=stopwatch, film=film)
    seconds, fit = sum(stopwatch.seconds.values()), animal.fit
    warnings = fit.segmentation.warnings
    entry = IndexEntry(
        title=image.name,
        folder=image.name,
        thumbnail="overlay.png",
        links=(("report", "report.html"), ("GLB", "animal.glb"), ("turntable", "turntable.mp4")),
        warnings=warnings,
    )
    maker = session.masks.source.maker_of(fit.segmentation)
    summary = (
        f"{image.path}: {animal.trained.category}, mask from {maker},"
        f" IoU {fit.initial_iou:.2f} predicted, {fit.iou:.2f} refined,"
        f" {seconds:.1f} s -> {session.out / image.name}"
    )
    return Outcome(entry, warnings, summary)


def write_index(session: Session, entries: Sequence[IndexEntry]) -> None:
    """Write index.html over the results of this run."""
    write_bytes_atomically(session.out / "index.html", index_html(entries).encode())


def _make_folder(out: Path) -> None:
    """Make `out`, and a folder in it, before minutes of work: one that cannot be written says so at once."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".farm3d-", dir=out):
            pass
    except OSError as error:
        raise InputError(f"{out}: cannot write results there ({error.strerror or error})") from None

"""Which images a command was given: files and folders in, one entry an image out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

IMAGE_SUFFIXES = frozenset(
    (
        ".jpg",
        ".jpeg",
        ".png",
        ".webp",
        ".gif",
        ".tif",
        ".tiff",
        ".bmp",
        ".ppm",
        ".jp2",
        ".avif",
        ".heic",
        ".heif",
    )
)
VIDEO_SUFFIXES = frozenset((".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"))
MASK_ENDING = "_mask"
_RESERVED = "index.html"


@dataclass(frozen=True)
class InputImage:
    """An image file and the name of its result folder: its stem, or stem-2 where an earlier one has that."""

    path: Path
    name: str


def is_film(path: Path) -> bool:
    """Whether an input is a film: a video by its name, or a folder of images that was kept whole."""
    return path.suffix.lower() in VIDEO_SUFFIXES or (path.is_dir() and _expand(path) != [path])


def list_input_images(paths: Sequence[Path | str], *, whole_folders: bool = False) -> list[InputImage]:
    """The images among `paths`, in order; of a folder, the image files in it, sorted by name.

    With `whole_folders` a folder stays one input: its images are the frames of a film.

    `NAME_mask.png` is no input where an image NAME beside it is one. A path that does not exist, or a
    folder without images, stays in the list: reading it says what is wrong with it, and the others go on.
    """
    expanded = [file for path in paths for file in ([Path(path)] if whole_folders else _expand(Path(path)))]
    photographs = {file.with_suffix("") for file in expanded if file.name}
    kept = [file for file in expanded if not _is_mask_among(file, photographs)]
    return [InputImage(path, name) for path, name in zip(kept, _unique_names(kept), strict=True)]


def mask_beside(path: Path | str) -> Path | None:
    """The file `NAME_mask.png` beside `NAME.jpg`, if it is there."""
    candidate = Path(path).with_name(f"{Path(path).stem}{MASK_ENDING}.png")
    return candidate if candidate.is_file() else None


def _expand(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    images = [entry for entry in sorted(path.iterdir()) if entry.suffix.lower() in IMAGE_SUFFIXES]
    return [entry for entry in images if not entry.name.startswith(".") and entry.is_file()] or [path]


def _is_mask_among(file: Path, photographs: set[Path]) -> bool:
    stem = file.stem
    return stem.endswith(MASK_ENDING) and file.with_name(stem.removesuffix(MASK_ENDING)) in photographs


def _unique_names(files: Sequence[Path]) -> list[str]:
    """Names that differ on every file system, so compared without case, and are no path of their own."""
    names: list[str] = []
    taken = {_RESERVED}
    for file in files:
        stem = file.stem.lstrip(".") or "image"
        candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(files) + 2))
        name = next(candidate for candidate in candidates if candidate.casefold() not in taken)
        taken.add(name.casefold())
        names.append(name)
    return names

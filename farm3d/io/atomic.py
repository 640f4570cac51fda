"""Files and folders that appear under their final name only when they are complete."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from farm3d.errors import InputError


def write_bytes_atomically(path: Path | str, data: bytes) -> None:
    """Write `data` beside `path`, then give it the name `path`: readers see the old file or the new one.

    Missing parent folders are made.

    Raises:
        InputError: the file cannot be written (no permission, disk full, a folder of that name).
    """
    target = Path(path)
    aside = _sibling(target, "part")
    with _as_input_error(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_bytes(data)
            os.replace(aside, target)
        finally:
            aside.unlink(missing_ok=True)


def require_writable(path: Path | str) -> None:
    """Find out before long work whether its file can be written; missing parent folders are made.

    Raises:
        InputError: it cannot (no permission, a folder of that name).
    """
    target = Path(path)
    aside = _sibling(target, "part")
    with _as_input_error(target):
        if target.is_dir():
            raise InputError(f"cannot write {target}: it is a folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        aside.touch()
        aside.unlink()


@contextmanager
def replacing_folder(path: Path | str) -> Iterator[Path]:
    """A new empty folder to fill; when the block ends well it takes the place of the folder `path`.

    When the block raises, or the program is interrupted, the new folder is removed and the old one stays
    as it was. Missing parent folders are made.

    Raises:
        InputError: the folder cannot be written (no permission, disk full, a file of that name).
    """
    target = Path(path)
    aside = _sibling(target, "part")
    with _as_input_error(target):
        if target.exists() and not target.is_dir():
            raise InputError(f"cannot write the folder {target}: a file of that name is in the way")
        try:
            aside.mkdir(parents=True)
            yield aside
            _put_in_place(aside, target)
        except InputError as error:
            # About a file in the new folder: its name is gone when the message is read.
            raise InputError(str(error).replace(str(aside), str(target))) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _sibling(target: Path, suffix: str) -> Path:
    """A fresh hidden name in the target's own folder, so that renaming stays on one file system."""
    return target.absolute().parent / f".{target.name[:64]}.{uuid.uuid4().hex[:12]}.{suffix}"


def _put_in_place(aside: Path, target: Path) -> None:
    """Rename `aside` to `target`; a folder cannot be renamed over a full one, so the old one steps aside."""
    if not target.exists():
        os.rename(aside, target)
        return
    old = _sibling(target, "old")
    os.rename(target, old)
    try:
        os.rename(aside, target)
    except BaseException:
        os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _as_input_error(target: Path) -> Iterator[None]:
    """Tell an operating system's refusal to write in one line that names the target.

    Errors about files elsewhere (an input that vanished, a program that is missing) pass unchanged.
    """
    try:
        yield
    except OSError as error:
        about = (
            Path(os.fsdecode(error.filename)).absolute() if isinstance(error.filename, str | bytes) else None
        )
        ours = (
            about is None
            or about.is_relative_to(target.absolute().parent)
            or about in target.absolute().parents
        )
        if error.strerror is None or not ours:
            raise
        raise InputError(f"cannot write {target}: {error.strerror}") from error

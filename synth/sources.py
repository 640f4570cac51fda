"""Where pictures without truth come from: a folder of photographs, or Stable Diffusion."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from farm3d.errors import Farm3DError, InputError, MissingDependencyError
from farm3d.io.image import SourceImage, read_image
from farm3d.io.inputs import list_input_images
from farm3d.pretrained.stable_diffusion import DiffusionSettings, Drawer, load_drawer
from farm3d.seeding import numpy_rng

from .prompts import prompt_of


@dataclass(frozen=True)
class Picture:
    """A picture that may become a sample; `facts` say where it is from, `problem` why it cannot be read.

    `path` is where a mask or a message about it would be looked for; a drawn picture has no file there.
    """

    identifier: str
    path: Path
    facts: dict[str, Any]
    image: SourceImage | None
    problem: str = ""


@runtime_checkable
class PictureSource(Protocol):
    """Pictures by number; each depends on its number and the source's fields alone. Can be pickled."""

    @property
    def generator(self) -> str:
        """What dataset.yaml calls it."""

    @property
    def count(self) -> int:
        """How many pictures there are."""

    def describe(self) -> dict[str, Any]:
        """Everything on which the pictures depend, for dataset.yaml; no times, no paths."""

    def pictures(self, numbers: range) -> Iterator[Picture]:
        """The pictures of these numbers, in this order."""


@dataclass(frozen=True)
class Photographs:
    """The image files of a folder in the order of their names, named after the category."""

    category: str
    files: tuple[Path, ...]

    @property
    def generator(self) -> str:
        """What dataset.yaml calls it."""
        return "photographs"

    @property
    def count(self) -> int:
        """How many image files there are."""
        return len(self.files)

    def describe(self) -> dict[str, Any]:
        """How many files, and a hash of their names and sizes."""
        digest = hashlib.sha256()
        for file in self.files:
            digest.update(f"{file.name}:{file.stat().st_size};".encode())
        return {"count": self.count, "photographs": f"sha256-{digest.hexdigest()[:16]}"}

    def pictures(self, numbers: range) -> Iterator[Picture]:
        """The photographs of these numbers, upright; what cannot be read has a problem in place of pixels."""
        for number in numbers:
            file = self.files[number]
            name, facts = identifier_of(self.category, number), {"source": file.name}
            try:
                yield Picture(name, file, facts, read_image(file))
            except MissingDependencyError:
                raise
            except InputError as error:
                yield Picture(name, file, facts, None, without_folder(str(error), file))


@dataclass(frozen=True)
class DrawnPictures:
    """Pictures that Stable Diffusion draws from the prompts of prompts.py, or from the user's `own`."""

    category: str
    count: int
    seed: int
    settings: DiffusionSettings
    own: tuple[str, ...] = ()
    device: torch.device = torch.device("cpu")  # noqa: RUF009 (immutable)

    @property
    def generator(self) -> str:
        """What dataset.yaml calls it."""
        return "stable-diffusion"

    def describe(self) -> dict[str, Any]:
        """The settings, the model's version and a hash of the user's prompts; this loads the model."""
        values = self.settings.model_dump(mode="json", exclude={"batch"} if self._alone else set())
        own = f"sha256-{hashlib.sha256(repr(self.own).encode()).hexdigest()[:16]}" if self.own else None
        model = _model_name(values.pop("model"))
        revision = _drawer(self.settings, self.device).revision
        return {
            "count": self.count,
            "seed": self.seed,
            "model": model,
            "diffusion": {**values, "revision": revision},
            "prompt_file": own,
        }

    def pictures(self, numbers: range) -> Iterator[Picture]:
        """Draw the pictures of these numbers, in batches as the settings say."""
        drawer = _drawer(self.settings, self.device)
        for first in range(numbers.start, numbers.stop, self.settings.batch):
            part = range(first, min(numbers.stop, first + self.settings.batch))
            prompts = [prompt_of(self.category, number, self.seed, own=self.own) for number in part]
            seeds = [int(numpy_rng(self.seed, "picture", number).integers(2**63)) for number in part]
            drawn = drawer.draw(
                [prompt.text for prompt in prompts], seeds, [prompt.negative for prompt in prompts]
            )
            for number, prompt, seed, pixels in zip(part, prompts, seeds, drawn, strict=True):
                name = identifier_of(self.category, number)
                facts = {
                    "prompt": prompt.text,
                    "negative_prompt": prompt.negative,
                    "view": prompt.view,
                    "seed": seed,
                }
                yield Picture(name, Path(name), facts, SourceImage(pixels, None, name))

    @property
    def _alone(self) -> bool:
        """On the CPU pictures are drawn one by one, and the batch is no setting."""
        return self.device.type == "cpu"


def photographs_in(folder: Path, category: str) -> Photographs:
    """The photographs of a folder, its masks (`NAME_mask.png` beside NAME) apart.

    Raises InputError where there is no such folder or no image in it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; --images takes a folder of photographs")
    files = tuple(entry.path for entry in list_input_images([folder.absolute()]))
    if files == (folder.absolute(),):
        raise InputError(f"{folder}: a folder with no images in it")
    return Photographs(category, files)


def identifier_of(category: str, number: int) -> str:
    """The stem of a sample's files: the category's letters and digits, and the number."""
    return f"{re.sub(r'[^a-z0-9]+', '_', category.lower()).strip('_') or 'animal'}_{number:06d}"


def without_folder(message: str, file: Path) -> str:
    """A message about a file of the user's without its name in front and without the folder in it."""
    return message.removeprefix(f"{file}: ").replace(f"{file.parent}/", "")


def file_hash(file: Path) -> str:
    """`sha256-` and 16 hexadecimal digits of a file's contents. Raises Farm3DError where it is not there."""
    try:
        with file.open("rb") as stream:
            return f"sha256-{hashlib.file_digest(stream, 'sha256').hexdigest()[:16]}"
    except OSError as error:
        raise Farm3DError(f"{file}: {error.strerror or error}") from None


def _model_name(model: str) -> str:
    """A hub's repository as it is, of a folder its name alone."""
    return Path(model).name if Path(model).is_dir() else model


@lru_cache(maxsize=1)
def _drawer(settings: DiffusionSettings, device: torch.device) -> Drawer:
    """The model, loaded once in each process."""
    return load_drawer(settings, device)

"""What the page of farm3d-app asks for: animals from pictures, and files that go when nobody needs them."""

import shutil
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from farm3d.errors import ConfigError
from farm3d.inference.animal import Animal
from farm3d.inference.any_species import AnySpecies
from farm3d.inference.export import ExportOptions, write_result
from farm3d.inference.reconstructor import Reconstructor
from farm3d.inference.refine import RefineConfig
from farm3d.inference.stopwatch import Stopwatch
from farm3d.io.image import SourceImage, read_image
from farm3d.pretrained.segmentation import MaskSource, segment
from farm3d.pretrained.stable_diffusion import DiffusionSettings
from farm3d.synth.prompt_pictures import PromptPicture, draw_prompt

LONGEST_PROMPT = 300


@dataclass(frozen=True)
class Made:
    """A finished animal: its folder of results, how it went in one line, what to doubt, who made the mask."""

    folder: Path
    summary: str
    warnings: tuple[str, ...]
    mask_source: str


@dataclass(frozen=True)
class Workshop:
    """One model or all that ship, and the files of everybody who has the page open.

    The files lie in the folder `root`.

    One animal is made at a time: the renderer's threads serve one caller.
    """

    root: Path
    reconstructor: Reconstructor | AnySpecies
    masks: MaskSource
    diffusion: DiffusionSettings | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    _working: threading.Lock = field(default_factory=threading.Lock)
    _counting: threading.Lock = field(default_factory=threading.Lock)
    _held: dict[str, set[Path]] = field(default_factory=dict)
    _left: set[str] = field(default_factory=set)

    @property
    def uploads(self) -> Path:
        """The folder of the pictures that the page received."""
        return self.root / "uploads"

    @property
    def results(self) -> Path:
        """The folder of the results, each in one of a name that nobody guesses."""
        return self.root / "results"

    def draw(self, prompt: str, seed: int) -> PromptPicture:
        """The picture that a prompt asks for. Raises ConfigError for one that cannot be drawn."""
        words = " ".join(prompt.split())
        if not words:
            raise ConfigError("write what to draw, as in: a brown horse, side view")
        if len(words) > LONGEST_PROMPT:
            raise ConfigError(f"the prompt has {len(words)} letters; {LONGEST_PROMPT} are enough")
        with self._working:
            return draw_prompt(words, name="drawn", seed=seed, diffusion=self.diffusion, device=self.device)

    def make(
        self,
        page: str,
        photograph: Path,
        mask: Path | None,
        *,
        steps: int,
        on_stage: Callable[[str], None],
    ) -> Made:
        """The animal in a picture, for the open page called `page`; what that made before is removed.

        Raises a Farm3DError for a picture or mask that cannot be used.
        """
        uploads = {photograph, *([] if mask is None else [mask])}
        self._hold(page, uploads, and_results=True)
        with self._working:
            stopwatch = Stopwatch(on_stage=on_stage)
            with stopwatch.stage("read"):
                source = read_image(photograph)
            animal = self._animal(source, photograph, mask, steps=steps, stopwatch=stopwatch)
            folder = self.results / uuid.uuid4().hex
            folder.mkdir(parents=True)
            write_result(folder, animal, options=ExportOptions(turntable=False), stopwatch=stopwatch)
        self._hold(page, {folder, *uploads})
        fit = animal.fit
        maker, seconds = self.masks.maker_of(fit.segmentation), sum(stopwatch.seconds.values())
        summary = (
            f"{animal.name}: a {animal.trained.category}, mask from {maker}, which the model fits with an IoU"
            f" of {fit.iou:.2f}, {seconds:.0f} seconds"
        )
        return Made(folder, summary, fit.segmentation.warnings, fit.segmentation.source)

    def leave(self, page: str) -> None:
        """Remove what only this page needed: it was closed."""
        self._left.add(page)
        self._hold(page, set())

    def _animal(
        self, source: SourceImage, path: Path, mask: Path | None, *, steps: int, stopwatch: Stopwatch
    ) -> Animal:
        category = self.reconstructor.category
        with stopwatch.stage("segment"):
            cut = segment(source, path, segmenter=self.masks, category=category, mask_path=mask)
        with stopwatch.stage("reconstruct"):
            refinement = RefineConfig(steps=steps)
            return self.reconstructor.animal(source, cut, name=source.stem, refinement=refinement)

    def _hold(self, page: str, needed: set[Path], *, and_results: bool = False) -> None:
        """Note what a page needs from now on, and remove what it held and nobody else does.

        With `and_results` it still needs the results that it shows.
        """
        with self._counting:
            before = self._held.pop(page, set())
            if and_results:
                needed = needed | {path for path in before if path.is_dir()}
            held = before | needed
            if page not in self._left:
                self._held[page] = needed
            for path in held.difference(*self._held.values()):
                self._remove(path)

    def _remove(self, path: Path) -> None:
        """Remove an upload or a result; the package's examples are neither."""
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_relative_to(self.uploads):
            path.unlink(missing_ok=True)

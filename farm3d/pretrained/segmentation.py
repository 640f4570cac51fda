"""Which pixels are the animal: the mask that comes with a photograph, or one that a segmenter makes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool

from farm3d.errors import ConfigError, InputError
from farm3d.io.image import SourceImage, read_mask
from farm3d.io.inputs import mask_beside
from farm3d.pretrained.coco_classes import class_names_of
from farm3d.pretrained.grabcut import GrabCut
from farm3d.pretrained.instances import Instance, choose_instance, separated, touched_borders
from farm3d.pretrained.segmenter import GivenMask, Segmenter
from farm3d.types import Segmentation

SEGMENTERS = ("auto", "alpha", "file", "pointrend", "maskrcnn", "grabcut")
MAX_CUT_OFF = 0.02
"""Share of a border's pixels that the mask may touch before the animal is held to be cut off there."""

Mask = Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class MaskSource:
    """Where masks come from: what may come with a photograph, and who makes those that do not.

    `name` is one of SEGMENTERS; `notice` says what `auto` chose and why, and is empty otherwise.
    """

    name: str
    takes_alpha: bool
    takes_files: bool
    maker: Segmenter | None
    notice: str = ""

    def for_photograph(self, source: SourceImage, path: Path, mask_path: Path | str | None) -> Segmenter:
        """What gives this photograph's mask: the file `mask_path`, the alpha channel, `NAME_mask.png`
        beside NAME, the maker; in this order.

        Raises InputError where there is none, ConfigError for a file that would not be used.
        """
        if mask_path is not None and not self.takes_files:
            raise ConfigError(
                f"{mask_path}: --segmenter {self.name} uses no mask file; leave one of them out"
            )
        beside = mask_beside(path) if self.takes_files else None
        if mask_path is not None:
            return GivenMask("file", _read_matching_mask(Path(mask_path), source))
        if self.takes_alpha and source.alpha is not None:
            return GivenMask("alpha", _not_empty(source.alpha > 127, path))
        if beside is not None:
            return GivenMask("file", _read_matching_mask(beside, source))
        if self.maker is not None:
            return self.maker
        if self.takes_files:
            raise InputError(f"{path}: no mask file; give --mask FILE or put {path.stem}_mask.png beside it")
        raise InputError(f"{path}: no transparent pixels to take a mask from; use another --segmenter")


GIVEN_OR_GRABCUT = MaskSource("auto", True, True, GrabCut())
"""What needs no network's weights, so that it gives the same masks on every machine."""


def make_segmenter(
    name: str,
    *,
    weights: Path | None = None,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
) -> MaskSource:
    """Where masks come from by the name of `--segmenter`, with the networks loaded that it needs.

    Raises ConfigError for an unknown name and for weights that it does not use.
    """
    if name not in SEGMENTERS:
        raise ConfigError(f"--segmenter {name}: unknown; use {', '.join(SEGMENTERS)}")
    if name == "auto":
        return GIVEN_OR_GRABCUT
    if name in ("alpha", "file"):
        return MaskSource(name, name == "alpha", name == "file", None)
    if name == "grabcut":
        return MaskSource(name, False, False, GrabCut())
    raise ConfigError(f"--segmenter {name} is not part of this version; use another one")


def segment(
    source: SourceImage,
    path: Path,
    *,
    segmenter: MaskSource = GIVEN_OR_GRABCUT,
    category: str | None = None,
    mask_path: Path | str | None = None,
    number: int | None = None,
) -> Segmentation:
    """The animal's mask for the photograph `source`, read from `path`.

    Of several instances the one of a class that fits the category, by `choose_instance`; `number` asks for
    the N-th largest, of a mask without classes the N-th largest connected piece. A mask file has the
    photograph's width and height after EXIF rotation, and is brighter on the animal. Raises InputError where
    there is no usable mask or no animal.
    """
    maker = segmenter.for_photograph(source, path, mask_path)
    try:
        instances = maker.instances(source.pixels)
        if number is not None:
            instances = tuple(piece for one in instances for piece in _pieces(one))
        shape = source.pixels.shape[:2]
        choice = choose_instance(instances, class_names_of(category), image_shape=shape, number=number)
    except InputError as reason:
        raise InputError(f"{path}: {reason}") from None
    chosen = choice.instance
    return Segmentation(
        torch.from_numpy(chosen.mask),
        maker.name,
        (*chosen.doubts, *_cut_off_warnings(chosen.mask)),
        confidence=chosen.score,
        rival_share=choice.rival_share,
    )


def _pieces(instance: Instance) -> tuple[Instance, ...]:
    """The connected pieces of what has no class; what has one is one animal."""
    return separated(instance) if instance.label is None else (instance,)


def _read_matching_mask(file: Path, source: SourceImage) -> Mask:
    mask = read_mask(file)
    if mask.shape != source.pixels.shape[:2]:
        sizes = [f"{width} x {height}" for height, width in (mask.shape, source.pixels.shape[:2])]
        raise InputError(
            f"{file}: the mask is {sizes[0]}, its photograph {sizes[1]}; both must have one size"
        )
    return _not_empty(mask, file)


def _not_empty(mask: Mask, file: Path) -> Mask:
    if not mask.any():
        raise InputError(f"{file}: the mask is empty: it marks no animal")
    return mask


def _cut_off_warnings(mask: Mask) -> list[str]:
    sides = [side for side, touched in touched_borders(mask).items() if touched > MAX_CUT_OFF]
    return [f"the animal is cut off at the {' and '.join(sides)} of the picture"] if sides else []

"""Which pixels are the animal: the mask that comes with a photograph, or one that a segmenter makes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool

from farm3d.errors import CheckpointError, ConfigError, InputError
from farm3d.io.image import SourceImage, read_mask
from farm3d.io.inputs import mask_beside
from farm3d.pretrained import maskrcnn, pointrend
from farm3d.pretrained.coco_classes import class_names_of
from farm3d.pretrained.farm_masks import FarmMasks
from farm3d.pretrained.grabcut import GrabCut
from farm3d.pretrained.instances import Instance, choose_instance, separated, touched_borders
from farm3d.pretrained.network_weights import NETWORKS, read_network_weights
from farm3d.pretrained.segmenter import GivenMask, Segmenter
from farm3d.types import Segmentation

SEGMENTERS = ("auto", "alpha", "file", "pointrend", "maskrcnn", "farm", "grabcut")
MAX_CUT_OFF = 0.02
"""Share of a border's pixels that the mask may touch before the animal is held to be cut off there."""

Mask = Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class MaskSource:
    """Where masks come from: what may come with a photograph, and who makes those that do not.

    `name` is one of SEGMENTERS; `reason` says why `auto` chose the maker, and is empty otherwise.
    """

    name: str
    takes_alpha: bool
    takes_files: bool
    maker: Segmenter | None
    reason: str = ""

    @property
    def notice(self) -> str:
        """What `auto` chose and why, in one line; empty where nothing was chosen."""
        if self.maker is None or not self.reason:
            return ""
        return f"masks that images do not bring: {self.maker.name} ({self.reason})"

    def maker_of(self, segmentation: Segmentation) -> str:
        """Who made a mask, with the reason where `auto` chose it: `farm (no weights ...)`."""
        chosen = self.reason and self.maker is not None and segmentation.source == self.maker.name
        return f"{segmentation.source} ({self.reason})" if chosen else segmentation.source

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


GIVEN_OR_FARM = MaskSource("auto", True, True, FarmMasks())
"""What needs no weights but those that ship, so that it gives the same masks on every machine."""


def make_segmenter(
    name: str,
    *,
    weights: Path | None = None,
    device: torch.device = torch.device("cpu"),  # noqa: B008 (immutable)
) -> MaskSource:
    """Where masks come from by the name of `--segmenter`, with the network loaded that it needs.

    What photographs do not bring, `auto` has made by the network that `weights` are of; without, by PointRend
    where detectron2 and the model zoo's weights are here, by Mask R-CNN where torchvision's are, else by the
    network that ships (`farm`). Only `maskrcnn` without `weights` downloads. Raises ConfigError for an
    unknown name and for weights that are not used, CheckpointError for weights that cannot be used,
    MissingDependencyError for a library or weights that are not here.
    """
    if name not in SEGMENTERS:
        raise ConfigError(f"--segmenter {name}: unknown; use {', '.join(SEGMENTERS)}")
    if weights is not None and name not in ("auto", *NETWORKS):
        raise ConfigError(f"{weights}: --segmenter {name} has no weights; give pointrend or maskrcnn")
    if name == "auto":
        return _automatic(weights, device)
    if name in ("alpha", "file"):
        return MaskSource(name, name == "alpha", name == "file", None)
    if name in ("farm", "grabcut"):
        return MaskSource(name, False, False, FarmMasks() if name == "farm" else GrabCut())
    file = weights or (_point_rend_weights() if name == "pointrend" else maskrcnn.download_weights())
    return MaskSource(name, False, False, _network(file, device, asked_for=name))


def segment(
    source: SourceImage,
    path: Path,
    *,
    segmenter: MaskSource = GIVEN_OR_FARM,
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


def _automatic(weights: Path | None, device: torch.device) -> MaskSource:
    """The photograph's own mask, else the best segmenter that is here, and why it is that one."""
    if weights is not None:
        maker, reason = _network(weights, device), f"by the weights {weights}"
    elif pointrend.is_installed() and (file := pointrend.cached_weights()).is_file():
        maker, reason = _network(file, device, asked_for="pointrend"), f"detectron2 and {file} are here"
    elif (file := maskrcnn.cached_weights()).is_file():
        maker, reason = _network(file, device, asked_for="maskrcnn"), f"its weights are here: {file}"
    else:
        maker, reason = FarmMasks(), "no weights of PointRend or Mask R-CNN are here"
    return MaskSource("auto", True, True, maker, reason)


def _network(file: Path, device: torch.device, *, asked_for: str | None = None) -> Segmenter:
    weights = read_network_weights(file)
    if asked_for not in (None, weights.network):
        raise CheckpointError(f"{file}: weights of {weights.network}; give --segmenter {weights.network}")
    if weights.network == "pointrend":
        return pointrend.load_point_rend(weights, device=device)
    return maskrcnn.load_mask_rcnn(weights, device=device)


def _point_rend_weights() -> Path:
    if not pointrend.is_installed():
        raise pointrend.missing_library()
    file = pointrend.cached_weights()
    if not file.is_file():
        raise pointrend.missing_weights()
    return file


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

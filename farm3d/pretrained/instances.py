"""Animals found in a picture, and which of them is meant."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool

from farm3d.errors import InputError
from farm3d.pretrained.coco_classes import ANIMALS

CENTRE_SPREAD = 0.35
"""Distance from the middle, as a share of the diagonal, at which an animal counts 0.6 of one there."""

SAME_ANIMAL = 0.6
"""Share of the smaller of two masks that lies in the other from which both are held to be one animal."""

Mask = Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class Instance:
    """One thing in a picture: its pixels, its COCO class (`None`: not known), how sure that is, in [0, 1].

    `doubts` are sentences for the user; `rival_share` is the area, as a fraction of this one's, of the
    largest thing beside it that its maker saw but gives no instance for.
    """

    mask: Mask
    label: str | None
    score: float
    doubts: tuple[str, ...] = ()
    rival_share: float = 0.0


@dataclass(frozen=True)
class Choice:
    """The instance that is meant, how many other animals there are, and the largest one's size.

    `rival_share` is the largest other animal's area as a fraction of the instance's, and may exceed 1.
    """

    instance: Instance
    rivals: int
    rival_share: float


def choose_instance(
    instances: Sequence[Instance],
    class_names: Collection[str],
    *,
    image_shape: tuple[int, int],
    number: int | None = None,
) -> Choice:
    """The animal that a picture is of: of a fitting class, surely seen, large and near the middle.

    The merit is the score times the square root of the area's share of the picture, a length, times a bell
    over the distance of the mask's centroid from the middle. `number` asks for the N-th largest instead, 1
    the largest. Instances without a class fit any; of two that overlap, being one animal under two
    classes, the one with the higher score counts, of equal ones that of more merit. Own design. Raises
    InputError, without the picture's name, where there is no such animal.
    """
    fitting = [one for one in instances if one.mask.any() and one.label in (None, *class_names)]
    if not fitting:
        raise InputError(_nothing_fits(instances, class_names))
    animals = _without_repetitions(fitting)
    if number is None:
        chosen = max(animals, key=lambda one: merit(one, image_shape))
    elif number <= len(animals):
        chosen = sorted(animals, key=lambda one: -one.mask.sum())[number - 1]
    else:
        some = f"{len(animals)} animal{'' if len(animals) == 1 else 's'}"
        raise InputError(f"--instance {number}: the picture has {some}; give a smaller number")
    rivals = _rivals(chosen, instances, class_names)
    largest = max((int(one.mask.sum()) for one in rivals), default=0) / int(chosen.mask.sum())
    return Choice(chosen, len(rivals), max(largest, chosen.rival_share))


def merit(instance: Instance, image_shape: tuple[int, int]) -> float:
    """How much a picture of this height and width is of this instance (see `choose_instance`)."""
    height, width = image_shape
    rows, columns = np.nonzero(instance.mask)
    apart = math.hypot(rows.mean() + 0.5 - height / 2, columns.mean() + 0.5 - width / 2)
    bell = math.exp(-((apart / math.hypot(height, width) / CENTRE_SPREAD) ** 2) / 2)
    return instance.score * math.sqrt(len(rows) / (height * width)) * bell


def separated(instance: Instance) -> tuple[Instance, ...]:
    """The connected pieces of an instance's mask, each an instance, the largest first."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(instance.mask.astype(np.uint8))
    largest_first = 1 + np.argsort(-statistics[1:count, cv2.CC_STAT_AREA], kind="stable")
    return tuple(
        Instance(labels == piece, instance.label, instance.score, instance.doubts) for piece in largest_first
    )


def touched_borders(mask: Mask) -> dict[str, float]:
    """The share of each border's pixels that a mask touches."""
    borders = {"left": mask[:, 0], "right": mask[:, -1], "top": mask[0], "bottom": mask[-1]}
    return {side: float(pixels.mean()) for side, pixels in borders.items()}


def _rivals(chosen: Instance, instances: Sequence[Instance], class_names: Collection[str]) -> list[Instance]:
    """The other animals of any class: a cow beside a horse is one too many."""
    animals = [one for one in instances if one.label in (None, *class_names, *ANIMALS)]
    others = [one for one in animals if one.mask.any() and not _are_one_animal(one.mask, chosen.mask)]
    return _without_repetitions(others)


def _without_repetitions(instances: Sequence[Instance]) -> list[Instance]:
    kept: list[Instance] = []
    for one in sorted(instances, key=lambda one: (-one.score, -merit(one, one.mask.shape))):
        if not any(_are_one_animal(one.mask, other.mask) for other in kept):
            kept.append(one)
    return kept


def _are_one_animal(mask: Mask, other: Mask) -> bool:
    smaller = min(int(mask.sum()), int(other.sum()))
    return int((mask & other).sum()) > SAME_ANIMAL * smaller


def _nothing_fits(instances: Sequence[Instance], class_names: Collection[str]) -> str:
    seen = sorted({one.label for one in instances if one.label is not None})
    wanted = " or ".join(class_names) if len(class_names) < 5 else "animal"
    found = f"no {wanted} found{', but ' if seen else ''}{', '.join(seen)}"
    return f"{found}; give a mask with --mask FILE"

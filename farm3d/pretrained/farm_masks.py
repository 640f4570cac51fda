"""The segmenter that ships: a network taught by the farm says where the animal is, GrabCut where it ends.

The network is shown the whole picture and, twice, the surroundings of what it found, at two sizes; what it
says of a pixel is averaged over the last views and their mirror images.
"""

from functools import cached_property

import cv2
import numpy as np
import torch
from scipy.special import expit

from farm3d.pretrained.animal_pixels import STRIDE, AnimalPixels, load_animal_pixels
from farm3d.pretrained.cuts import (
    Box,
    Mask,
    Plane,
    Trimap,
    fill_small_holes,
    fine_cut,
    main_piece,
    no_animal,
    require_animal,
    surroundings,
)
from farm3d.pretrained.instances import Instance
from farm3d.pretrained.segmenter import SURE_SCORE, Pixels

SIDES = (128, 192)
"""Longer sides (pixels) at which pictures are shown: 128 as in training, more for what is small or thin."""

MARGINS = (0.25, 0.5)
"""Margins about the animal, as shares of its longer side, with which it is shown alone."""

SURE = 0.98
"""A pixel this probable, or its opposite, is not asked of GrabCut."""


class FarmMasks:
    """Finds the animal that is most in the middle, of no class, with a network that ships."""

    name = "farm"

    def __init__(self, network: AnimalPixels | None = None) -> None:
        self._given = network

    @cached_property
    def _network(self) -> AnimalPixels:
        return self._given or load_animal_pixels()

    def instances(self, pixels: Pixels) -> tuple[Instance, ...]:
        """The animal; raises InputError, without the picture's name, where none is found."""
        whole = self._views(pixels, [(0, pixels.shape[0], 0, pixels.shape[1])])
        piece, rival_share = _found_piece(whole)
        piece, _ = _found_piece([*whole, *self._views(pixels, _boxes_about(piece))])
        views = self._views(pixels, _boxes_about(piece))
        piece, _ = _found_piece(views)
        logits: Plane = np.mean(views, axis=0)
        probable: Plane = np.asarray(expit(logits))
        cut = fine_cut(pixels, probable, box=surroundings(piece, *piece.shape), trimap_of=_trimap)
        mask = fill_small_holes(main_piece(cut)[0])
        require_animal(mask)
        score = _agreement(probable, mask)
        doubt = f"the mask is doubtful: the network is only {score:.0%} sure of these pixels"
        return (Instance(mask, None, score, (doubt,) if score < SURE_SCORE else (), rival_share),)

    def _views(self, pixels: Pixels, boxes: list[Box]) -> list[Plane]:
        return [self._logits(pixels, box, side) for box in boxes for side in SIDES]

    def _logits(self, pixels: Pixels, box: Box, side: int) -> Plane:
        """What the network says of a part of the picture, shown at this longer side; -inf elsewhere."""
        top, bottom, left, right = box
        part = pixels[top:bottom, left:right]
        scale = side / max(part.shape[:2]) / STRIDE
        width, height = (STRIDE * max(1, round(n * scale)) for n in (right - left, bottom - top))
        shown = torch.from_numpy(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA))
        image = shown.float() / 255.0
        with torch.inference_mode():
            straight, mirrored = self._network(torch.stack([image, image.flip(1)]))
        mean = ((straight + mirrored.flip(1)) / 2.0).numpy()
        result = np.full(pixels.shape[:2], -np.inf, dtype=np.float32)
        result[top:bottom, left:right] = cv2.resize(mean, part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        return result


def _boxes_about(piece: Mask) -> list[Box]:
    return [surroundings(piece, *piece.shape, margin=margin) for margin in MARGINS]


def _found_piece(views: list[Plane]) -> tuple[Mask, float]:
    """What is most in the middle of all that views show, and the largest other piece as a fraction of it."""
    piece, _, rival_share = main_piece(np.mean(views, axis=0) > 0.0)
    if not piece.any():
        raise no_animal("nothing looks like one")
    return piece, rival_share


def _trimap(probable: Plane) -> Trimap:
    trimap = np.where(probable > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
    trimap[probable > SURE] = cv2.GC_FGD
    trimap[probable < 1.0 - SURE] = cv2.GC_BGD
    return trimap.astype(np.uint8)


def _agreement(probable: Plane, mask: Mask) -> float:
    """The IoU of a mask with probabilities."""
    return float(probable[mask].sum() / np.maximum(probable, mask).sum())

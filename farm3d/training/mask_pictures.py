"""Pictures with masks for the network that cuts animals out: whole ones, and animals put elsewhere.

The farm's pictures show one animal, large and in the middle; photographs do not. So half of the animals are
pasted, smaller and off the middle, onto pictures whose own animal was painted over.
"""

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from farm3d.data.samples import Sample

AS_DRAWN = 0.45
"""Share of the pictures that stay as they are drawn, with the animal's shadow and feet in the grass."""

SMALLEST, LARGEST = 0.35, 1.2
"""Scales of a pasted animal, of those that it has in its own picture."""

Picture = Float32[np.ndarray, "size size 3"]
Mask = Float32[np.ndarray, "size size"]


def without_animal(sample: Sample) -> UInt8[np.ndarray, "size size 3"]:
    """The picture with its animal painted over by what is round it (Telea, JGT 2004, in OpenCV)."""
    hole = cv2.dilate((sample.mask > 20).astype(np.uint8), np.ones((9, 9), np.uint8))
    return np.asarray(cv2.inpaint(sample.image, hole, 3, cv2.INPAINT_TELEA))


def mask_picture(
    sample: Sample, background: UInt8[np.ndarray, "size size 3"], rng: np.random.Generator
) -> tuple[Picture, Mask]:
    """A sample as the network is shown it, sRGB in [0, 1], and the animal's share of each pixel."""
    picture, mask = sample.image.astype(np.float32) / 255.0, sample.mask.astype(np.float32) / 255.0
    if rng.random() < 0.5:
        picture, mask = picture[:, ::-1].copy(), mask[:, ::-1].copy()
    if rng.random() < AS_DRAWN:
        move = _move(rng, rng.uniform(1.0, 1.5), size=len(mask), turn=4.0, aside=8.0)
        picture, mask = (_moved(plane, move, cv2.BORDER_REFLECT_101) for plane in (picture, mask))
    else:
        empty = background.astype(np.float32) / 255.0
        picture, mask = _pasted(picture, mask, background=empty, rng=rng)
    return _developed(_recoloured(picture, rng), rng), mask


def _pasted(
    picture: Picture, mask: Mask, *, background: Picture, rng: np.random.Generator
) -> tuple[Picture, Mask]:
    """The animal elsewhere, at another size, often in other colours, among things that are none."""
    size, near = len(mask), rng.uniform(1.0, 2.0)
    if rng.random() < 0.5:
        background = background[:, ::-1].copy()
    shift = size / 2 * (near - 1.0)
    background = _moved(
        background, _move(rng, near, size=size, turn=0.0, aside=shift, even=True), cv2.BORDER_REFLECT_101
    )
    background = _with_ground(background, rng) if rng.random() < 0.5 else background
    background = _with_things(background, picture[mask > 0.5], rng) if rng.random() < 0.5 else background
    scale = float(np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST))))
    if scale < 0.6:
        picture, mask = (cv2.GaussianBlur(plane, (0, 0), 0.36 / scale) for plane in (picture, mask))
    aside = 0.35 * size * (1.0 - min(scale, 1.0))
    move = _move(rng, scale, size=size, turn=8.0, aside=aside, even=True)
    picture, mask = _moved(picture, move, cv2.BORDER_REPLICATE), _moved(mask, move, cv2.BORDER_CONSTANT)
    if rng.random() < 0.5:
        picture = _recoloured(picture, rng)
    return mask[..., None] * picture + (1.0 - mask[..., None]) * background, mask


def _with_ground(background: Picture, rng: np.random.Generator) -> Picture:
    """Litter, mud or leaves on a part of the picture: meadows are seldom as plain as the farm's."""
    size, result = len(background), background.copy()
    horizon, below = int(rng.uniform(0.2, 0.8) * size), rng.random() < 0.7
    there = np.s_[horizon:] if below else np.s_[:horizon]
    one, other = (background[tuple(rng.integers(size, size=2))] for _ in range(2))
    other = np.clip(other + rng.normal(0.0, 0.2), 0.0, 1.0)
    share = np.float32(rng.uniform(0.3, 1.0))
    result[there] += share * (_grain(one, other, size, rng=rng) - result)[there]
    return result


def _with_things(background: Picture, coat: np.ndarray, rng: np.random.Generator) -> Picture:
    """Boards, posts and lumps, some in the animal's own colours: roofs and fences that are no animal."""
    size, result = len(background), background.copy()
    for _ in range(int(rng.integers(1, 5))):
        own = len(coat) > 0 and rng.random() < 0.4
        color = coat[rng.integers(len(coat))] if own else rng.random(3)
        other = np.clip(color + rng.normal(0.0, 0.15), 0.0, 1.0)
        shape = np.zeros((size, size), np.uint8)
        middle = tuple(int(value) for value in rng.uniform(0, size, 2))
        long, wide = rng.uniform(0.1, 0.5) * size, rng.uniform(0.02, 0.3) * size
        angle = float(rng.choice([0.0, 90.0]) + rng.normal(0.0, 8.0))
        if rng.random() < 0.6:
            corners = cv2.boxPoints((middle, (long, wide), angle))
            cv2.fillConvexPoly(shape, corners.astype(np.int32), 1)
        else:
            cv2.ellipse(shape, middle, (int(long / 2), int(wide / 2)), angle, 0, 360, 1, thickness=-1)
        there = shape.astype(bool)
        result[there] = _grain(color, other, size, rng=rng)[there]
    return result


def _grain(one: np.ndarray, other: np.ndarray, size: int, *, rng: np.random.Generator) -> Picture:
    """Two colours mixed by noise of several scales, each as strong as chance has it."""
    noise = np.zeros((size, size), np.float32)
    for cells in (4, 8, 16, 32, 64, size):
        coarse = rng.standard_normal((cells, cells), dtype=np.float32)
        noise += np.float32(rng.random()) * cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)
    mixed = 1.0 / (1.0 + np.exp(-noise * np.float32(rng.uniform(0.5, 4.0)) / noise.std()))
    return (one + mixed[..., None] * (other - one)).astype(np.float32)


def _recoloured(picture: Picture, rng: np.random.Generator) -> Picture:
    """Other exposure, white balance, saturation and contrast; sometimes grey, sometimes other hues."""
    kind = rng.random()
    if kind < 0.1:
        picture = np.repeat(picture.mean(axis=-1, keepdims=True), 3, axis=-1)
    elif kind < 0.4:
        turn, _ = cv2.Rodrigues(np.full(3, rng.normal(0.0, 0.35) / np.sqrt(3.0)))
        picture = picture @ turn.astype(np.float32).T
    gains = np.exp(rng.normal(0.0, 0.12, 3) + rng.normal(0.0, 0.25)).astype(np.float32)
    grey = picture.mean(axis=-1, keepdims=True)
    picture = grey + (picture - grey) * np.float32(np.exp(rng.normal(0.0, 0.3)))
    return np.clip(picture * gains, 0.0, 1.0) ** np.float32(np.exp(rng.normal(0.0, 0.25)))


def _developed(picture: Picture, rng: np.random.Generator) -> Picture:
    """Blur or JPEG's blocks, and noise, as cameras add them."""
    kind = rng.random()
    if kind < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 1.5)))
    elif kind < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))]
        _, packed = cv2.imencode(".jpg", (255.0 * picture).astype(np.uint8), quality)
        decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR)
        assert decoded is not None
        picture = decoded.astype(np.float32) / 255.0
    noise = rng.standard_normal(picture.shape, dtype=np.float32) * np.float32(rng.uniform(0.0, 0.04))
    return np.clip(picture + noise, 0.0, 1.0)


def _move(
    rng: np.random.Generator, scale: float, *, size: int, turn: float, aside: float, even: bool = False
) -> np.ndarray:
    """An affine map about the middle: scaled, a little stretched and turned, moved aside.

    `turn` (degrees) and `aside` (pixels) are standard deviations; where `even`, `aside` is the most, to any
    side alike.
    """
    stretch = float(np.exp(rng.normal(0.0, 0.12)))
    middle = size / 2
    turned = np.vstack(
        [cv2.getRotationMatrix2D((middle, middle), rng.normal(0.0, turn), 1.0), [0.0, 0.0, 1.0]]
    )
    shift = rng.uniform(-aside, aside, 2) if even else rng.normal(0.0, aside, 2)
    wide, high = scale * stretch, scale / stretch
    stretched = np.array(
        [[wide, 0.0, middle * (1.0 - wide) + shift[0]], [0.0, high, middle * (1.0 - high) + shift[1]]]
    )
    return stretched @ turned


def _moved(plane: np.ndarray, move: np.ndarray, border: int) -> np.ndarray:
    size = (plane.shape[1], plane.shape[0])
    return np.asarray(cv2.warpAffine(plane, move, size, flags=cv2.INTER_LINEAR, borderMode=border))

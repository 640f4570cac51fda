"""Near-duplicates: pictures whose perceptual hashes are a few bits apart.

Source: the DCT hash of Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010).
"""

from collections.abc import Iterable

import cv2
import numpy as np
from jaxtyping import UInt8, UInt64

HASH_SIDE, SHRUNK_SIDE = 8, 32
"""Frequencies along each axis that are hashed, and pixels a side of the picture they are taken of."""

_PAIRS, _NIBBLES, _BYTES, _ONES = (
    np.uint64(pattern)
    for pattern in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F, 0x0101010101010101)
)


def perceptual_hash(pixels: UInt8[np.ndarray, "height width 3"]) -> int:
    """64 bits: which of the 8 x 8 lowest frequencies of the small grey picture are above their median.

    Frequency 0 is left out along both axes, and with it brightness; resizing, compression and noise move
    few bits.
    """
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(gray, (SHRUNK_SIDE, SHRUNK_SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small)[1 : 1 + HASH_SIDE, 1 : 1 + HASH_SIDE].ravel()
    # In steps of a hundredth of a grey level, so that rounding in the last bit decides nothing.
    steps = np.round(low * 100.0)
    return int.from_bytes(np.packbits(steps > np.median(steps)).tobytes(), "big")


def hamming_distances(value: int, others: UInt64[np.ndarray, " others"]) -> UInt8[np.ndarray, " others"]:
    """In how many of 64 bits each of `others` differs from `value`; the bits are counted in parallel."""
    differing = others ^ np.uint64(value)
    twos = differing - ((differing >> np.uint64(1)) & _PAIRS)
    fours = (twos & _NIBBLES) + ((twos >> np.uint64(2)) & _NIBBLES)
    eights = (fours + (fours >> np.uint64(4))) & _BYTES
    return ((eights * _ONES) >> np.uint64(56)).astype(np.uint8)


def find_duplicates(hashes: Iterable[tuple[str, int]], *, max_distance: int) -> dict[str, str]:
    """Which pictures repeat an earlier one: id of the later -> id of the first kept one that is near.

    `hashes` come in the order of the ids; a duplicate is no original of others, so chains of small
    changes are kept in part. `max_distance` is in bits; -1 finds nothing. Memory: 8 bytes a picture kept.
    """
    kept = np.empty(1024, dtype=np.uint64)
    names: list[str] = []
    duplicates: dict[str, str] = {}
    for name, value in hashes:
        near = hamming_distances(value, kept[: len(names)]) <= max_distance if max_distance >= 0 else None
        if near is not None and near.any():
            duplicates[name] = names[int(np.argmax(near))]
            continue
        if len(names) == len(kept):
            kept = np.concatenate([kept, np.empty_like(kept)])
        kept[len(names)] = value
        names.append(name)
    return duplicates

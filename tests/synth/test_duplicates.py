"""Perceptual hashes forgive what cameras and codecs do, and duplicates are settled in the order of ids."""

import cv2
import numpy as np
import pytest
from farm3d.synth.duplicates import find_duplicates, hamming_distances, perceptual_hash
from hypothesis import given, settings
from hypothesis import strategies as st

HASHES = st.integers(min_value=0, max_value=2**64 - 1)


def picture(seed: int, size: int = 96) -> np.ndarray:
    """Smooth coloured blobs."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def distance(one: np.ndarray, other: np.ndarray) -> int:
    return (perceptual_hash(one) ^ perceptual_hash(other)).bit_count()


@pytest.mark.parametrize("seed", range(4))
def test_the_same_picture_smaller_compressed_and_brighter_is_near(seed):
    original = picture(seed)
    half = cv2.resize(original, (48, 48), interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", original, [cv2.IMWRITE_JPEG_QUALITY, 40])
    brighter = np.clip(original.astype(int) * 0.9 + 20, 0, 255).astype(np.uint8)
    assert perceptual_hash(original) == perceptual_hash(original.copy())
    for changed in (half, cv2.imdecode(encoded, cv2.IMREAD_COLOR), brighter):
        assert distance(original, changed) <= 6


def test_other_pictures_are_far():
    hashes = [perceptual_hash(picture(seed)) for seed in range(30)]
    pairs = [(a ^ b).bit_count() for k, a in enumerate(hashes) for b in hashes[:k]]
    assert min(pairs) > 10
    assert np.mean(pairs) == pytest.approx(32, abs=3)


def test_a_plain_picture_has_a_hash():
    assert perceptual_hash(np.full((64, 64, 3), 128, np.uint8)) == 0


@given(HASHES, st.lists(HASHES, max_size=20))
def test_distances_count_differing_bits(value, others):
    expected = [(value ^ other).bit_count() for other in others]
    assert hamming_distances(value, np.array(others, dtype=np.uint64)).tolist() == expected


def plain_duplicates(hashes: list[tuple[str, int]], max_distance: int) -> dict[str, str]:
    """What `find_duplicates` says, one pair at a time."""
    kept: dict[str, int] = {}
    duplicates = {}
    for name, value in hashes:
        original = next((k for k, v in kept.items() if (v ^ value).bit_count() <= max_distance), None)
        if original is None:
            kept[name] = value
        else:
            duplicates[name] = original
    return duplicates


@settings(max_examples=50)
@given(st.lists(st.sampled_from([0, 1, 3, 7, 15, 255, 2**64 - 1, 2**63]), max_size=30), st.integers(-1, 8))
def test_duplicates_are_those_of_the_plain_definition(values, max_distance):
    hashes = [(f"cow_{k:06d}", value) for k, value in enumerate(values)]
    assert find_duplicates(hashes, max_distance=max_distance) == plain_duplicates(hashes, max_distance)


def test_the_first_of_near_pictures_is_kept_and_chains_are_broken():
    hashes = [("a", 0b0000), ("b", 0b0011), ("c", 0b1111), ("d", 0b0111)]
    assert find_duplicates(hashes, max_distance=2) == {"b": "a", "d": "c"}


def test_more_pictures_than_the_first_array_holds():
    values = np.random.default_rng(0).integers(0, 2**63, 3000).tolist()
    hashes = [(str(k), int(value)) for k, value in enumerate([*values, values[1500]])]
    assert find_duplicates(hashes, max_distance=3) == {"3000": "1500"}

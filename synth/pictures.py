"""The farm's pictures in docs/images: `python -m farm3d.synth.pictures docs/images`.

A contact sheet of each species, and the horse (with its mask) that README's first command reconstructs.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from farm3d.geometry.camera import FIELD_OF_VIEW

from .procedural.cameras import Viewpoint
from .procedural.features import feature_mixture
from .procedural.images import Sample, draw, random_animal, random_shot
from .procedural.poses import pose_of
from .procedural.species import SPECIES, species_of

SHEET_SEED, SHEET_SIDE, SHEET_ANIMALS, SHEET_PIXELS = 11, 8, 24, 96
PORTRAIT_SEED, PORTRAIT_ANIMAL, PORTRAIT_SIZE, PORTRAIT_SCENE = 100, 1, 512, 21
PORTRAIT_LIGHT = (-0.48, 0.72, 0.5)


def contact_sheet(
    category: str, *, seed: int, side: int, animals: int
) -> UInt8[np.ndarray, "height width 3"]:
    """`side` x `side` pictures of `animals` individuals, as a data set would hold them."""
    species, mixture = species_of(category), feature_mixture(seed)
    herd = [random_animal(species, number, seed=seed, mixture=mixture) for number in range(animals)]
    pictures = []
    for number in range(side * side):
        animal = herd[number % animals]
        generator = np.random.default_rng([seed, 1, number])
        shot = random_shot(animal, f"{category}_{number}", generator, seed=seed)
        pictures.append(draw(animal, [shot], SHEET_PIXELS)[0].image)
    rows = [np.hstack(pictures[first : first + side]) for first in range(0, side * side, side)]
    return np.vstack(rows)


def portrait() -> Sample:
    """A walking horse from its side, with room around it."""
    animal = random_animal(
        species_of("horse"), PORTRAIT_ANIMAL, seed=PORTRAIT_SEED, mixture=feature_mixture(PORTRAIT_SEED)
    )
    shot = random_shot(animal, "horse", np.random.default_rng([7, PORTRAIT_ANIMAL]), seed=PORTRAIT_SEED)
    shot = replace(
        shot,
        pose=pose_of("walk", animal.species, animal.shape, generator=np.random.default_rng(1)),
        viewpoint=Viewpoint(-1.1, 0.12, FIELD_OF_VIEW),
        scale=1.3,
        light_direction=PORTRAIT_LIGHT,
        ambient=0.4,
        diffuse=0.75,
        generator=np.random.default_rng(PORTRAIT_SCENE),
    )
    return draw(animal, [shot], PORTRAIT_SIZE)[0]


def main(arguments: Sequence[str] | None = None) -> None:
    """Write all pictures to the folder given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args(arguments).out
    out.mkdir(parents=True, exist_ok=True)
    for species in SPECIES:
        sheet = contact_sheet(species.name, seed=SHEET_SEED, side=SHEET_SIDE, animals=SHEET_ANIMALS)
        _write(out / f"farm_{species.name}.jpg", sheet)
    horse = portrait()
    _write(out / "horse.jpg", horse.image)
    _write(out / "horse_mask.png", horse.mask)


def _write(path: Path, image: np.ndarray) -> None:
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    options = [cv2.IMWRITE_JPEG_QUALITY, 90] if path.suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 9]
    _, encoded = cv2.imencode(path.suffix, bgr, options)
    path.write_bytes(encoded.tobytes())


if __name__ == "__main__":
    main()

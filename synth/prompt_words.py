"""What the farm understands of a prompt: species, age, coat, pose and view; every other word is told.

The words are everyday English; coats are found by what they are painted with.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from farm3d.errors import ConfigError

from .procedural.anatomy import Species
from .procedural.coats.canvas import Color
from .procedural.coats.coat import Coat
from .procedural.coats.markings import Belt, Ground, Patches
from .procedural.coats.patterns import Brindle, Dapples, Reticulation, Roan, Spots, Stripes
from .procedural.species import SPECIES, species_of

ANIMALS = {
    "cow": "cow",
    "cattle": "cow",
    "bull": "cow",
    "heifer": "cow",
    "horse": "horse",
    "mare": "horse",
    "stallion": "horse",
    "pony": "horse",
    "sheep": "sheep",
    "ewe": "sheep",
    "ram": "sheep",
    "pig": "pig",
    "sow": "pig",
    "boar": "pig",
    "dog": "dog",
    "zebra": "zebra",
    "giraffe": "giraffe",
}
YOUNG = {"calf": "cow", "foal": "horse", "colt": "horse", "lamb": "sheep", "piglet": "pig", "puppy": "dog"}
YOUNG_WORDS = frozenset(("young", "baby"))

POSES = {
    "standing": "stand",
    "walking": "walk",
    "trotting": "trot",
    "running": "gallop",
    "galloping": "gallop",
    "cantering": "canter",
    "grazing": "graze",
    "eating": "graze",
    "sniffing": "sniff",
    "drinking": "drink",
    "lying": "lie",
    "resting": "lie",
    "sitting": "sit",
}
COLORS: dict[str, Color] = {
    "black": (0.11, 0.10, 0.10),
    "white": (0.86, 0.83, 0.77),
    "grey": (0.50, 0.50, 0.50),
    "brown": (0.44, 0.27, 0.16),
    "golden": (0.74, 0.58, 0.38),
    "pink": (0.78, 0.58, 0.52),
}
COLOR_WORDS = {
    **{name: name for name in COLORS},
    "gray": "grey",
    "chestnut": "brown",
    "bay": "brown",
    "red": "brown",
    "yellow": "golden",
    "tan": "golden",
    "cream": "golden",
    "fawn": "golden",
    "palomino": "golden",
}
PATTERNS: dict[str, tuple[type, ...]] = {
    "spotted": (Spots, Patches),
    "patched": (Patches,),
    "pied": (Patches,),
    "piebald": (Patches,),
    "pinto": (Patches,),
    "dappled": (Dapples,),
    "striped": (Stripes, Brindle),
    "brindled": (Brindle,),
    "belted": (Belt,),
    "roan": (Roan,),
    "reticulated": (Reticulation,),
}
SIDES = {"left": -1.0, "right": 1.0}
"""Where the head points in the picture."""

FRONT, SIDE, BACK = 0.0, 90.0, 180.0
VIEWS = {
    "side": SIDE,
    "profile": SIDE,
    "front": FRONT,
    "frontal": FRONT,
    "towards": FRONT,
    "back": BACK,
    "behind": BACK,
    "rear": BACK,
    "away": BACK,
}
"""Degrees by which the animal is turned from the camera."""

ABOVE = frozenset(("above", "overhead", "top"))
QUARTER = frozenset(("quarter", "threequarter", "angle"))
SILENT = frozenset(
    re.findall(
        r"\w+",
        "a an the of on in at to from its it is and with seen view facing camera photo photograph picture"
        " image one three coat animal single full body",
    )
)
"""Words that say nothing more to the farm, and that no one misses."""


@dataclass(frozen=True)
class FarmOrder:
    """What the farm is asked to draw, angles in degrees; `unknown` are the words that were not understood.

    `side` is -1 or 1 for the head's side of the picture, `None` where the prompt leaves it open.
    """

    species: Species
    pose: str
    azimuth: float
    elevation: float
    side: float | None
    unknown: tuple[str, ...]


def order_of(prompt: str) -> FarmOrder:
    """What a prompt asks of the farm. Raises ConfigError where it names none of the farm's animals."""
    words = re.findall(r"[a-z]+", prompt.lower().replace("three-quarter", "threequarter"))
    species, young = _species(words)
    pose = next((POSES[word] for word in words if word in POSES), "stand")
    unknown = [word for word in words if not _understood(word)]
    if young:
        types = tuple(kind for kind in species.types if kind.young)
        species = replace(species, types=types) if types else species
    if pose not in species.manners.gaits:
        unknown += [word for word in words if POSES.get(word) == pose]
        pose = "stand"
    coats, missing = _coats(species, words)
    azimuth = next((VIEWS[word] for word in words if word in VIEWS), SIDE)
    if QUARTER & set(words):
        azimuth = 135.0 if azimuth == BACK else 45.0
    return FarmOrder(
        replace(species, coats=coats),
        pose,
        azimuth,
        60.0 if ABOVE & set(words) else 8.0,
        next((SIDES[word] for word in words if word in SIDES), None),
        (*unknown, *missing),
    )


def animal_named(prompt: str) -> str | None:
    """The farm's species that a prompt names first, if any."""
    words = (_singular(word) for word in re.findall(r"[a-z]+", prompt.lower()))
    return next((known[word] for word in words for known in (ANIMALS, YOUNG) if word in known), None)


def _species(words: list[str]) -> tuple[Species, bool]:
    name = animal_named(" ".join(words))
    if name is None:
        known = ", ".join(species.name for species in SPECIES)
        raise ConfigError(
            f"the farm finds none of its animals in {' '.join(words)!r}; it draws {known};"
            " --model MODEL (Stable Diffusion) draws anything"
        )
    young = any(_singular(word) in YOUNG or word in YOUNG_WORDS for word in words)
    return species_of(name), young


def _singular(word: str) -> str:
    return word if word in ANIMALS or word in YOUNG else word.removesuffix("s")


def _understood(word: str) -> bool:
    tables = (ANIMALS, YOUNG, POSES, COLOR_WORDS, PATTERNS, SIDES, VIEWS)
    sets = (YOUNG_WORDS, ABOVE, QUARTER, SILENT)
    return any(word in table for table in (*tables, *sets)) or _singular(word) in {**ANIMALS, **YOUNG}


def _coats(species: Species, words: list[str]) -> tuple[tuple[Coat, ...], list[str]]:
    """The species' coats that fit all words, one word after the other, and the words that fit none."""
    coats, missing = species.coats, []
    for word in words:
        fits = _coat_test(word)
        if fits is None:
            continue
        kept = tuple(coat for coat in coats if fits(coat))
        if kept:
            coats = kept
        else:
            missing.append(word)
    return coats, missing


def _coat_test(word: str) -> Callable[[Coat], bool] | None:
    if word in COLOR_WORDS:
        return lambda coat: COLOR_WORDS[word] in _color_names(coat)
    if word in PATTERNS:
        return lambda coat: any(isinstance(marking, PATTERNS[word]) for marking in coat.markings)
    return None


def _color_names(coat: Coat) -> set[str]:
    """The nearest names of the ground's colour and of the patches', spots' and belt's."""
    painted = [marking for marking in coat.markings if isinstance(marking, Ground | Patches | Spots | Belt)]
    return {_color_name(marking.color) for marking in painted}


def _color_name(color: Color) -> str:
    return min(COLORS, key=lambda name: float(np.square(np.subtract(COLORS[name], color)).sum()))

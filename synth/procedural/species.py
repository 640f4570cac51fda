"""The species that the farm can breed."""

import difflib

from farm3d.errors import ConfigError

from .anatomy import Species
from .bodies.cow import COW
from .bodies.dog import DOG
from .bodies.giraffe import GIRAFFE
from .bodies.horse import HORSE
from .bodies.pig import PIG
from .bodies.sheep import SHEEP
from .bodies.zebra import ZEBRA

SPECIES = (COW, HORSE, SHEEP, PIG, DOG, ZEBRA, GIRAFFE)


def species_of(category: str) -> Species:
    """The species called `category`; raises ConfigError naming the nearest one where there is none."""
    for species in SPECIES:
        if species.name == category:
            return species
    names = [species.name for species in SPECIES]
    near = difflib.get_close_matches(category, names, n=1, cutoff=0.0)
    raise ConfigError(
        f"the procedural farm has no {category!r}; did you mean {near[0]!r}? It has: {', '.join(names)}"
    )

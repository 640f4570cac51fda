"""The coats of the farm's species: tables of markings, and what paints them."""

from .farm import COW_COATS, HORSE_COATS
from .small import DOG_COATS, PIG_COATS, SHEEP_COATS
from .wild import GIRAFFE_COATS, ZEBRA_COATS

__all__ = [
    "COW_COATS",
    "DOG_COATS",
    "GIRAFFE_COATS",
    "HORSE_COATS",
    "PIG_COATS",
    "SHEEP_COATS",
    "ZEBRA_COATS",
]

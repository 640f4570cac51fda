"""The coats of the farm's species: tables of markings, and what paints them."""

from .cattle import COW_COATS
from .dogs import DOG_COATS
from .horses import HORSE_COATS
from .pigs import PIG_COATS
from .sheep import SHEEP_COATS
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

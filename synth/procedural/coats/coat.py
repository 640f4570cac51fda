"""A kind of coat: markings painted one over the other, the bare skin, and the relief of the hair."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from .canvas import Canvas, Color, Colors

WHITE: Color = (0.86, 0.83, 0.77)
PINK: Color = (0.74, 0.56, 0.50)


@runtime_checkable
class Marking(Protocol):
    """Something that is painted over what is there."""

    def paint(self, canvas: Canvas, color: Colors) -> Colors:
        """The colours (sRGB) with the marking on them."""
        ...


@dataclass(frozen=True)
class Skin:
    """Bare places: colours (sRGB) of muzzle, horn and hooves.

    The muzzle's colour begins at `muzzle_start` of the way from poll to muzzle; with `pink_share` as chance
    it is pink. `nose` is a dog's wet nose; a `snout` has its nostrils in front. Without `hooves` there are
    claws.
    """

    muzzle: Color = (0.16, 0.13, 0.12)
    muzzle_start: float = 0.88
    muzzle_strength: float = 0.75
    pink_share: float = 0.15
    nose: Color | None = None
    snout: bool = False
    horn: Color = (0.70, 0.64, 0.52)
    horn_tip: Color = (0.30, 0.26, 0.22)
    hooves: Color | None = (0.13, 0.11, 0.10)
    eye: Color = (0.035, 0.025, 0.02)
    eye_radius: float = 0.052
    inner_ear: Color = (0.50, 0.37, 0.33)
    udder: Color = PINK


@dataclass(frozen=True)
class Hair:
    """Heights (object units) of what stands out from the body: wool, fur, a mane's strands, muscles."""

    wool: float = 0.0
    fur: float = 0.0012
    strands: float = 0.008
    muscles: float = 0.007


@dataclass(frozen=True)
class Coat:
    """A kind of coat; `share` is its chance within its species, relative to the other coats'."""

    share: float
    markings: tuple[Marking, ...]
    skin: Skin = Skin()
    hair: Hair = Hair()

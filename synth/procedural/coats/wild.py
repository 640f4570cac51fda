"""The coats of zebras and giraffes; colours are sRGB."""

from .canvas import Color
from .coat import Coat, Hair, Skin
from .markings import Ground, LongHair
from .patterns import Reticulation, Stripes

_NIGHT: Color = (0.105, 0.09, 0.085)
_PALE: Color = (0.86, 0.83, 0.76)
_WARM: Color = (0.84, 0.78, 0.67)
_STRIPED = Hair(fur=0.0008, muscles=0.009, strands=0.004)
_ZEBRA_SKIN = Skin(muzzle=(0.13, 0.11, 0.10), muzzle_start=0.86, muzzle_strength=0.95, pink_share=0.0)

ZEBRA_COATS = (
    # Plains zebras of the north, of the south (shadow stripes, pale legs), Grevy's and mountain zebras.
    Coat(0.40, (Ground(_PALE, 0.0), Stripes(_NIGHT, 6.0, 4.2, 7.0, 15.0, 10.0)), _ZEBRA_SKIN, _STRIPED),
    Coat(
        0.26,
        (
            Ground(_WARM, 0.0),
            Stripes(_NIGHT, 6.0, 4.0, 7.0, 15.0, 9.0, dark_share=0.5, pale_legs=1.8, shadow=0.75),
        ),
        _ZEBRA_SKIN,
        _STRIPED,
    ),
    Coat(
        0.22,
        (Ground(_PALE, 0.0), Stripes(_NIGHT, 11.0, 10.0, 8.0, 18.0, 14.0, belly=-0.45)),
        _ZEBRA_SKIN,
        _STRIPED,
    ),
    Coat(
        0.12,
        (Ground(_PALE, 0.0), Stripes(_NIGHT, 9.0, 4.5, 8.0, 16.0, 11.0, dark_share=0.6, belly=-0.6)),
        _ZEBRA_SKIN,
        _STRIPED,
    ),
)

_GIRAFFE_SKIN = Skin(
    muzzle=(0.50, 0.40, 0.33),
    muzzle_start=0.84,
    muzzle_strength=0.5,
    pink_share=0.0,
    horn=(0.55, 0.40, 0.26),
    horn_tip=(0.10, 0.08, 0.07),
    hooves=(0.28, 0.23, 0.19),
)
_GIRAFFE_HAIR = Hair(fur=0.0006, muscles=0.006, strands=0.004)
_CREAM: Color = (0.84, 0.75, 0.60)

GIRAFFE_COATS = (
    Coat(
        0.40,
        (
            Ground(_CREAM, 0.05),
            Reticulation((0.56, 0.33, 0.16), line=0.07, jagged=0.03),
            LongHair((0.42, 0.25, 0.14), tuft=0.3),
        ),
        _GIRAFFE_SKIN,
        _GIRAFFE_HAIR,
    ),
    Coat(
        0.35,
        (
            Ground((0.80, 0.67, 0.47), 0.05),
            Reticulation((0.42, 0.25, 0.13), line=0.11, jagged=0.09),
            LongHair((0.30, 0.19, 0.11), tuft=0.3),
        ),
        _GIRAFFE_SKIN,
        _GIRAFFE_HAIR,
    ),
    Coat(
        0.25,
        (
            Ground((0.82, 0.72, 0.56), 0.05),
            Reticulation((0.66, 0.45, 0.26), line=0.10, jagged=0.05),
            LongHair((0.50, 0.33, 0.20), tuft=0.3),
        ),
        _GIRAFFE_SKIN,
        _GIRAFFE_HAIR,
    ),
)

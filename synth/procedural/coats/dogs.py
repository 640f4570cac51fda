"""The coats of dogs; colours are sRGB."""

from dataclasses import replace

from .canvas import Color
from .coat import WHITE, Coat, Hair, Skin
from .markings import FaceWhite, Ground, HeadAndLegs, Patches, Points, Sometimes, Underside
from .patterns import Brindle, Merle, Spots
from .trims import Mask, Saddle, TanPoints, WhiteTrim

_BLACK: Color = (0.105, 0.095, 0.095)
_NOSE: Color = (0.07, 0.065, 0.065)
_TAN: Color = (0.64, 0.42, 0.23)
_ORANGE: Color = (0.62, 0.38, 0.20)
_LIVER: Color = (0.35, 0.20, 0.13)
_SKIN = Skin(
    muzzle=(0.12, 0.10, 0.10),
    muzzle_start=0.97,
    muzzle_strength=0.4,
    pink_share=0.0,
    nose=_NOSE,
    hooves=None,
    eye=(0.16, 0.095, 0.05),
    eye_radius=0.040,
    inner_ear=(0.52, 0.38, 0.34),
)
_LIVER_SKIN = replace(_SKIN, muzzle=(0.28, 0.17, 0.13), nose=(0.30, 0.18, 0.14), eye=(0.30, 0.19, 0.08))
_SHORT = Hair(fur=0.0008, muscles=0.007)
_LONG = Hair(fur=0.0032, muscles=0.003)

DOG_COATS = (
    # Golden and white retrievers, black and liver ones.
    Coat(
        0.13,
        (Ground((0.79, 0.62, 0.40), 0.12), Underside((0.88, 0.78, 0.61), -0.5, strength=0.7)),
        _SKIN,
        _LONG,
    ),
    Coat(
        0.05,
        (Ground((0.86, 0.80, 0.68), 0.05), Sometimes(0.5, Points((0.80, 0.68, 0.50), face=0.2))),
        _SKIN,
        _LONG,
    ),
    Coat(0.08, (Ground(_BLACK, 0.0), Sometimes(0.3, WhiteTrim(0.1))), _SKIN, _SHORT),
    Coat(0.04, (Ground(_LIVER, 0.1),), _LIVER_SKIN, _SHORT),
    # Shepherds, hounds of three colours, black and tan, collies.
    Coat(0.12, (Ground((0.66, 0.49, 0.31), 0.2), Saddle(_BLACK, 0.05), Mask(_BLACK, 0.6)), _SKIN, _LONG),
    Coat(0.11, (Ground((0.68, 0.45, 0.26)), Saddle(_BLACK, 0.0, neck=0.6), WhiteTrim(0.5)), _SKIN, _SHORT),
    Coat(0.08, (Ground(_BLACK, 0.0), TanPoints(_TAN), Sometimes(0.3, WhiteTrim(0.3))), _SKIN, _SHORT),
    Coat(0.10, (Ground(_BLACK, 0.0), WhiteTrim(0.55)), _SKIN, _LONG),
    # Spaniels: white with patches, mostly over eyes and ears.
    Coat(
        0.08,
        (
            Ground(WHITE, 0.0),
            Patches(_ORANGE, 0.45, 0.35, scales=(0.9, 1.4)),
            Sometimes(0.6, HeadAndLegs(_ORANGE, top=-1.0)),
            Sometimes(0.8, FaceWhite(1.0, (0.0, 0.0, 1.0, 0.0))),
        ),
        _LIVER_SKIN,
        _LONG,
    ),
    # Dalmatians, merle shepherds, huskies, brindles, fawn with a mask, white.
    Coat(0.06, (Ground((0.88, 0.87, 0.84), 0.0), Spots(_BLACK, (0.022, 0.05), spacing=2.8)), _SKIN, _SHORT),
    Coat(
        0.06,
        (Ground(_BLACK, 0.0), Merle((0.52, 0.54, 0.57)), TanPoints(_TAN, 1.6), WhiteTrim(0.5)),
        _SKIN,
        _LONG,
    ),
    Coat(
        0.06,
        (
            Ground((0.46, 0.46, 0.46), 0.1),
            Saddle((0.20, 0.20, 0.21), 0.3, head=1.0),
            Underside((0.86, 0.85, 0.82), -0.2),
            WhiteTrim(0.45),
        ),
        _SKIN,
        _LONG,
    ),
    Coat(0.05, (Ground((0.52, 0.37, 0.23)), Brindle(_BLACK), Sometimes(0.5, WhiteTrim(0.3))), _SKIN, _SHORT),
    Coat(
        0.07,
        (Ground((0.71, 0.52, 0.32), 0.1), Mask(_BLACK), Sometimes(0.3, WhiteTrim(0.2))),
        _SKIN,
        _SHORT,
    ),
    Coat(0.04, (Ground((0.88, 0.86, 0.81), 0.0),), _SKIN, _LONG),
)

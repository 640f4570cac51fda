"""The coats of cattle; colours are sRGB."""

from .canvas import Color
from .coat import WHITE, Coat, Hair, Skin
from .markings import (
    Belt,
    Dirt,
    FaceWhite,
    Ground,
    LongHair,
    MuzzleRing,
    Patches,
    Points,
    Socks,
    Sometimes,
    Underside,
)
from .patterns import Brindle

_BLACK: Color = (0.105, 0.095, 0.095)
_RED: Color = (0.46, 0.25, 0.15)
_TUFT = 0.72
_FLAT = Hair(fur=0.0007, muscles=0.010)
_ROUGH = Hair(fur=0.0022)
_DARK_SKIN = Skin(pink_share=0.0)
_MUD = Sometimes(0.3, Dirt())

HOLSTEIN = Coat(
    0.24,
    (
        Ground(WHITE, 0.0),
        Patches(_BLACK, 0.15, 0.4),
        Underside(WHITE, -0.9),
        Socks(0.7),
        LongHair(WHITE, tuft=_TUFT),
        FaceWhite(0.6, (0.5, 0.1, 0.3, 0.1)),
        _MUD,
    ),
    Skin(pink_share=0.5),
    _FLAT,
)
SIMMENTAL = Coat(
    0.20,
    (
        Ground(WHITE, 0.0),
        Patches(_RED, 0.2, 0.4),
        Underside(WHITE, -0.9),
        LongHair(WHITE, tuft=_TUFT),
        FaceWhite(0.8, (0.1, 0.0, 0.2, 0.7)),
        _MUD,
    ),
    Skin(muzzle=(0.66, 0.52, 0.46), pink_share=0.8),
    _FLAT,
)
BLACK_WITH_WHITE = Coat(
    0.10,
    (
        Ground(_BLACK, 0.0),
        Patches(WHITE, 0.9),
        Socks(0.7),
        LongHair(WHITE, tuft=_TUFT),
        FaceWhite(0.5),
        _MUD,
    ),
    Skin(pink_share=0.3),
    _FLAT,
)
BROWN_SWISS = Coat(
    0.09,
    (
        Ground((0.52, 0.44, 0.37), 0.15),
        Points((0.38, 0.31, 0.26), face=0.3),
        LongHair((0.30, 0.25, 0.22), tuft=_TUFT),
        MuzzleRing((0.80, 0.76, 0.69)),
        _MUD,
    ),
    _DARK_SKIN,
    _FLAT,
)
JERSEY = Coat(
    0.10,
    (
        Ground((0.62, 0.44, 0.29), 0.15),
        Points((0.40, 0.28, 0.19), face=0.4),
        Sometimes(0.2, Patches(WHITE, 0.6)),
        LongHair((0.20, 0.15, 0.12), tuft=_TUFT),
        MuzzleRing((0.84, 0.76, 0.64)),
    ),
    _DARK_SKIN,
    _FLAT,
)
HEREFORD = Coat(
    0.09,
    (
        Ground((0.43, 0.22, 0.13)),
        Underside(WHITE, -0.6),
        Socks(0.9, tops=(1.6, 2.0, 2.4)),
        LongHair(WHITE, tuft=_TUFT),
        FaceWhite(1.0, (0.0, 0.0, 0.0, 1.0)),
        _MUD,
    ),
    Skin(muzzle=(0.70, 0.54, 0.48), pink_share=1.0),
    _ROUGH,
)
ANGUS = Coat(0.07, (Ground(_BLACK, 0.0), LongHair(_BLACK, tuft=_TUFT), _MUD), _DARK_SKIN, _ROUGH)
RED_CATTLE = Coat(
    0.06, (Ground(_RED), LongHair(_RED, tuft=_TUFT), FaceWhite(0.1), _MUD), Skin(), Hair(fur=0.0035)
)
CHAROLAIS = Coat(
    0.05,
    (Ground((0.84, 0.79, 0.68)), LongHair((0.86, 0.82, 0.72), tuft=_TUFT), _MUD),
    Skin(pink_share=0.9),
    _FLAT,
)
BELTED = Coat(
    0.03, (Ground(_BLACK, 0.0), Belt(WHITE, 0.34, 0.68), LongHair(_BLACK, tuft=_TUFT)), _DARK_SKIN, _ROUGH
)
BRINDLED = Coat(
    0.03, (Ground((0.42, 0.26, 0.15)), Brindle(_BLACK), LongHair(_BLACK, tuft=_TUFT)), _DARK_SKIN, _FLAT
)

COW_COATS = (
    HOLSTEIN,
    SIMMENTAL,
    BLACK_WITH_WHITE,
    BROWN_SWISS,
    JERSEY,
    HEREFORD,
    ANGUS,
    RED_CATTLE,
    CHAROLAIS,
    BELTED,
    BRINDLED,
)

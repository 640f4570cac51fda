"""The coats of pigs; colours are sRGB."""

from dataclasses import replace

from .canvas import Color
from .coat import PINK, WHITE, Coat, Hair, Skin
from .markings import Belt, Dirt, Ground, Patches, Socks, Sometimes
from .patterns import Roan, Spots

_BLACK: Color = (0.115, 0.105, 0.105)
_ROSE: Color = (0.85, 0.67, 0.60)
_GROUND = Ground(_ROSE, 0.03, 0.05)
_BRISTLES = Hair(fur=0.0010, muscles=0.008)
_SKIN = Skin(
    muzzle=(0.80, 0.55, 0.50),
    muzzle_start=0.95,
    pink_share=0.0,
    snout=True,
    inner_ear=(0.80, 0.54, 0.48),
    hooves=(0.40, 0.32, 0.27),
    udder=_ROSE,
    eye_radius=0.028,
)
_DARK_SKIN = replace(
    _SKIN, muzzle=(0.24, 0.20, 0.19), inner_ear=(0.30, 0.24, 0.22), hooves=(0.13, 0.11, 0.10)
)
_MUD = Sometimes(0.5, Dirt(reach=0.7, strength=0.65))

PIG_COATS = (
    Coat(0.42, (_GROUND, Roan((0.88, 0.79, 0.73), 0.25, 0.12, points=False), _MUD), _SKIN, _BRISTLES),
    Coat(0.18, (_GROUND, Patches(_BLACK, 0.7, 0.35, scales=(1.0, 1.7)), _MUD), _SKIN, _BRISTLES),
    Coat(0.10, (_GROUND, Spots(_BLACK, (0.05, 0.11), spacing=3.4, ragged=0.3), _MUD), _SKIN, _BRISTLES),
    Coat(
        0.10,
        (Ground(_BLACK, 0.03), Belt(_ROSE, 0.66, 0.92), Sometimes(0.3, Socks(0.8, PINK, (0.7, 1.0))), _MUD),
        _DARK_SKIN,
        _BRISTLES,
    ),
    Coat(
        0.10,
        (Ground(_BLACK, 0.03), Sometimes(0.4, Socks(0.8, WHITE, (0.7, 1.0))), _MUD),
        _DARK_SKIN,
        _BRISTLES,
    ),
    Coat(
        0.10,
        (
            Ground((0.56, 0.33, 0.20), 0.05),
            Sometimes(0.3, Spots(_BLACK, (0.03, 0.08), spacing=4.0, ragged=0.3)),
            _MUD,
        ),
        replace(_SKIN, muzzle=(0.50, 0.33, 0.26), inner_ear=(0.50, 0.33, 0.26)),
        Hair(fur=0.0025),
    ),
)

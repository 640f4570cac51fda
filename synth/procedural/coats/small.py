"""The coats of sheep, pigs and dogs; colours are sRGB."""

from .canvas import Color
from .coat import PINK, WHITE, Coat, Hair, Skin
from .markings import Belt, FaceWhite, Ground, HeadAndLegs, Patches, Points, Socks, Sometimes, Underside
from .patterns import Brindle, Merle, Roan, Spots
from .trims import Fleece, Mask, Saddle, TanPoints, WhiteTrim

_BLACK: Color = (0.085, 0.075, 0.07)
_WOOL: Color = (0.84, 0.80, 0.71)
_WOOLLY = Hair(wool=0.016, fur=0.0008, muscles=0.002)
_SHEEP_SKIN = Skin(muzzle=(0.42, 0.33, 0.30), muzzle_start=0.92, muzzle_strength=0.5, pink_share=0.4, horn=(0.62, 0.53, 0.40), horn_tip=(0.45, 0.37, 0.28), inner_ear=(0.66, 0.48, 0.43), eye_radius=0.05)
_BLACK_FACE = Skin(muzzle=(0.10, 0.09, 0.09), pink_share=0.0, horn=(0.60, 0.51, 0.39), inner_ear=(0.22, 0.17, 0.16), eye_radius=0.05, eye=(0.26, 0.17, 0.06))


def _sheep(share: float, face: Color, wool: Color, skin: Skin, top: float = 2.3) -> Coat:
    return Coat(share, (Ground(face), HeadAndLegs(face, top=top), Fleece(wool)), skin, _WOOLLY)


SHEEP_COATS = (
    _sheep(0.34, (0.83, 0.79, 0.73), _WOOL, _SHEEP_SKIN),
    _sheep(0.24, (0.10, 0.09, 0.085), _WOOL, _BLACK_FACE),
    _sheep(0.10, (0.30, 0.22, 0.17), (0.80, 0.75, 0.65), _BLACK_FACE),
    _sheep(0.08, (0.55, 0.47, 0.40), (0.80, 0.76, 0.68), _SHEEP_SKIN),
    _sheep(0.08, (0.20, 0.13, 0.09), (0.30, 0.20, 0.14), _BLACK_FACE),
    _sheep(0.05, (0.10, 0.09, 0.085), (0.17, 0.15, 0.14), _BLACK_FACE),
    Coat(
        0.05,
        (Ground((0.84, 0.80, 0.74)), Fleece(_WOOL), Patches((0.20, 0.15, 0.12), 0.3, 0.3), FaceWhite(0.8, (0.0, 0.0, 1.0, 0.0))),
        _SHEEP_SKIN, _WOOLLY,
    ),
    Coat(
        0.06,
        (Ground((0.84, 0.80, 0.74)), Fleece(_WOOL), Spots(_BLACK, (0.02, 0.05), spacing=5.0, strength=0.8), Fleece(_WOOL)),
        _SHEEP_SKIN, _WOOLLY,
    ),
)

_PIG_PINK: Color = (0.86, 0.66, 0.60)
_PIG_HAIR = Hair(fur=0.0012, muscles=0.008)
_PIG_SKIN = Skin(muzzle=(0.80, 0.54, 0.50), muzzle_start=0.95, pink_share=0.0, inner_ear=(0.80, 0.52, 0.47), hooves=(0.40, 0.32, 0.27), udder=_PIG_PINK, eye_radius=0.028)
_DARK_PIG_SKIN = Skin(muzzle=(0.22, 0.18, 0.17), muzzle_start=0.95, pink_share=0.1, inner_ear=(0.30, 0.24, 0.22), eye_radius=0.028)

PIG_COATS = (
    Coat(0.42, (Ground(_PIG_PINK, 0.03, 0.05), Roan((0.88, 0.78, 0.72), 0.25, 0.12, points=False), Sometimes(0.35, Patches((0.45, 0.34, 0.27), 1.3, 0.3, scales=(0.9,), lean=-0.7))), _PIG_SKIN, _PIG_HAIR),
    Coat(0.18, (Ground(_PIG_PINK, 0.03, 0.05), Patches(_BLACK, 0.7, 0.35, scales=(1.0, 1.7))), _PIG_SKIN, _PIG_HAIR),
    Coat(0.10, (Ground(_PIG_PINK, 0.03, 0.05), Spots(_BLACK, (0.05, 0.11), spacing=3.4, ragged=0.35)), _PIG_SKIN, _PIG_HAIR),
    Coat(0.10, (Ground(_BLACK, 0.03), Belt(_PIG_PINK, 0.66, 0.92), Socks(0.3, PINK, (0.7, 1.0))), _DARK_PIG_SKIN, _PIG_HAIR),
    Coat(0.10, (Ground(_BLACK, 0.03), Sometimes(0.4, Socks(0.8, WHITE, (0.7, 1.0)))), _DARK_PIG_SKIN, _PIG_HAIR),
    Coat(0.10, (Ground((0.58, 0.31, 0.17), 0.05), Sometimes(0.3, Spots(_BLACK, (0.03, 0.08), spacing=4.0, ragged=0.4))), Skin(muzzle=(0.45, 0.28, 0.22), muzzle_start=0.95, pink_share=0.3, eye_radius=0.028), Hair(fur=0.003)),
)

_NOSE: Color = (0.06, 0.055, 0.055)
_DOG_SKIN = Skin(muzzle=(0.12, 0.10, 0.10), muzzle_start=0.97, muzzle_strength=0.4, pink_share=0.0, nose=_NOSE, hooves=None, eye=(0.08, 0.045, 0.025), eye_radius=0.043, inner_ear=(0.52, 0.38, 0.34))
_LIVER_SKIN = Skin(muzzle=(0.28, 0.17, 0.13), muzzle_start=0.97, muzzle_strength=0.4, pink_share=0.0, nose=(0.30, 0.17, 0.13), hooves=None, eye=(0.25, 0.15, 0.05), eye_radius=0.043, inner_ear=(0.52, 0.38, 0.34))
_SHORT = Hair(fur=0.0010, muscles=0.007)
_LONG = Hair(fur=0.0055, muscles=0.003)
_TAN: Color = (0.66, 0.42, 0.21)
_GOLD: Color = (0.80, 0.62, 0.38)
_LIVER: Color = (0.33, 0.18, 0.11)

DOG_COATS = (
    Coat(0.13, (Ground(_GOLD, 0.12, vary=0.2), Underside((0.88, 0.77, 0.58), -0.5, strength=0.7)), _DOG_SKIN, _LONG),
    Coat(0.05, (Ground((0.86, 0.79, 0.65), 0.05), Sometimes(0.5, Points((0.82, 0.68, 0.48), face=0.2))), _DOG_SKIN, _LONG),
    Coat(0.08, (Ground(_BLACK, 0.0), Sometimes(0.3, WhiteTrim(0.1))), _DOG_SKIN, _SHORT),
    Coat(0.04, (Ground(_LIVER, 0.1),), _LIVER_SKIN, _SHORT),
    Coat(0.12, (Ground((0.68, 0.49, 0.29), 0.2), Saddle(_BLACK, 0.05), Mask(_BLACK, 0.6)), _DOG_SKIN, _LONG),
    Coat(0.11, (Ground((0.70, 0.45, 0.24)), Saddle(_BLACK, 0.0, neck=0.6), WhiteTrim(0.5)), _DOG_SKIN, _SHORT),
    Coat(0.08, (Ground(_BLACK, 0.0), TanPoints(_TAN), Sometimes(0.3, WhiteTrim(0.3))), _DOG_SKIN, _SHORT),
    Coat(0.10, (Ground(_BLACK, 0.0), WhiteTrim(0.55)), _DOG_SKIN, _LONG),
    Coat(0.08, (Ground(WHITE, 0.0), Patches((0.62, 0.36, 0.18), 0.45, 0.35, scales=(0.9, 1.4)), Sometimes(0.6, HeadAndLegs((0.62, 0.36, 0.18), top=-1.0)), Sometimes(0.8, FaceWhite(1.0, (0.0, 0.0, 1.0, 0.0)))), _LIVER_SKIN, _LONG),
    Coat(0.06, (Ground((0.88, 0.87, 0.84), 0.0), Spots(_BLACK, (0.022, 0.05), spacing=2.8)), _DOG_SKIN, _SHORT),
    Coat(0.06, (Ground(_BLACK, 0.0), Merle((0.52, 0.54, 0.57)), TanPoints(_TAN, 1.6), WhiteTrim(0.5)), _DOG_SKIN, _LONG),
    Coat(0.06, (Ground((0.46, 0.46, 0.46), 0.1), Saddle((0.20, 0.20, 0.21), 0.3, head=1.0), Underside((0.86, 0.85, 0.82), -0.2), WhiteTrim(0.45)), _DOG_SKIN, _LONG),
    Coat(0.05, (Ground((0.55, 0.38, 0.22)), Brindle(_BLACK), Sometimes(0.5, WhiteTrim(0.3))), _DOG_SKIN, _SHORT),
    Coat(0.07, (Ground((0.72, 0.51, 0.30), 0.1, vary=0.18), Mask(_BLACK), Sometimes(0.3, WhiteTrim(0.2))), _DOG_SKIN, _SHORT),
    Coat(0.04, (Ground((0.88, 0.86, 0.81), 0.0),), _DOG_SKIN, _LONG),
)

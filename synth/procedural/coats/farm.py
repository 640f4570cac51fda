"""The coats of the farm's species; colours are sRGB.

Genetics and names after Sponenberg & Bellone, "Equine Color Genetics" (2017), and the breeds' standards.
"""

from .canvas import Color
from .coat import PINK, WHITE, Coat, Hair, Skin
from .markings import (
    Belt,
    DorsalStripe,
    FaceWhite,
    Ground,
    HeadAndLegs,
    LongHair,
    Patches,
    Points,
    Socks,
    Sometimes,
    Underside,
)
from .patterns import Brindle, Dapples, Reticulation, Roan, Spots, Stripes

BLACK: Color = (0.075, 0.065, 0.065)
RED: Color = (0.48, 0.24, 0.13)
CREAM: Color = (0.80, 0.70, 0.54)

_PINTO = Sometimes(0.12, Patches(WHITE, 0.1, 0.4, scales=(0.6, 1.0), upright=0.5))
_HORSE_WHITE = (_PINTO, Socks(0.45), FaceWhite(0.6))
_FLAT = Hair(fur=0.0008, muscles=0.010)


def _horse(share: float, *markings: object, skin: Skin = Skin(), pinto: bool = True) -> Coat:
    return Coat(share, (*markings, *(_HORSE_WHITE if pinto else _HORSE_WHITE[1:])), skin, _FLAT)


HORSE_COATS = (
    _horse(0.20, Ground((0.46, 0.24, 0.12)), Points(BLACK), LongHair(BLACK)),
    _horse(0.12, Ground((0.27, 0.15, 0.10)), Points(BLACK), LongHair(BLACK)),
    _horse(0.17, Ground((0.54, 0.28, 0.14)), LongHair((0.50, 0.27, 0.14))),
    _horse(0.07, Ground((0.50, 0.27, 0.14)), LongHair(CREAM), pinto=False),
    _horse(0.11, Ground((0.10, 0.085, 0.08), 0.0), LongHair(BLACK)),
    _horse(
        0.07, Ground((0.74, 0.73, 0.71), -0.05), Points((0.52, 0.51, 0.51)), Sometimes(0.7, Dapples(0.25)),
        LongHair((0.66, 0.65, 0.64)), pinto=False,
    ),
    _horse(
        0.06, Ground((0.44, 0.44, 0.45), -0.05), Points((0.18, 0.18, 0.19)), Sometimes(0.9, Dapples(0.45)),
        LongHair((0.32, 0.32, 0.33)), pinto=False,
    ),
    _horse(0.06, Ground((0.76, 0.57, 0.34)), LongHair((0.88, 0.84, 0.74))),
    _horse(0.05, Ground((0.72, 0.58, 0.40), 0.05), DorsalStripe(BLACK), Points(BLACK), LongHair(BLACK), pinto=False),
    _horse(0.03, Ground((0.86, 0.83, 0.78), 0.0), LongHair((0.86, 0.83, 0.78)), skin=Skin(pink_share=0.7)),
    _horse(
        0.03, Ground((0.42, 0.22, 0.13)), Points((0.2, 0.1, 0.07)), Roan((0.74, 0.68, 0.64), 0.45),
        LongHair((0.24, 0.12, 0.08)), pinto=False,
    ),
    _horse(
        0.03, Ground((0.50, 0.27, 0.15)), Patches(WHITE, 0.2, 0.3, scales=(0.6,), lean=-0.6),
        Spots((0.42, 0.2, 0.1), (0.025, 0.06), spacing=2.6), LongHair(RED), skin=Skin(pink_share=0.5),
    ),
)

_PALE_SKIN = Skin(muzzle=(0.66, 0.52, 0.46), pink_share=0.8)
_DARK_SKIN = Skin(pink_share=0.0)

COW_COATS = (
    Coat(0.24, (
        Ground(WHITE, 0.0), Patches(BLACK, 0.15, 0.4), Underside(WHITE, -0.9), Socks(0.7), LongHair(WHITE, tuft=0.72),
        FaceWhite(0.6, (0.5, 0.1, 0.3, 0.1)),
    ), Skin(pink_share=0.5), _FLAT),
    Coat(0.20, (
        Ground(WHITE, 0.0), Patches(RED, 0.2, 0.4), Underside(WHITE, -0.9), LongHair(WHITE, tuft=0.72),
        FaceWhite(0.8, (0.1, 0.0, 0.2, 0.7)),
    ), _PALE_SKIN, _FLAT),
    Coat(0.10, (
        Ground(BLACK, 0.0), Patches(WHITE, 0.9), Socks(0.7), LongHair(WHITE, tuft=0.72), FaceWhite(0.5),
    ), Skin(pink_share=0.3), _FLAT),
    Coat(0.09, (
        Ground((0.52, 0.44, 0.37), 0.15), Points((0.34, 0.28, 0.24)), LongHair((0.30, 0.25, 0.22), tuft=0.72),
    ), _DARK_SKIN, _FLAT),
    Coat(0.10, (
        Ground((0.62, 0.44, 0.28), 0.15), Points((0.42, 0.29, 0.19)), Sometimes(0.2, Patches(WHITE, 0.6)),
        LongHair((0.20, 0.15, 0.12), tuft=0.72),
    ), _DARK_SKIN, _FLAT),
    Coat(0.09, (
        Ground((0.44, 0.20, 0.11)), Underside(WHITE, -0.6), Socks(0.9, tops=(1.6, 2.0, 2.4)),
        LongHair(WHITE, tuft=0.72), FaceWhite(1.0, (0.0, 0.0, 0.0, 1.0)),
    ), Skin(muzzle=(0.70, 0.54, 0.48), pink_share=1.0), Hair(fur=0.0025)),
    Coat(0.07, (Ground(BLACK, 0.0), LongHair(BLACK, tuft=0.72)), _DARK_SKIN, Hair(fur=0.0018)),
    Coat(0.06, (Ground(RED), LongHair(RED, tuft=0.72), FaceWhite(0.1)), Skin(), Hair(fur=0.004)),
    Coat(0.05, (Ground((0.84, 0.79, 0.68)), LongHair((0.86, 0.82, 0.72), tuft=0.72)), Skin(pink_share=0.9), _FLAT),
    Coat(0.03, (Ground(BLACK, 0.0), Belt(WHITE, 0.34, 0.68), LongHair(BLACK, tuft=0.72)), _DARK_SKIN, Hair(fur=0.003)),
    Coat(0.03, (Ground((0.40, 0.23, 0.12)), Brindle(BLACK), LongHair(BLACK, tuft=0.72)), _DARK_SKIN, _FLAT),
)

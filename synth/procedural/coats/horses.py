"""The coats of horses; colours are sRGB. Kinds after Sponenberg & Bellone, "Equine Color Genetics" (2017)."""

from .canvas import Color
from .coat import WHITE, Coat, Hair, Marking, Skin
from .markings import DorsalStripe, FaceWhite, Ground, LongHair, Patches, Points, Socks, Sometimes
from .patterns import Dapples, Roan, Spots

_BLACK: Color = (0.09, 0.08, 0.08)
_SKIN = Skin()
_FLAT = Hair(fur=0.0006, muscles=0.011)
_WHITES = (Socks(0.42), FaceWhite(0.55))
_PINTO = Sometimes(0.14, Patches(WHITE, 0.1, 0.4, scales=(0.6, 1.0), upright=0.5))


def _horse(share: float, *markings: Marking, skin: Skin = _SKIN) -> Coat:
    """A coat with white on legs and face by chance."""
    return Coat(share, (*markings, *_WHITES), skin, _FLAT)


HORSE_COATS = (
    # Bays, light and dark.
    _horse(0.20, Ground((0.46, 0.26, 0.14)), Points(_BLACK), LongHair(_BLACK), _PINTO),
    _horse(0.12, Ground((0.29, 0.17, 0.11)), Points(_BLACK), LongHair(_BLACK), _PINTO),
    # Chestnuts, the second with a flaxen mane.
    _horse(0.17, Ground((0.53, 0.30, 0.16)), LongHair((0.50, 0.29, 0.16)), _PINTO),
    _horse(0.07, Ground((0.50, 0.29, 0.15)), LongHair((0.80, 0.70, 0.54))),
    _horse(0.11, Ground((0.115, 0.10, 0.095), 0.0), LongHair(_BLACK), _PINTO),
    # Greys, light and dark.
    _horse(
        0.08,
        Ground((0.76, 0.75, 0.73), -0.05),
        Points((0.55, 0.54, 0.54)),
        Sometimes(0.6, Dapples(0.25)),
        Sometimes(0.4, Spots((0.45, 0.30, 0.22), (0.006, 0.012), spacing=5.0, strength=0.5)),
        LongHair((0.70, 0.69, 0.68)),
    ),
    _horse(
        0.06,
        Ground((0.46, 0.46, 0.47), -0.05),
        Points((0.20, 0.20, 0.21)),
        Sometimes(0.9, Dapples(0.45)),
        LongHair((0.34, 0.34, 0.35)),
    ),
    # Palomino and buckskin, white and strawberry roan, leopard.
    _horse(0.07, Ground((0.76, 0.58, 0.36)), LongHair((0.88, 0.84, 0.74)), _PINTO),
    _horse(0.05, Ground((0.70, 0.56, 0.39), 0.05), DorsalStripe(_BLACK), Points(_BLACK), LongHair(_BLACK)),
    _horse(0.03, Ground((0.86, 0.83, 0.78), 0.0), LongHair((0.86, 0.83, 0.78)), skin=Skin(pink_share=0.7)),
    _horse(
        0.03,
        Ground((0.42, 0.24, 0.15)),
        Points((0.2, 0.1, 0.07)),
        Roan((0.74, 0.68, 0.64), 0.45),
        LongHair((0.24, 0.13, 0.09)),
    ),
    _horse(
        0.03,
        Ground((0.50, 0.29, 0.17)),
        Patches(WHITE, 0.2, 0.3, scales=(0.6,), lean=-0.6),
        Spots((0.38, 0.21, 0.12), (0.025, 0.055), spacing=4.2),
        LongHair((0.48, 0.26, 0.14)),
        skin=Skin(pink_share=0.5),
    ),
)

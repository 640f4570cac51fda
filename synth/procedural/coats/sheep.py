"""The coats of sheep; colours are sRGB."""

from dataclasses import replace

from .canvas import Color
from .coat import Coat, Hair, Skin
from .markings import Dirt, FaceWhite, Ground, HeadAndLegs, Patches, Sometimes
from .patterns import Spots
from .trims import Fleece

_BLACK: Color = (0.115, 0.105, 0.10)
_CREAM: Color = (0.84, 0.80, 0.71)
_HAIR = Hair(wool=0.016, fur=0.0006, muscles=0.002)
_PALE_SKIN = Skin(
    muzzle=(0.42, 0.33, 0.30),
    muzzle_start=0.92,
    muzzle_strength=0.5,
    pink_share=0.4,
    horn=(0.62, 0.53, 0.40),
    horn_tip=(0.45, 0.37, 0.28),
    inner_ear=(0.66, 0.48, 0.43),
    eye=(0.24, 0.17, 0.08),
    eye_radius=0.048,
)
_DARK_SKIN = replace(
    _PALE_SKIN, muzzle=(0.10, 0.09, 0.09), muzzle_strength=0.75, pink_share=0.0, inner_ear=(0.22, 0.17, 0.16)
)
_MUD = Sometimes(0.25, Dirt(reach=0.5, strength=0.6))


def _sheep(share: float, face: Color, wool: Color, *, skin: Skin) -> Coat:
    """Wool of one colour, head and legs of another."""
    return Coat(share, (Ground(face), HeadAndLegs(face), Fleece(wool), _MUD), skin, _HAIR)


SHEEP_COATS = (
    _sheep(0.34, (0.83, 0.79, 0.73), _CREAM, skin=_PALE_SKIN),
    _sheep(0.24, _BLACK, _CREAM, skin=_DARK_SKIN),
    _sheep(0.10, (0.30, 0.22, 0.17), (0.80, 0.75, 0.65), skin=_DARK_SKIN),
    _sheep(0.08, (0.55, 0.47, 0.40), (0.80, 0.76, 0.68), skin=_PALE_SKIN),
    _sheep(0.08, (0.22, 0.15, 0.11), (0.33, 0.23, 0.17), skin=_DARK_SKIN),
    _sheep(0.05, _BLACK, (0.19, 0.17, 0.16), skin=_DARK_SKIN),
    # Jacob's piebald sheep, and white ones with a freckled face.
    Coat(
        0.05,
        (
            Ground((0.84, 0.80, 0.74)),
            Fleece(_CREAM),
            Patches((0.22, 0.17, 0.14), 0.3, 0.3),
            FaceWhite(0.8, (0.0, 0.0, 1.0, 0.0)),
        ),
        _PALE_SKIN,
        _HAIR,
    ),
    Coat(
        0.06,
        (
            Ground((0.84, 0.80, 0.74)),
            Spots(_BLACK, (0.02, 0.05), spacing=4.0, strength=0.85),
            Fleece(_CREAM),
            _MUD,
        ),
        _PALE_SKIN,
        _HAIR,
    ),
)

"""The coats of the farm's species; colours are sRGB."""

from .anatomy import CoatPalette

_BLACK = (0.075, 0.065, 0.065)
_RED = (0.48, 0.24, 0.13)
_WHITE = (0.87, 0.85, 0.80)

HORSE_COATS = (
    CoatPalette(0.20, (0.46, 0.24, 0.12), _BLACK, _BLACK, 0.1, patch_share=0.2, sock_share=0.35),
    CoatPalette(0.13, (0.27, 0.15, 0.10), _BLACK, _BLACK, 0.1, patch_share=0.2, sock_share=0.35),
    CoatPalette(0.18, (0.54, 0.28, 0.14), None, (0.50, 0.27, 0.14), 0.1, patch_share=0.25),
    CoatPalette(0.07, (0.50, 0.27, 0.14), None, (0.80, 0.70, 0.54), 0.1, patch_share=0.1),
    CoatPalette(0.12, (0.10, 0.085, 0.08), None, _BLACK, 0.0, patch_share=0.3, sock_share=0.35),
    CoatPalette(0.08, (0.74, 0.73, 0.71), (0.42, 0.41, 0.41), (0.62, 0.61, 0.60), -0.1, spot_share=0.7),
    CoatPalette(0.06, (0.44, 0.44, 0.45), (0.18, 0.18, 0.19), (0.30, 0.30, 0.31), -0.1, spot_share=0.8),
    CoatPalette(0.08, (0.76, 0.57, 0.34), None, (0.88, 0.84, 0.74), 0.1, patch_share=0.15),
    CoatPalette(0.05, (0.72, 0.58, 0.40), _BLACK, _BLACK, 0.05),
    CoatPalette(0.03, (0.86, 0.83, 0.78), None, (0.86, 0.83, 0.78), pink_share=0.7),
)

COW_COATS = (
    CoatPalette(
        0.24,
        _WHITE,
        hair=_WHITE,
        patch=_BLACK,
        patch_share=1.0,
        patch_level=0.15,
        sock_share=0.0,
        face_share=0.35,
        pink_share=0.5,
    ),
    CoatPalette(
        0.20,
        _WHITE,
        hair=_WHITE,
        patch=_RED,
        patch_share=1.0,
        patch_level=0.2,
        sock_share=0.0,
        face_share=0.7,
        face_kinds=(0.1, 0.0, 0.2, 0.7),
        muzzle=(0.66, 0.52, 0.46),
        pink_share=0.8,
    ),
    CoatPalette(0.10, _BLACK, hair=_WHITE, patch_share=1.0, patch_level=0.9, sock_share=0.7, pink_share=0.3),
    CoatPalette(
        0.10,
        (0.52, 0.44, 0.37),
        (0.34, 0.28, 0.24),
        (0.30, 0.25, 0.22),
        0.15,
        sock_share=0.0,
        face_share=0.0,
        pink_share=0.0,
    ),
    CoatPalette(
        0.10,
        (0.62, 0.44, 0.28),
        (0.42, 0.29, 0.19),
        (0.20, 0.15, 0.12),
        0.15,
        patch_share=0.2,
        sock_share=0.0,
        face_share=0.1,
        pink_share=0.0,
    ),
    CoatPalette(
        0.08,
        (0.44, 0.20, 0.11),
        hair=_WHITE,
        patch=_WHITE,
        white_below=True,
        patch_share=1.0,
        patch_level=1.8,
        sock_share=0.8,
        face_share=1.0,
        face_kinds=(0.0, 0.0, 0.0, 1.0),
        muzzle=(0.70, 0.54, 0.48),
        pink_share=1.0,
    ),
    CoatPalette(0.07, _BLACK, hair=_BLACK, sock_share=0.0, face_share=0.05, pink_share=0.0),
    CoatPalette(0.06, _RED, hair=_RED, sock_share=0.1, face_share=0.1),
    CoatPalette(
        0.05, (0.84, 0.79, 0.68), hair=(0.86, 0.82, 0.72), sock_share=0.0, face_share=0.0, pink_share=0.9
    ),
)

SHEEP_COATS = (CoatPalette(1.0, (0.83, 0.80, 0.72), (0.16, 0.14, 0.13), sock_share=0.0, face_share=0.0),)
PIG_COATS = (CoatPalette(1.0, (0.80, 0.62, 0.55), pink_share=1.0, sock_share=0.0, face_share=0.0),)
DOG_COATS = (CoatPalette(1.0, (0.55, 0.38, 0.20), None, (0.55, 0.38, 0.20), 0.1),)
ZEBRA_COATS = (CoatPalette(1.0, (0.84, 0.81, 0.75), None, _BLACK, sock_share=0.0, face_share=0.0),)
GIRAFFE_COATS = (CoatPalette(1.0, (0.66, 0.46, 0.25), None, _BLACK, sock_share=0.0, face_share=0.0),)

SHEEP_COATS = (CoatPalette(1.0, (0.84, 0.80, 0.71), sock_share=0.0, face_share=0.0),)
PIG_COATS = (CoatPalette(1.0, (0.85, 0.66, 0.60), sock_share=0.0, face_share=0.0, pink_share=1.0),)
DOG_COATS = (CoatPalette(1.0, (0.62, 0.46, 0.29), sock_share=0.3, face_share=0.2),)
ZEBRA_COATS = (CoatPalette(1.0, _WHITE, hair=_BLACK, sock_share=0.0, face_share=0.0),)
GIRAFFE_COATS = (CoatPalette(1.0, (0.78, 0.60, 0.38), hair=_RED, sock_share=0.0, face_share=0.0),)

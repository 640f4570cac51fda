"""The mean cow and how cattle differ.

Proportions after Ellenberger, Dittrich & Baum, "An Atlas of Animal Anatomy for Artists" (1901), in
object units.
"""

from dataclasses import replace

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import COW_COATS
from .plans import BUILD, DEWLAP, EAR, FORELEG, HEAD, HINDLEG, HORN, NECK, SPREAD, TAIL, TRUNK, UDDER
from .relief import MUSCLES, RIBS, ridges

CALF = {
    "size": -0.22,
    "leg_length": 0.17,
    "leg_thickness": -0.05,
    "trunk_depth": -0.22,
    "trunk_width": -0.28,
    "trunk_length": -0.18,
    "belly": -0.04,
    "neck_thickness": -0.25,
    "head_depth": 0.05,
    "face_length": -0.2,
    "ear_length": 0.15,
    "udder": -1.2,
    "hair": -0.2,
}
"""How a calf differs: long legs, a shallow trunk without udder, a short face."""

BULL = {
    "leg_thickness": 0.08,
    "trunk_width": 0.05,
    "belly": -0.04,
    "neck_thickness": 0.28,
    "neck_length": -0.08,
    "head_depth": 0.12,
    "muzzle": 0.06,
    "udder": -1.4,
}

COW = Species(
    name="cow",
    landmarks={
        "rump": (0.0, 0.10, -1.36),
        "breast": (0.0, 0.0, 0.58),
        "back": (0.0, 0.32, -0.35),
        "withers": (0.0, 0.32, 0.20),
        "neck_base": (0.0, 0.20, 0.58),
        "neck_1": (0.0, 0.33, 0.88),
        "neck_2": (0.0, 0.45, 1.14),
        "poll": (0.0, 0.58, 1.38),
        "muzzle": (0.0, 0.06, 1.79),
        "ear_base": (0.15, 0.53, 1.34),
        "ear_tip": (0.46, 0.46, 1.23),
        "horn_base": (0.09, 0.68, 1.35),
        "horn_1": (0.27, 0.76, 1.37),
        "horn_tip": (0.35, 0.93, 1.45),
        "udder_front": (0.0, -0.55, -0.70),
        "udder_rear": (0.0, -0.51, -1.00),
        "loin": (0.0, 0.36, -0.85),
        "tail_base": (0.0, 0.47, -1.54),
        "tail_1": (0.0, 0.32, -1.78),
        "tail_2": (0.0, -0.12, -1.83),
        "tail_3": (0.0, -0.56, -1.82),
        "tail_4": (0.0, -1.00, -1.80),
        "scapula": (0.22, 0.42, 0.30),
        "shoulder": (0.30, -0.02, 0.66),
        "elbow": (0.30, -0.42, 0.38),
        "carpus": (0.25, -0.93, 0.43),
        "fore_fetlock": (0.24, -1.29, 0.42),
        "fore_toe": (0.24, -1.47, 0.50),
        "hip": (0.26, 0.20, -1.10),
        "stifle": (0.34, -0.30, -0.82),
        "hock": (0.26, -0.80, -1.31),
        "hind_fetlock": (0.25, -1.28, -1.27),
        "hind_toe": (0.25, -1.47, -1.17),
    },
    limbs=(
        replace(TRUNK, exponent=2.6).shaped("""
            at           0  0.14  0.28  0.45  0.62  0.78   0.9     1
            offset       9   4.7  -1.2  -7.5  -6.8  -3.4     0    -5
            depth       29  43.5    51  56.5  57.5    57    57    44
            width       30    42    46    51    51    45    37    29
            taper        0 -0.12 -0.12 -0.12 -0.12     0   0.2   0.1
        """),
        NECK.shaped("""
            at       -0.2    0  0.5    1  1.5    2  2.5    3
            offset     -4   -3   -1    0    0   -1   -2   -3
            depth      42   41   35 30.5   27 24.5   22 18.5
            width      25   24 21.5 19.5   18 16.8 15.8   15
            taper    0.15 0.15  0.1  0.1  0.1 0.05    0    0
        """),
        DEWLAP.shaped("""
            at        -0.5     0   0.7   1.5   2.3
            offset     -46   -45 -36.5 -25.5   -20
            depth       15    17    15    10     6
            width        7     7     6   5.5     5
        """),
        HEAD.shaped("""
            at       -0.1 0.08 0.25 0.45 0.65 0.82 0.94    1
            offset     -3   -5 -6.5   -5 -3.5   -3 -3.5   -4
            depth      14 17.5 18.5   16   14 14.2 13.6 11.8
            width      15 17.8 17.8 14.5   13 14.5 14.5 12.5
            taper       0 -0.1 -0.2 -0.1    0    0    0    0
        """),
        EAR.shaped("""
            at       -0.2  0.2 0.55 0.85    1
            depth     4.5    6  7.5  5.5  2.5
            width     4.5    6    6  4.5  2.5
        """),
        HORN.shaped("""
            at       -0.2  0.5  1.2    2
            depth     5.5    5  3.8  1.2
        """),
        TAIL.shaped("""
            at       -0.4  0.2    1    2  2.8  3.2  3.6  3.9  4.1
            depth       7    6  4.7    4  4.2  6.5  8.5    6  2.5
            width       7    6  4.7    4  4.2    6  7.5    5  2.5
        """),
        UDDER.shaped("""
            at         0 0.5   1
            depth     15  19  17
            width     16  19  17
        """),
        FORELEG.shaped("""
            at       0.15  0.6    1 1.55    2 2.25  2.6 2.88    3 3.15  3.5  3.8    4  4.4    5
            offset      0   -1   -2    0    0    1    0    0    1    0    0 -0.5   -1    0   -1
            lateral    -2    0   -1 -0.5    0    0    0    0    0    0    0    0    0    0    0
            depth      14   21   19   20   17   14 10.5    9  9.2    8  6.6    7  8.4  7.6  9.8
            width       8 11.5   13   13   12   11  9.2  8.5    9  7.6  6.2  6.6    8  7.6  9.6
        """),
        replace(HINDLEG, blend=0.2).shaped("""
            at       -0.1  0.3 0.65    1  1.3  1.6 1.85    2 2.15 2.45 2.75    3  3.4    4
            offset      0  -13  -20  -18  -15   -9   -3   -3   -2 -0.5    0   -1    0   -1
            lateral     0    0    0   -2   -3   -2    0    0    0    0    0    0    0    0
            depth      28   36 34.5   30 24.5   18 12.5   11  9.8  7.6    7  8.4  7.6  9.6
            width      13 15.5   16   16 14.5 11.5    9  8.4  7.6  6.4  6.4    8  7.6  9.4
        """),
    ),
    build={**BUILD, "leg_length": -0.05, "hair": 0.05},
    spread={**SPREAD, "hair": 0.15, "horn_length": 0.3, "udder": 0.12},
    types=(
        BodyType("adult", 0.76),
        BodyType("bull", 0.1, BULL),
        BodyType("calf", 0.14, CALF, young=True),
    ),
    relief=ridges(MUSCLES)
    + ridges(RIBS, 0.7)
    + ridges("""
        trunk+hindleg: loin stifle: 2 2 8 1.4
        trunk: back loin: 20 12 95 10 12 -1.2
        trunk+neck: withers neck_base: 10 -10 60 -14 14 -1
        head: poll muzzle: 96 4 92 6 3 0.8
        head: poll muzzle: 22 -10 11 1.2
        head: poll muzzle: 84 -5 102 -6 1.8 -0.8
        head: poll muzzle: 40 -12 48 -8 5 -0.8
        neck: neck_base poll: 5 -14 75 -12 6 -1.4
    """),
    graze=(0.22, 0.62, 0.45, 0.2, -0.6),
    face_marks=FaceMarks(eye=(0.27, 0.03), nostril=(0.95, 0.0)),
    manners=Manners(
        gaits={"stand": 0.28, "walk": 0.30, "trot": 0.06, "gallop": 0.04, "graze": 0.19, "lie": 0.13},
        raised_tail=(0.3, 0.05),
        wag=0.2,
        walk_lag=0.24,
        back=0.10,
    ),
    hornless_share=0.55,
    tuft_height=0.72,
    coats=COW_COATS,
)

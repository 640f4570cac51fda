"""The mean pig and how pigs differ.

Proportions after Ellenberger, Dittrich & Baum, "An Atlas of Animal Anatomy for Artists" (1901), in object
units.
"""

from dataclasses import replace

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import PIG_COATS
from .plans import BUILD, EAR, FORELEG, HEAD, HINDLEG, NECK, SPREAD, TAIL, TRUNK
from .relief import MUSCLES, ridges

PIGLET = {
    "size": -0.4,
    "leg_length": 0.15,
    "trunk_depth": -0.2,
    "trunk_width": -0.22,
    "trunk_length": -0.12,
    "neck_thickness": -0.12,
    "head_depth": 0.05,
    "face_length": -0.25,
    "ear_length": 0.05,
}
LEAN = {
    "trunk_depth": -0.12,
    "trunk_width": -0.1,
    "trunk_length": 0.06,
    "leg_length": 0.12,
    "face_length": 0.08,
}
FAT = {
    "trunk_depth": 0.06,
    "trunk_width": 0.12,
    "belly": 0.1,
    "leg_length": -0.08,
    "neck_thickness": 0.1,
    "face_length": -0.12,
}

PIG = Species(
    name="pig",
    landmarks={
        "rump": (0.0, -0.10, -1.36),
        "breast": (0.0, -0.14, 0.70),
        "back": (0.0, 0.06, -0.35),
        "withers": (0.0, 0.08, 0.32),
        "neck_base": (0.0, -0.06, 0.64),
        "neck_1": (0.0, -0.03, 0.80),
        "neck_2": (0.0, 0.01, 0.95),
        "poll": (0.0, 0.06, 1.10),
        "muzzle": (0.0, -0.30, 1.76),
        "ear_base": (0.17, 0.19, 1.12),
        "ear_tip": (0.34, 0.52, 1.24),
        "loin": (0.0, 0.08, -0.86),
        "tail_base": (0.0, 0.12, -1.60),
        "tail_1": (0.0, 0.13, -1.80),
        "tail_2": (0.0, 0.28, -1.93),
        "tail_3": (0.0, 0.43, -1.84),
        "tail_4": (0.0, 0.40, -1.67),
        "scapula": (0.22, 0.10, 0.42),
        "shoulder": (0.30, -0.34, 0.70),
        "elbow": (0.28, -0.66, 0.42),
        "carpus": (0.25, -1.06, 0.46),
        "fore_fetlock": (0.245, -1.33, 0.44),
        "fore_toe": (0.245, -1.47, 0.52),
        "hip": (0.25, -0.02, -1.10),
        "stifle": (0.32, -0.50, -0.82),
        "hock": (0.26, -0.95, -1.26),
        "hind_fetlock": (0.255, -1.31, -1.22),
        "hind_toe": (0.255, -1.47, -1.13),
    },
    limbs=(
        replace(TRUNK, exponent=2.3).shaped("""
            at           0  0.12  0.26  0.42  0.58  0.74  0.87     1
            offset       0    -1    -4    -7    -8    -7    -5    -5
            depth       33    47    56    61    61    58    53    43
            width       33    45    50    53    53    49    44    37
            taper        0     0     0 -0.08  -0.1 -0.06     0     0
        """),
        NECK.shaped("""
            at       -0.2    0  0.5    1  1.5    2  2.5    3
            offset      0    0    0   -1   -2   -3   -4   -5
            depth      48   47   44   41   38   35   32   28
            width      38   38 36.5   35   33 30.5   28   25
        """),
        HEAD.shaped("""
            at        -0.1  0.08  0.25  0.42  0.58  0.74  0.87  0.94  0.97     1
            offset      -4    -6    -8    -8    -5    -2    -1     0     0     0
            depth       25    28    29  25.5    21    17  14.5    15    15     2
            width       23    27    27  23.5    19    15  13.5    15    15     2
            taper        0     0  -0.1 -0.15  -0.1     0     0     0     0     0
        """),
        EAR.shaped("""
            at       -0.2 0.15  0.5  0.8    1
            depth       7    8    7  5.5    3
            width       9   13   13    9    3
        """),
        TAIL.shaped("""
            at       -0.4  0.3    1    2    3    4
            depth       6  4.8  4.2  3.8  3.4    2
        """),
        FORELEG.shaped("""
            at       0.15  0.6    1 1.55    2 2.25  2.6 2.88    3 3.13  3.5  3.8    4  4.4    5
            offset      0   -1   -2    0    0    1    0    0    1    0    0 -0.5   -1    0   -1
            lateral    -2    0   -1 -0.5    0    0    0    0    0    0    0    0    0    0    0
            depth      14   22   22   22   19   16 12.5   10   10    9    8    8    9  8.2    9
            width       8   13   14   15   14   13 10.5    9  9.2  8.2  7.4  7.6  8.5    8  8.8
        """),
        HINDLEG.shaped("""
            at       -0.1  0.3 0.65    1  1.3  1.6 1.85    2 2.15 2.45 2.75    3  3.4    4
            offset      0  -10  -15  -14  -13   -9   -3   -3   -2 -0.5    0   -1    0   -1
            lateral     0    0    0   -2   -3   -2    0    0    0    0    0    0    0    0
            depth      28   37 35.5   30 24.5 17.5   12   11   10  8.4    8    9  8.2    9
            width      16   20   20 18.5 15.5   12  9.6    9  8.4  7.6  7.6  8.5    8  8.8
        """),
    ),
    build={**BUILD, "belly": 0.02},
    spread={**SPREAD, "neck_angle": 0.08, "ear_drop": 0.12},
    types=(
        BodyType("prick", 0.3),
        BodyType("lop", 0.2, {"ear_drop": 0.9, "ear_length": 0.1}),
        BodyType("lean", 0.17, LEAN),
        BodyType("fat", 0.17, {**FAT, "ear_drop": 0.5}),
        BodyType("piglet", 0.16, PIGLET, young=True),
    ),
    hanging_ear={"ear_tip": (0.31, -0.06, 1.42)},
    relief=ridges(MUSCLES, 0.6)
    + ridges("""
        head: poll muzzle: 18 -16 14 2
        head: poll muzzle: 70 -8 101 -8 2 -1
        head: poll muzzle: 60 10 92 10 3 0.6
        neck: neck_base poll: 60 -20 16 1.5
    """),
    graze=(0.15, 0.35, 0.3, 0.2, -0.1),
    manners=Manners(
        gaits={"stand": 0.32, "walk": 0.28, "trot": 0.09, "gallop": 0.03, "graze": 0.16, "lie": 0.12},
        raised_tail=(0.0, 0.0),
        walk_lag=0.26,
        back=0.10,
        head_down=(-0.05, 0.15),
    ),
    face_marks=FaceMarks(eye=(0.36, 0.06), nostril=(0.99, 0.02)),
    tuft_height=3.0,
    coats=PIG_COATS,
)

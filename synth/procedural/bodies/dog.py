"""The mean dog, a shepherd without extremes, and how dogs differ.

Proportions after Ellenberger, Dittrich & Baum, "An Atlas of Animal Anatomy for Artists" (1901), and Evans &
de Lahunta, "Miller's Anatomy of the Dog" (2013), in object units.
"""

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import DOG_COATS
from .plans import BUILD, EAR, FORELEG, HEAD, HINDLEG, NECK, SPREAD, TAIL, TRUNK
from .relief import MUSCLES, RIBS, ridges

RETRIEVER = {
    "leg_thickness": 0.14,
    "trunk_width": 0.14,
    "trunk_depth": 0.06,
    "neck_thickness": 0.18,
    "head_depth": 0.14,
    "face_length": -0.1,
    "muzzle": 0.1,
    "ear_drop": 1.0,
    "hair": 0.6,
    "tail_lift": 0.45,
    "tail_curl": 0.1,
}
"""With the coat of a golden retriever, long on chest, thighs and tail, and its tail carried level."""

SHEPHERD = {"trunk_length": 0.05, "croup": -0.06, "hair": 0.3, "muzzle": -0.04, "tail_lift": -0.1}
HOUND = {
    "ear_drop": 1.0,
    "ear_length": 0.12,
    "leg_length": 0.08,
    "trunk_width": -0.1,
    "belly": -0.03,
    "hair": -0.5,
    "tail_lift": 0.7,
    "tail_curl": 0.12,
}
STOCKY = {
    "leg_length": -0.12,
    "leg_thickness": 0.18,
    "trunk_width": 0.2,
    "trunk_depth": 0.06,
    "trunk_length": -0.06,
    "neck_thickness": 0.2,
    "neck_length": -0.12,
    "head_depth": 0.18,
    "face_length": -0.3,
    "muzzle": 0.18,
    "ear_drop": 0.6,
    "ear_length": -0.25,
    "hair": -0.5,
    "tail_length": -0.2,
}
SPITZ = {
    "trunk_length": -0.05,
    "trunk_depth": 0.05,
    "neck_thickness": 0.2,
    "face_length": -0.1,
    "ear_length": -0.2,
    "hair": 0.4,
    "tail_lift": 1.9,
    "tail_curl": 0.85,
    "tail_length": -0.15,
}
PUPPY = {
    "size": -0.35,
    "leg_length": -0.1,
    "leg_thickness": 0.2,
    "trunk_length": -0.08,
    "trunk_width": 0.08,
    "belly": 0.04,
    "neck_length": -0.2,
    "head_length": 0.1,
    "head_depth": 0.22,
    "face_length": -0.33,
    "muzzle": 0.08,
    "ear_drop": 0.9,
    "tail_length": -0.25,
    "tail_lift": 0.5,
}

DOG = Species(
    name="dog",
    landmarks={
        "rump": (0.0, 0.22, -1.12),
        "breast": (0.0, 0.08, 0.62),
        "back": (0.0, 0.34, -0.30),
        "withers": (0.0, 0.36, 0.25),
        "neck_base": (0.0, 0.30, 0.54),
        "neck_1": (0.0, 0.56, 0.76),
        "neck_2": (0.0, 0.82, 0.93),
        "poll": (0.0, 1.06, 1.06),
        "muzzle": (0.0, 0.74, 1.74),
        "ear_base": (0.145, 1.17, 1.08),
        "ear_tip": (0.235, 1.46, 1.09),
        "loin": (0.0, 0.38, -0.76),
        "tail_base": (0.0, 0.36, -1.27),
        "tail_1": (0.0, 0.22, -1.52),
        "tail_2": (0.0, -0.06, -1.66),
        "tail_3": (0.0, -0.34, -1.78),
        "tail_4": (0.0, -0.58, -1.93),
        "scapula": (0.14, 0.46, 0.34),
        "shoulder": (0.21, 0.0, 0.68),
        "elbow": (0.21, -0.36, 0.36),
        "carpus": (0.195, -1.02, 0.40),
        "fore_fetlock": (0.195, -1.35, 0.44),
        "fore_toe": (0.195, -1.44, 0.62),
        "hip": (0.19, 0.20, -0.98),
        "stifle": (0.25, -0.36, -0.70),
        "hock": (0.20, -0.92, -1.32),
        "hind_fetlock": (0.20, -1.36, -1.24),
        "hind_toe": (0.20, -1.44, -1.04),
    },
    limbs=(
        TRUNK.shaped("""
            at           0  0.12  0.26  0.42  0.58  0.74  0.87  0.94     1
            offset      -1     3     8     4    -2    -6    -5    -5    -6
            depth       23    29    30    36    43    47    46    41    31
            width       21  25.5  25.5  28.5    31    30  26.5    24    20
            taper        0     0     0 -0.05     0   0.1   0.2   0.2     0
        """),
        NECK.shaped("""
            at       -0.2    0  0.5    1  1.5    2  2.5    3
            offset     -2    0    0    0    0    0    0   -2
            depth      35   34   30   27   25   23   21   18
            width      22   22   21   20   19   18 16.5 14.5
            taper     0.1  0.1  0.1  0.1  0.1  0.1    0    0
        """),
        HEAD.shaped("""
            at       -0.12  0.05   0.2  0.32  0.44  0.56  0.72  0.88  0.96     1
            offset      -6    -3  -1.5  -2.5  -4.6    -6  -6.2    -5    -4  -3.5
            depth       12  18.5    21  20.5  18.2  15.6    13  10.8   9.6     7
            width       13  18.5  20.5  18.5  15.8  13.5  11.4  10.2   9.2   6.5
            taper        0     0     0  0.05   0.1   0.1     0     0     0     0
        """),
        EAR.shaped("""
            at       -0.2  0.2 0.55 0.85    1
            depth     5.5  5.5    5    4  2.5
            width       8 10.5    9  5.5  2.5
        """),
        TAIL.shaped("""
            at       -0.3  0.3    1    2    3  3.6    4
            depth       9  8.5    9   10    9  6.5    3
            width     8.5    8    8    8  7.5  5.5    3
        """),
        FORELEG.shaped("""
            at       0.15  0.6    1 1.55    2 2.25  2.6 2.88    3 3.13  3.5  3.8    4  4.4  4.8    5
            offset      0   -1   -2    0    0    1    0    0    1    0    0    0    0    2    0    0
            lateral    -2    0   -1 -0.5    0    0    0    0    0    0    0    0    0    0    0    0
            depth      12   17   16   17   15   12    9  7.8    8  7.5  7.5    8  8.5    8  7.5    6
            width       6    9   10   11   10  9.2  7.8  7.2  7.6  7.4  7.6  8.2  9.5 10.5 10.5  8.5
        """),
        HINDLEG.shaped("""
            at       -0.1  0.3 0.65    1  1.3  1.6 1.85    2 2.15  2.4 2.75    3  3.4  3.8    4
            offset      0   -5   -7   -7   -6   -5   -2   -3   -2 -0.5    0    0    2    0    0
            lateral     0    0    0   -1   -2 -0.5    0    0    0    0    0    0    0    0    0
            depth      21   30 27.5   21   17 12.5    9  8.5  8.2  7.6  7.8  8.2  7.8  7.5    6
            width      12 14.5   14   12 10.5  8.5    7  6.8  6.8  6.8  7.6  9.2 10.2 10.2  8.5
        """),
    ),
    build=BUILD,
    spread={**SPREAD, "tail_lift": 0.3, "tail_curl": 0.12, "ear_drop": 0.08, "face_length": 0.06},
    types=(
        BodyType("retriever", 0.24, RETRIEVER),
        BodyType("shepherd", 0.2, SHEPHERD),
        BodyType("hound", 0.18, HOUND),
        BodyType("stocky", 0.13, STOCKY),
        BodyType("spitz", 0.11, SPITZ),
        BodyType("puppy", 0.14, PUPPY, young=True),
    ),
    hanging_ear={"ear_tip": (0.255, 0.82, 1.22)},
    relief=ridges(MUSCLES, 0.8)
    + ridges(RIBS, 0.5)
    + ridges("""
        head: poll muzzle: 24 -8 10 1.5
        head: poll muzzle: 66 -8 96 -8 2 -1
        head: poll muzzle: 50 -16 78 -13 3 0.8
        head: poll muzzle: 97 3 3.5 1.4
        neck: neck_base poll: 7 -11 80 -9 5 -1
    """),
    graze=(0.2, 0.7, 0.4, 0.2, -0.5),
    manners=Manners(
        gaits={
            "stand": 0.20,
            "walk": 0.14,
            "trot": 0.13,
            "canter": 0.03,
            "gallop": 0.11,
            "graze": 0.05,
            "sniff": 0.14,
            "sit": 0.11,
            "lie": 0.09,
        },
        raised_tail=(0.5, 0.4),
        wag=0.35,
        walk_lag=0.20,
        gallop_duty=0.20,
        rotary=True,
        back=0.34,
        lies_on_forearms=True,
    ),
    face_marks=FaceMarks(eye=(0.34, 0.05), nostril=(0.98, 0.0)),
    tuft_height=3.0,
    coats=DOG_COATS,
)

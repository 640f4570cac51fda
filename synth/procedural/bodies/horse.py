"""The mean horse and how horses differ.

Proportions after Goubaux & Barrier, "The Exterior of the Horse" (1892), and Ellenberger, Dittrich &
Baum, "An Atlas of Animal Anatomy for Artists" (1901), in object units.
"""

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import HORSE_COATS
from .plans import BUILD, EAR, FORELEG, HEAD, HINDLEG, MANE, NECK, SPREAD, TAIL, TRUNK
from .relief import MUSCLES, RIBS, ridges

FOAL = {
    "size": -0.22,
    "leg_length": 0.16,
    "leg_thickness": -0.1,
    "trunk_depth": -0.15,
    "trunk_width": -0.18,
    "trunk_length": -0.2,
    "neck_length": -0.15,
    "neck_thickness": -0.25,
    "head_length": -0.1,
    "head_depth": 0.02,
    "face_length": -0.15,
    "hair": -0.45,
    "tail_length": -0.3,
}
"""How a foal differs: nearly as long in the leg as its mother, short and narrow in all else."""

HORSE = Species(
    name="horse",
    landmarks={
        "rump": (0.0, 0.45, -1.20),
        "breast": (0.0, 0.30, 0.60),
        "back": (0.0, 0.52, -0.30),
        "withers": (0.0, 0.50, 0.25),
        "neck_base": (0.0, 0.42, 0.56),
        "neck_1": (0.0, 0.72, 0.84),
        "neck_2": (0.0, 1.06, 1.05),
        "poll": (0.0, 1.36, 1.20),
        "muzzle": (0.0, 0.71, 1.72),
        "ear_base": (0.075, 1.47, 1.17),
        "ear_tip": (0.105, 1.72, 1.20),
        "loin": (0.0, 0.58, -0.80),
        "tail_base": (0.0, 0.71, -1.42),
        "tail_1": (0.0, 0.56, -1.70),
        "tail_2": (0.0, 0.14, -1.85),
        "tail_3": (0.0, -0.36, -1.88),
        "tail_4": (0.0, -0.84, -1.86),
        "scapula": (0.15, 0.62, 0.38),
        "shoulder": (0.23, 0.12, 0.74),
        "elbow": (0.23, -0.20, 0.42),
        "carpus": (0.20, -0.80, 0.47),
        "fore_fetlock": (0.195, -1.22, 0.46),
        "fore_toe": (0.195, -1.47, 0.56),
        "hip": (0.19, 0.38, -1.04),
        "stifle": (0.25, -0.08, -0.77),
        "hock": (0.19, -0.59, -1.23),
        "hind_fetlock": (0.19, -1.20, -1.22),
        "hind_toe": (0.19, -1.47, -1.12),
    },
    limbs=(
        TRUNK.shaped("""
            at           0  0.12  0.26  0.42  0.58  0.74  0.87  0.94     1
            offset      -2     2     3    -2    -5     0     3     1    -3
            depth       33    41    45  45.5  48.5    53    55    48    36
            width       27  34.5    36  36.5  38.5    36  30.5  27.5  24.5
            taper        0     0  0.05 -0.05     0   0.2  0.35   0.3     0
        """),
        NECK.shaped("""
            at       -0.2    0  0.5    1  1.5    2  2.5    3
            offset     -2    0    2  3.5  3.5    3    1   -1
            depth      44   43 37.5 32.5 27.5 23.5 20.5   18
            width      21   21   19   17 14.8   13 11.8   11
            taper     0.1  0.1 0.15  0.2  0.2 0.15  0.1    0
        """),
        HEAD.shaped("""
            at        -0.1   0.1  0.25   0.4  0.55  0.72  0.88  0.96     1
            offset    -4.5  -6.5  -8.5  -6.5    -3  -1.5  -2.2  -3.4  -4.2
            depth       16    19    21  18.8  14.5  11.8  11.8  10.8   8.8
            width       11    13    14  12.8  10.5   8.8   9.5   9.6   8.6
            taper        0  -0.1  -0.2  -0.2 -0.15  -0.1     0     0     0
        """),
        EAR.shaped("""
            at       -0.2 0.15  0.5  0.8    1
            depth     4.5  5.5    6  4.2    2
            width     4.5  4.5  4.5  3.4    2
        """),
        MANE.shaped("""
            at        0.2  0.6    1  1.5    2  2.5    3  3.2
            offset     36 37.5   36   32 27.5 22.5   17 16.5
            depth       4    9  9.5    9  8.5    8    7    6
            width       4    6  6.2    6    6  5.8  5.5    5
        """),
        TAIL.shaped("""
            at       -0.3  0.3  0.9  1.6  2.4  3.2  3.7    4
            depth       6  7.5   10 13.5   15 12.5  8.5    4
            width       6    7  8.5 10.5 11.5  9.5    7    4
        """),
        FORELEG.shaped("""
            at       0.15  0.6    1 1.55    2 2.25  2.6 2.88    3 3.12  3.5  3.8    4 4.35 4.65    5
            offset      0   -1   -2    0    0    1    0    0    1    0    0 -0.5   -1    0    0 -1.5
            lateral    -2    0   -1 -0.5    0    0    0    0    0    0    0    0    0    0    0    0
            depth      13   20   19   20 17.5 14.5 10.3    8  8.5  7.5    6  6.4    8  6.6  7.8  9.2
            width       7   10 11.5   12 11.5 10.5  8.5  7.4    8  6.8  5.2  5.5  6.8    6  7.2  8.8
        """),
        HINDLEG.shaped("""
            at       -0.1  0.3 0.65    1  1.3  1.6 1.85    2 2.15  2.4 2.75    3 3.35 3.65    4
            offset      0   -7  -10   -9 -8.5   -6 -2.2   -3   -2 -0.5    0   -1    0    0 -1.5
            lateral     0    0    0   -1   -2 -0.5    0    0    0    0    0    0    0    0    0
            depth      26   36 32.5 24.5 21.5 16.5 10.8  9.8  8.8    7  6.5    8  6.6  7.8    9
            width      14 16.5 16.5   15   14 11.2    8  7.5  6.6  5.6  5.6  6.8    6  7.2  8.4
        """),
    ),
    relief=ridges(MUSCLES)
    + ridges(RIBS, 0.8)
    + ridges("""
        head: poll muzzle: 95 3 90 5 3 0.8
        head: poll muzzle: 36 -3 62 -1 3 0.9
        head: poll muzzle: 20 -12 11 1.2
        head: poll muzzle: 36 -16 42 -10 5 -1
        head: poll muzzle: 84 -5 102 -5 1.8 -0.8
        neck: neck_base poll: 7 -12 80 -10 5 -1.5
        neck: neck_base poll: 20 5 85 4 9 1.2
    """),
    build={**BUILD, "hair": 0.12, "tail_length": 0.05},
    spread=SPREAD,
    types=(
        BodyType("adult", 0.86),
        BodyType("foal", 0.14, FOAL, young=True),
    ),
    graze=(0.28, 0.95, 0.5, 0.15, -0.9),
    manners=Manners(
        gaits={
            "stand": 0.24,
            "walk": 0.20,
            "trot": 0.16,
            "canter": 0.09,
            "gallop": 0.10,
            "graze": 0.15,
            "lie": 0.06,
        },
        raised_tail=(0.6, 0.12),
        wag=0.15,
        walk_lag=0.22,
    ),
    face_marks=FaceMarks(eye=(0.27, 0.045), nostril=(0.93, 0.005)),
    coats=HORSE_COATS,
)

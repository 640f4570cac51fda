"""The mean giraffe and how giraffes differ.

Proportions after Dagg & Foster, "The Giraffe: Its Biology, Behavior, and Ecology" (1976), in object units;
smaller than the others, so that the same cameras see all of it.
"""

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import GIRAFFE_COATS
from .plans import BUILD, EAR, FORELEG, HEAD, HINDLEG, HORN, MANE, NECK, SPREAD, TAIL, TRUNK
from .relief import MUSCLES, RIBS, ridges

CALF = {
    "size": -0.35,
    "leg_length": 0.06,
    "trunk_width": -0.1,
    "trunk_length": -0.1,
    "neck_length": -0.25,
    "head_length": 0.08,
    "face_length": -0.15,
    "horn_length": -0.2,
    "ear_length": 0.15,
}

GIRAFFE = Species(
    name="giraffe",
    landmarks={
        "rump": (0.0, 0.10, -0.98),
        "breast": (0.0, 0.24, 0.44),
        "back": (0.0, 0.34, -0.26),
        "withers": (0.0, 0.54, 0.16),
        "neck_base": (0.0, 0.48, 0.42),
        "neck_1": (0.0, 0.92, 0.66),
        "neck_2": (0.0, 1.38, 0.86),
        "poll": (0.0, 1.84, 1.02),
        "muzzle": (0.0, 1.54, 1.52),
        "ear_base": (0.09, 1.84, 0.99),
        "ear_tip": (0.34, 1.86, 0.92),
        "horn_base": (0.075, 1.92, 1.04),
        "horn_1": (0.10, 2.03, 1.00),
        "horn_tip": (0.12, 2.14, 0.96),
        "loin": (0.0, 0.28, -0.66),
        "tail_base": (0.0, 0.28, -1.10),
        "tail_1": (0.0, 0.15, -1.20),
        "tail_2": (0.0, -0.12, -1.24),
        "tail_3": (0.0, -0.42, -1.24),
        "tail_4": (0.0, -0.78, -1.22),
        "scapula": (0.12, 0.54, 0.26),
        "shoulder": (0.18, 0.14, 0.50),
        "elbow": (0.18, -0.14, 0.28),
        "carpus": (0.155, -0.76, 0.32),
        "fore_fetlock": (0.15, -1.30, 0.31),
        "fore_toe": (0.15, -1.47, 0.39),
        "hip": (0.15, 0.08, -0.84),
        "stifle": (0.20, -0.24, -0.62),
        "hock": (0.155, -0.74, -0.94),
        "hind_fetlock": (0.15, -1.29, -0.91),
        "hind_toe": (0.15, -1.47, -0.83),
    },
    limbs=(
        TRUNK.shaped("""
            at          0 0.12 0.26 0.42 0.58 0.74 0.87 0.94    1
            offset      0    1    0   -3   -2    2    5    4    0
            depth      22   29   33   37   42   46   47   42   32
            width      19   24 26.5 28.5 29.5   28 24.5 21.5   19
            taper       0    0 0.05    0 0.05  0.2 0.35 0.35  0.1
        """),
        NECK.shaped("""
            at       -0.2    0  0.5    1  1.5    2  2.5    3
            offset     -2    0    0    0    0    0    0    0
            depth      37   34   26   21   18   16 14.5   13
            width    18.5 17.5   15   13 11.8 10.8 10.2   10
            taper     0.1  0.1  0.1  0.1  0.1    0    0    0
        """),
        HEAD.shaped("""
            at       -0.15  0.08  0.22   0.4  0.56  0.72  0.88  0.96     1
            offset      -2    -2    -3    -3    -2    -1  -1.5    -2    -3
            depth       11  13.5  14.5  12.5    10   8.5     8   7.2   5.5
            width       10    12  12.5  10.5   8.2   7.2   7.5     7   5.5
            taper        0  -0.1  -0.1  -0.1     0     0     0     0     0
        """),
        EAR.shaped("""
            at       -0.2  0.2 0.55 0.85    1
            depth     3.5    5  5.5    4    2
            width     3.5    4    4    3    2
        """),
        HORN.shaped("""
            at       -0.3  0.5  1.2  1.7    2
            depth     4.5  3.6  3.4  4.6  3.5
        """),
        MANE.shaped("""
            at        0.2  0.6    1  1.5    2  2.5    3
            offset     26   24   21   18   16 14.5   12
            depth       3    5    5    5    5    5    4
            width     3.5  3.5  3.5  3.5  3.5  3.5    3
        """),
        TAIL.shaped("""
            at       -0.3  0.3  0.9  1.6  2.4  2.9  3.3  3.7    4
            depth       5  4.5  3.6    3  2.8  4.5    6    5  2.5
        """),
        FORELEG.shaped("""
            at       0.15  0.6    1 1.55    2 2.25  2.6 2.88    3 3.12  3.5  3.8    4 4.35 4.65    5
            offset      0   -1   -2    0    0    1    0    0    1    0    0 -0.5   -1    0    0   -1
            lateral    -2    0   -1 -0.5    0    0    0    0    0    0    0    0    0    0    0    0
            depth      11   16   15   16 13.5   11    8  6.6  7.4  6.2    5  5.3  6.6  5.6  6.2    7
            width       5    8  9.5   10  9.5  8.2  6.8  6.2    7  5.8  4.6  4.8    6  5.4    6  6.8
        """),
        HINDLEG.shaped("""
            at       -0.1  0.3 0.65    1  1.3  1.6 1.85    2 2.15  2.4 2.75    3 3.35 3.65    4
            offset      0   -4   -6   -6   -6   -4 -1.5   -2 -1.5 -0.5    0   -1    0    0   -1
            lateral     0    0    0   -1   -2 -0.5    0    0    0    0    0    0    0    0    0
            depth      19 26.5   24 18.5 15.5 11.5    8  7.6    7  5.6  5.2  6.6  5.6  6.2  6.8
            width      11   13 12.5   11  9.8  7.8  6.2    6  5.4  4.6  4.6    6  5.4    6  6.6
        """),
    ),
    build={**BUILD, "trunk_width": 0.05},
    spread={**SPREAD, "neck_length": 0.05, "neck_angle": 0.1, "leg_length": 0.03, "horn_length": 0.12},
    types=(
        BodyType("adult", 0.85),
        BodyType("calf", 0.15, CALF, young=True),
    ),
    hornless_share=0.0,
    relief=ridges(MUSCLES, 0.85)
    + ridges(RIBS, 0.5)
    + ridges("""
        head: poll muzzle: 95 3 90 4 2.5 0.7
        head: poll muzzle: 22 -8 8 1
        head: poll muzzle: 82 -4 102 -4 1.6 -0.7
        neck: neck_base poll: 0 -8 60 -6 5 -1.2
    """),
    graze=(0.1, 0.15, 0.1, 0.1, -0.3),
    manners=Manners(
        gaits={
            "stand": 0.32,
            "walk": 0.32,
            "canter": 0.02,
            "gallop": 0.07,
            "browse": 0.15,
            "drink": 0.05,
            "lie": 0.07,
        },
        raised_tail=(0.3, 0.02),
        wag=0.2,
        walk_lag=0.13,
        gallop_duty=0.31,
        rotary=True,
        back=0.06,
        nod=0.09,
    ),
    face_marks=FaceMarks(eye=(0.3, 0.045), nostril=(0.94, 0.01)),
    tuft_height=0.3,
    coats=GIRAFFE_COATS,
)

"""The mean plains zebra and how zebras differ.

Proportions after Estes, "The Behavior Guide to African Mammals" (1991), and Ellenberger, Dittrich & Baum,
"An Atlas of Animal Anatomy for Artists" (1901) for what it shares with the horse, in object units.
"""

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import ZEBRA_COATS
from .horse import FOAL
from .plans import BUILD, EAR, FORELEG, HEAD, HINDLEG, MANE, NECK, SPREAD, TAIL, TRUNK
from .relief import MUSCLES, RIBS, ridges

ZEBRA = Species(
    name="zebra",
    landmarks={
        "rump": (0.0, 0.36, -1.24),
        "breast": (0.0, 0.20, 0.62),
        "back": (0.0, 0.42, -0.30),
        "withers": (0.0, 0.40, 0.25),
        "neck_base": (0.0, 0.36, 0.58),
        "neck_1": (0.0, 0.64, 0.83),
        "neck_2": (0.0, 0.93, 1.02),
        "poll": (0.0, 1.19, 1.17),
        "muzzle": (0.0, 0.55, 1.72),
        "ear_base": (0.095, 1.32, 1.14),
        "ear_tip": (0.16, 1.63, 1.14),
        "loin": (0.0, 0.46, -0.80),
        "tail_base": (0.0, 0.58, -1.48),
        "tail_1": (0.0, 0.42, -1.68),
        "tail_2": (0.0, 0.06, -1.76),
        "tail_3": (0.0, -0.36, -1.77),
        "tail_4": (0.0, -0.82, -1.75),
        "scapula": (0.16, 0.52, 0.38),
        "shoulder": (0.24, 0.04, 0.74),
        "elbow": (0.24, -0.30, 0.42),
        "carpus": (0.20, -0.85, 0.47),
        "fore_fetlock": (0.195, -1.24, 0.46),
        "fore_toe": (0.195, -1.47, 0.55),
        "hip": (0.20, 0.28, -1.06),
        "stifle": (0.26, -0.18, -0.78),
        "hock": (0.20, -0.65, -1.23),
        "hind_fetlock": (0.195, -1.22, -1.22),
        "hind_toe": (0.195, -1.47, -1.12),
    },
    limbs=(
        TRUNK.shaped("""
            at           0  0.12  0.26  0.42  0.58  0.74  0.87  0.94     1
            offset      -2     1     0    -7   -10    -4     1     1    -3
            depth       34    43    48    53    55    56    54    48    36
            width       28    36    39    43    45    41    32    28    25
            taper        0     0  0.05  -0.1 -0.08   0.1   0.3   0.3     0
        """),
        NECK.shaped("""
            at       -0.2    0  0.5    1  1.5    2  2.5    3
            offset     -2    0    1    2    2    2    1   -1
            depth      43   42   37   33   29   25   22   19
            width      22   22   20   18   16 14.2   13 11.5
            taper     0.1  0.1 0.15  0.2  0.2 0.15  0.1    0
        """),
        HEAD.shaped("""
            at        -0.1   0.1  0.25   0.4  0.55  0.72  0.88  0.96     1
            offset    -4.5  -6.5  -8.5  -6.8  -3.5  -1.5  -2.2  -3.4  -4.2
            depth     16.5    20    22  19.8  15.5  12.6  12.5  11.5   9.2
            width       12    14    15  13.6  11.2   9.5  10.4  10.4     9
            taper        0  -0.1  -0.2  -0.2 -0.15  -0.1     0     0     0
        """),
        EAR.shaped("""
            at       -0.2 0.15  0.5  0.8    1
            depth       5  5.5  5.5    5    3
            width       5  7.5  8.5    7    3
        """),
        MANE.shaped("""
            at          0  0.5    1  1.5    2  2.5    3  3.3
            offset     36   41   42 39.5   36   32   28   24
            depth       7   13   16   16 15.5   15 14.5   11
            width     5.5    5    5    5    5  4.8  4.5    4
        """),
        TAIL.shaped("""
            at       -0.3  0.3  0.9  1.6  2.2  2.8  3.3  3.7    4
            depth       7  6.2    5  4.5  5.5  8.5  9.5    7    3
            width       7    6    5  4.5    5  7.5    8    6    3
        """),
        FORELEG.shaped("""
            at       0.15  0.6    1 1.55    2 2.25  2.6 2.88    3 3.12  3.5  3.8    4 4.35 4.65    5
            offset      0   -1   -2    0    0    1    0    0    1    0    0 -0.5   -1    0    0 -1.5
            lateral    -2    0   -1 -0.5    0    0    0    0    0    0    0    0    0    0    0    0
            depth      13   20   19   20 17.5 14.5 10.5  8.2  8.6  7.6  6.2  6.5    8  6.8  7.8    9
            width       7   10 11.5   12 11.5 10.5  8.7  7.6    8    7  5.4  5.6  6.8    6    7    8
        """),
        HINDLEG.shaped("""
            at       -0.1  0.3 0.65    1  1.3  1.6 1.85    2 2.15  2.4 2.75    3 3.35 3.65    4
            offset      0   -7  -10   -9 -8.5   -6 -2.2   -3   -2 -0.5    0   -1    0    0 -1.5
            lateral     0    0    0   -1   -2 -0.5    0    0    0    0    0    0    0    0    0
            depth      27   37 33.5 25.5   22 16.8   11   10    9  7.2  6.7    8  6.8  7.8  8.8
            width    14.5   17   17 15.5   14 11.2  8.2  7.7  6.8  5.8  5.8  6.8    6    7  7.8
        """),
    ),
    build={**BUILD, "leg_length": -0.02, "hair": 0.05},
    spread={**SPREAD, "neck_angle": 0.1, "hair": 0.12},
    types=(
        BodyType("adult", 0.87),
        BodyType("foal", 0.13, FOAL, young=True),
    ),
    relief=ridges(MUSCLES, 0.8)
    + ridges(RIBS, 0.3)
    + ridges("""
        head: poll muzzle: 95 3 90 5 3 0.8
        head: poll muzzle: 36 -3 62 -1 3 0.9
        head: poll muzzle: 20 -12 11 1.2
        head: poll muzzle: 36 -16 42 -10 5 -1
        head: poll muzzle: 84 -5 102 -5 1.8 -0.8
        neck: neck_base poll: 7 -12 80 -10 5 -1.2
    """),
    graze=(0.28, 0.9, 0.5, 0.15, -0.85),
    manners=Manners(
        gaits={
            "stand": 0.30,
            "walk": 0.23,
            "trot": 0.09,
            "canter": 0.05,
            "gallop": 0.10,
            "graze": 0.19,
            "lie": 0.04,
        },
        raised_tail=(0.3, 0.05),
        wag=0.25,
        walk_lag=0.22,
    ),
    face_marks=FaceMarks(eye=(0.27, 0.045), nostril=(0.93, 0.005)),
    tuft_height=0.3,
    coats=ZEBRA_COATS,
)

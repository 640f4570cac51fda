"""The mean sheep, in its fleece, and how sheep differ.

Proportions after Ellenberger, Dittrich & Baum, "An Atlas of Animal Anatomy for Artists" (1901), in object
units; trunk, neck and thighs are measured over the wool.
"""

from dataclasses import replace

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import SHEEP_COATS
from .plans import BUILD, EAR, FORELEG, HEAD, HINDLEG, HORN, NECK, SPREAD, TAIL, TRUNK
from .relief import MUSCLES, ridges

LAMB = {
    "size": -0.3,
    "leg_length": 0.25,
    "leg_thickness": 0.1,
    "trunk_depth": -0.35,
    "trunk_width": -0.45,
    "trunk_length": -0.25,
    "neck_thickness": -0.35,
    "head_length": 0.05,
    "head_depth": 0.15,
    "face_length": -0.25,
    "ear_length": 0.2,
    "hair": -0.3,
    "tail_length": 0.3,
}
"""How a lamb differs: long thick legs under a small trunk with hardly any wool, an undocked tail."""

SHORT_WOOL = {"trunk_depth": -0.12, "trunk_width": -0.2, "neck_thickness": -0.35, "belly": 0.02, "hair": -0.3}

SHEEP = Species(
    name="sheep",
    landmarks={
        "rump": (0.0, 0.04, -1.28),
        "breast": (0.0, 0.0, 0.62),
        "back": (0.0, 0.25, -0.35),
        "withers": (0.0, 0.28, 0.28),
        "neck_base": (0.0, 0.20, 0.58),
        "neck_1": (0.0, 0.42, 0.82),
        "neck_2": (0.0, 0.64, 1.00),
        "poll": (0.0, 0.86, 1.14),
        "muzzle": (0.0, 0.42, 1.66),
        "ear_base": (0.14, 0.84, 1.15),
        "ear_tip": (0.43, 0.79, 1.12),
        "horn_base": (0.09, 0.95, 1.13),
        "horn_1": (0.22, 1.10, 0.90),
        "horn_2": (0.37, 0.86, 0.73),
        "horn_3": (0.44, 0.54, 0.90),
        "horn_4": (0.46, 0.47, 1.22),
        "horn_tip": (0.56, 0.66, 1.41),
        "loin": (0.0, 0.26, -0.82),
        "tail_base": (0.0, 0.26, -1.50),
        "tail_1": (0.0, 0.16, -1.64),
        "tail_2": (0.0, -0.02, -1.69),
        "tail_3": (0.0, -0.19, -1.68),
        "tail_4": (0.0, -0.36, -1.66),
        "scapula": (0.18, 0.30, 0.38),
        "shoulder": (0.25, -0.10, 0.70),
        "elbow": (0.26, -0.42, 0.40),
        "carpus": (0.22, -0.96, 0.45),
        "fore_fetlock": (0.215, -1.31, 0.44),
        "fore_toe": (0.215, -1.47, 0.52),
        "hip": (0.22, 0.10, -1.04),
        "stifle": (0.28, -0.36, -0.78),
        "hock": (0.23, -0.83, -1.22),
        "hind_fetlock": (0.225, -1.29, -1.19),
        "hind_toe": (0.225, -1.47, -1.10),
    },
    limbs=(
        replace(TRUNK, exponent=2.3).shaped("""
            at           0  0.12  0.26  0.42  0.58  0.74  0.87     1
            offset       4     4     0    -4    -5    -4    -2    -5
            depth       37    50    57    61    62    61    57    43
            width       35    48    54    57    56    51    44    34
            taper        0     0     0 -0.08 -0.08     0   0.1     0
        """),
        NECK.shaped("""
            at       -0.2    0  0.5    1  1.5    2  2.5    3
            offset     -6   -6   -5   -4   -4   -4   -4   -3
            depth      48   47   43   39   35   30   25   19
            width      35   34   32   30   27   23   19   15
            taper     0.1  0.1 0.05    0    0    0    0    0
        """),
        HEAD.shaped("""
            at       -0.12  0.08  0.25  0.42   0.6  0.78  0.92     1
            offset      -3    -5    -6    -4  -1.5    -1    -2  -3.5
            depth       14    18    19    17  14.5  12.5    11   8.5
            width       12    15  15.5  13.5  11.5    10     9     7
            taper        0  -0.1 -0.15  -0.1     0     0     0     0
        """),
        EAR.shaped("""
            at       -0.2  0.2 0.55 0.85    1
            depth     4.5    6  7.5  5.5  2.5
            width     4.5  5.5    5    4  2.5
        """),
        replace(HORN, chain=("horn_base", "horn_1", "horn_2", "horn_3", "horn_4", "horn_tip")).shaped("""
            at       -0.2  0.5    1    2    3    4    5
            depth      10 11.5 11.5   10    8  5.5  1.5
            width       9  9.5  9.5  8.5    7    5  1.5
        """),
        TAIL.shaped("""
            at       -0.4  0.3    1    2    3  3.6    4
            depth       9    8    8    8  7.5    6    3
            width      10   10   10  9.5  8.5  6.5    3
        """),
        FORELEG.shaped("""
            at       0.15  0.6    1 1.55    2 2.25  2.6 2.88    3 3.13  3.5  3.8    4  4.4    5
            offset      0   -1   -2    0    0    1    0    0    1    0    0 -0.5   -1    0   -1
            lateral    -2    0   -1 -0.5    0    0    0    0    0    0    0    0    0    0    0
            depth      14   21   20   21   18   13  9.2  7.5    8  6.8  5.5    6  7.5  6.6    8
            width       8   13   14   14 13.5   11    8    7  7.6  6.4  5.2  5.6    7  6.6  7.8
        """),
        HINDLEG.shaped("""
            at       -0.1  0.3 0.65    1  1.3  1.6 1.85    2 2.15 2.45 2.75    3  3.4    4
            offset      0  -10  -15  -14  -13   -9   -3   -3   -2 -0.5    0   -1    0   -1
            lateral     0    0    0   -2   -3   -2    0    0    0    0    0    0    0    0
            depth      27   36 34.5   29 22.5   15  9.5    9    8  6.2  5.8  7.5  6.6    8
            width      16   20   20   18 14.5 10.5  7.5  7.2  6.5  5.4  5.4    7  6.6  7.8
        """),
    ),
    build={**BUILD, "trunk_width": 0.05},
    spread={**SPREAD, "trunk_depth": 0.06, "trunk_width": 0.07, "horn_length": 0.15},
    types=(
        BodyType("adult", 0.62),
        BodyType("short wool", 0.2, SHORT_WOOL),
        BodyType("lamb", 0.18, LAMB, young=True),
    ),
    relief=ridges(MUSCLES, 0.5)
    + ridges("""
        head: poll muzzle: 22 -9 9 1
        head: poll muzzle: 84 -4 102 -5 1.8 -0.8
    """),
    graze=(0.25, 0.75, 0.5, 0.2, -0.7),
    manners=Manners(
        gaits={"stand": 0.30, "walk": 0.22, "trot": 0.07, "gallop": 0.05, "graze": 0.24, "lie": 0.12},
        raised_tail=(0.0, 0.0),
        walk_lag=0.25,
        back=0.16,
    ),
    face_marks=FaceMarks(eye=(0.27, 0.03), nostril=(0.94, 0.0)),
    hornless_share=0.7,
    tuft_height=3.0,
    fleece=0.017,
    coats=SHEEP_COATS,
)

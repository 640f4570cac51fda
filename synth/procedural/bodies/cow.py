"""The mean cow and how cattle differ.

Proportions after Ellenberger, Dittrich & Baum, "An Atlas of Animal Anatomy for Artists" (1901), in
object units.
"""

from dataclasses import replace

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import COW_COATS
from .plans import BUILD, DEWLAP, EAR, FORELEG, HEAD, HINDLEG, HORN, NECK, TAIL, SPREAD, TRUNK, UDDER

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
            at           0   0.14   0.28   0.45   0.62   0.78    0.9      1
            offset    0.09  0.047 -0.012 -0.075 -0.068 -0.034      0  -0.05
            depth     0.29  0.435   0.51  0.565  0.575   0.57   0.57   0.44
            width      0.3   0.42   0.46   0.51   0.51   0.45   0.37   0.29
            taper        0      0   0.05  -0.12  -0.12      0    0.2    0.1
        """),
        NECK.shaped("""
            at        -0.2      0    0.5      1    1.5      2    2.5      3
            offset   -0.04  -0.03  -0.01      0      0  -0.01  -0.02  -0.03
            depth     0.42   0.41   0.35  0.305   0.27  0.245   0.22  0.185
            width     0.25   0.24  0.215  0.195   0.18  0.168  0.158   0.15
            taper     0.15   0.15    0.1    0.1    0.1   0.05      0      0
        """),
        DEWLAP.shaped("""
            at        -0.5      0    0.7    1.5    2.3
            offset   -0.46  -0.45 -0.365 -0.255   -0.2
            depth     0.15   0.17   0.15    0.1   0.06
            width     0.07   0.07   0.06  0.055   0.05
        """),
        HEAD.shaped("""
            at        -0.1   0.08   0.25   0.45   0.65   0.82   0.94      1
            offset   -0.03  -0.05 -0.065  -0.05 -0.035  -0.03 -0.035  -0.04
            depth     0.14  0.175  0.185   0.16   0.14  0.142  0.136  0.118
            width     0.15  0.178  0.178  0.145   0.13  0.145  0.145  0.125
            taper        0   -0.1   -0.2   -0.1      0      0      0      0
        """),
        EAR.shaped("""
            at        -0.2    0.2   0.55   0.85      1
            depth    0.045   0.06  0.075  0.055  0.025
            width    0.045   0.06   0.06  0.045  0.025
        """),
        HORN.shaped("""
            at        -0.2    0.5    1.2      2
            depth    0.055   0.05  0.038  0.012
        """),
        TAIL.shaped("""
            at        -0.4    0.2      1      2    2.8    3.2    3.6    3.9    4.1
            depth     0.07   0.06  0.047   0.04  0.042  0.065  0.085   0.06  0.025
            width     0.07   0.06  0.047   0.04  0.042   0.06  0.075   0.05  0.025
        """),
        UDDER.shaped("""
            at           0    0.5      1
            depth     0.15   0.19   0.17
            width     0.16   0.19   0.17
        """),
        FORELEG.shaped("""
            at        0.15    0.6      1   1.55      2   2.25    2.6   2.88      3   3.15    3.5    3.8      4    4.4      5
            offset       0  -0.01  -0.02      0      0   0.01      0      0   0.01      0      0 -0.005  -0.01      0  -0.01
            lateral  -0.02      0  -0.01 -0.005      0      0      0      0      0      0      0      0      0      0      0
            depth     0.14   0.21   0.19    0.2   0.17   0.14  0.105   0.09  0.092   0.08  0.066   0.07  0.084  0.076  0.098
            width     0.08  0.115   0.13   0.13   0.12   0.11  0.092  0.085   0.09  0.076  0.062  0.066   0.08  0.076  0.096
        """),
        HINDLEG.shaped("""
            at        -0.1    0.3   0.65      1    1.3    1.6   1.85      2   2.15   2.45   2.75      3    3.4      4
            offset       0  -0.13  -0.21   -0.2  -0.18  -0.11 -0.035  -0.03  -0.02 -0.005      0  -0.01      0  -0.01
            lateral      0      0      0  -0.03  -0.04  -0.02      0      0      0      0      0      0      0      0
            depth     0.28   0.36  0.345    0.3  0.245  0.185  0.125   0.11  0.098  0.076   0.07  0.084  0.076  0.096
            width     0.13  0.155  0.155  0.145   0.13   0.11   0.09  0.084  0.076  0.064  0.064   0.08  0.076  0.094
        """),
    ),
    build={**BUILD, "leg_length": -0.05, "hair": 0.05},
    spread={**SPREAD, "hair": 0.15, "horn_length": 0.3, "udder": 0.12},
    types=(
        BodyType("adult", 0.86),
        BodyType("calf", 0.14, CALF, young=True),
    ),
    graze=(0.22, 0.62, 0.45, 0.2, -0.6),
    face_marks=FaceMarks(eye=(0.27, 0.03), nostril=(0.95, 0.0)),
    manners=Manners(
        gaits={"stand": 0.36, "walk": 0.34, "trot": 0.07, "canter": 0.0, "gallop": 0.03, "graze": 0.20},
        raised_tail=(0.3, 0.05),
    ),
    hornless_share=0.55,
    tuft_height=0.72,
    coats=COW_COATS,
)

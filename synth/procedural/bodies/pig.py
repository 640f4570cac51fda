"""The mean pig and how pigs differ.

Proportions after Ellenberger, Dittrich & Baum, "An Atlas of Animal Anatomy for Artists" (1901), in object
units.
"""

from dataclasses import replace

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import PIG_COATS
from .plans import BUILD, EAR, FORELEG, HEAD, HINDLEG, NECK, SPREAD, TAIL, TRUNK

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
        "muzzle": (0.0, -0.36, 1.88),
        "ear_base": (0.17, 0.20, 1.10),
        "ear_tip": (0.28, 0.55, 1.16),
        "loin": (0.0, 0.08, -0.86),
        "tail_base": (0.0, 0.14, -1.62),
        "tail_1": (0.0, 0.16, -1.84),
        "tail_2": (0.0, 0.36, -1.92),
        "tail_3": (0.0, 0.42, -1.72),
        "tail_4": (0.0, 0.27, -1.66),
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
            at        0      0.12   0.26   0.42   0.58   0.74   0.87   1
            offset    0.03   0.01  -0.04  -0.06  -0.06  -0.05  -0.03  -0.03
            depth     0.32   0.44   0.51   0.535  0.54   0.54   0.51   0.42
            width     0.32   0.43   0.46   0.48   0.48   0.45   0.42   0.36
            taper     0      0      0     -0.06  -0.06   0      0      0
        """),
        NECK.shaped("""
            at       -0.2    0      0.5    1      1.5    2      2.5    3
            offset    0      0      0     -0.01  -0.02  -0.03  -0.04  -0.05
            depth     0.48   0.47   0.44   0.41   0.38   0.35   0.32   0.28
            width     0.38   0.38   0.365  0.35   0.33   0.305  0.28   0.25
        """),
        HEAD.shaped("""
            at       -0.1    0.08   0.25   0.42   0.58   0.74   0.88   0.95   1
            offset   -0.04  -0.06  -0.07  -0.06  -0.03  -0.01   0      0.01   0.01
            depth     0.24   0.27   0.27   0.235  0.19   0.155  0.14   0.145  0.135
            width     0.22   0.25   0.24   0.205  0.165  0.135  0.125  0.14   0.135
            taper     0      0     -0.1   -0.1   -0.1    0      0      0      0
        """),
        EAR.shaped("""
            at       -0.2    0.2    0.55   0.85   1
            depth     0.05   0.055  0.05   0.04   0.025
            width     0.08   0.12   0.125  0.08   0.03
        """),
        TAIL.shaped("""
            at       -0.4    0.3    1      2      3      4
            depth     0.07   0.055  0.045  0.04   0.036  0.02
        """),
        FORELEG.shaped("""
            at        0.15   0.6    1      1.55   2      2.25   2.6    2.88   3      3.13   3.5    3.8    4      4.4    5
            offset    0     -0.01  -0.02   0      0      0.01   0      0      0.01   0      0     -0.005 -0.01   0     -0.01
            lateral  -0.02   0     -0.01  -0.005  0      0      0      0      0      0      0      0      0      0      0
            depth     0.14   0.22   0.22   0.22   0.19   0.16   0.125  0.10   0.10   0.09   0.08   0.08   0.09   0.082  0.09
            width     0.08   0.13   0.14   0.15   0.14   0.13   0.105  0.09   0.092  0.082  0.074  0.076  0.085  0.08   0.088
        """),
        HINDLEG.shaped("""
            at       -0.1    0.3    0.65   1      1.3    1.6    1.85   2      2.15   2.45   2.75   3      3.4    4
            offset    0     -0.10  -0.15  -0.14  -0.13  -0.09  -0.03  -0.03  -0.02  -0.005  0     -0.01   0     -0.01
            lateral   0      0      0     -0.02  -0.03  -0.02   0      0      0      0      0      0      0      0
            depth     0.28   0.37   0.355  0.30   0.245  0.175  0.12   0.11   0.10   0.084  0.08   0.09   0.082  0.09
            width     0.16   0.20   0.20   0.185  0.155  0.12   0.096  0.09   0.084  0.076  0.076  0.085  0.08   0.088
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
    hanging_ear={"ear_tip": (0.30, -0.05, 1.42)},
    graze=(0.15, 0.35, 0.3, 0.2, -0.1),
    manners=Manners(
        gaits={"stand": 0.40, "walk": 0.30, "trot": 0.06, "canter": 0.0, "gallop": 0.02, "graze": 0.22},
        raised_tail=(0.0, 0.0),
    ),
    face_marks=FaceMarks(eye=(0.36, 0.06), nostril=(0.99, 0.02)),
    tuft_height=3.0,
    coats=PIG_COATS,
)

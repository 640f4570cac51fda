"""The mean dog, a shepherd without extremes, and how dogs differ.

Proportions after Ellenberger, Dittrich & Baum, "An Atlas of Animal Anatomy for Artists" (1901), and Evans &
de Lahunta, "Miller's Anatomy of the Dog" (2013), in object units.
"""

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import DOG_COATS
from .plans import BUILD, EAR, FORELEG, HEAD, HINDLEG, NECK, SPREAD, TAIL, TRUNK

RETRIEVER = {
    "ear_drop": 1.0,
    "head_depth": 0.08,
    "muzzle": 0.08,
    "neck_thickness": 0.06,
    "trunk_width": 0.06,
    "hair": 0.25,
}
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
    "head_depth": 0.22,
    "face_length": -0.4,
    "muzzle": 0.15,
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
    "tail_lift": 1.7,
    "tail_curl": 0.75,
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
    "head_depth": 0.28,
    "face_length": -0.45,
    "muzzle": 0.05,
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
        "muzzle": (0.0, 0.76, 1.82),
        "ear_base": (0.14, 1.18, 1.04),
        "ear_tip": (0.22, 1.52, 1.03),
        "loin": (0.0, 0.38, -0.76),
        "tail_base": (0.0, 0.40, -1.30),
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
            at        0      0.12   0.26   0.42   0.58   0.74   0.87   0.94   1
            offset   -0.01   0.03   0.08   0.04  -0.02  -0.06  -0.05  -0.05  -0.06
            depth     0.23   0.29   0.30   0.36   0.43   0.47   0.46   0.41   0.31
            width     0.21   0.255  0.255  0.285  0.31   0.30   0.265  0.24   0.20
            taper     0      0      0     -0.05   0      0.1    0.2    0.2    0
        """),
        NECK.shaped("""
            at       -0.2    0      0.5    1      1.5    2      2.5    3
            offset   -0.02   0      0      0      0      0      0     -0.01
            depth     0.35   0.34   0.30   0.27   0.25   0.235  0.22   0.20
            width     0.22   0.22   0.21   0.20   0.19   0.18   0.17   0.16
            taper     0.1    0.1    0.1    0.1    0.1    0.1    0      0
        """),
        HEAD.shaped("""
            at       -0.12   0.05   0.2    0.34   0.44   0.54   0.7    0.88   0.96   1
            offset   -0.02  -0.01  -0.01  -0.02  -0.05  -0.06  -0.06  -0.05  -0.04  -0.035
            depth     0.15   0.20   0.215  0.20   0.16   0.135  0.12   0.105  0.095  0.07
            width     0.15   0.195  0.205  0.18   0.14   0.12   0.11   0.10   0.09   0.065
            taper     0      0      0      0.05   0.1    0.1    0      0      0      0
        """),
        EAR.shaped("""
            at       -0.2    0.2    0.55   0.85   1
            depth     0.055  0.055  0.05   0.04   0.025
            width     0.08   0.105  0.09   0.055  0.025
        """),
        TAIL.shaped("""
            at       -0.3    0.3    1      2      3      3.6    4
            depth     0.09   0.085  0.09   0.10   0.09   0.065  0.03
            width     0.085  0.08   0.08   0.08   0.075  0.055  0.03
        """),
        FORELEG.shaped("""
            at        0.15   0.6    1      1.55   2      2.25   2.6    2.88   3      3.13   3.5    3.8    4      4.4    4.8    5
            offset    0     -0.01  -0.02   0      0      0.01   0      0      0.01   0      0      0      0      0.02   0      0
            lateral  -0.02   0     -0.01  -0.005  0      0      0      0      0      0      0      0      0      0      0      0
            depth     0.12   0.17   0.16   0.17   0.15   0.12   0.09   0.078  0.08   0.075  0.075  0.08   0.085  0.08   0.075  0.06
            width     0.06   0.09   0.10   0.11   0.10   0.092  0.078  0.072  0.076  0.074  0.076  0.082  0.095  0.105  0.105  0.085
        """),
        HINDLEG.shaped("""
            at       -0.1    0.3    0.65   1      1.3    1.6    1.85   2      2.15   2.4    2.75   3      3.4    3.8    4
            offset    0     -0.05  -0.07  -0.07  -0.06  -0.05  -0.02  -0.03  -0.02  -0.005  0      0      0.02   0      0
            lateral   0      0      0     -0.01  -0.02  -0.005  0      0      0      0      0      0      0      0      0
            depth     0.21   0.30   0.275  0.21   0.17   0.125  0.09   0.085  0.082  0.076  0.078  0.082  0.078  0.075  0.06
            width     0.12   0.145  0.14   0.12   0.105  0.085  0.07   0.068  0.068  0.068  0.076  0.092  0.102  0.102  0.085
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
    hanging_ear={"ear_tip": (0.27, 0.83, 1.12)},
    graze=(0.2, 0.7, 0.4, 0.2, -0.5),
    manners=Manners(
        gaits={"stand": 0.40, "walk": 0.22, "trot": 0.16, "canter": 0.04, "gallop": 0.10, "graze": 0.08},
        raised_tail=(0.5, 0.4),
    ),
    face_marks=FaceMarks(eye=(0.34, 0.05), nostril=(0.98, 0.0)),
    tuft_height=3.0,
    coats=DOG_COATS,
)

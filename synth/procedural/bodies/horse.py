"""The mean horse and how horses differ.

Proportions after Goubaux & Barrier, "The Exterior of the Horse" (1892), and Ellenberger, Dittrich &
Baum, "An Atlas of Animal Anatomy for Artists" (1901), in object units.
"""

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import HORSE_COATS
from .plans import BUILD, EAR, FORELEG, HEAD, HINDLEG, MANE, NECK, TAIL, SPREAD, TRUNK

FOAL = {
    "size": -0.22,
    "leg_length": 0.2,
    "leg_thickness": -0.1,
    "trunk_depth": -0.2,
    "trunk_width": -0.22,
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
            at           0   0.12   0.26   0.42   0.58   0.74   0.87   0.94      1
            offset   -0.02   0.02   0.03  -0.02  -0.05      0   0.03   0.01  -0.03
            depth     0.33   0.41   0.45  0.455  0.485   0.53   0.55   0.48   0.36
            width     0.27  0.345   0.36  0.365  0.385   0.36  0.305  0.275  0.245
            taper        0      0   0.05  -0.05      0    0.2   0.35    0.3      0
        """),
        NECK.shaped("""
            at        -0.2      0    0.5      1    1.5      2    2.5      3
            offset   -0.02      0   0.02  0.035  0.035   0.03   0.01  -0.01
            depth     0.44   0.43  0.375  0.325  0.275  0.235  0.205   0.18
            width     0.21   0.21   0.19   0.17  0.148   0.13  0.118   0.11
            taper      0.1    0.1   0.15    0.2    0.2   0.15    0.1      0
        """),
        HEAD.shaped("""
            at        -0.1    0.1   0.25    0.4   0.55   0.72   0.88   0.96      1
            offset  -0.045 -0.065 -0.085 -0.065  -0.03 -0.015 -0.022 -0.034 -0.042
            depth     0.16   0.19   0.21  0.188  0.145  0.118  0.118  0.108  0.088
            width     0.11   0.13   0.14  0.128  0.105  0.088  0.095  0.096  0.086
            taper        0   -0.1   -0.2   -0.2  -0.15   -0.1      0      0      0
        """),
        EAR.shaped("""
            at        -0.2   0.15    0.5    0.8      1
            depth    0.045  0.055   0.06  0.042   0.02
            width    0.045  0.045  0.045  0.034   0.02
        """),
        MANE.shaped("""
            at         0.2    0.6      1    1.5      2    2.5      3    3.2
            offset    0.36  0.375   0.36   0.32  0.275  0.225   0.17  0.165
            depth     0.04   0.09  0.095   0.09  0.085   0.08   0.07   0.06
            width     0.04   0.06  0.062   0.06   0.06  0.058  0.055   0.05
        """),
        TAIL.shaped("""
            at        -0.3    0.3    0.9    1.6    2.4    3.2    3.7      4
            depth     0.06  0.075    0.1  0.135   0.15  0.125  0.085   0.04
            width     0.06   0.07  0.085  0.105  0.115  0.095   0.07   0.04
        """),
        FORELEG.shaped("""
            at        0.15    0.6      1   1.55      2   2.25    2.6   2.88      3   3.12    3.5    3.8      4   4.35   4.65      5
            offset       0  -0.01  -0.02      0      0   0.01      0      0   0.01      0      0 -0.005  -0.01      0      0 -0.015
            lateral  -0.02      0  -0.01 -0.005      0      0      0      0      0      0      0      0      0      0      0      0
            depth     0.13    0.2   0.19    0.2  0.175  0.145  0.103   0.08  0.085  0.075   0.06  0.064   0.08  0.066  0.078  0.092
            width     0.07    0.1  0.115   0.12  0.115  0.105  0.085  0.074   0.08  0.068  0.052  0.055  0.068   0.06  0.072  0.088
        """),
        HINDLEG.shaped("""
            at        -0.1    0.3   0.65      1    1.3    1.6   1.85      2   2.15    2.4   2.75      3   3.35   3.65      4
            offset       0  -0.07   -0.1  -0.09 -0.085  -0.06 -0.022  -0.03  -0.02 -0.005      0  -0.01      0      0 -0.015
            lateral      0      0      0  -0.01  -0.02 -0.005      0      0      0      0      0      0      0      0      0
            depth     0.26   0.36  0.325  0.245  0.215  0.165  0.108  0.098  0.088   0.07  0.065   0.08  0.066  0.078   0.09
            width     0.14  0.165  0.165   0.15   0.14  0.112   0.08  0.075  0.066  0.056  0.056  0.068   0.06  0.072  0.084
        """),
    ),
    build={**BUILD, "hair": 0.12, "tail_length": 0.05},
    spread=SPREAD,
    types=(
        BodyType("adult", 0.86),
        BodyType("foal", 0.14, FOAL, young=True),
    ),
    graze=(0.28, 0.95, 0.5, 0.15, -0.9),
    manners=Manners(
        gaits={"stand": 0.27, "walk": 0.20, "trot": 0.18, "canter": 0.09, "gallop": 0.10, "graze": 0.16},
        raised_tail=(0.6, 0.12),
    ),
    face_marks=FaceMarks(eye=(0.27, 0.045), nostril=(0.93, 0.005)),
    coats=HORSE_COATS,
)

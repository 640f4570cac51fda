"""The mean plains zebra and how zebras differ.

Proportions after Estes, "The Behavior Guide to African Mammals" (1991), and Ellenberger, Dittrich & Baum,
"An Atlas of Animal Anatomy for Artists" (1901) for what it shares with the horse, in object units.
"""

from ..anatomy import BodyType, FaceMarks, Manners, Species
from ..coats import ZEBRA_COATS
from .horse import FOAL
from .plans import BUILD, EAR, FORELEG, HEAD, HINDLEG, MANE, NECK, SPREAD, TAIL, TRUNK

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
            at        0      0.12   0.26   0.42   0.58   0.74   0.87   0.94   1
            offset   -0.02   0.01   0.01  -0.05  -0.08  -0.02   0.02   0.01  -0.03
            depth     0.34   0.43   0.47   0.50   0.52   0.54   0.54   0.48   0.36
            width     0.28   0.36   0.385  0.41   0.43   0.39   0.315  0.28   0.25
            taper     0      0      0.05  -0.08  -0.05   0.12   0.3    0.3    0
        """),
        NECK.shaped("""
            at       -0.2    0      0.5    1      1.5    2      2.5    3
            offset   -0.02   0      0.01   0.02   0.02   0.02   0.01  -0.01
            depth     0.43   0.42   0.37   0.33   0.29   0.25   0.22   0.19
            width     0.22   0.22   0.20   0.18   0.16   0.142  0.13   0.115
            taper     0.1    0.1    0.15   0.2    0.2    0.15   0.1    0
        """),
        HEAD.shaped("""
            at       -0.1    0.1    0.25   0.4    0.55   0.72   0.88   0.96   1
            offset   -0.045 -0.065 -0.085 -0.068 -0.035 -0.015 -0.022 -0.034 -0.042
            depth     0.165  0.20   0.22   0.198  0.155  0.126  0.125  0.115  0.092
            width     0.12   0.14   0.15   0.136  0.112  0.095  0.104  0.104  0.09
            taper     0     -0.1   -0.2   -0.2   -0.15  -0.1    0      0      0
        """),
        EAR.shaped("""
            at       -0.2    0.15   0.5    0.8    1
            depth     0.05   0.055  0.055  0.05   0.03
            width     0.05   0.075  0.085  0.07   0.03
        """),
        MANE.shaped("""
            at        0.1    0.5    1      1.5    2      2.5    3      3.3
            offset    0.36   0.40   0.40   0.37   0.335  0.295  0.25   0.22
            depth     0.06   0.12   0.145  0.145  0.14   0.135  0.13   0.10
            width     0.05   0.05   0.05   0.05   0.05   0.048  0.045  0.04
        """),
        TAIL.shaped("""
            at       -0.3    0.3    0.9    1.6    2.2    2.8    3.3    3.7    4
            depth     0.07   0.062  0.05   0.045  0.055  0.085  0.095  0.07   0.03
            width     0.07   0.06   0.05   0.045  0.05   0.075  0.08   0.06   0.03
        """),
        FORELEG.shaped("""
            at        0.15   0.6    1      1.55   2      2.25   2.6    2.88   3      3.12   3.5    3.8    4      4.35   4.65   5
            offset    0     -0.01  -0.02   0      0      0.01   0      0      0.01   0      0     -0.005 -0.01   0      0     -0.015
            lateral  -0.02   0     -0.01  -0.005  0      0      0      0      0      0      0      0      0      0      0      0
            depth     0.13   0.20   0.19   0.20   0.175  0.145  0.105  0.082  0.086  0.076  0.062  0.065  0.08   0.068  0.078  0.09
            width     0.07   0.10   0.115  0.12   0.115  0.105  0.087  0.076  0.08   0.07   0.054  0.056  0.068  0.06   0.07   0.08
        """),
        HINDLEG.shaped("""
            at       -0.1    0.3    0.65   1      1.3    1.6    1.85   2      2.15   2.4    2.75   3      3.35   3.65   4
            offset    0     -0.07  -0.10  -0.09  -0.085 -0.06  -0.022 -0.03  -0.02  -0.005  0     -0.01   0      0     -0.015
            lateral   0      0      0     -0.01  -0.02  -0.005  0      0      0      0      0      0      0      0      0
            depth     0.27   0.37   0.335  0.255  0.22   0.168  0.11   0.10   0.09   0.072  0.067  0.08   0.068  0.078  0.088
            width     0.145  0.17   0.17   0.155  0.14   0.112  0.082  0.077  0.068  0.058  0.058  0.068  0.06   0.07   0.078
        """),
    ),
    build={**BUILD, "leg_length": -0.02, "hair": 0.05},
    spread={**SPREAD, "neck_angle": 0.1, "hair": 0.12},
    types=(
        BodyType("adult", 0.87),
        BodyType("foal", 0.13, FOAL, young=True),
    ),
    graze=(0.28, 0.9, 0.5, 0.15, -0.85),
    manners=Manners(
        gaits={"stand": 0.34, "walk": 0.24, "trot": 0.10, "canter": 0.06, "gallop": 0.08, "graze": 0.18},
        raised_tail=(0.4, 0.05),
    ),
    face_marks=FaceMarks(eye=(0.27, 0.045), nostril=(0.93, 0.005)),
    tuft_height=0.3,
    coats=ZEBRA_COATS,
)

"""What the limbs of all quadrupeds have in common; a species gives each its shape as a small table."""

from dataclasses import dataclass

from ..anatomy import Limb

NECK_CHAIN = ("neck_base", "neck_1", "neck_2", "poll")
NECK_BONES = ((0.0, "chest"), (0.2, "neck_1"), (1.0, "neck_2"), (2.0, "neck_3"), (3.0, "head"))
HEAD_BONES = ((0.0, "head"),)

COLUMNS = {"at": 1.0, "offset": 0.01, "lateral": 0.01, "depth": 0.01, "width": 0.01, "taper": 1.0}
"""The columns of a limb's stations (`limbs.sample_limb`) and the units (object units) of a table's lines."""


@dataclass(frozen=True)
class LimbPlan:
    """A limb as all species have it: its landmarks, its bones, and how it joins the body."""

    name: str
    chain: tuple[str, ...]
    bones: tuple[tuple[float, str], ...]
    blend: float
    part: str = ""
    paired: bool = False
    exponent: float = 2.0

    def shaped(self, table: str) -> Limb:
        """The limb with the stations of a table; raises ValueError for a table that is none.

        A line is a column's name and its value at every station, or one value for all of them; offsets and
        radii are in hundredths of an object unit. Without its line a limb is as wide as deep, and neither
        offset nor tapered.
        """
        lines = {
            words[0]: [float(word) for word in words[1:]]
            for words in map(str.split, table.split("\n"))
            if words
        }
        count = len(lines["at"])
        lines = {"offset": [0.0], "lateral": [0.0], "width": lines["depth"], "taper": [0.0], **lines}
        columns = [
            [value * unit for value in (values * count if len(values) == 1 else values)]
            for unit, values in ((unit, lines.pop(name)) for name, unit in COLUMNS.items())
        ]
        if lines or any(len(values) != count for values in columns):
            raise ValueError(
                f"{self.name}: lines that are no columns, or columns of different lengths: {table}"
            )
        stations = tuple(zip(*columns, strict=True))
        return Limb(
            self.name,
            self.part or self.name,
            self.chain,
            stations,
            self.bones,
            blend=self.blend,
            paired=self.paired,
            exponent=self.exponent,
        )


TRUNK = LimbPlan(
    "trunk",
    ("rump", "breast"),
    ((0.0, "pelvis"), (0.22, "loin"), (0.5, "thorax"), (0.82, "chest")),
    blend=0.1,
)
NECK = LimbPlan("neck", NECK_CHAIN, NECK_BONES, blend=0.16)
DEWLAP = LimbPlan("dewlap", NECK_CHAIN, NECK_BONES, blend=0.08)
MANE = LimbPlan("mane", NECK_CHAIN, NECK_BONES, blend=0.035)
HEAD = LimbPlan("head", ("poll", "muzzle"), HEAD_BONES, blend=0.07)
EAR = LimbPlan("ear", ("ear_base", "ear_tip"), ((-0.3, "head"), (0.0, "ear")), blend=0.03, paired=True)
HORN = LimbPlan("horn", ("horn_base", "horn_1", "horn_tip"), HEAD_BONES, blend=0.02, paired=True)
TAIL = LimbPlan(
    "tail",
    ("tail_base", "tail_1", "tail_2", "tail_3", "tail_4"),
    ((-0.5, "pelvis"), (0.0, "tail_1"), (1.0, "tail_2"), (2.0, "tail_3"), (3.0, "tail_4")),
    blend=0.05,
)
UDDER = LimbPlan("udder", ("udder_front", "udder_rear"), ((0.0, "loin"), (0.3, "pelvis")), blend=0.08)
FORELEG = LimbPlan(
    "foreleg",
    ("scapula", "shoulder", "elbow", "carpus", "fore_fetlock", "fore_toe"),
    ((0.0, "scapula"), (1.0, "upper_arm"), (2.0, "forearm"), (3.0, "fore_cannon"), (4.0, "fore_pastern")),
    blend=0.09,
    paired=True,
)
HINDLEG = LimbPlan(
    "hindleg",
    ("hip", "stifle", "hock", "hind_fetlock", "hind_toe"),
    ((0.0, "thigh"), (1.0, "gaskin"), (2.0, "hind_cannon"), (3.0, "hind_pastern")),
    blend=0.12,
    paired=True,
)

SPREAD = {
    "size": 0.03,
    "leg_length": 0.045,
    "leg_thickness": 0.06,
    "trunk_length": 0.04,
    "trunk_depth": 0.045,
    "trunk_width": 0.06,
    "belly": 0.025,
    "croup": 0.02,
    "neck_length": 0.07,
    "neck_thickness": 0.07,
    "neck_angle": 0.12,
    "head_length": 0.055,
    "head_depth": 0.05,
    "muzzle": 0.06,
    "ear_length": 0.1,
    "tail_length": 0.1,
    "hair": 0.2,
}
"""Standard deviations of the traits where a species says nothing else."""

BUILD = {
    "leg_length": -0.04,
    "leg_thickness": 0.08,
    "trunk_depth": 0.04,
    "trunk_width": 0.06,
    "trunk_length": 0.02,
    "neck_thickness": 0.08,
    "head_depth": 0.03,
}
"""How the traits follow the step from slender to heavy where a species says nothing else."""

"""What a quadruped is made of: bones, limbs, and the traits in which individuals differ.

Lengths are in object units with the feet on y = -1.5.
"""

from dataclasses import dataclass

GROUND = -1.5
"""Height (object units) of the ground under the rest pose."""

Point = tuple[float, float, float]
Stations = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Limb:
    """A generalised cylinder along landmarks; see `limbs.sample_limb` for the columns of `stations`.

    `bones` lists (chain coordinate, bone) where that bone takes over from the one before.
    `part` is the body part for coats and features. Paired limbs are given for the left side.
    """

    name: str
    part: str
    chain: tuple[str, ...]
    stations: Stations
    bones: tuple[tuple[float, str], ...]
    blend: float
    paired: bool = False
    exponent: float = 2.0


@dataclass(frozen=True)
class Bone:
    """A bone from one landmark to another; paired bones are given for the left side."""

    name: str
    parent: str | None
    start: str
    end: str
    limits: tuple[float, float, float] = (0.5, 0.2, 0.2)
    paired: bool = False


@dataclass(frozen=True)
class Traits:
    """How an individual differs from the mean: relative sizes (1 is the mean) and angles in radians."""

    size: float = 1.0
    leg_length: float = 1.0
    leg_thickness: float = 1.0
    trunk_length: float = 1.0
    trunk_depth: float = 1.0
    trunk_width: float = 1.0
    belly: float = 0.0
    croup: float = 0.0
    neck_length: float = 1.0
    neck_thickness: float = 1.0
    neck_angle: float = 0.0
    head_length: float = 1.0
    head_depth: float = 1.0
    muzzle: float = 1.0
    ear_length: float = 1.0
    tail_length: float = 1.0
    hair: float = 1.0
    horn_length: float = 1.0
    udder: float = 1.0
    hornless: bool = False


Color = tuple[float, float, float]


@dataclass(frozen=True)
class CoatPalette:
    """A kind of coat; colours are sRGB.

    `points` colours the lower legs, `hair` mane and tail; `patch_level` is the noise value above which
    a patched animal shows `patch` (0: half of it). Shares are chances. `face_kinds` are the chances of
    star, stripe, blaze and white face among marked faces.
    """

    share: float
    body: Color
    points: Color | None = None
    hair: Color | None = None
    countershading: float = 0.0
    patch: Color = (0.86, 0.83, 0.77)
    patch_share: float = 0.0
    patch_level: float = 0.3
    white_below: bool = False
    spot_share: float = 0.0
    sock_share: float = 0.4
    face_share: float = 0.5
    face_kinds: tuple[float, float, float, float] = (0.35, 0.3, 0.35, 0.0)
    muzzle: Color = (0.16, 0.13, 0.12)
    muzzle_start: float = 0.88
    pink_share: float = 0.15
    horn: Color = (0.70, 0.64, 0.52)


@dataclass(frozen=True)
class FaceMarks:
    """Where eye and nostril are: (share of the way from poll to muzzle, height over that line)."""

    eye: tuple[float, float]
    nostril: tuple[float, float]


@dataclass(frozen=True)
class Manners:
    """How a species moves: chances of the gaits, and of a raised tail (in fast gaits, otherwise)."""

    gaits: dict[str, float]
    raised_tail: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Species:
    """A kind of animal: its mean shape, its spread and its ways.

    `build` are the exponents with which relative traits follow the first component of variation (from
    a slender foal at -2 to a heavy draft animal at +2), `spread` the standard deviations around it.
    `graze` are the angles (radians) by which (chest, neck 1, neck 2, neck 3, head) bend to the ground.
    `tuft_height` is how far under y = 0 the hair of a tail without long hair begins.
    """

    name: str
    landmarks: dict[str, Point]
    limbs: tuple[Limb, ...]
    build: dict[str, float]
    spread: dict[str, float]
    graze: tuple[float, float, float, float, float]
    coats: tuple[CoatPalette, ...]
    face_marks: FaceMarks
    manners: Manners
    hornless_share: float = 1.0
    tuft_height: float = 0.0


BONES = (
    Bone("thorax", None, "back", "withers", (0.3, 0.2, 0.2)),
    Bone("chest", "thorax", "withers", "neck_base", (0.3, 0.2, 0.2)),
    Bone("neck_1", "chest", "neck_base", "neck_1", (1.0, 0.4, 0.2)),
    Bone("neck_2", "neck_1", "neck_1", "neck_2", (0.8, 0.4, 0.2)),
    Bone("neck_3", "neck_2", "neck_2", "poll", (0.7, 0.4, 0.3)),
    Bone("head", "neck_3", "poll", "muzzle", (1.3, 0.5, 0.4)),
    Bone("ear", "head", "ear_base", "ear_tip", (0.5, 0.4, 0.4), paired=True),
    Bone("loin", "thorax", "back", "loin", (0.3, 0.2, 0.2)),
    Bone("pelvis", "loin", "loin", "tail_base", (0.4, 0.2, 0.2)),
    Bone("tail_1", "pelvis", "tail_base", "tail_1", (1.4, 0.5, 0.2)),
    Bone("tail_2", "tail_1", "tail_1", "tail_2", (0.9, 0.5, 0.2)),
    Bone("tail_3", "tail_2", "tail_2", "tail_3", (0.8, 0.5, 0.2)),
    Bone("tail_4", "tail_3", "tail_3", "tail_4", (0.8, 0.5, 0.2)),
    Bone("scapula", "thorax", "scapula", "shoulder", (0.4, 0.1, 0.1), paired=True),
    Bone("upper_arm", "scapula", "shoulder", "elbow", (0.7, 0.2, 0.1), paired=True),
    Bone("forearm", "upper_arm", "elbow", "carpus", (1.3, 0.15, 0.1), paired=True),
    Bone("fore_cannon", "forearm", "carpus", "fore_fetlock", (2.2, 0.1, 0.1), paired=True),
    Bone("fore_pastern", "fore_cannon", "fore_fetlock", "fore_toe", (1.4, 0.1, 0.1), paired=True),
    Bone("thigh", "pelvis", "hip", "stifle", (0.8, 0.2, 0.2), paired=True),
    Bone("gaskin", "thigh", "stifle", "hock", (1.1, 0.1, 0.1), paired=True),
    Bone("hind_cannon", "gaskin", "hock", "hind_fetlock", (1.5, 0.1, 0.1), paired=True),
    Bone("hind_pastern", "hind_cannon", "hind_fetlock", "hind_toe", (1.4, 0.1, 0.1), paired=True),
)

TRUNK_BONES = ((0.0, "pelvis"), (0.22, "loin"), (0.5, "thorax"), (0.82, "chest"))
NECK_BONES = ((0.0, "chest"), (0.2, "neck_1"), (1.0, "neck_2"), (2.0, "neck_3"), (3.0, "head"))
TAIL_BONES = ((-0.5, "pelvis"), (0.0, "tail_1"), (1.0, "tail_2"), (2.0, "tail_3"), (3.0, "tail_4"))
FORE_BONES = (
    (0.0, "scapula"),
    (1.0, "upper_arm"),
    (2.0, "forearm"),
    (3.0, "fore_cannon"),
    (4.0, "fore_pastern"),
)
HIND_BONES = ((0.0, "thigh"), (1.0, "gaskin"), (2.0, "hind_cannon"), (3.0, "hind_pastern"))

NECK_CHAIN = ("neck_base", "neck_1", "neck_2", "poll")
TAIL_CHAIN = ("tail_base", "tail_1", "tail_2", "tail_3", "tail_4")
FORE_CHAIN = ("scapula", "shoulder", "elbow", "carpus", "fore_fetlock", "fore_toe")
HIND_CHAIN = ("hip", "stifle", "hock", "hind_fetlock", "hind_toe")

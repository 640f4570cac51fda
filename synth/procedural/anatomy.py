"""What a quadruped is made of: bones, limbs, and the traits in which individuals differ.

Lengths are in object units with the feet on y = -1.5.
"""

from dataclasses import dataclass, field

from .coats.coat import Coat

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
    """How an individual differs from the mean: relative sizes (1 is the mean) and angles in radians.

    `face_length` stretches the face from the eyes to the muzzle; `ear_drop` turns the ears from the mean's
    (0) to hanging ones (1); `tail_lift` raises the tail at its root, `tail_curl` bends it upwards along its
    length.
    """

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
    face_length: float = 1.0
    ear_length: float = 1.0
    ear_drop: float = 0.0
    tail_length: float = 1.0
    tail_lift: float = 0.0
    tail_curl: float = 0.0
    hair: float = 1.0
    horn_length: float = 1.0
    udder: float = 1.0
    hornless: bool = False
    body_type: str = "adult"


@dataclass(frozen=True)
class BodyType:
    """A kind of individual within a species, as a breed or the young.

    `changes` are added to the traits' logarithms, or to traits whose mean is 0. `share` is its chance; the
    young have no horns where their species has hornless ones.
    """

    name: str
    share: float
    changes: dict[str, float] = field(default_factory=dict)
    young: bool = False


@dataclass(frozen=True)
class Ridge:
    """A rise of the skin (a groove where `height` is negative) along a line of the side view.

    The ends of the line are (share of the way from the first landmark to the second, distance to the left
    of that way as seen with the head to the right). Over `radius` the height falls to 1/e.
    """

    parts: tuple[str, ...]
    landmarks: tuple[str, str]
    ends: tuple[tuple[float, float], tuple[float, float]]
    radius: float
    height: float


@dataclass(frozen=True)
class FaceMarks:
    """Where eye and nostril are: (share of the way from poll to muzzle, height over that line)."""

    eye: tuple[float, float]
    nostril: tuple[float, float]


@dataclass(frozen=True)
class Manners:
    """How a species moves and rests.

    `gaits` are the chances of what it does (the names are those of poses.py), `raised_tail` those of a
    raised tail (in fast gaits, otherwise), `wag` that of a tail that swings. `walk_lag` is how long after a
    hind foot the fore foot of its side touches down, `gallop_duty` how long each foot stands in the gallop
    (shares of a stride). `rotary` says whether it gallops with the leads of fore and hind feet opposed,
    `back` is how far (radians) its back bends and stretches then, `nod` how far its neck swings with its
    strides. `head_down` is where a grazing muzzle is, from the ground in lengths of the head; dogs lie with
    the forearms flat before them (`lies_on_forearms`), the others fold them.
    """

    gaits: dict[str, float]
    raised_tail: tuple[float, float]
    wag: float = 0.1
    walk_lag: float = 0.22
    gallop_duty: float = 0.25
    rotary: bool = False
    back: float = 0.12
    nod: float = 0.06
    head_down: tuple[float, float] = (0.0, 0.35)
    lies_on_forearms: bool = False


@dataclass(frozen=True, eq=False)
class Species:
    """A kind of animal: its mean shape, its spread and its ways.

    `build` are the exponents with which relative traits follow the first component of variation (from
    a slender animal at -2 to a heavy draft animal at +2), `spread` the standard deviations around it.
    `graze` are the angles (radians) by which (chest, neck 1, neck 2, neck 3, head) bend to the ground.
    `types` are its breeds and its young. `hanging_ear` are the landmarks of the ear where it hangs. `fleece`
    is how high (object units) the locks of its wool rise.
    `tuft_height` is how far under y = 0 the hair of a tail without long hair begins.
    """

    name: str
    landmarks: dict[str, Point]
    limbs: tuple[Limb, ...]
    build: dict[str, float]
    spread: dict[str, float]
    graze: tuple[float, float, float, float, float]
    coats: tuple[Coat, ...]
    face_marks: FaceMarks
    manners: Manners
    types: tuple[BodyType, ...] = (BodyType("adult", 1.0),)
    hanging_ear: dict[str, Point] = field(default_factory=dict)
    relief: tuple[Ridge, ...] = ()
    fleece: float = 0.0
    hornless_share: float = 1.0
    tuft_height: float = 0.0


BONES = (
    Bone("thorax", None, "back", "withers", (1.0, 0.2, 0.4)),
    Bone("chest", "thorax", "withers", "neck_base", (0.3, 0.2, 0.2)),
    Bone("neck_1", "chest", "neck_base", "neck_1", (1.2, 0.5, 0.2)),
    Bone("neck_2", "neck_1", "neck_1", "neck_2", (0.9, 0.5, 0.2)),
    Bone("neck_3", "neck_2", "neck_2", "poll", (0.8, 0.5, 0.3)),
    Bone("head", "neck_3", "poll", "muzzle", (1.7, 0.5, 0.4)),
    Bone("ear", "head", "ear_base", "ear_tip", (0.6, 0.6, 0.5), paired=True),
    Bone("loin", "thorax", "back", "loin", (0.5, 0.2, 0.2)),
    Bone("pelvis", "loin", "loin", "tail_base", (0.6, 0.2, 0.2)),
    Bone("tail_1", "pelvis", "tail_base", "tail_1", (1.4, 0.8, 0.2)),
    Bone("tail_2", "tail_1", "tail_1", "tail_2", (0.9, 0.6, 0.2)),
    Bone("tail_3", "tail_2", "tail_2", "tail_3", (0.8, 0.6, 0.2)),
    Bone("tail_4", "tail_3", "tail_3", "tail_4", (0.8, 0.6, 0.2)),
    Bone("scapula", "thorax", "scapula", "shoulder", (0.5, 0.1, 0.1), paired=True),
    Bone("upper_arm", "scapula", "shoulder", "elbow", (1.0, 0.5, 0.1), paired=True),
    Bone("forearm", "upper_arm", "elbow", "carpus", (2.2, 0.15, 0.1), paired=True),
    Bone("fore_cannon", "forearm", "carpus", "fore_fetlock", (2.9, 0.1, 0.1), paired=True),
    Bone("fore_pastern", "fore_cannon", "fore_fetlock", "fore_toe", (1.6, 0.1, 0.1), paired=True),
    Bone("thigh", "pelvis", "hip", "stifle", (1.4, 0.5, 0.2), paired=True),
    Bone("gaskin", "thigh", "stifle", "hock", (2.3, 0.1, 0.1), paired=True),
    Bone("hind_cannon", "gaskin", "hock", "hind_fetlock", (2.9, 0.1, 0.1), paired=True),
    Bone("hind_pastern", "hind_cannon", "hind_fetlock", "hind_toe", (1.6, 0.1, 0.1), paired=True),
)

"""From a species and an individual's traits to limbs and bones at rest."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from farm3d.geometry.skeleton import Skeleton

from .anatomy import BONES, GROUND, Limb, Species, Traits
from .limbs import LimbGeometry, mirrored, sample_limb

LEG_LANDMARKS = {
    "elbow": ("elbow", "carpus", "fore_fetlock", "fore_toe"),
    "stifle": ("stifle", "hock", "hind_fetlock", "hind_toe"),
}
TAIL_LANDMARKS = ("tail_1", "tail_2", "tail_3", "tail_4")
FACE_START = 0.4
"""Share of the way from poll to muzzle behind which `face_length` changes nothing."""

_LEG_NAMES = {name for names in LEG_LANDMARKS.values() for name in names} | {"scapula", "shoulder", "hip"}


@dataclass(frozen=True)
class Body:
    """The limbs and skeleton of one individual at rest."""

    limbs: tuple[LimbGeometry, ...]
    skeleton: Skeleton


def random_traits(species: Species, generator: np.random.Generator) -> Traits:
    """An individual's traits: its type, one shared component from slender to heavy, and independent ones."""
    shares = np.array([kind.share for kind in species.types])
    kind = species.types[int(generator.choice(len(shares), p=shares / shares.sum()))]
    build = float(np.clip(generator.normal(), -2.2, 2.2))
    defaults = Traits()
    values: dict[str, float] = {}
    for name in dict.fromkeys([*species.build, *species.spread, *kind.changes]):
        noise = float(np.clip(generator.normal(), -2.2, 2.2)) * species.spread.get(name, 0.0)
        change = build * species.build.get(name, 0.0) + noise + kind.changes.get(name, 0.0)
        values[name] = float(np.exp(change)) if getattr(defaults, name) == 1.0 else change
    polled = bool(generator.random() < species.hornless_share) or (
        kind.young and species.hornless_share > 0.0
    )
    hornless = polled and any(limb.part == "horn" for limb in species.limbs)
    return replace(defaults, **values, hornless=hornless, body_type=kind.name)


def quadruped_skeleton(landmarks: dict[str, Float[np.ndarray, "3"]]) -> Skeleton:
    """The farm's skeleton on these landmarks; right-hand bones are the left ones' mirror images."""
    flip = np.array([-1.0, 1.0, 1.0])
    rows: list[tuple[str, str | None, np.ndarray, tuple[float, float, float]]] = []
    for bone in BONES:
        ends = np.stack([landmarks[bone.start], landmarks[bone.end]])
        if not bone.paired:
            rows.append((bone.name, bone.parent, ends, bone.limits))
            continue
        paired_names = {other.name for other in BONES if other.paired}
        for prefix, sign in (("left_", 1.0), ("right_", -1.0)):
            parent = prefix + bone.parent if bone.parent in paired_names else bone.parent
            rows.append((prefix + bone.name, parent, ends if sign > 0 else ends * flip, bone.limits))
    names = tuple(row[0] for row in rows)
    return Skeleton(
        torch.tensor(np.stack([row[2] for row in rows]), dtype=torch.float32),
        tuple(-1 if row[1] is None else names.index(row[1]) for row in rows),
        names,
        torch.tensor([row[3] for row in rows]),
    )


def quadruped_body(species: Species, traits: Traits, *, least_radius: float = 0.0) -> Body:
    """The limbs and skeleton of an individual, no limb anywhere thinner than `least_radius`."""
    landmarks = individual_landmarks(species, traits)
    limbs: list[LimbGeometry] = []
    for limb in species.limbs:
        if limb.part == "horn" and traits.hornless:
            continue
        joints = np.stack([landmarks[name] for name in limb.chain])
        rows = sample_limb(joints, _individual_stations(limb, traits))
        rows[:, 3:5] = np.maximum(rows[:, 3:5], least_radius)
        columns = torch.tensor(rows, dtype=torch.float32)
        depths, widths, tapers, chain = columns[:, 3:].unbind(1)
        geometry = LimbGeometry(
            name=limb.name,
            side=1 if limb.paired else 0,
            centres=columns[:, :3],
            depths=depths,
            widths=widths,
            tapers=tapers,
            chain=chain,
            exponent=limb.exponent,
            blend=limb.blend,
        )
        limbs += [geometry, mirrored(geometry)] if limb.paired else [geometry]
    return Body(tuple(limbs), quadruped_skeleton(landmarks))


def individual_landmarks(species: Species, traits: Traits) -> dict[str, Float[np.ndarray, "3"]]:
    """The mean's landmarks with an individual's proportions; the feet stay on the ground."""
    points = {name: np.array(point, dtype=float) for name, point in species.landmarks.items()}
    _scale_head(points, species, traits)
    _bend_neck(points, traits)
    _carry_tail(points, traits)
    middle = points["back"][2]
    front, rear = points["breast"][2] - middle, points["rump"][2] - middle
    for name, point in points.items():
        place = point[2] - middle
        stretch = np.clip(place, rear, front) * (traits.trunk_length - 1.0)
        point[2] += stretch
        point[0] *= traits.trunk_width if name in _LEG_NAMES else 1.0
        # The croup rises or falls with the hindquarters, about the middle of the back.
        point[1] += traits.croup * np.clip(place / rear, 0.0, 1.0)
    _lengthen_legs(points, traits)
    for point in points.values():
        point *= traits.size
        point[1] += GROUND * (1.0 - traits.size)
    return points


def _head_names(points: dict[str, np.ndarray]) -> list[str]:
    return [name for name in points if name == "muzzle" or name.startswith(("ear_", "horn_"))]


def _scale_head(points: dict[str, np.ndarray], species: Species, traits: Traits) -> None:
    """Drop the ears, then change the lengths of head, face, ears and horns."""
    drop = float(np.clip(traits.ear_drop, 0.0, 1.0))
    for name, hanging in species.hanging_ear.items():
        prick = points[name] - points["ear_base"]
        hung = np.array(hanging) - points["ear_base"]
        turned = (1.0 - drop) * prick + drop * hung
        length = (1.0 - drop) * np.linalg.norm(prick) + drop * np.linalg.norm(hung)
        points[name] = points["ear_base"] + turned * length / np.linalg.norm(turned)
    poll = points["poll"]
    face = FACE_START + (1.0 - FACE_START) * traits.face_length
    points["muzzle"] = poll + (points["muzzle"] - poll) * face
    for name in _head_names(points):
        points[name] = poll + (points[name] - poll) * traits.head_length
    for prefix, scale in (("ear_", traits.ear_length), ("horn_", traits.horn_length)):
        for name in [name for name in points if name.startswith(prefix)]:
            base = points[prefix + "base"]
            points[name] = base + (points[name] - base) * scale


def _carry_tail(points: dict[str, np.ndarray], traits: Traits) -> None:
    """Lengthen the tail, lift it at its root and curl it upwards."""
    names = ("tail_base", *TAIL_LANDMARKS)
    steps = [points[name] - points[before] for before, name in itertools.pairwise(names)]
    angle = traits.tail_lift
    for (before, name), step in zip(itertools.pairwise(names), steps, strict=True):
        points[name] = points[before] + traits.tail_length * _turned(step, angle)
        angle += traits.tail_curl


def _turned(vector: Float[np.ndarray, "3"], angle: float) -> Float[np.ndarray, "3"]:
    """The vector turned about the lateral axis; a positive angle lowers what points forwards."""
    rotation = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    turned: Float[np.ndarray, 3] = rotation @ vector
    return turned


def _bend_neck(points: dict[str, np.ndarray], traits: Traits) -> None:
    """Turn the neck about its base by `neck_angle` (positive lowers it), its parts in equal shares."""
    head = _head_names(points)
    moved = {"neck_1", "neck_2", "poll", *head}
    for pivot, share in (("neck_base", 0.6), ("neck_1", 0.4), ("poll", -0.5)):
        angle = traits.neck_angle * share
        moved.discard(pivot)
        if pivot == "poll":
            moved = set(head)
        for name in moved:
            points[name] = points[pivot] + _turned(points[name] - points[pivot], angle)
    shift = (points["poll"] - points["neck_base"]) * (traits.neck_length - 1.0)
    for name, share in (("neck_1", 0.36), ("neck_2", 0.7), ("poll", 1.0), *((name, 1.0) for name in head)):
        points[name] = points[name] + share * shift


def _lengthen_legs(points: dict[str, np.ndarray], traits: Traits) -> None:
    """Raise the trunk on longer legs: below elbow and stifle heights are scaled, above them shifted."""
    scales = {}
    rise = (traits.leg_length - 1.0) * (points["elbow"][1] - GROUND)
    for top, names in LEG_LANDMARKS.items():
        height = points[top][1] - GROUND
        scales.update(dict.fromkeys(names, (height + rise) / height))
    for name, point in points.items():
        point[1] = GROUND + (point[1] - GROUND) * scales[name] if name in scales else point[1] + rise


def _individual_stations(limb: Limb, traits: Traits) -> Float[np.ndarray, "stations 6"]:
    """A limb's stations with an individual's thicknesses."""
    rows = np.array(limb.stations, dtype=float)
    chain, offset, depth, width = (rows[:, k] for k in (0, 1, 3, 4))
    if limb.part == "trunk":
        # The back line stays; depth and belly grow downwards.
        sag = traits.belly * np.exp(-(((chain - 0.5) / 0.25) ** 2))
        offset += depth * (1.0 - traits.trunk_depth) - sag / 2
        depth *= traits.trunk_depth
        depth += sag / 2
        width *= traits.trunk_width
    elif limb.part in ("neck", "dewlap", "mane"):
        depth *= traits.hair if limb.part == "mane" else traits.neck_thickness
        width *= traits.hair if limb.part == "mane" else traits.neck_thickness
        offset *= traits.neck_thickness if limb.part != "neck" else 1.0
    elif limb.part == "head":
        muzzle = 1.0 + (traits.muzzle - 1.0) * np.clip((chain - 0.4) / 0.4, 0.0, 1.0)
        # A longer face leaves the skull where it is, although the chain's end is the muzzle.
        face = np.maximum(chain - FACE_START, 0.0)
        chain += face * (traits.face_length - 1.0)
        chain /= FACE_START + (1.0 - FACE_START) * traits.face_length
        depth *= traits.head_depth * muzzle
        width *= traits.head_depth * muzzle
    elif limb.part in ("foreleg", "hindleg"):
        # Thickness acts below the trunk, half as much on the upper leg, which the trunk's width scales.
        lower = np.clip(chain / 2.0, 0.5, 1.0)
        depth *= 1.0 + (traits.leg_thickness - 1.0) * lower
        width *= 1.0 + (traits.leg_thickness - 1.0) * lower
    elif limb.part == "ear":
        # What stands with its hollow to the front hangs flat on the cheek.
        drop = float(np.clip(traits.ear_drop, 0.0, 1.0))
        rows[:, 3:5] = (1.0 - drop) * rows[:, [3, 4]] + drop * rows[:, [4, 3]]
    elif limb.part == "tail":
        hair = 1.0 + (traits.hair - 1.0) * np.clip(chain, 0.0, 1.0)
        depth *= hair
        width *= hair
    elif limb.part == "udder":
        depth *= traits.udder
        width *= traits.udder
    rows[:, 3:5] *= traits.size
    rows[:, 1:3] *= traits.size
    return rows

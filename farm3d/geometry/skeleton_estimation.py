"""A quadruped's skeleton from the shape alone: eight bones along the body, three in each leg.

Source: MagicPony (arXiv 2211.12497) supplementary, "articulation"; docs/method.md says where this
differs: joints lie on the centreline of the trunk instead of a straight line, and a leg hangs from the
centreline above its foot instead of from the nearest joint.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from farm3d.errors import TrainingError
from farm3d.geometry.skeleton import Skeleton

BODY_NAMES = ("head", "neck", "withers", "spine_front", "tail", "croup", "loin", "spine_rear")
LEG_NAMES = ("fore_left", "hind_left", "hind_right", "fore_right")
FRONT, RIGHT = (0, 3), (2, 3)
"""The legs by their places among these names."""

BONE_NAMES = BODY_NAMES + tuple(f"{leg}_{part}" for leg in LEG_NAMES for part in ("foot", "lower", "upper"))

BODY_LIMITS = tuple(map(math.radians, (60.0, 60.0, 60.0)))
LEG_LIMITS = tuple(map(math.radians, (60.0, 18.0, 18.0)))

HIND_LEGS = tuple(k for k, name in enumerate(BONE_NAMES) if name.startswith("hind"))
HIND_FOOT = BONE_NAMES.index("hind_left_foot")

TAIL_REPULSION = 10.0
"""How much farther hind legs count for what hangs between them, for each unit of its depth in that room."""

BODY_MARGIN = 0.5
"""How far (object units) below the mean height the trunk's and head's vertices reach."""


def estimate_skeleton(vertices: Float[Tensor, "vertices 3"], *, imagine_legs: bool = False) -> Skeleton:
    """The 20-bone skeleton of a standing quadruped with its head towards +z.

    Bones 0-3 run from the head's tip to mid-body, 4-7 from the tail's tip; 3 and 7 pivot at mid-body
    and are the roots. Bones 8 + 3q, + 1, + 2 are the foot, lower and upper bone of leg q (left fore,
    left hind, right hind, right fore). With `imagine_legs` a leg that the shape has lost gets its bones
    below the trunk where that leg would be; without, TrainingError is raised. Not differentiable.
    """
    vertices = vertices.detach()
    if not imagine_legs and (lost := lost_legs(vertices)):
        raise TrainingError(f"the shape has no {lost[0].replace('_', ' ')} leg")
    spine = _spine_joints(vertices)
    body = torch.stack([torch.stack([spine[i + 1], spine[i]]) for i in range(4)])
    rear = torch.stack([torch.stack([spine[7 - i], spine[8 - i]]) for i in range(4)])
    feet = [_foot(vertices, quadrant, where) for quadrant, where in enumerate(_leg_vertices(vertices))]
    legs, attached = zip(*(_leg(foot, spine, front=q in FRONT) for q, foot in enumerate(feet)), strict=True)
    parents = [1, 2, 3, -1, 5, 6, 7, -1]
    for quadrant, bone in enumerate(attached):
        parents += [9 + 3 * quadrant, 10 + 3 * quadrant, bone]
    limits = torch.tensor([BODY_LIMITS] * 8 + [LEG_LIMITS] * 12).to(vertices)
    return Skeleton(torch.cat([body, rear, *legs]), tuple(parents), BONE_NAMES, limits)


def tail_repulsion(points: Float[Tensor, "points 3"], skeleton: Skeleton) -> Float[Tensor, "points bones"]:
    """What is added to the distances (object units) between points at rest and bones before skinning.

    The end of a hanging tail is nearer to the hind feet than to the tail's bone, and would step with them.
    So for points behind the hind feet and nearer to the mirror plane than half way to them, hind legs are
    farther by `TAIL_REPULSION` times the depth in that room; 0 elsewhere and for all other bones.
    """
    foot = skeleton.rest_joints[HIND_FOOT, 1]
    depth = torch.minimum(foot[0].abs() / 2.0 - points[:, 0].abs(), foot[2] - points[:, 2]).clamp_min(0.0)
    farther = points.new_zeros(len(points), len(skeleton.names))
    farther[:, HIND_LEGS] = TAIL_REPULSION * depth[:, None]
    return farther


def _spine_joints(vertices: Float[Tensor, "vertices 3"]) -> Float[Tensor, "9 3"]:
    """Nine joints in the mirror plane from the head's tip over mid-body to the tail's tip."""
    centre = vertices.mean(dim=0)
    floor = centre[1] - BODY_MARGIN
    upper = vertices[vertices[:, 1] > floor]
    tips = upper[upper[:, 2].argmax()], upper[upper[:, 2].argmin()]
    middle = _on_centreline(upper, centre * centre.new_tensor([0.0, 1.0, 1.0]))
    halves = []
    for tip in tips:
        tip = tip * tip.new_tensor([0.0, 1.0, 1.0])
        inner = [tip + (middle - tip) * (k / 4.0) for k in (1, 2, 3)]
        halves.append([tip, *(_on_centreline(upper, joint) for joint in inner)])
    return torch.stack([*halves[0], middle, *reversed(halves[1])])


def _on_centreline(upper: Float[Tensor, "vertices 3"], joint: Float[Tensor, "3"]) -> Float[Tensor, "3"]:
    """The joint at half the height of the body's cross-section at its z; unmoved where none is near."""
    heights = upper[(upper[:, 2] - joint[2]).abs() < 0.1, 1]
    if heights.numel() == 0:
        return joint
    return torch.stack([joint[0], (heights.min() + heights.max()) / 2.0, joint[2]])


def lost_legs(vertices: Float[Tensor, "vertices 3"]) -> tuple[str, ...]:
    """The names of the legs that a shape lacks: where nothing lies beside the mirror plane."""
    present = _leg_vertices(vertices.detach()).any(dim=1).tolist()
    return tuple(name for name, there in zip(LEG_NAMES, present, strict=True) if not there)


def _leg_vertices(vertices: Float[Tensor, "vertices 3"]) -> Bool[Tensor, "legs vertices"]:
    """Where the legs are looked for: beside the mirror plane, before and behind the middle of the feet."""
    margin = _leg_margin(vertices)
    low = vertices[vertices[:, 1] <= vertices[:, 1].quantile(0.15)]
    left, right = vertices[:, 0] > margin, vertices[:, 0] < -margin
    front = vertices[:, 2] > low[:, 2].mean()
    return torch.stack([left & front, left & ~front, right & ~front, right & front])


def _leg_margin(vertices: Float[Tensor, "vertices 3"]) -> Float[Tensor, ""]:
    """How far from the mirror plane legs begin: a fifth of the shape's width."""
    return 0.2 * (vertices[:, 0].quantile(0.95) - vertices[:, 0].quantile(0.05))


def _foot(
    vertices: Float[Tensor, "vertices 3"], quadrant: int, where: Bool[Tensor, " vertices"]
) -> Float[Tensor, "3"]:
    """The lowest place among a leg's vertices; without any, below that end of the trunk and beside it.

    An imagined foot is found from the vertices of both sides, so that left and right mirror each other.
    """
    if bool(where.any()):
        return _lowest(vertices[where])
    half = (vertices[:, 2] > vertices[:, 2].mean()) == (quadrant in FRONT)
    there = (vertices[half] if bool(half.any()) else vertices) * vertices.new_tensor([0.0, 1.0, 1.0])
    side = vertices.new_tensor([-1.0 if quadrant in RIGHT else 1.0, 0.0, 0.0])
    return _lowest(there) + 1.5 * _leg_margin(vertices) * side


def _lowest(vertices: Float[Tensor, "vertices 3"]) -> Float[Tensor, "3"]:
    """The lowest height, at the mean place of the vertices near it."""
    lowest = vertices[:, 1].min()
    place = vertices[vertices[:, 1] < lowest + 0.05].mean(dim=0)
    return torch.stack([place[0], lowest, place[2]])


def _leg(
    foot: Float[Tensor, "3"], spine: Float[Tensor, "9 3"], *, front: bool
) -> tuple[Float[Tensor, "3 2 3"], int]:
    """The foot, lower and upper bone of a leg and the body bone it hangs from."""
    body_joints = (1, 2, 3) if front else (5, 6, 7)
    nearest = min(body_joints, key=lambda joint: float((spine[joint, 2] - foot[2]).abs()))
    top = torch.stack([foot[0] / 2.0, spine[nearest, 1], foot[2]])
    chain = [foot + (top - foot) * (k / 3.0) for k in range(4)]
    bones = torch.stack([torch.stack([chain[k + 1], chain[k]]) for k in range(3)])
    # The end of bone i in 0..3 is joint i; of bone 4 + i it is joint 8 - i.
    return bones, nearest if front else 12 - nearest

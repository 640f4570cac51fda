"""A quadruped's skeleton from the shape alone: eight bones along the body, three in each leg.

Source: MagicPony (arXiv 2211.12497) supplementary, "articulation"; docs/method.md says where this
differs: joints lie on the centreline of the trunk instead of a straight line, and a leg hangs from the
centreline above its foot instead of from the nearest joint.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.errors import TrainingError
from farm3d.geometry.skeleton import Skeleton

BODY_NAMES = ("head", "neck", "withers", "spine_front", "tail", "croup", "loin", "spine_rear")
LEG_NAMES = ("fore_left", "hind_left", "hind_right", "fore_right")
BONE_NAMES = BODY_NAMES + tuple(f"{leg}_{part}" for leg in LEG_NAMES for part in ("foot", "lower", "upper"))

BODY_LIMITS = tuple(map(math.radians, (60.0, 60.0, 60.0)))
LEG_LIMITS = tuple(map(math.radians, (60.0, 18.0, 18.0)))

BODY_MARGIN = 0.5
"""How far (object units) below the mean height the trunk's and head's vertices reach."""


def estimate_skeleton(vertices: Float[Tensor, "vertices 3"]) -> Skeleton:
    """The 20-bone skeleton of a standing quadruped with its head towards +z.

    Bones 0-3 run from the head's tip to mid-body, 4-7 from the tail's tip; 3 and 7 pivot at mid-body
    and are the roots. Bones 8 + 3q, + 1, + 2 are the foot, lower and upper bone of leg q (left fore,
    left hind, right hind, right fore). Not differentiable. Raises TrainingError where a leg is missing.
    """
    vertices = vertices.detach()
    spine = _spine_joints(vertices)
    body = torch.stack([torch.stack([spine[i + 1], spine[i]]) for i in range(4)])
    rear = torch.stack([torch.stack([spine[7 - i], spine[8 - i]]) for i in range(4)])
    legs, attached = zip(*(_leg(vertices, spine, quadrant) for quadrant in range(4)), strict=True)
    parents = [1, 2, 3, -1, 5, 6, 7, -1]
    for quadrant, bone in enumerate(attached):
        parents += [9 + 3 * quadrant, 10 + 3 * quadrant, bone]
    limits = torch.tensor([BODY_LIMITS] * 8 + [LEG_LIMITS] * 12).to(vertices)
    return Skeleton(torch.cat([body, rear, *legs]), tuple(parents), BONE_NAMES, limits)


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


def _leg(
    vertices: Float[Tensor, "vertices 3"], spine: Float[Tensor, "9 3"], quadrant: int
) -> tuple[Float[Tensor, "3 2 3"], int]:
    """The foot, lower and upper bone of a leg and the body bone it hangs from."""
    side, front = (1, -1)[quadrant in (2, 3)], quadrant in (0, 3)
    lateral = side * vertices[:, 0]
    margin = 0.2 * (vertices[:, 0].quantile(0.95) - vertices[:, 0].quantile(0.05))
    low = vertices[vertices[:, 1] <= vertices[:, 1].quantile(0.15)]
    half = (vertices[:, 2] > low[:, 2].mean()) == front
    candidates = vertices[(lateral > margin) & half]
    if candidates.shape[0] == 0:
        raise TrainingError(f"the shape has no {LEG_NAMES[quadrant].replace('_', ' ')} leg")
    lowest = candidates[:, 1].min()
    foot = candidates[candidates[:, 1] < lowest + 0.05].mean(dim=0)
    foot = torch.stack([foot[0], lowest, foot[2]])
    body_joints = (1, 2, 3) if front else (5, 6, 7)
    nearest = min(body_joints, key=lambda joint: float((spine[joint, 2] - foot[2]).abs()))
    top = torch.stack([foot[0] / 2.0, spine[nearest, 1], foot[2]])
    chain = [foot + (top - foot) * (k / 3.0) for k in range(4)]
    bones = torch.stack([torch.stack([chain[k + 1], chain[k]]) for k in range(3)])
    # The end of bone i in 0..3 is joint i; of bone 4 + i it is joint 8 - i.
    return bones, nearest if front else 12 - nearest

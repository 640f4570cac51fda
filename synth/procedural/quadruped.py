"""Quadrupeds as skinned meshes: a species' mean animal, and individuals that share its surface points.

The mean animal's smooth union of limbs is meshed by marching tetrahedra. An individual is the same
mesh carried along by its own limbs and settled on its own implicit surface, so that every vertex of
every individual has its place on the mean animal (its canonical coordinate) by construction, and mirror
points correspond to mirror points.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.geometry.skeleton import Skeleton, bone_transforms
from farm3d.geometry.skinning import MAX_INFLUENCES, SkinningWeights, skin
from farm3d.shapes import JointAngles, Vertices

from .anatomy import GROUND, Species, Traits
from .limbs import LimbFoot, LimbGeometry, body_distance, carry_points, limb_foot
from .meshing import body_mesh, neighbour_average, settle
from .proportions import Body, quadruped_body

MEMBERSHIP_SOFTNESS = 0.04
"""Distance (object units) over which a surface point changes from one limb's bones to another's."""

JOINT_SOFTNESS = 0.22
"""Half the share of a bone's length over which the skin changes from one bone to the next."""

SMOOTHING_STEPS = 12
"""Rounds of averaging with the mesh's neighbours that the skinning weights get."""


@dataclass(frozen=True)
class Individual:
    """One animal: its surface and bones at rest, and its surface points' places on the mean animal.

    `membership` is the share of each body part (in the order of `body_parts`) in each vertex;
    `carried_distance` the mean distance (object units) of the carried mean mesh from the individual's
    surface before it settled there.
    """

    vertices: Float[Tensor, "vertices 3"]
    faces: Int[Tensor, "faces 3"]
    skinning: SkinningWeights
    skeleton: Skeleton
    canonical: Float[Tensor, "vertices 3"]
    membership: Float[Tensor, "vertices parts"]
    carried_distance: float = 0.0


def body_parts(species: Species) -> tuple[str, ...]:
    """The names of a species' body parts, in the order of `Individual.membership`."""
    return tuple(dict.fromkeys(limb.part for limb in species.limbs))


def posed_vertices(individual: Individual, joint_angles: JointAngles, root_offset: Tensor) -> Vertices:
    """The individual's vertices in a pose, or a batch of poses: linear blend skinning, then the offset."""
    transforms = bone_transforms(individual.skeleton, joint_angles)
    return skin(individual.vertices, transforms, individual.skinning) + root_offset[..., None, :]


@lru_cache(maxsize=8)
def mean_individual(species: Species, *, hornless: bool = False) -> Individual:
    """The species' mean animal (all traits at their means), meshed once a process."""
    body = quadruped_body(species, Traits(hornless=hornless))
    mesh = body_mesh(body.limbs, GROUND)
    feet = [limb_foot(limb, mesh.vertices) for limb in body.limbs]
    shares = _limb_shares(feet)
    parts = body_parts(species)
    part_of = {limb.name: parts.index(limb.part) for limb in species.limbs}
    membership = shares.new_zeros(len(shares), len(parts))
    membership.index_add_(1, torch.tensor([part_of[limb.name] for limb in body.limbs]), shares)
    skinning = _skinning_weights(_bone_weights(species, body, feet, shares), mesh.faces)
    return Individual(mesh.vertices, mesh.faces, skinning, body.skeleton, mesh.vertices, membership)


def make_individual(species: Species, traits: Traits) -> Individual:
    """The individual with these traits, on the mean animal's surface points."""
    mean = mean_individual(species, hornless=traits.hornless)
    source = quadruped_body(species, Traits(hornless=traits.hornless))
    target = quadruped_body(species, traits)
    feet = [limb_foot(limb, mean.vertices) for limb in source.limbs]
    shares = _limb_shares(feet)
    carried = torch.stack(
        [
            carry_points(old, new, mean.vertices, foot)
            for old, new, foot in zip(source.limbs, target.limbs, feet, strict=True)
        ],
        dim=1,
    )
    vertices = (carried * shares[..., None]).sum(1)
    distance = float(body_distance(target.limbs, vertices, GROUND).abs().mean())
    canonical = mean.canonical
    return Individual(
        settle(target.limbs, vertices, GROUND),
        mean.faces,
        mean.skinning,
        target.skeleton,
        canonical,
        mean.membership,
        distance,
    )


def _limb_shares(feet: list[LimbFoot]) -> Float[Tensor, "vertices limbs"]:
    """How much each surface point belongs to each limb: a softmax over the limbs' distances."""
    distances = torch.stack([foot.distance for foot in feet], dim=1)
    return torch.softmax(-distances / MEMBERSHIP_SOFTNESS, dim=1)


def _bone_weights(
    species: Species, body: Body, feet: list[LimbFoot], shares: Float[Tensor, "vertices limbs"]
) -> Float[Tensor, "vertices bones"]:
    """Each limb hands its share of a vertex to its bones, by the place along the limb."""
    names = body.skeleton.names
    tables = {limb.name: limb.bones for limb in species.limbs}
    weights = shares.new_zeros(len(shares), len(names))
    for column, (limb, foot) in enumerate(zip(body.limbs, feet, strict=True)):
        place = _chain_coordinate(limb, foot)
        steps = [
            torch.ones_like(place) if k == 0 else _smooth_step((place - start) / JOINT_SOFTNESS)
            for k, (start, _) in enumerate(tables[limb.name])
        ]
        steps.append(torch.zeros_like(place))
        side = "right_" if limb.side < 0 else "left_"
        for k, (_, bone) in enumerate(tables[limb.name]):
            index = names.index(bone if bone in names else side + bone)
            weights[:, index] += shares[:, column] * (steps[k] - steps[k + 1])
    return weights


def _chain_coordinate(limb: LimbGeometry, foot: LimbFoot) -> Float[Tensor, " vertices"]:
    return torch.lerp(limb.chain[foot.segment], limb.chain[foot.segment + 1], foot.fraction)


def _smooth_step(value: Tensor) -> Tensor:
    """0 below -1, 1 above 1, a cubic between."""
    x = ((value + 1.0) / 2.0).clamp(0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


def _skinning_weights(
    weights: Float[Tensor, "vertices bones"], faces: Int[Tensor, "faces 3"]
) -> SkinningWeights:
    """The four largest weights of each vertex after smoothing over the surface."""
    average = neighbour_average(faces, len(weights))
    smooth = weights.numpy().astype(np.float64)
    for _ in range(SMOOTHING_STEPS):
        smooth = 0.5 * smooth + 0.5 * (average @ smooth)
    values, indices = torch.topk(torch.from_numpy(smooth), MAX_INFLUENCES, dim=1)
    return SkinningWeights(indices, (values / values.sum(dim=1, keepdim=True)).float())

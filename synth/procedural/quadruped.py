"""Quadrupeds as skinned meshes: a species' mean animal, and individuals that share its surface points.

The mean animal's smooth union of limbs is meshed by marching tetrahedra. An individual is the same
mesh carried along by its own limbs, so that every vertex of every individual has its place on the mean
animal (its canonical coordinate) by construction, and mirror points correspond to mirror points.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import Skeleton, bone_transforms
from farm3d.geometry.skinning import MAX_INFLUENCES, SkinningWeights, skin
from farm3d.shapes import JointAngles, Vertices

from .anatomy import GROUND, Species, Traits
from .limbs import LimbFoot, LimbGeometry, body_distance, carry_points, limb_foot
from .meshing import body_mesh, neighbour_average, symmetric_nearest_points
from .muscles import with_relief
from .proportions import Body, quadruped_body
from .refinement import mirror_vertices

MEMBERSHIP_SOFTNESS = 0.04
"""Distance (object units) over which a surface point changes from one limb's bones to another's."""

JOINT_SOFTNESS = 0.22
"""Half the share of a bone's length over which the skin changes from one bone to the next."""

LEAST_MESHED_RADIUS = 0.065
"""Radius (object units) under which a limb might fall between the lattice's points."""

MOTION_SMOOTHING_STEPS = 4

SMOOTHING_STEPS = 12
"""Rounds of averaging with the mesh's neighbours that the skinning weights get."""


@dataclass(frozen=True)
class Individual:
    """One animal: its surface and bones at rest, and its surface points' places on the mean animal.

    `membership` is the share of each body part (in the order of `body_parts`) in each vertex.
    """

    vertices: Float[Tensor, "vertices 3"]
    faces: Int[Tensor, "faces 3"]
    skinning: SkinningWeights
    skeleton: Skeleton
    canonical: Float[Tensor, "vertices 3"]
    membership: Float[Tensor, "vertices parts"]


def body_parts(species: Species) -> tuple[str, ...]:
    """The names of a species' body parts, in the order of `Individual.membership`."""
    return tuple(dict.fromkeys(limb.part for limb in species.limbs))


def posed_vertices(individual: Individual, joint_angles: JointAngles, root_offset: Tensor) -> Vertices:
    """The individual's vertices in a pose, or a batch of poses: linear blend skinning, then the offset."""
    transforms = bone_transforms(individual.skeleton, joint_angles)
    vertices = individual.vertices.expand(*joint_angles.shape[:-2], -1, -1)
    return skin(vertices, transforms, individual.skinning) + root_offset[..., None, :]


@dataclass(frozen=True)
class _Template:
    """The mean animal, its limbs, and where each of its vertices lies on each limb."""

    body: Body
    feet: list[LimbFoot]
    shares: Float[Tensor, "vertices limbs"]
    mean: Individual


def mean_individual(species: Species) -> Individual:
    """The species' mean animal: all traits at their means, with horns where it has them; meshed once."""
    return _template(species, False).mean


def make_individual(species: Species, traits: Traits) -> Individual:
    """The individual with these traits, on the mean animal's surface points."""
    template = _template(species, traits.hornless)
    mean, target = template.mean, quadruped_body(species, traits)
    vertices = _carried(
        template.body,
        target,
        feet=template.feet,
        shares=template.shares,
        mean=mean.vertices,
        faces=mean.faces,
    )
    return Individual(vertices, mean.faces, mean.skinning, target.skeleton, mean.canonical, mean.membership)


def surface_error(species: Species, traits: Traits) -> float:
    """Mean distance (object units) of an individual's vertices from its own smooth union of limbs."""
    body = quadruped_body(species, traits)
    return float(body_distance(body.limbs, make_individual(species, traits).vertices, GROUND).abs().mean())


@lru_cache(maxsize=16)
def _template(species: Species, hornless: bool) -> _Template:
    """Thin parts would fall through the lattice, so a plump twin is meshed and carried to the true shape."""
    plump = quadruped_body(species, Traits(hornless=hornless), least_radius=LEAST_MESHED_RADIUS)
    body = quadruped_body(species, Traits(hornless=hornless))
    mesh = body_mesh(plump.limbs, GROUND)
    feet = [limb_foot(limb, mesh.vertices) for limb in plump.limbs]
    shares = _limb_shares(feet)
    vertices = _carried(plump, body, feet=feet, shares=shares, mean=mesh.vertices, faces=mesh.faces)
    parts = body_parts(species)
    part_of = {limb.name: parts.index(limb.part) for limb in species.limbs}
    membership = shares.new_zeros(len(shares), len(parts))
    membership.index_add_(1, torch.tensor([part_of[limb.name] for limb in body.limbs]), shares)
    vertices = with_relief(species, Mesh(vertices, mesh.faces), membership, parts=parts)
    skinning = _skinning_weights(_bone_weights(species, body, feet, shares=shares), mesh)
    canonical = vertices
    if hornless:
        horned = mean_individual(species)
        canonical = symmetric_nearest_points(horned.vertices, horned.faces, vertices)
    mean = Individual(vertices, mesh.faces, skinning, body.skeleton, canonical, membership)
    feet = [limb_foot(limb, vertices) for limb in body.limbs]
    return _Template(body, feet, _limb_shares(feet), mean)


def _carried(
    source: Body,
    target: Body,
    *,
    feet: list[LimbFoot],
    shares: Float[Tensor, "vertices limbs"],
    mean: Float[Tensor, "vertices 3"],
    faces: Int[Tensor, "faces 3"],
) -> Float[Tensor, "vertices 3"]:
    """The surface of one body on another: each limb carries its share, the motion is smoothed a little."""
    carried = torch.zeros_like(mean)
    for k, (old, new) in enumerate(zip(source.limbs, target.limbs, strict=True)):
        carried += shares[:, k : k + 1] * carry_points(old, new, mean, foot=feet[k])
    motion = (carried - mean).double().numpy()
    average = neighbour_average(faces, mirror_vertices(mean))
    for _ in range(MOTION_SMOOTHING_STEPS):
        motion = 0.5 * motion + 0.5 * (average @ motion)
    moved = mean + torch.from_numpy(motion).float()
    # Soles that grew thicker stay flat on the ground.
    return torch.cat([moved[:, :1], moved[:, 1:2].clamp_min(GROUND), moved[:, 2:]], dim=1)


def _limb_shares(feet: list[LimbFoot]) -> Float[Tensor, "vertices limbs"]:
    """How much each surface point belongs to each limb: a softmax over the limbs' distances."""
    distances = torch.stack([foot.distance for foot in feet], dim=1)
    return torch.softmax(-distances / MEMBERSHIP_SOFTNESS, dim=1)


def _bone_weights(
    species: Species, body: Body, feet: list[LimbFoot], *, shares: Float[Tensor, "vertices limbs"]
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


def _skinning_weights(weights: Float[Tensor, "vertices bones"], mesh: Mesh) -> SkinningWeights:
    """The four largest weights of each vertex after smoothing over the surface."""
    average = neighbour_average(mesh.faces, mirror_vertices(mesh.vertices))
    smooth = weights.numpy().astype(np.float64)
    for _ in range(SMOOTHING_STEPS):
        smooth = 0.5 * smooth + 0.5 * (average @ smooth)
    values, indices = torch.topk(torch.from_numpy(smooth), MAX_INFLUENCES, dim=1)
    return SkinningWeights(indices, (values / values.sum(dim=1, keepdim=True)).float())

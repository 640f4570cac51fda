"""Where refinement starts: every hypothesis is tried cheaply, several ways; the best goes on.

A silhouette hardly tells head from tail or near from far side; which hypothesis fits best after its pose was
allowed to follow the mask tells more than the networks' first reading alone. Second looks bring most poses
nearer, and put some legs where another one is. From the front a head that is down hides in the chest, and no
step of a fit leads there from a head that is up.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skeleton_estimation import BODY_NAMES
from farm3d.geometry.skinning import skin
from farm3d.inference.edit import with_pose
from farm3d.inference.silhouette_fit import (
    LEG_BONES,
    PoseVariables,
    SilhouetteWeights,
    beyond_lean,
    pose_change,
    pose_variables,
    silhouette_misfit,
)
from farm3d.models.animal_model import AnimalModel, ImageReading, InstancePose
from farm3d.models.joint_fit import rest_joints, seen_joints
from farm3d.models.read_pose import after_looks, poses_under
from farm3d.ops.mesh_topology import edge_topology
from farm3d.ops.tensors import with_tensors
from farm3d.shapes import JointAngles
from farm3d.types import AnimalPrediction, Batch, ShapePrior


@dataclass(frozen=True)
class Start:
    """The networks' reading from which the best trial began, and the pose that it came to.

    `misfits` are those of all hypotheses after second looks; of a model that takes those, of all as first
    read; of those that were tried bowed, too. Implausible ones' are raised.
    """

    prediction: AnimalPrediction
    variables: PoseVariables
    misfits: Float[Tensor, " starts"]


BOWED = {"head": 0.3, "neck": 1.0, "withers": 0.7}
"""The bones that bow a neck, and their shares of the angle."""


@dataclass(frozen=True)
class Trial:
    """How hypotheses are tried: so many steps, at these rates; what implausibility costs.

    With a `bow` (radians) those that see the animal from the front are tried with the neck bowed by it, too.
    """

    steps: int
    camera_rate: float
    angle_rate: float
    improbability: float
    bow: float = 0.0


def best_start(
    model: AnimalModel,
    prior: ShapePrior,
    reading: ImageReading,
    *,
    target: Batch,
    trial: Trial,
    weights: SilhouetteWeights,
) -> Start:
    """Fit the pose under every hypothesis of one image's reading for a few steps, and take the best.

    `target` is the crop at the size at which silhouettes are compared. The shape stays the networks'.
    """
    tries = _tries(model, reading, trial.bow)
    with torch.no_grad():
        every = torch.arange(reading.viewpoint.logits.shape[1])
        once = _repeated(reading, len(every))
        first_read, implausible = poses_under(model, prior, once, hypothesis=every)
        pose = _poses(tries, after_looks(model, prior, once, pose=first_read), first_read)
        several = _repeated(reading, len(tries.bows))
        initial = model.assemble(several, pose, prior)
        joints = seen_joints(model, prior, several)
        rest = rest_joints(model, several) if joints else None
    variables = pose_variables(with_pose(initial, _bowed(initial, tries.bows)))
    groups = variables.groups(camera_rate=trial.camera_rate, angle_rate=trial.angle_rate)
    optimizer = torch.optim.Adam(groups)
    topology = edge_topology(prior.mesh.faces)

    def misfits() -> Float[Tensor, " starts"]:
        angles = torch.tanh(variables.raw_angles) * initial.skeleton.angle_limits
        transforms = bone_transforms(initial.skeleton, angles)
        posed = Mesh(skin(initial.rest_mesh.vertices, transforms, prior.skinning_weights), prior.mesh.faces)
        fit = silhouette_misfit(posed, variables.camera(), target, topology=topology, weights=weights)
        if joints and rest is not None:
            fit = fit + weights.joints * joints.misfit(rest, transforms, variables.camera())
        return fit + pose_change(angles, initial.joint_angles, weights)

    for _ in range(trial.steps):
        optimizer.zero_grad(set_to_none=True)
        misfits().sum().backward()
        optimizer.step()
    with torch.no_grad():
        final = misfits() + trial.improbability * implausible[tries.hypotheses]
        best = _best(tries, final)
        prediction = model.assemble(reading, pose.each(lambda tensor: tensor[best : best + 1]), prior)
    return Start(prediction, _legs_unfolded(variables.only(best), prediction), final)


@dataclass(frozen=True)
class _Tries:
    """What is tried: under which hypothesis, whether after second looks, and how far bowed (radians)."""

    hypotheses: Int[Tensor, " starts"]
    looked_at: Bool[Tensor, " starts"]
    bows: Float[Tensor, " starts"]


def _tries(model: AnimalModel, reading: ImageReading, bow: float) -> _Tries:
    """All hypotheses after second looks; all as first read, where looks are taken; frontal ones bowed."""
    azimuths = reading.viewpoint.azimuths[0]
    every = torch.arange(len(azimuths))
    first_read = every if model.config.second_looks else every[:0]
    frontal = every[torch.cos(azimuths) > 0.0] if bow else every[:0]
    parts = (every, first_read, frontal)
    counts = torch.tensor([len(part) for part in parts])
    looked_at, bows = torch.tensor([True, False, True]), torch.tensor([0.0, 0.0, bow])
    return _Tries(torch.cat(parts), looked_at.repeat_interleave(counts), bows.repeat_interleave(counts))


def _best(tries: _Tries, misfits: Float[Tensor, " starts"]) -> int:
    """The hypothesis that fits best after second looks; of it what fits best, with or without them.

    Animals seen from the front fit nearly as well either way round, and looks tell those better.
    """
    looked = misfits.where(tries.looked_at, misfits.new_tensor(torch.inf))
    same = tries.hypotheses == tries.hypotheses[looked.argmin()]
    return int(misfits.where(same, misfits.new_tensor(torch.inf)).argmin())


def _repeated(reading: ImageReading, times: int) -> ImageReading:
    """The reading of one image so many times."""
    return with_tensors(reading, lambda tensor: tensor.expand(times, *tensor.shape[1:]))


def _poses(tries: _Tries, looked: InstancePose, first_read: InstancePose) -> InstancePose:
    """Each try's camera and angles, of the poses of all hypotheses after second looks and as first read.

    The shapes are those first read: what looks add to one would hide a leg that has yet to move
    (docs/models.md, last table).
    """
    rows = tries.hypotheses + len(first_read.hypothesis) * ~tries.looked_at

    def of_tries(after: Tensor, before: Tensor) -> Tensor:
        return torch.cat([after, before])[rows]

    cameras = of_tries(looked.camera.world_to_camera, first_read.camera.world_to_camera)
    return replace(
        first_read.each(lambda tensor: tensor[tries.hypotheses]),
        joint_angles=of_tries(looked.joint_angles, first_read.joint_angles),
        bone_transforms=of_tries(looked.bone_transforms, first_read.bone_transforms),
        camera=replace(first_read.camera, world_to_camera=cameras),
    )


def _bowed(prediction: AnimalPrediction, bows: Float[Tensor, " animals"]) -> JointAngles:
    """The angles of some animals, each one's neck flexed by so much more within its limits."""
    shares = torch.tensor([BOWED.get(name, 0.0) for name in prediction.skeleton.names])
    angles, limits = prediction.joint_angles.clone(), prediction.skeleton.angle_limits
    angles[..., 0] += bows[:, None] * shares
    return angles.clamp(-limits, limits)


def _legs_unfolded(variables: PoseVariables, prediction: AnimalPrediction) -> PoseVariables:
    """The variables with legs that the trial made lean too far as the networks read them."""
    with torch.no_grad():
        angles = torch.tanh(variables.raw_angles) * prediction.skeleton.angle_limits
        far = torch.zeros(angles.shape[:2], dtype=torch.bool)
        far[:, len(BODY_NAMES) :] = (beyond_lean(angles) > 0.0).repeat_interleave(LEG_BONES, dim=1)
        read = pose_variables(prediction).raw_angles
        variables.raw_angles.copy_(torch.where(far[..., None], read, variables.raw_angles))
    return variables

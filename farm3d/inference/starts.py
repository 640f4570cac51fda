"""Where refinement starts: every viewpoint hypothesis is tried cheaply, also head down; the best goes on.

A silhouette hardly tells head from tail or near from far side; which hypothesis fits best after its pose was
allowed to follow the mask tells more than the networks' first reading alone. From the front a head that is
down hides in the chest, and no step of a fit leads there from a head that is up.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
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
from farm3d.models.animal_model import AnimalModel, ImageReading
from farm3d.models.joint_fit import rest_joints, seen_joints
from farm3d.models.read_pose import after_looks, poses_under
from farm3d.ops.mesh_topology import edge_topology
from farm3d.ops.tensors import with_tensors
from farm3d.shapes import JointAngles
from farm3d.types import AnimalPrediction, Batch, ShapePrior


@dataclass(frozen=True)
class Start:
    """The networks' reading under the best hypothesis, after second looks, and the pose its trial came to.

    `misfits` are those of all hypotheses, then of those that were tried bowed, too; implausible ones' raised.
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
    hypotheses, bows = _starts(reading, trial.bow)
    with torch.no_grad():
        several = with_tensors(reading, lambda tensor: tensor.expand(len(hypotheses), *tensor.shape[1:]))
        pose, implausible = poses_under(model, prior, several, hypothesis=hypotheses)
        # What looks add to the shape would hide a leg that has yet to move (docs/models.md, last table).
        pose = replace(after_looks(model, prior, several, pose=pose), rest_offsets=None)
        initial = model.assemble(several, pose, prior)
        joints = seen_joints(model, prior, several)
        rest = rest_joints(model, several) if joints else None
    variables = pose_variables(with_pose(initial, _bowed(initial, bows)))
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
        final = misfits() + trial.improbability * implausible
        best = int(final.argmin())
        prediction = model.assemble(reading, pose.each(lambda tensor: tensor[best : best + 1]), prior)
    return Start(prediction, _legs_unfolded(variables.only(best), prediction), final)


def _starts(reading: ImageReading, bow: float) -> tuple[Int[Tensor, " starts"], Float[Tensor, " starts"]]:
    """The hypothesis and the bow of each start: all as they were read, then those from the front bowed."""
    azimuths = reading.viewpoint.azimuths[0]
    every = torch.arange(len(azimuths))
    frontal = every[torch.cos(azimuths) > 0.0] if bow else every[:0]
    return torch.cat([every, frontal]), torch.tensor([0.0] * len(every) + [bow] * len(frontal))


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

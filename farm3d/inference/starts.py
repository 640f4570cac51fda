"""Where refinement starts: every viewpoint hypothesis is tried cheaply, the best goes on.

A silhouette hardly tells head from tail or near from far side; which hypothesis fits best after its pose was
allowed to follow the mask tells more than the networks' first reading alone.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skeleton_estimation import BODY_NAMES
from farm3d.geometry.skinning import skin
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
from farm3d.ops.mesh_topology import edge_topology
from farm3d.types import AnimalPrediction, Batch, ShapePrior


@dataclass(frozen=True)
class Start:
    """The networks' reading under the best hypothesis, and the pose that its trial came to.

    `misfits` are those of all hypotheses, the improbable ones' raised.
    """

    prediction: AnimalPrediction
    variables: PoseVariables
    misfits: Float[Tensor, " hypotheses"]


@dataclass(frozen=True)
class Trial:
    """How hypotheses are tried: steps, learning rates, and what improbability costs."""

    steps: int
    camera_rate: float
    angle_rate: float
    improbability: float


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
    count = reading.viewpoint.logits.shape[1]
    with torch.no_grad():
        several = _repeated(reading, count)
        pose = model.pose(several, prior, torch.arange(count))
        initial = model.assemble(several, pose, prior)
    variables = pose_variables(initial)
    groups = variables.groups(camera_rate=trial.camera_rate, angle_rate=trial.angle_rate)
    optimizer = torch.optim.Adam(groups)
    topology = edge_topology(prior.mesh.faces)

    def misfits() -> Float[Tensor, " hypotheses"]:
        angles = torch.tanh(variables.raw_angles) * initial.skeleton.angle_limits
        transforms = bone_transforms(initial.skeleton, angles)
        posed = Mesh(skin(initial.rest_mesh.vertices, transforms, prior.skinning_weights), prior.mesh.faces)
        fit = silhouette_misfit(posed, variables.camera(), target, topology=topology, weights=weights)
        return fit + pose_change(angles, initial.joint_angles, weights)

    for _ in range(trial.steps):
        optimizer.zero_grad(set_to_none=True)
        misfits().sum().backward()
        optimizer.step()
    with torch.no_grad():
        improbable = -torch.log_softmax(reading.viewpoint.logits[0], dim=-1)
        final = misfits() + trial.improbability * improbable
        best = int(final.argmin())
        chosen: Int[Tensor, " images"] = torch.tensor([best])
        prediction = model.assemble(reading, model.pose(reading, prior, chosen), prior)
    return Start(prediction, _legs_unfolded(variables.only(best), prediction), final)


def _legs_unfolded(variables: PoseVariables, prediction: AnimalPrediction) -> PoseVariables:
    """The variables with legs that the trial made lean too far as the networks read them."""
    with torch.no_grad():
        angles = torch.tanh(variables.raw_angles) * prediction.skeleton.angle_limits
        far = torch.zeros(angles.shape[:2], dtype=torch.bool)
        far[:, len(BODY_NAMES) :] = (beyond_lean(angles) > 0.0).repeat_interleave(LEG_BONES, dim=1)
        read = pose_variables(prediction).raw_angles
        variables.raw_angles.copy_(torch.where(far[..., None], read, variables.raw_angles))
    return variables


def _repeated(reading: ImageReading, count: int) -> ImageReading:
    """The reading of one image `count` times."""
    encoded, view, light = reading.encoded, reading.viewpoint, reading.light

    def times(values: Tensor) -> Tensor:
        return values.expand(count, *values.shape[1:])

    return ImageReading(
        type(encoded)(times(encoded.features), times(encoded.patches)),
        type(view)(times(view.azimuths), times(view.logits), times(view.elevation), times(view.translation)),
        type(light)(times(light.direction), times(light.ambient), times(light.diffuse)),
    )

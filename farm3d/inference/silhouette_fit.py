"""How far posed animals are from the mask of a photograph, several poses at once."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy.spatial import cKDTree
from torch import Tensor

from farm3d.config import StrictConfig
from farm3d.geometry.camera import Camera, camera_from_rotation, project_to_ndc
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton_estimation import BODY_NAMES, LEG_NAMES
from farm3d.geometry.viewpoint import azimuth_elevation, viewpoint_rotation
from farm3d.losses.reconstruction import inside_distance_loss, mask_loss, outside_distance_loss
from farm3d.ops.mesh_topology import EdgeTopology
from farm3d.render.mesh_renderer import render_mask
from farm3d.shapes import JointAngles
from farm3d.types import AnimalPrediction, Batch

LEG_BONES = 3
MOST_LEAN = math.radians(35.0)
"""Flexion from the body to the foot, all bones of a leg together, that costs nothing."""


class SilhouetteWeights(StrictConfig):
    """Weights of the terms that compare a silhouette with the mask, and a pose with the networks'."""

    mask: float = 10.0
    inside_distance: float = 100.0
    outside_distance: float = 50.0
    reach: float = 20.0
    """Weight of the distance from the mask's pixels to the nearest projected vertex: it draws legs into
    parts of the mask that no silhouette edge is near."""
    angle_change: float = 0.5
    """Weight of the mean squared change of the angles (radians) from the prediction."""
    body_change: float = 0.0
    """The same, in addition, for spine, neck, head and tail."""
    sideways_change: float = 20.0
    """The same, in addition, for side bending and twist: one silhouette says little about them."""
    joints: float = 0.05
    """Weight of each joint that is not where the networks see it, where they see joints."""
    lean: float = 5.0
    """Weight of the mean squared lean of the legs (radians) beyond MOST_LEAN."""


@dataclass(frozen=True)
class PoseVariables:
    """Cameras and angles of some poses as free numbers; tanh keeps the angles within their limits."""

    azimuth: Float[Tensor, " poses"]
    elevation: Float[Tensor, " poses"]
    translation: Float[Tensor, "poses 3"]
    raw_angles: Float[Tensor, "poses bones 3"]

    def camera(self) -> Camera:
        """The cameras of these numbers."""
        return camera_from_rotation(viewpoint_rotation(self.azimuth, self.elevation), self.translation)

    def groups(self, *, camera_rate: float, angle_rate: float) -> list[dict[str, object]]:
        """Parameter groups for an optimiser."""
        camera = [self.azimuth, self.elevation, self.translation]
        return [{"params": camera, "lr": camera_rate}, {"params": [self.raw_angles], "lr": angle_rate}]

    def only(self, pose: int) -> "PoseVariables":
        """One of the poses, as variables of its own."""
        values = (self.azimuth, self.elevation, self.translation, self.raw_angles)
        return PoseVariables(*(value[pose : pose + 1].detach().clone().requires_grad_() for value in values))


def pose_variables(prediction: AnimalPrediction) -> PoseVariables:
    """The numbers that give a prediction's cameras and angles."""
    share = prediction.joint_angles / prediction.skeleton.angle_limits
    return variables_of(prediction.camera.world_to_camera, share)


def variables_of(
    cameras: Float[Tensor, "poses 4 4"], angle_shares: Float[Tensor, "poses bones 3"]
) -> PoseVariables:
    """The numbers that give these cameras, and these angles as shares of their limits."""
    azimuth, elevation = azimuth_elevation(cameras[:, :3, :3])
    offset = camera_from_rotation(torch.eye(3), torch.zeros(3)).world_to_camera[:3, 3]
    share = angle_shares.clamp(-0.99, 0.99)
    values = (azimuth, elevation, cameras[:, :3, 3] - offset, torch.atanh(share))
    return PoseVariables(*(value.detach().clone().requires_grad_() for value in values))


def silhouette_misfit(
    mesh: Mesh, camera: Camera, target: Batch, *, topology: EdgeTopology, weights: SilhouetteWeights
) -> Float[Tensor, " poses"]:
    """The weighted terms that compare each pose's silhouette with the one mask of `target`."""
    size = target.masks.shape[1]
    rendered = render_mask(mesh, camera, size, topology=topology)
    masks, valid, inside, outside = (
        plane.expand_as(rendered)
        for plane in (target.masks, target.valid, target.inside_distance, target.outside_distance)
    )
    # What the border of the photograph cuts off is neither there nor missing.
    visible = rendered * valid
    places = project_to_ndc(camera, mesh.vertices)
    return (
        weights.mask * mask_loss(rendered, masks, valid)
        + weights.inside_distance * inside_distance_loss(rendered, inside)
        + weights.outside_distance * outside_distance_loss(visible, outside)
        + weights.reach * _reach(target.masks, places)
    )


def _reach(
    mask: Float[Tensor, "1 size size 1"], places: Float[Tensor, "poses vertices 2"]
) -> Float[Tensor, " poses"]:
    """Mean distance (half image sides) from the pixels of the mask to each pose's nearest vertex."""
    size = mask.shape[1]
    rows, columns = torch.nonzero(mask[0, ..., 0] > 0.5, as_tuple=True)
    pixels = (torch.stack([columns, rows], dim=-1) + 0.5) * (2.0 / size) - 1.0
    found = [cKDTree(pose.detach().numpy()).query(pixels.numpy())[1] for pose in places]
    nearest = torch.stack([pose[torch.from_numpy(index)] for pose, index in zip(places, found, strict=True)])
    return (pixels - nearest).square().sum(-1).add(1e-8).sqrt().mean(dim=1)


def pose_change(
    angles: JointAngles, initial: JointAngles, weights: SilhouetteWeights
) -> Float[Tensor, " poses"]:
    """The weighted change of each pose's angles from the networks'."""
    turned = (angles - initial).square()
    of_body = turned[:, : len(BODY_NAMES)].sum(dim=(1, 2)) / turned[0].numel()
    return (
        weights.angle_change * turned.mean(dim=(1, 2))
        + weights.body_change * of_body
        + weights.sideways_change * turned[..., 1:].mean(dim=(1, 2))
    )


def leaning(angles: JointAngles, weights: SilhouetteWeights) -> Float[Tensor, " poses"]:
    """What each pose's legs cost that lean too far.

    A leg that is in the way of a silhouette would else fold up behind the others, and stay there.
    """
    return weights.lean * beyond_lean(angles).square().mean(dim=1)


def beyond_lean(angles: JointAngles) -> Float[Tensor, "poses legs"]:
    """How far each leg leans beyond MOST_LEAN (radians); the bones are those of `estimate_skeleton`."""
    lean = angles[:, len(BODY_NAMES) :, 0].unflatten(1, (len(LEG_NAMES), LEG_BONES)).sum(dim=-1)
    return (lean.abs() - MOST_LEAN).clamp_min(0.0)

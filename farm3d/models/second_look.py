"""A second look: draw the animal, hold it against the mask, and correct camera, bones and rest shape."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import (
    CAMERA_DISTANCE,
    Camera,
    camera_from_rotation,
    project_to_ndc,
    to_camera,
)
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import bone_transforms, posed_joints
from farm3d.geometry.skinning import skin
from farm3d.geometry.viewpoint import azimuth_elevation, viewpoint_rotation
from farm3d.models.animal_model import InstancePose
from farm3d.ops.distinct_rows import distinct_rows
from farm3d.ops.image_layout import channels_first, sampled_at
from farm3d.ops.mesh_topology import vertex_normals
from farm3d.predictors.second_look import Comparison, SecondLook
from farm3d.render.mesh_renderer import render_geometry
from farm3d.shapes import JointAngles
from farm3d.types import ShapePrior

FAR_BEHIND = 1.0
"""Object units: how far behind what is seen a hidden point lies counts up to there."""

MOST_SAID = 6.0
"""Bound of the logarithms of weights, which keeps their ratio finite."""


@dataclass(frozen=True)
class _View:
    """The animal as it is said to be, in the camera: nothing here has gradients.

    `planes` are what the network is shown; `places` are the vertices' in the image, `facing` their normals
    and how far they are hidden.
    """

    planes: Float[Tensor, "images planes height width"]
    places: Float[Tensor, "images vertices 2"]
    facing: Float[Tensor, "images vertices 4"]


def look_again(
    network: SecondLook,
    prior: ShapePrior,
    masks: Float[Tensor, "images height width 1"],
    *,
    rest: Float[Tensor, "images vertices 3"],
    pose: InstancePose,
) -> InstancePose:
    """The pose after one look at it; `rest` are the rest shapes without what looks add to them.

    Gradients reach the network that looks, not what it looks at.
    """
    with torch.no_grad():
        view = _drawn(prior, masks, rest=rest, pose=pose)
    seen = network(view.planes)
    angles = _moved_bones(network, seen, pose)
    offsets = _symmetric_offsets(network, seen, view, prior=prior)
    return replace(
        pose,
        joint_angles=angles,
        bone_transforms=bone_transforms(pose.skeleton, angles),
        camera=_moved_camera(network.camera(seen), pose.camera),
        rest_offsets=offsets if pose.rest_offsets is None else pose.rest_offsets.detach() + offsets,
    )


def _drawn(
    prior: ShapePrior,
    masks: Float[Tensor, "images height width 1"],
    *,
    rest: Float[Tensor, "images vertices 3"],
    pose: InstancePose,
) -> _View:
    posed = skin(pose.reshaped(rest), pose.bone_transforms, prior.skinning_weights)
    mesh = Mesh(posed, prior.mesh.faces)
    drawn = render_geometry(mesh, pose.camera, masks.shape[1], rest_positions=prior.mesh.vertices)
    assert drawn.normals is not None and drawn.rest_positions is not None and drawn.depth is not None
    shown = [masks, drawn.mask, drawn.rest_positions * drawn.mask, drawn.normals * drawn.mask]
    places = project_to_ndc(pose.camera, posed)
    behind = sampled_at(channels_first(drawn.depth), places) + to_camera(pose.camera, posed)[..., 2:]
    turn = pose.camera.world_to_camera[:, :3, :3].transpose(1, 2)
    normals = vertex_normals(posed, mesh.faces) @ turn
    facing = torch.cat([normals, behind.clamp(-FAR_BEHIND, FAR_BEHIND)], dim=-1)
    return _View(channels_first(torch.cat(shown, dim=-1)).contiguous(), places, facing)


def _moved_camera(change: Float[Tensor, "images 5"], before: Camera) -> Camera:
    matrix = before.world_to_camera.detach()
    azimuth, elevation = azimuth_elevation(matrix[:, :3, :3])
    offset = matrix.new_tensor([0.0, 0.0, CAMERA_DISTANCE])
    rotation = viewpoint_rotation(azimuth + change[:, 0], elevation + change[:, 1])
    return camera_from_rotation(rotation, matrix[:, :3, 3] + offset + change[:, 2:])


def _moved_bones(network: SecondLook, seen: Comparison, pose: InstancePose) -> JointAngles:
    """The angles after the look, within their limits."""
    angles, limits = pose.joint_angles.detach(), pose.skeleton.angle_limits
    with torch.no_grad():
        ends = posed_joints(pose.skeleton, pose.bone_transforms)
        points = torch.cat([ends, ends.mean(dim=-2, keepdim=True)], dim=-2)
        places = project_to_ndc(pose.camera, points.flatten(1, 2)).unflatten(1, points.shape[1:3])
        seen_ends = to_camera(pose.camera, ends.flatten(1, 2)).unflatten(1, ends.shape[1:3])
        direction = torch.nn.functional.normalize(seen_ends[:, :, 1] - seen_ends[:, :, 0], dim=-1)
    raw = torch.atanh((angles / limits).clamp(-0.99, 0.99))
    return torch.tanh(raw + network.bones(seen, places, torch.cat([direction, angles], dim=-1))) * limits


def _symmetric_offsets(
    network: SecondLook, seen: Comparison, view: _View, *, prior: ShapePrior
) -> Float[Tensor, "images vertices 3"]:
    """Offsets of the rest shape, mirror-symmetric: of two mirrored points the surer one counts more."""
    rest = prior.mesh.vertices
    folded = torch.cat([rest[:, :1].abs(), rest[:, 1:]], dim=-1)
    first, place = distinct_rows(folded)
    said, sureness = network.surface(seen, view.places, view.facing, rest=folded)
    weights = torch.exp(sureness.clamp(-MOST_SAID, MOST_SAID))[..., None]
    sums = said.new_zeros(said.shape[0], len(first), 4)
    sums = sums.index_add(1, place, torch.cat([weights * said, weights], dim=-1))
    offsets = (sums[..., :3] / sums[..., 3:]).index_select(1, place)
    return torch.cat([offsets[..., :1] * torch.sign(rest[:, :1]), offsets[..., 1:]], dim=-1)

"""One animal of known shape through the frames of a film: all cameras and poses are found together.

Own choice. A frame alone is read as a photograph is; over the film the viewpoint hypotheses that turn least
are taken (Viterbi's algorithm), then the cameras and angles of all frames are fitted to the masks at once,
held together by what changes from frame to frame.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.data.transforms import resized
from farm3d.geometry.camera import Camera
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skinning import skin
from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.inference.silhouette_fit import (
    PoseVariables,
    SilhouetteWeights,
    pose_change,
    silhouette_misfit,
    variables_of,
)
from farm3d.models.animal_model import AnimalModel, ImageReading
from farm3d.models.read_pose import poses_under
from farm3d.ops.mesh_topology import EdgeTopology, edge_topology
from farm3d.types import AnimalPrediction, Batch, ShapePrior

SIZES = (48, 96)
"""Sides (pixels) of the renders that are compared with the masks, an equal share of the steps each."""

TURN_COST = 1.0
"""Cost of a radian (squared) by which the animal turns from one frame to the next, beside the misfit."""

IMPROBABILITY = 0.1
"""Cost of a hypothesis' negative log probability beside its misfit."""

STEADY_CAMERA, STEADY_ANGLES = 0.02, 0.002
"""Weights of squared second differences: the camera's angles, and joint angles, a second squared."""

CAMERA_RATE, ANGLE_RATE = 0.01, 0.03
CHUNK = 8
"""Frames posed at once: bounds the memory."""


@dataclass(frozen=True)
class Track:
    """Cameras and joint angles (radians) of all frames."""

    cameras: Float[Tensor, "frames 4 4"]
    joint_angles: Float[Tensor, "frames bones 3"]

    def camera(self, frame: int) -> Camera:
        """The camera of one frame, of its crop."""
        return Camera(self.cameras[frame : frame + 1])

    def posed(self, animal: AnimalPrediction, frames: slice) -> Float[Tensor, "poses vertices 3"]:
        """The animal's vertices in some frames."""
        return _posed(animal, self.joint_angles[frames])


@dataclass(frozen=True)
class _Start:
    """What each frame's hypotheses say, and what they cost alone."""

    angles: Float[Tensor, "frames hypotheses bones 3"]
    cameras: Float[Tensor, "frames hypotheses 4 4"]
    azimuths: Float[Tensor, "frames hypotheses"]
    costs: Float[Tensor, "frames hypotheses"]


def track(
    model: AnimalModel,
    prior: ShapePrior,
    animal: AnimalPrediction,
    *,
    crops: list[Batch],
    reference: int,
    frame_rate: float,
    steps: Collection[int],
) -> Track:
    """Cameras and poses of an animal in the frames of a film, `frame_rate` a second.

    `animal` is the refined prediction of frame `reference`: its shape is kept, and its azimuth tells which
    hypothesis is right there. All frames start as the networks read them, so none stands out. `crops` are
    the frames'.
    `steps` are those of the fit, 0, 1, ...: without any the track is that of the chosen hypotheses.
    """
    topology = edge_topology(prior.mesh.faces)
    coarse = [resized(crop, SIZES[0]) for crop in crops]
    start = _read(model, prior, animal, crops=crops, coarse=coarse, topology=topology)
    own = azimuth_elevation(animal.camera.world_to_camera[0, :3, :3])[0]
    start.costs[reference] += TURN_COST * _wrapped(start.azimuths[reference] - own).square()
    chosen = steadiest(start.azimuths, start.costs)
    frames = torch.arange(len(crops))
    angles, cameras = start.angles[frames, chosen], start.cameras[frames, chosen]
    variables = _variables(animal, angles, cameras)
    optimizer = torch.optim.Adam(variables.groups(camera_rate=CAMERA_RATE, angle_rate=ANGLE_RATE))
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.2, total_iters=max(1, len(steps)))
    for step in steps:
        size = SIZES[step * len(SIZES) // len(steps)]
        targets = coarse if size == SIZES[0] else [resized(crop, size) for crop in crops]
        optimizer.zero_grad(set_to_none=True)
        _pull_to_masks(animal, variables, angles, targets=targets, topology=topology)
        _unsteadiness(animal, variables, frame_rate).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        return Track(variables.camera().world_to_camera, _angles(animal, variables))


def steadiest(
    azimuths: Float[Tensor, "frames hypotheses"], costs: Float[Tensor, "frames hypotheses"]
) -> Int[Tensor, " frames"]:
    """One hypothesis a frame, so that their costs and what the animal turns add up to least.

    Source: Viterbi 1967, as shortest path through the frames.
    """
    total, came_from = costs[0], []
    for before, after, cost in zip(azimuths[:-1], azimuths[1:], costs[1:], strict=True):
        turned = TURN_COST * _wrapped(after[None] - before[:, None]).square()
        best = (total[:, None] + turned).min(dim=0)
        came_from.append(best.indices)
        total = best.values + cost
    path = [int(total.argmin())]
    for pointers in reversed(came_from):
        path.append(int(pointers[path[-1]]))
    return torch.tensor(path[::-1])


def _read(
    model: AnimalModel,
    prior: ShapePrior,
    animal: AnimalPrediction,
    *,
    crops: list[Batch],
    coarse: list[Batch],
    topology: EdgeTopology,
) -> _Start:
    """The networks' reading of every frame under each of its hypotheses, compared with the mask."""
    rows = []
    for crop, target in zip(crops, coarse, strict=True):
        with torch.no_grad():
            reading = model.read(crop.images, crop.masks)
            options = [
                _option(model, prior, animal, reading=reading, hypothesis=k, target=target, topology=topology)
                for k in range(reading.viewpoint.logits.shape[1])
            ]
        angles, cameras, misfits = (torch.cat(column) for column in zip(*options, strict=True))
        improbable = -torch.log_softmax(reading.viewpoint.logits[0], dim=-1)
        rows.append((angles, cameras, misfits + IMPROBABILITY * improbable))
    angles, cameras, costs = (torch.stack(column) for column in zip(*rows, strict=True))
    return _Start(angles, cameras, azimuth_elevation(cameras[..., :3, :3])[0], costs)


def _option(
    model: AnimalModel,
    prior: ShapePrior,
    animal: AnimalPrediction,
    *,
    reading: ImageReading,
    hypothesis: int,
    target: Batch,
    topology: EdgeTopology,
) -> tuple[Tensor, Tensor, Tensor]:
    """Angles and camera of one frame under one hypothesis, and how far the known shape is from the mask."""
    pose, _ = poses_under(model, prior, reading, hypothesis=torch.tensor([hypothesis]))
    mesh = Mesh(_posed(animal, pose.joint_angles), prior.mesh.faces)
    misfit = silhouette_misfit(mesh, pose.camera, target, topology=topology, weights=SilhouetteWeights())
    return pose.joint_angles, pose.camera.world_to_camera, misfit


def _variables(
    animal: AnimalPrediction, angles: Float[Tensor, "frames bones 3"], cameras: Float[Tensor, "frames 4 4"]
) -> PoseVariables:
    """The numbers that are fitted; azimuths without jumps of a whole turn."""
    variables = variables_of(cameras, angles / animal.skeleton.angle_limits)
    with torch.no_grad():
        steps = _wrapped(variables.azimuth[1:] - variables.azimuth[:-1])
        variables.azimuth[1:] = variables.azimuth[0] + steps.cumsum(dim=0)
    return variables


def _angles(animal: AnimalPrediction, variables: PoseVariables) -> Float[Tensor, "frames bones 3"]:
    return torch.tanh(variables.raw_angles) * animal.skeleton.angle_limits


def _posed(
    animal: AnimalPrediction, angles: Float[Tensor, "poses bones 3"]
) -> Float[Tensor, "poses vertices 3"]:
    joints = animal.skeleton.rest_joints.expand(len(angles), -1, -1, -1)
    transforms = bone_transforms(animal.skeleton.at(joints), angles)
    rest = animal.rest_mesh.vertices.expand(len(angles), -1, -1)
    return skin(rest, transforms, animal.skinning_weights)


def _pull_to_masks(
    animal: AnimalPrediction,
    variables: PoseVariables,
    initial: Float[Tensor, "frames bones 3"],
    *,
    targets: list[Batch],
    topology: EdgeTopology,
) -> None:
    """Add the gradient of all frames' misfits, some frames at a time."""
    weights, faces = SilhouetteWeights(), animal.rest_mesh.faces
    for part in torch.arange(len(targets)).split(CHUNK):
        angles, camera = _angles(animal, variables)[part], variables.camera()
        posed = _posed(animal, angles)
        total = pose_change(angles, initial[part], weights).sum()
        for place, frame in enumerate(part.tolist()):
            seen = Camera(camera.world_to_camera[frame : frame + 1])
            mesh = Mesh(posed[place : place + 1], faces)
            misfit = silhouette_misfit(mesh, seen, targets[frame], topology=topology, weights=weights)
            total = total + misfit.sum()
        total.backward()


def _unsteadiness(animal: AnimalPrediction, variables: PoseVariables, frame_rate: float) -> Float[Tensor, ""]:
    """How unevenly the camera's and the joints' angles change: squared second differences over time."""
    camera = torch.stack([variables.azimuth, variables.elevation], dim=1)
    if len(camera) < 3:
        return 0.0 * camera.sum()
    bent = _angles(animal, variables).flatten(1).diff(n=2, dim=0).square().sum()
    return frame_rate * (STEADY_CAMERA * camera.diff(n=2, dim=0).square().sum() + STEADY_ANGLES * bent)


def _wrapped(angles: Tensor) -> Tensor:
    """Angles in [-pi, pi)."""
    return (angles + math.pi) % (2.0 * math.pi) - math.pi

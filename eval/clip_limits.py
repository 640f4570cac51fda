"""What clips are held to: feet that neither sink nor slide, loops without a seam; and pictures of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from farm3d.synth.procedural.quadruped import mean_individual
from farm3d.synth.procedural.species import species_of
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from farm3d.geometry.camera import Camera, project_to_ndc
from farm3d.geometry.clip import Clip, sample_clip
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton_estimation import estimate_skeleton
from farm3d.geometry.skinning import distance_skinning_weights
from farm3d.inference.legs import Body, body_of, skinned_places, sole_places
from farm3d.inference.videos import framing_cameras
from farm3d.inference.withers import top_of_withers
from farm3d.render.mesh_renderer import render_geometry
from farm3d.shapes import Faces

BETWEEN = 4
"""Moments from one key to the next at which an animal is looked at."""

DOWN = 0.003
"""Height (of the withers) under which a foot bears."""

TEMPERATURE = 0.05
"""Softness of the skinning weights."""

FRAMES, SIDE_VIEW, SIDE = 8, torch.pi / 2, 240
"""Pictures of a clip in a row, where their camera stands (at the animal's left), and their size (pixels)."""

BEHIND, GROUND = 0.93, (200, 40, 40)


@dataclass(frozen=True)
class ClipScore:
    """How far a clip is from flawless; lengths are heights of the withers.

    `deepest` is how far any vertex is under the ground, `slide` the longest way of a sole over the moving
    ground while it bears, `gap` how far a vertex is at the last key from where it was at the first. `jolt`
    is the change of speed over that seam as a share of the largest anywhere else in the loop: above 1 the
    seam is the jerkiest moment.
    """

    name: str
    deepest: float
    slide: float
    gap: float
    jolt: float


def species_body(category: str) -> tuple[Body, Faces]:
    """The farm's mean animal at rest, with the skeleton and weights that are estimated from its shape.

    Raises ConfigError for a species that the farm does not have.
    """
    individual = mean_individual(species_of(category))
    vertices, faces = individual.vertices, individual.faces
    skeleton = estimate_skeleton(vertices)
    weights = distance_skinning_weights(vertices, skeleton.rest_joints, TEMPERATURE)
    height = top_of_withers(vertices, faces, skeleton) - float(vertices[:, 1].min())
    return body_of(skeleton, vertices, weights, height=height), faces


def clip_score(body: Body, clip: Clip) -> ClipScore:
    """What a clip of at least five keys does to an animal, at its keys and between them."""
    angles, offsets = sample_clip(clip, moments(clip))
    everything = torch.arange(len(body.vertices))
    moved = skinned_places(body, everything, angles=angles.double(), offsets=offsets.double())
    keys = moved[::BETWEEN]
    bends = torch.cat([keys, keys[1:2]]).diff(n=2, dim=0).norm(dim=-1).amax(dim=1)
    slides = [
        float((place[run].amax(dim=0) - place[run].amin(dim=0))[[0, 2]].max())
        for place in soles(body, clip).values()
        for run in stances(place[:, 1] < DOWN)
    ]
    return ClipScore(
        clip.name,
        deepest=max(0.0, (body.ground - float(moved[..., 1].min())) / body.height),
        slide=max(slides, default=0.0),
        gap=float((moved[-1] - moved[0]).norm(dim=-1).max()) / body.height,
        jolt=float(bends[-1] / bends[:-1].max().clamp_min(1e-12)),
    )


def moments(clip: Clip) -> Float[Tensor, " moments"]:
    """Seconds at which a clip is looked at: its keys, and BETWEEN - 1 moments from each to the next."""
    steps = torch.arange((len(clip.times) - 1) * BETWEEN + 1, dtype=torch.float64)
    return steps * (float(clip.times[-1]) / (len(steps) - 1))


def soles(body: Body, clip: Clip) -> dict[str, Float[Tensor, "moments 3"]]:
    """Where each sole is over the moving ground at `moments`, in heights of the withers."""
    times = moments(clip)
    angles, offsets = (values.double() for values in sample_clip(clip, times))
    ground = torch.tensor([0.0, body.ground, 0.0])
    moving = clip.speed * times[:, None] * torch.tensor([0.0, 0.0, 1.0])
    places = sole_places(body, angles, offsets)
    return {name: (place - ground + moving) / body.height for name, place in places.items()}


def stances(down: Bool[Tensor, " moments"]) -> list[Int[Tensor, " run"]]:
    """The runs of moments, two or more, at which a foot bears."""
    bearing = torch.nonzero(down).squeeze(1)
    breaks = torch.nonzero(bearing.diff() > 1).squeeze(1) + 1
    return [run for run in torch.tensor_split(bearing, breaks.tolist()) if len(run) > 1]


def contact_sheet(body: Body, faces: Faces, clips: Sequence[Clip]) -> UInt8[np.ndarray, "height width 3"]:
    """A row for each clip: the animal in grey from its left at FRAMES moments, the ground a red line."""
    everything = torch.arange(len(body.vertices))
    rows = []
    for clip in clips:
        times = torch.arange(FRAMES, dtype=torch.float64) * (float(clip.times[-1]) / FRAMES)
        angles, offsets = (values.double() for values in sample_clip(clip, times))
        moved = skinned_places(body, everything, angles=angles, offsets=offsets).float()
        camera = framing_cameras(moved, torch.tensor([SIDE_VIEW]))
        frames = [_drawn(Mesh(pose, faces), camera, ground=body.ground) for pose in moved.split(1)]
        rows.append(np.concatenate(frames, axis=1))
    return np.concatenate(rows)


def _drawn(mesh: Mesh, camera: Camera, *, ground: float) -> UInt8[np.ndarray, "side side 3"]:
    with torch.no_grad():
        buffers = render_geometry(mesh, camera, SIDE, rest_positions=mesh.vertices[0])
    assert buffers.normals is not None
    facing = (buffers.normals[0] @ torch.tensor([0.3, 0.5, 0.81])).clamp_min(0.0)[..., None]
    grey = (0.2 + 0.6 * facing) * buffers.mask[0] + BEHIND * (1.0 - buffers.mask[0])
    pixels = np.repeat((255.0 * grey.clamp(0.0, 1.0)).byte().numpy(), 3, axis=-1)
    ends = torch.tensor([[0.0, ground, -2.5], [0.0, ground, 2.5]])
    left, right = ((project_to_ndc(camera, ends)[0] + 1.0) * SIDE / 2.0).round().int().tolist()
    return cv2.line(np.ascontiguousarray(pixels), left, right, GROUND, 1, cv2.LINE_AA)

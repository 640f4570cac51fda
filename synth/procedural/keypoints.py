"""Named points on the surface, the same for all quadrupeds."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import FAR, NEAR
from farm3d.shapes import ClipPositions

from .anatomy import Species
from .quadruped import Individual

MIDLINE = {"nose": "muzzle", "tail_base": "tail_base", "tail_tip": "tail_4"}
PAIRED = {
    "ear": "ear_tip",
    "elbow": "elbow",
    "knee": "carpus",
    "fore_hoof": "fore_toe",
    "stifle": "stifle",
    "hock": "hock",
    "hind_hoof": "hind_toe",
}
"""Keypoint names and the landmarks nearest to which they lie; paired ones exist for both sides."""

OUTWARD = 0.2
"""How far (object units) outside a paired landmark its surface point is looked for."""

DEPTH_TOLERANCE = 0.03
"""How far (object units) a surface point may lie behind what a pixel shows and count as seen."""


def keypoint_vertices(species: Species, individual: Individual) -> dict[str, int]:
    """The vertex of each keypoint; all individuals of a species share the surface points."""
    targets: dict[str, np.ndarray] = {name: np.array(species.landmarks[at]) for name, at in MIDLINE.items()}
    targets["withers"] = np.array(species.landmarks["withers"]) + np.array([0.0, 0.6, 0.0])
    eye = np.array([0.2, *_eye(species)])
    for side, sign in (("left_", 1.0), ("right_", -1.0)):
        for name, at in PAIRED.items():
            outward = 0.0 if name == "ear" else OUTWARD
            targets[side + name] = (np.array(species.landmarks[at]) + np.array([outward, 0.0, 0.0])) * [
                sign,
                1.0,
                1.0,
            ]
        targets[side + "eye"] = eye * [sign, 1.0, 1.0]
    names = sorted(targets)
    points = torch.tensor(np.stack([targets[name] for name in names]), dtype=torch.float32)
    nearest = torch.cdist(points, individual.canonical).argmin(dim=1)
    return dict(zip(names, nearest.tolist(), strict=True))


def _eye(species: Species) -> tuple[float, float]:
    """The eye's y and z on the mean animal."""
    poll, muzzle = (np.array(species.landmarks[name]) for name in ("poll", "muzzle"))
    along, up = species.face_marks.eye
    forward = (muzzle - poll) / np.linalg.norm(muzzle - poll)
    place = poll + along * (muzzle - poll) + up * np.array([0.0, forward[2], -forward[1]])
    return float(place[1]), float(place[2])


def keypoints_in_image(
    keypoints: dict[str, int],
    clip: ClipPositions,
    rasterized: Float[Tensor, "images fine fine 4"],
    *,
    size: int,
) -> list[dict[str, Any]]:
    """For each image the keypoints as [x, y, visible]: pixels of the image `size` wide, 1 where seen."""
    seen = clip[:, list(keypoints.values())]
    places = seen[..., :3] / seen[..., 3:]
    fine = rasterized.shape[1]
    columns, rows = (((places[..., k] + 1.0) * fine / 2.0).long() for k in range(2))
    inside = (columns >= 0) & (columns < fine) & (rows >= 0) & (rows < fine)
    image = torch.arange(len(clip))[:, None].expand_as(rows)
    pixel = rasterized[image, rows.clamp(0, fine - 1), columns.clamp(0, fine - 1)]
    # The derivative of z/w by depth, which is w.
    tolerance = DEPTH_TOLERANCE * 2.0 * NEAR * FAR / (FAR - NEAR) / seen[..., 3].square()
    visible = inside & (pixel[..., 3] > 0) & (places[..., 2] <= pixel[..., 2] + tolerance)
    pixels = (places[..., :2] + 1.0) * size / 2.0
    return [
        {
            name: [round(float(x), 3), round(float(y), 3), int(flag)]
            for name, (x, y), flag in zip(keypoints, pixels[k].tolist(), visible[k].tolist(), strict=True)
        }
        for k in range(len(clip))
    ]

"""A picture's camera as arrays: its rays, the ground that they meet, and where a point is seen."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from farm3d.geometry.camera import Camera

from ..anatomy import GROUND

Plane = Float[np.ndarray, "size size"]

LEAST_HEIGHT = 0.15
"""How far (object units) over the ground a camera is taken to stand at least."""


@dataclass(frozen=True)
class View:
    """The camera of one picture: world to camera `rotation`, place, tan of half its field of view, pixels."""

    rotation: Float[np.ndarray, "3 3"]
    centre: Float[np.ndarray, "3"]
    reach: float
    size: int

    @property
    def forward(self) -> Float[np.ndarray, "2"]:
        """The direction of sight on the ground as (x, z), a unit vector."""
        ahead = -self.rotation[2, [0, 2]]
        if np.linalg.norm(ahead) < 0.2:
            ahead = self.rotation[1, [0, 2]]
        return ahead / np.linalg.norm(ahead)

    @property
    def right(self) -> Float[np.ndarray, "2"]:
        """The picture's right on the ground as (x, z), a unit vector."""
        return self.rotation[0, [0, 2]] / np.linalg.norm(self.rotation[0, [0, 2]])


def view_of(camera: Camera, size: int) -> View:
    """The view of a camera (a batch of one), never from under the ground."""
    matrix = camera.world_to_camera[0].double().numpy()
    rotation = matrix[:3, :3]
    centre = -rotation.T @ matrix[:3, 3]
    centre[1] = max(centre[1], GROUND + LEAST_HEIGHT)
    return View(rotation, centre, float(np.tan(float(camera.field_of_view) / 2.0)), size)


def rays(view: View) -> Float[np.ndarray, "size size 3"]:
    """World directions through the pixel centres, one unit deep along the optical axis."""
    axis = (2.0 * np.arange(view.size) + 1.0) / view.size - 1.0
    x, y = np.meshgrid(axis * view.reach, -axis * view.reach)
    return np.stack([x, y, -np.ones_like(x)], axis=-1) @ view.rotation


def ground_depth(view: View, directions: Float[np.ndarray, "size size 3"]) -> Plane:
    """The depth (object units along the optical axis) at which each ray meets the ground, inf above it."""
    drop = np.where(directions[..., 1] < -1e-4, directions[..., 1], np.nan)
    return np.nan_to_num((GROUND - view.centre[1]) / drop, nan=np.inf)


def project(
    view: View, points: Float[np.ndarray, "points 3"]
) -> tuple[Float[np.ndarray, "points 2"], Float[np.ndarray, " points"]]:
    """Pixels (x, y) and depths (object units, at least a tenth) of points of the world."""
    seen = (points - view.centre) @ view.rotation.T
    depth = np.maximum(-seen[:, 2], 0.1)
    across = seen[:, :2] * [1.0, -1.0] / (depth[:, None] * view.reach)
    return (across + 1.0) * view.size / 2.0, depth


def on_ground(
    view: View, across: Float[np.ndarray, " points"], behind: Float[np.ndarray, " points"]
) -> Float[np.ndarray, "points 3"]:
    """Ground points `across` to the right of the animal and `behind` it as the camera sees it."""
    places = np.outer(across, view.right) + np.outer(behind, view.forward)
    return np.stack([places[:, 0], np.full(len(places), GROUND), places[:, 1]], axis=1)


def pixels_per_unit(view: View, depth: float) -> float:
    """How many pixels one object unit across the view covers at this depth."""
    return view.size / (2.0 * view.reach * depth)

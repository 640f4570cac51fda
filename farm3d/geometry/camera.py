"""Pinhole cameras: world to camera (OpenGL axes) and camera to clip space (y down)."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.rotation import rigid_transform
from farm3d.shapes import Points, Rotations, Transforms, Vectors

CAMERA_DISTANCE = 10.0
"""Distance (object units) of the camera from the origin at zero translation (MagicPony's value)."""

FIELD_OF_VIEW = math.radians(25.0)
"""Vertical field of view (radians) of the square crop (MagicPony's value)."""

FieldOfView = float | Float[Tensor, "*views"]
"""A vertical angle in radians: one for all views of a batch, or one a view."""

NEAR, FAR = 0.1, 1000.0


@dataclass(frozen=True)
class Camera:
    """A square pinhole view, or a batch of them.

    `field_of_view` is the vertical angle in radians, of all views or of each. `crop_box` is
    (x, y, width, height) of the square view in the pixels of the source image after EXIF rotation,
    `None` where the view is the whole image.
    """

    world_to_camera: Transforms
    field_of_view: FieldOfView = FIELD_OF_VIEW
    crop_box: tuple[float, float, float, float] | None = None


def camera_from_rotation(rotation: Rotations, translation: Vectors) -> Camera:
    """The camera that sees the object turned by `rotation`, moved by `translation`, from distance 10."""
    offset = torch.tensor([0.0, 0.0, -CAMERA_DISTANCE], dtype=translation.dtype, device=translation.device)
    return Camera(rigid_transform(rotation, translation + offset))


def with_field_of_view(camera: Camera, field_of_view: float = FIELD_OF_VIEW) -> Camera:
    """The camera with another field of view, moved along its axis: depth times tan(angle / 2) is kept.

    The object's origin keeps its place in the picture, and what is as far away as it keeps its size.
    """
    before = torch.as_tensor(camera.field_of_view, dtype=torch.float64)
    nearer = torch.tan(before / 2.0) / math.tan(field_of_view / 2.0)
    matrix = camera.world_to_camera.clone()
    matrix[..., 2, 3] *= nearer.to(matrix)
    return replace(camera, world_to_camera=matrix, field_of_view=field_of_view)


def clip_from_camera(
    field_of_view: FieldOfView, near: float = NEAR, far: float = FAR
) -> Float[Tensor, "*views 4 4"]:
    """Perspective projection to clip space with y down, so that image row 0 is NDC y = -1."""
    angle = torch.as_tensor(field_of_view, dtype=torch.float64)
    matrix = angle.new_zeros(*angle.shape, 4, 4)
    matrix[..., 0, 0] = 1.0 / torch.tan(angle / 2.0)
    matrix[..., 1, 1] = -matrix[..., 0, 0]
    matrix[..., 2, 2] = -(far + near) / (far - near)
    matrix[..., 2, 3] = -2.0 * far * near / (far - near)
    matrix[..., 3, 2] = -1.0
    return matrix


def to_camera(camera: Camera, points: Points) -> Float[Tensor, "*views points 3"]:
    """Points of the object frame in the camera frame (x right, y up, looking along -z); batches broadcast."""
    matrix = camera.world_to_camera
    return points @ matrix[..., :3, :3].transpose(-1, -2) + matrix[..., None, :3, 3]


def project_to_clip(camera: Camera, points: Points) -> Float[Tensor, "*views points 4"]:
    """Homogeneous clip positions of points of the object frame; batches broadcast."""
    seen = to_camera(camera, points)
    homogeneous = torch.cat([seen, torch.ones_like(seen[..., :1])], dim=-1)
    projection = clip_from_camera(camera.field_of_view).to(seen)
    return homogeneous @ projection.transpose(-1, -2)


def project_to_ndc(camera: Camera, points: Points) -> Float[Tensor, "*views points 2"]:
    """Normalised device coordinates (x right, y down, [-1, 1] inside the image): `grid_sample`'s own."""
    clip = project_to_clip(camera, points)
    return clip[..., :2] / clip[..., 3:]


def orbit(camera: Camera, azimuth: float, elevation: float = 0.0) -> Camera:
    """The camera after the object turned by `azimuth` about its own y axis and the view by `elevation`.

    Angles in radians; the object's place in the view is kept.
    """
    turn = torch.eye(4).to(camera.world_to_camera)
    cosine, sine = math.cos(azimuth), math.sin(azimuth)
    turn[0, 0], turn[0, 2], turn[2, 0], turn[2, 2] = cosine, sine, -sine, cosine
    tilt = torch.eye(3).to(turn)
    cosine, sine = math.cos(elevation), math.sin(elevation)
    tilt[1, 1], tilt[1, 2], tilt[2, 1], tilt[2, 2] = cosine, -sine, sine, cosine
    matrix = camera.world_to_camera @ turn
    turned = matrix.clone()
    turned[..., :3, :3] = tilt @ matrix[..., :3, :3]
    return Camera(turned, camera.field_of_view)

"""What a photograph says of the colour of each point of the animal's surface, and how surely.

Own choice; the published method knows the photograph's colours through the albedo network alone.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, UInt8
from scipy import ndimage
from torch import Tensor

from farm3d.data.transforms import crop_image
from farm3d.geometry.camera import Camera, project_to_ndc, to_camera
from farm3d.ops.srgb import srgb_to_linear
from farm3d.render.mesh_renderer import render_geometry
from farm3d.types import AnimalPrediction, DirectionalLight

VIEW_SIZES = (128, 1024)
"""Smallest and largest side (pixels) at which the photograph's crop is looked at."""

FACING = (0.12, 0.45)
"""Cosines of the angle between normal and line of sight: below the first nothing is seen, from the second
on all of it."""

BORDER = 0.015
"""Distance (of the view's side) from the mask's border, and from edges of nearer parts, from which on a pixel
shows for certain what the mesh has there: silhouettes never fit to the pixel."""

STEP = 0.03
"""Step in depth (of the animal's extent) between neighbouring pixels that is an edge of a nearer part."""

DARKEST = 0.15
"""Least light that a colour is divided by: what is darker says more of the noise than of the coat."""


@dataclass(frozen=True)
class Photograph:
    """The pixels (sRGB) in which the animal was seen, and its mask there."""

    pixels: UInt8[np.ndarray, "height width 3"]
    mask: Bool[np.ndarray, "height width"]


@dataclass(frozen=True)
class SeenColours:
    """Linear albedo that a photograph shows at points, and how sure that is, in [0, 1]; 0 where unseen."""

    albedo: Float[Tensor, "points 3"]
    sureness: Float[Tensor, " points"]


@dataclass(frozen=True)
class PhotographView:
    """A photograph as its camera sees the posed animal, in images of one size.

    `planes` hold linear colour, carried on smoothly beyond the mask, then sureness and the farthest depth
    about each pixel.
    """

    camera: Camera
    light: DirectionalLight
    planes: Float[Tensor, "1 channels size size"]
    slack: float


def photograph_view(prediction: AnimalPrediction, photograph: Photograph) -> PhotographView:
    """Look at a photograph through the camera of the prediction of it, whose crop box says where."""
    camera = prediction.camera
    assert camera.crop_box is not None, "only the camera of a photograph has a crop box"
    low, high = VIEW_SIZES
    size = int(min(max(round(camera.crop_box[3]), low), high))
    crop = crop_image(photograph.pixels, photograph.mask, camera.crop_box, size=size)
    with torch.no_grad():
        geometry = render_geometry(
            prediction.posed_mesh, camera, size, rest_positions=prediction.rest_positions
        )
    assert geometry.depth is not None
    vertices = prediction.posed_mesh.vertices[0]
    extent = float((vertices.amax(dim=0) - vertices.amin(dim=0)).max())
    drawn = (geometry.rasterized[0, ..., 3] > 0).numpy()
    depth = np.where(drawn, geometry.depth[0, ..., 0].numpy(), np.float32(1e3))
    farthest = ndimage.maximum_filter(depth, size=3)
    stepped = farthest - ndimage.minimum_filter(depth, size=3) > STEP * extent
    inside = np.minimum(_distance(crop.mask > 0.5), _distance(~stepped)) / size
    sureness = _smooth_step(inside, 0.5 / size, max(BORDER, 2.0 / size))
    linear = srgb_to_linear(torch.from_numpy(crop.image)).numpy()
    colours = carried_on(linear, (crop.mask > 0.95).astype(np.float32))
    planes = np.concatenate([colours, sureness[..., None], farthest[..., None]], axis=-1)
    return PhotographView(
        camera=camera,
        light=prediction.light,
        planes=torch.from_numpy(planes.astype(np.float32)).permute(2, 0, 1)[None],
        slack=0.01 * extent,
    )


def seen_colours(
    view: PhotographView, points: Float[Tensor, "points 3"], normals: Float[Tensor, "points 3"]
) -> SeenColours:
    """The albedo that the photograph shows at points of the posed surface, whose unit normals are given.

    A point is seen where it faces the camera and nothing lies before it; near the borders of what is seen,
    and where the surface is seen at a grazing angle, that is less sure. The colour is divided by the light.
    """
    rotation = view.camera.world_to_camera[0, :3, :3]
    place = to_camera(view.camera, points[None])[0]
    seen_normals = normals @ rotation.T
    towards = -torch.nn.functional.normalize(place, dim=-1)
    facing = (seen_normals * towards).sum(-1)
    grid = project_to_ndc(view.camera, points[None])[None]
    found = torch.nn.functional.grid_sample(view.planes[:, :4], grid, align_corners=False)[0, :, 0].T
    farthest = torch.nn.functional.grid_sample(view.planes[:, 4:], grid, mode="nearest", align_corners=False)
    before = -place[:, 2] <= farthest[0, 0, 0] + view.slack
    low, high = FACING
    share = ((facing - low) / (high - low)).clamp(0.0, 1.0)
    sureness = share * share * (3.0 - 2.0 * share) * found[:, 3] * before
    light = view.light
    shading = light.ambient + light.diffuse * (seen_normals * light.direction).sum(-1).clamp_min(0.0)
    return SeenColours(found[:, :3] / shading.clamp_min(DARKEST)[:, None], sureness)


def carried_on(
    values: Float32[np.ndarray, "height width channels"], weights: Float32[np.ndarray, "height width"]
) -> Float32[np.ndarray, "height width channels"]:
    """The values where the weights are 1, and a smooth continuation of them where they are 0.

    Source: pull-push (Gortler et al. 1996, "The lumigraph", section 3.4): coarser and coarser weighted means
    fill what finer levels leave open.
    """
    if min(weights.shape) <= 2 or weights.min() >= 1.0:
        total = max(float(weights.sum()), 1e-6)
        mean = (values * weights[..., None]).sum(axis=(0, 1)) / total
        return np.where(weights[..., None] > 0, values, mean).astype(np.float32)
    pulled = cv2.pyrDown(weights)
    means = cv2.pyrDown(values * weights[..., None]) / np.maximum(pulled, 1e-6)[..., None]
    coarse = carried_on(means, np.minimum(4.0 * pulled, 1.0).astype(np.float32))
    pushed = cv2.pyrUp(coarse, dstsize=weights.shape[::-1])
    return values * weights[..., None] + pushed * (1.0 - weights[..., None])


def _distance(inside: Bool[np.ndarray, "size size"]) -> Float32[np.ndarray, "size size"]:
    """Pixels to the nearest place that is not inside."""
    return cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _smooth_step(
    values: Float32[np.ndarray, "size size"], low: float, high: float
) -> Float32[np.ndarray, "size size"]:
    share = np.clip((values - low) / (high - low), 0.0, 1.0)
    return (share * share * (3.0 - 2.0 * share)).astype(np.float32)

"""Shading: albedo and light to sRGB."""

from jaxtyping import Float
from torch import Tensor

from farm3d.ops.srgb import linear_to_srgb
from farm3d.types import DirectionalLight


def shade(
    albedo: Float[Tensor, "points 3"],
    normals: Float[Tensor, "points 3"],
    light: DirectionalLight,
) -> Float[Tensor, "points 3"]:
    """`linear_to_srgb(albedo (ambient + diffuse colour max(0, n . direction)))`, point by point.

    Albedo is linear RGB, normals are unit vectors in the camera frame. The light is one for all points
    or has one entry a point (`light_of`). Not clamped above 1. Source: MagicPony (arXiv 2211.12497)
    section 3.3, with the sRGB transfer added.
    """
    facing = (normals * light.direction).sum(-1).clamp_min(0.0)
    if light.colour is None:
        return linear_to_srgb(albedo * (light.ambient + light.diffuse * facing)[..., None])
    distant = (light.diffuse * facing)[..., None] * light.colour
    return linear_to_srgb(albedo * (light.ambient[..., None] + distant))


def light_of(light: DirectionalLight, index: Tensor) -> DirectionalLight:
    """The lights of the images that `index` names: one entry a point."""
    colour = None if light.colour is None else light.colour[index]
    return DirectionalLight(light.direction[index], light.ambient[index], light.diffuse[index], colour)

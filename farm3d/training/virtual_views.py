"""Virtual multi-view supervision: the predicted animals from elsewhere in other light, before a judge.

Source: Farm3D (arXiv 2304.10535) section 3.2, `R o subst(v, l) o f(I)`; numbers in docs/method.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import CAMERA_DISTANCE, FIELD_OF_VIEW, Camera
from farm3d.geometry.framing import fit_cameras
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.viewpoint import viewpoint_rotation
from farm3d.guidance.denoiser import Denoiser
from farm3d.guidance.score_distillation import (
    Distillation,
    distillation_gradient,
    distillation_loss,
    draw_timesteps,
)
from farm3d.guidance.view_prompts import ViewPrompt, view_prompt
from farm3d.render.mesh_renderer import render_geometry, render_mask, render_surface
from farm3d.shapes import Images
from farm3d.training.guidance import GuidanceConfig, Space
from farm3d.types import AnimalPrediction, DirectionalLight, RenderBuffers

SIZES = (0.9, 1.1)
"""How large a view's square is, relative to the crop of a training image: the camera is nearer or farther."""

AMBIENT, DIFFUSE = 0.5, 0.8

PLASTER = 0.7
"""The albedo of views that show light alone."""


@dataclass(frozen=True)
class VirtualViews:
    """The random numbers of one step's views, one row a view.

    Angles in radians; `lights` are directions (unit, camera frame), `backgrounds` sRGB, `times` uniform
    in [0, 1). All show the same `space`. `generators` draw the noise of each view's latents.
    """

    azimuths: Float[Tensor, " views"]
    elevations: Float[Tensor, " views"]
    sizes: Float[Tensor, " views"]
    lights: Float[Tensor, "views 3"]
    backgrounds: Float[Tensor, "views 3"]
    times: Float[Tensor, " views"]
    space: Space
    generators: tuple[np.random.Generator, ...]

    def prompts(self, config: GuidanceConfig, category: str) -> list[ViewPrompt]:
        """What the judge is told of each view."""
        if not config.view_words:
            return [ViewPrompt(config.prompt.format(category=category))] * len(self.azimuths)
        angles = zip(self.azimuths.tolist(), self.elevations.tolist(), strict=True)
        return [view_prompt(config.prompt, category, azimuth=a, elevation=e) for a, e in angles]


def draw_views(
    config: GuidanceConfig, *, step: np.random.Generator, views: Sequence[np.random.Generator]
) -> VirtualViews:
    """Directions uniform on the part of the sphere between the elevations, lights mostly from the viewer.

    `step` draws what all views share, `views` what each has of its own.
    """
    low, high = (math.sin(math.radians(angle)) for angle in config.elevations)
    rows = [_draw_view(rng, low, high) for rng in views]
    azimuths, elevations, sizes, lights, backgrounds, times = zip(*rows, strict=True)
    grey = config.background
    return VirtualViews(
        azimuths=torch.tensor(azimuths),
        elevations=torch.tensor(elevations),
        sizes=torch.tensor(sizes),
        lights=torch.tensor(np.stack(lights), dtype=torch.float32),
        backgrounds=torch.tensor(np.stack(backgrounds), dtype=torch.float32)
        if grey is None
        else torch.full((len(views), 3), grey),
        times=torch.tensor(times),
        space=config.spaces.choose(step.random()),
        generators=tuple(views),
    )


def _draw_view(rng: np.random.Generator, low: float, high: float) -> tuple[object, ...]:
    light = rng.standard_normal(3) + np.array([0.0, 0.0, CAMERA_DISTANCE])
    return (
        rng.uniform(-math.pi, math.pi),
        math.asin(rng.uniform(low, high)),
        rng.uniform(*SIZES),
        light / np.linalg.norm(light),
        rng.random(3),
        rng.random(),
    )


def distillation_term(
    prediction: AnimalPrediction,
    denoiser: Denoiser,
    views: VirtualViews,
    *,
    prompts: Sequence[ViewPrompt],
    size: int,
    settings: Distillation,
) -> Float[Tensor, ""]:
    """The score distillation of the first animals' virtual views, as many as there are `views`."""
    latents = denoiser.encode_images(render_views(prediction, views, size))
    noise = np.stack([rng.standard_normal(latents.shape[1:], dtype=np.float32) for rng in views.generators])
    gradient = distillation_gradient(
        denoiser,
        latents.detach(),
        prompts=denoiser.encode_prompts(prompts),
        timesteps=draw_timesteps(denoiser.schedule, views.times, settings).to(latents.device),
        noise=torch.from_numpy(noise).to(latents),
        settings=settings,
    )
    return distillation_loss(latents, gradient)


def render_views(prediction: AnimalPrediction, views: VirtualViews, size: int) -> Images:
    """The first animals as `views` have them, framed as the crops of the data sets are."""
    count = len(views.azimuths)
    mesh = Mesh(_size_kept(prediction.posed_mesh.vertices[:count]), prediction.posed_mesh.faces)
    colors, mask = _drawn(prediction, mesh, views, size=size)
    background = views.backgrounds.to(colors)[:, None, None]
    return (colors + (1.0 - mask) * background).clamp(0.0, 1.0)


def _drawn(
    prediction: AnimalPrediction, mesh: Mesh, views: VirtualViews, *, size: int
) -> tuple[Images, Float[Tensor, "images size size 1"]]:
    """The animals over black in the views' space, and their masks."""
    camera = _cameras(mesh, views)
    if views.space == "silhouette":
        mask = render_mask(mesh, camera, size)
        return mask.expand(-1, -1, -1, 3), mask
    if views.space == "normals":
        buffers = render_geometry(mesh, camera, size, rest_positions=prediction.rest_positions)
        assert buffers.normals is not None
        return (0.5 + 0.5 * buffers.normals) * buffers.mask, buffers.mask
    buffers = _shaded(prediction, mesh, camera, views=views, size=size)
    assert buffers.rgb is not None
    return buffers.rgb, buffers.mask


def _size_kept(
    vertices: Float[Tensor, "views vertices 3"],
) -> Float[Tensor, "views vertices 3"]:
    """The same places, whose gradient moves no animal as a whole and changes no animal's size.

    The cameras follow both, so a picture says nothing about them; yet an animal that is too stout, and is
    asked to lose at its outline everywhere, would shrink at each step and be framed anew, without end.
    """
    centres = vertices.mean(dim=1, keepdim=True)
    offsets = vertices - centres
    sizes = offsets.square().mean(dim=(1, 2), keepdim=True).sqrt()
    return centres.detach() + offsets * (sizes.detach() / sizes)


def _cameras(mesh: Mesh, views: VirtualViews) -> Camera:
    """Cameras in the views' directions that frame the animals as they are; no gradient goes through."""
    vertices = mesh.vertices.detach()
    sizes = views.sizes.to(vertices)
    rotations = viewpoint_rotation(views.azimuths.to(vertices), views.elevations.to(vertices))
    return fit_cameras(
        vertices,
        mesh.faces,
        rotations,
        field_of_view=torch.full_like(sizes, FIELD_OF_VIEW),
        scale=sizes,
        shift=torch.zeros_like(rotations[:, 0, :2]),
    )


def _shaded(
    prediction: AnimalPrediction, mesh: Mesh, camera: Camera, *, views: VirtualViews, size: int
) -> RenderBuffers:
    """Colours in the views' light; colours alone are lit from everywhere, light alone falls on plaster."""
    evenly = views.space == "albedo"
    lights = views.lights.to(mesh.vertices)
    ambient = torch.full_like(lights[:, 0], 1.0 if evenly else AMBIENT)
    diffuse = torch.full_like(ambient, 0.0 if evenly else DIFFUSE)

    def plaster(positions: Float[Tensor, "points 3"], image_index: Tensor) -> Float[Tensor, "points 3"]:
        return torch.full_like(positions, PLASTER)

    return render_surface(
        mesh,
        camera,
        size,
        rest_positions=prediction.rest_positions,
        albedo_fn=plaster if views.space == "shading" else prediction.albedo_fn,
        light=DirectionalLight(lights, ambient, diffuse),
    )

"""Meshes to images: rasterise, shade the covered pixels, antialias the silhouette.

Source: MagicPony (arXiv 2211.12497) section 3.3; the operators are those of farm3d.ops.rasterize.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.geometry.camera import Camera, project_to_clip, to_camera
from farm3d.geometry.mesh import Mesh
from farm3d.ops.mesh_topology import vertex_normals
from farm3d.ops.rasterize import antialias, interpolate, rasterize
from farm3d.render.shading import light_of, shade
from farm3d.types import AlbedoFn, DirectionalLight, RenderBuffers


def render_mask(mesh: Mesh, camera: Camera, size: int) -> Float[Tensor, "images size size 1"]:
    """Coverage of a batch of meshes in [0, 1]; its gradient moves the silhouette's vertices."""
    clip = project_to_clip(camera, mesh.vertices)
    rasterized = rasterize(clip.detach(), mesh.faces, (size, size))
    covered = (rasterized[..., 3:] > 0).to(clip.dtype)
    return antialias(covered, rasterized, clip, mesh.faces)


def render_surface(
    mesh: Mesh,
    camera: Camera,
    size: int,
    *,
    rest_positions: Float[Tensor, "vertices 3"],
    albedo_fn: AlbedoFn,
    light: DirectionalLight,
) -> RenderBuffers:
    """All buffers of a batch of posed meshes, over black.

    `albedo_fn` is evaluated once a covered pixel, at the rest position that the pixel shows.
    """
    clip = project_to_clip(camera, mesh.vertices)
    rasterized = rasterize(clip, mesh.faces, (size, size))
    rotation = camera.world_to_camera[:, :3, :3]
    normals = vertex_normals(mesh.vertices, mesh.faces) @ rotation.transpose(-1, -2)
    depth = -to_camera(camera, mesh.vertices)[..., 2:]
    rest = rest_positions.expand(len(clip), -1, -1)
    buffers = interpolate(torch.cat([rest, normals, depth], dim=-1), rasterized, mesh.faces)
    covered = rasterized[..., 3] > 0
    image_index, _, _ = torch.nonzero(covered, as_tuple=True)
    seen = buffers[covered]
    unit_normals = torch.nn.functional.normalize(seen[:, 3:6], dim=-1)
    albedo = albedo_fn(seen[:, :3], image_index)
    colors = shade(albedo, unit_normals, light_of(light, image_index))
    layers = torch.cat([colors, torch.ones_like(colors[:, :1])], dim=-1)
    # Scattering the covered pixels into a black image is out of place, so gradients reach `layers`.
    image = layers.new_zeros(*covered.shape, 4).masked_scatter(covered[..., None], layers)
    smooth = antialias(image, rasterized, clip, mesh.faces)
    return RenderBuffers(
        mask=smooth[..., 3:],
        rasterized=rasterized,
        rgb=smooth[..., :3],
        normals=torch.zeros_like(buffers[..., 3:6]).masked_scatter(covered[..., None], unit_normals),
        depth=buffers[..., 6:],
        rest_positions=buffers[..., :3],
    )

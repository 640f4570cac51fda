"""Meshes to images: rasterise, shade the covered pixels, antialias the silhouette.

Source: MagicPony (arXiv 2211.12497) section 3.3; the operators are those of farm3d.ops.rasterize. Every
function takes the faces' `edge_topology` where the same faces are drawn again and again.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.geometry.camera import Camera, project_to_clip, to_camera
from farm3d.geometry.mesh import Mesh
from farm3d.ops.mesh_topology import EdgeTopology, vertex_normals
from farm3d.ops.rasterize import antialias, interpolate, rasterize
from farm3d.render.shading import light_of, shade
from farm3d.shapes import Faces, Vertices
from farm3d.types import AlbedoFn, DirectionalLight, RenderBuffers


def render_mask(
    mesh: Mesh, camera: Camera, size: int, *, topology: EdgeTopology | None = None
) -> Float[Tensor, "images size size 1"]:
    """Coverage of a batch of meshes in [0, 1]; its gradient moves the silhouette's vertices."""
    clip = project_to_clip(camera, mesh.vertices)
    rasterized = rasterize(clip.detach(), mesh.faces, (size, size))
    return antialias(_coverage(rasterized), rasterized, clip, mesh.faces, topology=topology)


def render_silhouette(mesh: Mesh, camera: Camera, size: int) -> RenderBuffers:
    """Coverage as by `render_mask`, and which triangle each pixel shows, with gradients through both."""
    clip = project_to_clip(camera, mesh.vertices)
    rasterized = rasterize(clip, mesh.faces, (size, size))
    return RenderBuffers(antialias(_coverage(rasterized), rasterized, clip, mesh.faces), rasterized)


def render_coverage(mesh: Mesh, camera: Camera, size: int) -> RenderBuffers:
    """Which pixel centres a batch of meshes covers, for comparing without gradients: the mask is 0 or 1."""
    rasterized = rasterize(project_to_clip(camera, mesh.vertices), mesh.faces, (size, size))
    return RenderBuffers(mask=_coverage(rasterized), rasterized=rasterized)


def render_surface(
    mesh: Mesh,
    camera: Camera,
    size: int,
    *,
    rest_positions: Float[Tensor, "rest_vertices 3"],
    albedo_fn: AlbedoFn,
    light: DirectionalLight,
    rest_faces: Faces | None = None,
    topology: EdgeTopology | None = None,
) -> RenderBuffers:
    """Colour and mask of a batch of posed meshes, over black; one mesh may serve several cameras.

    `albedo_fn` is evaluated once a covered pixel, at the rest position that the pixel shows. `rest_faces`
    index `rest_positions` where those are not per vertex of the mesh, face by face as in the mesh: so
    texture coordinates of an atlas, which has more vertices, take the place of positions.
    """
    clip = project_to_clip(camera, mesh.vertices)
    rasterized = rasterize(clip, mesh.faces, (size, size))
    # Only covered pixels are shaded; gathered and scattered as rows of the flattened images.
    pixels = torch.nonzero(rasterized[..., 3].flatten() > 0).squeeze(1)
    image_index = pixels.div(size * size, rounding_mode="floor")
    faces = mesh.faces if rest_faces is None else rest_faces
    rest = interpolate(rest_positions[None], rasterized, faces).flatten(0, 2).index_select(0, pixels)
    normals = interpolate(_seen_normals(mesh, camera), rasterized, mesh.faces).flatten(0, 2)
    unit_normals = torch.nn.functional.normalize(normals.index_select(0, pixels), dim=-1)
    colors = shade(albedo_fn(rest, image_index), unit_normals, light_of(light, image_index))
    layers = torch.cat([colors, torch.ones_like(colors[:, :1])], dim=-1)
    smooth = antialias(
        _scattered(layers, pixels, rasterized), rasterized, clip, mesh.faces, topology=topology
    )
    return RenderBuffers(mask=smooth[..., 3:], rasterized=rasterized, rgb=smooth[..., :3])


def surface_features(
    rasterized: Float[Tensor, "images size size 4"],
    faces: Faces,
    vertex_features: Float[Tensor, "vertices channels"],
) -> Float[Tensor, "images size size channels"]:
    """The features of the rest surface that each pixel of a drawn mesh shows; 0 where there is none.

    The features are the vertices', interpolated: they vary over parts of a body, not over pixels, and the
    vertices of all images are the same. Not antialiased: they are compared where the animal is seen for
    certain.
    """
    return interpolate(vertex_features[None], rasterized, faces)


def render_geometry(
    mesh: Mesh,
    camera: Camera,
    size: int,
    *,
    rest_positions: Float[Tensor, "vertices 3"],
    topology: EdgeTopology | None = None,
) -> RenderBuffers:
    """What each pixel shows of posed meshes, without colour: mask, normal, depth and rest position."""
    clip = project_to_clip(camera, mesh.vertices)
    rasterized = rasterize(clip, mesh.faces, (size, size))
    normals = interpolate(_seen_normals(mesh, camera), rasterized, mesh.faces)
    return RenderBuffers(
        mask=antialias(_coverage(rasterized), rasterized, clip, mesh.faces, topology=topology),
        rasterized=rasterized,
        normals=torch.nn.functional.normalize(normals, dim=-1),
        depth=interpolate(-to_camera(camera, mesh.vertices)[..., 2:], rasterized, mesh.faces),
        rest_positions=interpolate(rest_positions[None], rasterized, mesh.faces),
    )


def _scattered(
    values: Float[Tensor, "pixels channels"],
    pixels: Int[Tensor, " pixels"],
    rasterized: Float[Tensor, "images size size 4"],
) -> Float[Tensor, "images size size channels"]:
    """The values of covered pixels as images, 0 elsewhere."""
    shape = rasterized.shape[:3]
    image = values.new_zeros(shape.numel(), values.shape[1]).index_copy(0, pixels, values)
    return image.unflatten(0, shape)


def _coverage(rasterized: Float[Tensor, "images size size 4"]) -> Float[Tensor, "images size size 1"]:
    return (rasterized[..., 3:] > 0).to(rasterized.dtype)


def _seen_normals(mesh: Mesh, camera: Camera) -> Vertices:
    """Unit vertex normals in the camera frame."""
    return vertex_normals(mesh.vertices, mesh.faces) @ camera.world_to_camera[:, :3, :3].transpose(-1, -2)

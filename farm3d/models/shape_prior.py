"""The category's shape: signed distance field to mesh, skeleton and skinning weights."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.errors import TrainingError
from farm3d.fields.sdf_field import SDFField
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton_estimation import estimate_skeleton
from farm3d.geometry.skinning import distance_skinning_weights
from farm3d.geometry.tetrahedral_grid import TetrahedralGrid
from farm3d.ops.marching_tetrahedra import marching_tetrahedra
from farm3d.ops.mesh_topology import connected_components
from farm3d.types import ShapePrior


def extract_prior(field: SDFField, grid: TetrahedralGrid, *, skinning_temperature: float) -> ShapePrior:
    """The zero level set of `field` on `grid` with its skeleton and skinning weights.

    The field is symmetric, so it is evaluated where x >= 0 and mirrored. Only the largest connected
    piece is kept. Gradients reach the field through the vertices. Raises TrainingError where the
    surface is empty or a leg is missing.
    """
    vertices, faces = marching_tetrahedra(grid.vertices, grid.tets, symmetric_values(field, grid))
    if faces.shape[0] == 0:
        raise TrainingError("the category's signed distance has no surface: its sign is the same everywhere")
    vertices, faces = largest_piece(vertices, faces)
    skeleton = estimate_skeleton(vertices)
    weights = distance_skinning_weights(vertices.detach(), skeleton.rest_joints, skinning_temperature)
    return ShapePrior(Mesh(vertices, faces), skeleton, weights)


def symmetric_values(field: SDFField, grid: TetrahedralGrid) -> Float[Tensor, " corners"]:
    """The field at all corners of the grid, evaluated on the half x >= 0 alone."""
    kept = torch.nonzero(grid.vertices[:, 0] >= 0).squeeze(1)
    place = torch.full_like(grid.mirror, -1)
    place[kept] = torch.arange(len(kept), device=kept.device)
    source = torch.where(place >= 0, place, place[grid.mirror])
    return field(grid.vertices[kept])[source]


def largest_piece(
    vertices: Float[Tensor, "vertices 3"], faces: Int[Tensor, "faces 3"]
) -> tuple[Float[Tensor, "kept 3"], Int[Tensor, "kept_faces 3"]]:
    """The connected piece with the most vertices, its faces renumbered."""
    labels = connected_components(faces, vertices.shape[0])
    counts = torch.bincount(labels)
    kept = labels == counts.argmax()
    number = torch.cumsum(kept, dim=0) - 1
    return vertices[kept], number[faces[kept[faces[:, 0]]]]

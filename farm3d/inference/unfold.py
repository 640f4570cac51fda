"""The last guard against folds: faces that a deformation turned over are smoothed back."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skinning import skin
from farm3d.ops.mesh_topology import face_normals, unique_edges
from farm3d.shapes import Faces
from farm3d.types import AnimalPrediction, ShapePrior

MAX_ROUNDS = 50


def unfold(prediction: AnimalPrediction, prior: ShapePrior) -> AnimalPrediction:
    """The prediction of one image without rest faces turned by more than 90 degrees from the category's.

    While there are any, the offsets of their vertices, and of the mirrored ones, become the mean of
    their neighbours' and their own, so the rest shape stays mirror-symmetric and every other vertex
    where it is.
    """
    rest, faces = prior.mesh.vertices, prior.mesh.faces
    offsets = prediction.rest_mesh.vertices[0] - rest
    mirror = torch.from_numpy(cKDTree(rest.numpy()).query((rest * _FLIP).numpy())[1])
    edges = unique_edges(faces)
    for _ in range(MAX_ROUNDS):
        folded = _vertices_of_folds(rest, rest + offsets, faces)
        if not folded.any():
            break
        folded = folded | folded[mirror]
        smooth = _with_neighbours(offsets, edges)
        symmetric = (smooth + smooth[mirror] * _FLIP) / 2.0
        offsets = torch.where(folded[:, None], symmetric, offsets)
    vertices = (rest + offsets)[None]
    posed = skin(vertices, prediction.bone_transforms, prediction.skinning_weights)
    return replace(prediction, rest_mesh=Mesh(vertices, faces), posed_mesh=Mesh(posed, faces))


_FLIP = torch.tensor([-1.0, 1.0, 1.0])


def _vertices_of_folds(
    before: Float[Tensor, "vertices 3"], after: Float[Tensor, "vertices 3"], faces: Faces
) -> Bool[Tensor, " vertices"]:
    turned = (face_normals(before, faces) * face_normals(after, faces)).sum(-1) < 0
    marked = torch.zeros(len(before), dtype=torch.bool)
    marked[faces[turned].flatten()] = True
    return marked


def _with_neighbours(
    offsets: Float[Tensor, "vertices 3"], edges: Int[Tensor, "edges 2"]
) -> Float[Tensor, "vertices 3"]:
    """The mean over each vertex and those that it shares an edge with."""
    total, count = offsets.clone(), torch.ones(len(offsets), 1)
    for near, far in (edges.T, edges.flip(1).T):
        total.index_add_(0, near, offsets[far])
        count.index_add_(0, near, torch.ones(len(near), 1))
    return total / count

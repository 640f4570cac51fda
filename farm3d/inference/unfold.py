"""The last guard against folds: faces that a deformation turned over are smoothed back."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree
from torch import Tensor

from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skinning import skin
from farm3d.ops.mesh_topology import face_normals, unique_edges
from farm3d.shapes import Faces
from farm3d.types import AnimalPrediction, ShapePrior

MOST_RINGS = 12
"""Of neighbours around folds that may be smoothed with them."""


def unfold(prediction: AnimalPrediction, prior: ShapePrior) -> AnimalPrediction:
    """The prediction of one image with as few rest faces as can be that turned by over 90 degrees.

    The offsets of their vertices, and of the mirrored ones, become the smoothest that join those around
    them, with one more ring of neighbours as long as there are folds; so the rest shape stays
    mirror-symmetric and every other vertex where it is.
    """
    rest, faces = prior.mesh.vertices, prior.mesh.faces
    offsets = prediction.rest_mesh.vertices[0] - rest
    mirror = torch.from_numpy(cKDTree(rest.numpy()).query((rest * _FLIP).numpy())[1])
    edges = unique_edges(faces)
    smoothed = torch.zeros(len(rest), dtype=torch.bool)
    tried = [offsets]
    for _ in range(MOST_RINGS):
        folded = _vertices_of_folds(rest, rest + tried[-1], faces)
        if not folded.any():
            break
        smoothed[edges[smoothed[edges].any(dim=1)]] = True
        smoothed |= folded | folded[mirror]
        smooth = _harmonic(tried[-1], smoothed, edges)
        tried.append((smooth + smooth[mirror] * _FLIP) / 2.0)
    # Where shapes are far from the category's, smoothing can make more folds than it takes away.
    best = min(tried, key=lambda some: int(_vertices_of_folds(rest, rest + some, faces).sum()))
    vertices = (rest + best)[None]
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


def _harmonic(
    offsets: Float[Tensor, "vertices 3"], free: Bool[Tensor, " vertices"], edges: Int[Tensor, "edges 2"]
) -> Float[Tensor, "vertices 3"]:
    """The offsets with those of the `free` vertices the means of their neighbours', all at once."""
    ends = np.concatenate([edges.numpy(), edges.flip(1).numpy()])
    near = coo_array((np.ones(len(ends)), ends.T), shape=(len(offsets), len(offsets))).tocsr()
    inside, outside = np.flatnonzero(free.numpy()), np.flatnonzero(~free.numpy())
    rows = near[inside]
    # The millionth draws a piece that nothing else holds back to the category's shape.
    system = diags_array(rows.sum(axis=1) + 1e-6) - rows[:, inside]
    fixed = rows[:, outside] @ offsets.double().numpy()[outside]
    result = offsets.clone()
    result[free] = torch.from_numpy(splu(system.tocsc()).solve(fixed)).to(offsets.dtype)
    return result

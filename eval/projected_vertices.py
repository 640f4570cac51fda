"""The vertices of a posed mesh in the pixels of its image, and which of them are seen."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from farm3d.data.transforms import CropBox
from farm3d.geometry.camera import Camera, project_to_clip
from farm3d.geometry.mesh import Mesh
from farm3d.ops.rasterize import rasterize
from farm3d.types import AnimalPrediction

VISIBILITY_SIZE = 256
"""Side (pixels) of the drawing of the view that decides which vertices are seen: the published protocol's."""


@dataclass(frozen=True)
class ProjectedVertices:
    """All vertices of one image's mesh: places in pixels of the image, and whether they are seen there."""

    positions: Float[np.ndarray, "vertices 2"]
    visible: Bool[np.ndarray, " vertices"]


def visible_vertices(mesh: Mesh, camera: Camera, size: int = VISIBILITY_SIZE) -> Bool[Tensor, " vertices"]:
    """The vertices of the faces that win at least one pixel of the view drawn at `size` x `size` pixels."""
    clip = project_to_clip(camera, mesh.vertices)[None]
    drawn = rasterize(clip, mesh.faces, (size, size))[..., 3]
    seen_faces = torch.unique(drawn[drawn > 0].long()) - 1
    visible = torch.zeros(len(mesh.vertices), dtype=torch.bool, device=drawn.device)
    visible[mesh.faces[seen_faces].flatten()] = True
    return visible


def project_mesh(mesh: Mesh, camera: Camera) -> ProjectedVertices:
    """The vertices of an unbatched mesh under one camera, in the pixels of the image of `camera.crop_box`."""
    assert camera.crop_box is not None
    x, y, width, height = camera.crop_box
    with torch.no_grad():
        clip = project_to_clip(camera, mesh.vertices)
        shares = (clip[:, :2] / clip[:, 3:] + 1.0) / 2.0
        places = shares * shares.new_tensor([width, height]) + shares.new_tensor([x, y])
        visible = visible_vertices(mesh, camera)
    return ProjectedVertices(places.double().cpu().numpy(), visible.cpu().numpy())


def project_prediction(prediction: AnimalPrediction, view: CropBox) -> ProjectedVertices:
    """The posed vertices of one image's prediction; `view` is what the model saw, in pixels of the image."""
    camera = replace(prediction.camera, world_to_camera=prediction.camera.world_to_camera[0], crop_box=view)
    return project_mesh(Mesh(prediction.posed_mesh.vertices[0], prediction.posed_mesh.faces), camera)

"""How far a reconstruction lies from the true surface on the side that its picture does not show.

The true surface is divided by what the picture's camera sees of it: a triangle is seen where it faces the
camera and nothing lies before its centre. So the unseen side is the back, and also what legs and head hide.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from farm3d.geometry.camera import Camera, project_to_clip, to_camera
from farm3d.geometry.mesh import Mesh
from farm3d.ops.rasterize import interpolate, rasterize

from .chamfer.point_tree import PointTree, nearest_distances, point_tree
from .chamfer.protocol import RandomStream
from .chamfer.sampling import Cloud, face_areas, sample_evenly
from .projected_vertices import VISIBILITY_SIZE

SLACK = 0.01
"""How far (of the surface's largest extent) behind the foremost surface a triangle still counts as seen."""


@dataclass(frozen=True)
class DividedSurface:
    """Points of a true surface, equally dense on both sides: what its camera sees of it, and the rest."""

    seen: PointTree
    unseen: PointTree


def seen_faces(mesh: Mesh, camera: Camera) -> Bool[Tensor, " faces"]:
    """The faces of an unbatched closed mesh that one camera sees, by their normals and centres.

    A centre is compared with the farthest depth in the four pixels about it, and may lie behind that by
    what the face's own slope makes of a pixel, for those depths belong to other places.
    """
    places = to_camera(camera, mesh.vertices)
    corners = places[mesh.faces]
    centres = corners.mean(dim=1)
    normals = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    # The camera sits at the origin of its own frame.
    cosine = -torch.nn.functional.cosine_similarity(normals, centres, dim=-1)
    slope = torch.sqrt(cosine.clamp(min=0.1) ** -2 - 1.0)
    pixel = 2.0 * -centres[:, 2] * math.tan(float(camera.field_of_view) / 2.0) / VISIBILITY_SIZE
    extent = (mesh.vertices.amax(dim=0) - mesh.vertices.amin(dim=0)).max()
    foremost = _depth_about(mesh, camera, mesh.vertices[mesh.faces].mean(dim=1))
    return (cosine > 0.0) & (-centres[:, 2] <= foremost + SLACK * extent + pixel * slope)


def _depth_about(mesh: Mesh, camera: Camera, points: Float[Tensor, "points 3"]) -> Float[Tensor, " points"]:
    """The farthest of the foremost depths in the four pixels about each point of the object frame."""
    size, vertices = VISIBILITY_SIZE, mesh.vertices
    drawn = rasterize(project_to_clip(camera, vertices)[None], mesh.faces, (size, size))
    depth = interpolate(-to_camera(camera, vertices)[None, :, 2:], drawn, mesh.faces)[0, ..., 0]
    clip = project_to_clip(camera, points)
    corner = ((clip[:, :2] / clip[:, 3:] + 1.0) * (size / 2.0) - 0.5).floor().long()
    columns, rows = ([(low + step).clamp(0, size - 1) for step in (0, 1)] for low in corner.T)
    return torch.stack([depth[row, column] for row in rows for column in columns]).amax(dim=0)


def divide_surface(mesh: Mesh, camera: Camera, *, points: int, random: RandomStream) -> DividedSurface:
    """About `points` points of the mesh, divided. Some of it is always seen, and some never is."""
    triangles = mesh.vertices.double()[mesh.faces].numpy()
    seen = seen_faces(mesh, camera).numpy()
    areas = face_areas(triangles)

    def cloud(part: Bool[np.ndarray, " faces"], name: str) -> PointTree:
        count = max(1, round(points * float(areas[part].sum() / areas.sum())))
        return point_tree(sample_evenly(triangles[part], count, random(name)))

    return DividedSurface(cloud(seen, "seen side"), cloud(~seen, "unseen side"))


def unseen_side_distance(reconstruction: Cloud, true: DividedSurface) -> float:
    """The Chamfer distance of the unseen side: the mean of both one-way mean distances, in units of `true`.

    One way from the true points that are not seen to all of the reconstruction; the other from those points
    of the aligned reconstruction that have one of them nearest of all true points. Where no point has, the
    reconstruction has nothing there, and the first way counts alone.
    """
    found = nearest_distances(point_tree(reconstruction), true.unseen.points)
    to_unseen, to_seen = (nearest_distances(side, reconstruction) for side in (true.unseen, true.seen))
    behind: Float[np.ndarray, " points"] = to_unseen[to_unseen < to_seen]
    return float(found.mean() + (behind if len(behind) else found).mean()) / 2.0

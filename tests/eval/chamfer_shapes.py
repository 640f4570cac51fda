"""Surfaces that the tests of the Chamfer distance share, as trimesh has them, and the other form of each."""

import numpy as np
import trimesh
from farm3d.eval.chamfer.voxels import Triangles


def surfaces() -> dict[str, trimesh.Trimesh]:
    """Round and flat faces, long and tiny ones, inner walls, holes, several parts, crossing faces."""
    box = trimesh.creation.box((1.0, 2.0, 1.5))
    inner = trimesh.creation.box((0.4, 0.5, 0.6))
    open_ball = trimesh.creation.icosphere(subdivisions=3)
    open_ball.update_faces(open_ball.triangles_center[:, 2] < 0.6)
    open_ball.remove_unreferenced_vertices()
    return {
        "box": box,
        "ball": trimesh.creation.icosphere(subdivisions=3, radius=0.7),
        "moved ball": moved(trimesh.creation.icosphere(subdivisions=2), (3.0, -2.0, 0.7)),
        "ring": trimesh.creation.torus(0.9, 0.3),
        "box in a box": trimesh.util.concatenate([box, inner]),
        "open ball": open_ball,
        "two parts": trimesh.util.concatenate([box, moved(inner, (1.5, 0.3, 0.2))]),
        "soup": soup(40),
        "needles": needles(60),
    }


def soup(faces: int) -> trimesh.Trimesh:
    """Triangles anywhere in a cube."""
    return from_triangles(np.random.default_rng(3).normal(size=(faces, 3, 3)))


def needles(faces: int) -> trimesh.Trimesh:
    """Triangles of which two corners nearly coincide: all ways to split one or two edges occur."""
    triangles = np.random.default_rng(4).normal(size=(faces, 3, 3))
    triangles[:, 1] = triangles[:, 0] + 0.01 * triangles[:, 1]
    return from_triangles(triangles)


def moved(mesh: trimesh.Trimesh, offset: tuple[float, float, float]) -> trimesh.Trimesh:
    copy = mesh.copy()
    copy.apply_translation(offset)
    return copy


def from_triangles(triangles: Triangles) -> trimesh.Trimesh:
    """As trimesh's mesh, corner by corner: nothing is joined."""
    faces = np.arange(3 * len(triangles)).reshape(-1, 3)
    return trimesh.Trimesh(triangles.reshape(-1, 3), faces, process=False)


def to_triangles(mesh: trimesh.Trimesh) -> Triangles:
    return np.array(mesh.triangles, dtype=np.float64)

"""Scenes for the rasteriser's tests: ordinary ones, and ones made to break it."""

import math
from dataclasses import dataclass

import torch
import trimesh

from farm3d.geometry.camera import Camera, project_to_clip


@dataclass(frozen=True)
class Scene:
    """Clip positions (images, vertices, 4), faces and (height, width)."""

    clip_positions: torch.Tensor
    faces: torch.Tensor
    resolution: tuple[int, int]


def sphere(subdivisions: int, radius: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Vertices and faces of a closed sphere, faces counter-clockwise from outside."""
    mesh = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    return torch.tensor(mesh.vertices, dtype=torch.float32), torch.tensor(mesh.faces, dtype=torch.int64)


def animal(subdivisions: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A torso, a head and four legs as separate ellipsoids that hide parts of each other."""
    parts = [((0.0, 0.2, 0.0), (0.5, 0.6, 1.2)), ((0.0, 0.9, 1.4), (0.25, 0.3, 0.45))]
    parts += [((x, -0.8, z), (0.14, 0.7, 0.17)) for x in (-0.3, 0.3) for z in (-0.8, 0.8)]
    vertices, faces = sphere(subdivisions)
    placed = [vertices * torch.tensor(size) + torch.tensor(centre) for centre, size in parts]
    return torch.cat(placed), torch.cat([faces + len(vertices) * part for part in range(len(parts))])


def camera(azimuths: list[float], elevation: float = 0.2, distance: float = 10.0) -> Camera:
    """One view of the origin for each azimuth (radians)."""
    turn_x = torch.tensor(
        [
            [1.0, 0.0, 0.0],
            [0.0, math.cos(elevation), -math.sin(elevation)],
            [0.0, math.sin(elevation), math.cos(elevation)],
        ]
    )
    matrices = torch.eye(4).repeat(len(azimuths), 1, 1)
    for matrix, angle in zip(matrices, azimuths, strict=True):
        cosine, sine = math.cos(angle), math.sin(angle)
        matrix[:3, :3] = turn_x @ torch.tensor([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
        matrix[2, 3] = -distance
    return Camera(matrices)


def view(vertices: torch.Tensor, azimuths: list[float]) -> torch.Tensor:
    """Clip positions of a mesh in one view per azimuth."""
    return project_to_clip(camera(azimuths), vertices.expand(len(azimuths), -1, -1)).contiguous()


def flat(points: list[tuple[float, ...]]) -> torch.Tensor:
    """Clip positions of one image from (x, y), (x, y, z) or (x, y, z, w); z = 0, w = 1 where absent."""
    return torch.tensor([[(*point, *(0.0, 0.0, 0.0, 1.0)[len(point) :]) for point in points]])


def random_scene(seed: int, *, behind_camera: bool) -> Scene:
    """Triangles that overlap and intersect at random, some of them reaching behind the camera if asked."""
    generator = torch.Generator().manual_seed(seed)
    clip = torch.randn(2, 40, 4, generator=generator)
    if not behind_camera:
        clip[..., 3] = clip[..., 3].abs() + 0.5
    return Scene(clip, torch.randint(0, 40, (30, 3), generator=generator), (19, 24))


def scene_without_numbers() -> Scene:
    """Random triangles, of every fourth vertex one coordinate, or all of them, not finite."""
    scene = random_scene(3, behind_camera=False)
    clip, no_numbers = scene.clip_positions.clone(), (math.nan, math.inf, -math.inf)
    for turn, vertex in enumerate(range(0, clip.shape[1], 4)):
        axis = turn % 5
        clip[turn % 2, vertex, slice(None) if axis == 4 else axis] = no_numbers[turn % 3]
    return Scene(clip, scene.faces, scene.resolution)


def pixel_grid() -> Scene:
    """A tiled square whose every vertex lies on a pixel centre, with edges through pixel centres."""
    corners = [
        ((2 * i + 1 - 16) / 16, (2 * j + 1 - 16) / 16) for j in range(2, 15, 2) for i in range(2, 15, 2)
    ]
    quads = [(7 * j + i, 7 * j + i + 1, 7 * j + i + 8, 7 * j + i + 7) for j in range(6) for i in range(6)]
    faces = [triangle for a, b, c, d in quads for triangle in ((a, b, c), (a, c, d))]
    return Scene(flat(corners), torch.tensor(faces), (16, 16))


def adversarial_scenes() -> dict[str, Scene]:
    """Named scenes, each with one thing that breaks careless rasterisers."""
    slivers = flat([(-0.9, -0.5), (0.9, -0.49999), (0.9, -0.5), (-0.31, -0.9), (-0.3, 0.9), (-0.3101, 0.9)])
    degenerate = flat([(0.1, 0.1), (0.1, 0.1), (0.8, 0.7), (-0.6, -0.6), (0.6, 0.6), (float("nan"), 0.0)])
    twice = flat([(-0.8, -0.7), (0.9, -0.2), (-0.1, 0.8), (0.7, 0.9)])
    behind = flat([(-0.5, -0.5, 0.0, -1.0), (0.5, -0.5, 0.0, -1.0), (0.0, 0.5, 0.0, -1.0)])
    floor = flat(
        [(-3.0, 1.0, -2.0, -2.0), (3.0, 1.0, -2.0, -2.0), (3.0, 1.0, 7.0, 8.0), (-3.0, 1.0, 7.0, 8.0)]
    )
    # Projected, these overflow single precision: a point far to the right, and triangles wholly there.
    far = flat(
        [
            (1e30, 0.1, 0.0, 1e-20),
            (1e30, 2e30, 0.0, 1e-20),
            (2e30, -1e30, 0.0, 1e-20),
            (-0.5, 0.9),
            (-0.5, -0.9),
        ]
    )
    deep = flat([(-0.9, -0.9, -1.6), (0.9, -0.9, 0.3), (0.0, 0.9, 1.5)])
    quad = torch.tensor([[0, 1, 2], [0, 2, 3]])
    return {
        "shared edges through pixel centres": pixel_grid(),
        "slivers": Scene(slivers, torch.tensor([[0, 1, 2], [3, 4, 5]]), (33, 40)),
        "degenerate faces": Scene(
            degenerate, torch.tensor([[0, 1, 2], [0, 0, 2], [3, 4, 0], [2, 3, 5]]), (9, 9)
        ),
        "coincident faces": Scene(
            twice, torch.tensor([[0, 1, 2], [1, 2, 0], [2, 1, 0], [1, 3, 2]]), (20, 31)
        ),
        "behind the camera": Scene(behind, torch.tensor([[0, 1, 2]]), (8, 8)),
        "floor under the camera": Scene(floor, quad, (24, 17)),
        "beyond single precision": Scene(
            far, torch.tensor([[0, 1, 2], [0, 2, 1], [0, 3, 4], [2, 1, 3]]), (12, 13)
        ),
        "outside the depth range": Scene(deep, torch.tensor([[0, 1, 2]]), (16, 16)),
        "no faces": Scene(flat([(0.0, 0.0)]), torch.zeros(0, 3, dtype=torch.int64), (5, 3)),
        "no vertices": Scene(torch.zeros(2, 0, 4), torch.zeros(0, 3, dtype=torch.int64), (4, 4)),
        "one pixel": Scene(twice, quad, (1, 1)),
        "one row": Scene(twice, quad, (1, 37)),
        "random": random_scene(0, behind_camera=False),
        "random behind the camera": random_scene(1, behind_camera=True),
        "no numbers": scene_without_numbers(),
    }


def ordinary_scenes() -> dict[str, Scene]:
    """Closed meshes seen by a camera, with triangles larger and smaller than a pixel."""
    coarse, coarse_faces = animal(1)
    fine, fine_faces = sphere(3)
    return {
        "animal": Scene(view(coarse, [0.4, 2.0]), coarse_faces, (40, 33)),
        "triangles smaller than a pixel": Scene(view(fine, [0.0]), fine_faces, (17, 20)),
    }

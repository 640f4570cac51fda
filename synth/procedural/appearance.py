"""An individual's coat: one of its species' kinds of coat, painted on the samples of its surface."""

import numpy as np
import torch

from farm3d.ops.mesh_topology import vertex_normals

from .anatomy import Species
from .coats.canvas import Canvas, FacePlace
from .coats.details import detail_height, paint_details
from .coats.relief import hair_height
from .mesh_colors import MeshColors, mesh_colors, sample_grid
from .quadruped import Individual, body_parts

NOSTRIL_RADIUS = 0.042
"""In lengths of the head, as `Skin.eye_radius` is."""

DARKEST, BRIGHTEST = 0.02, 0.95
"""Bounds of a coat's colours (sRGB)."""


def random_coat(species: Species, individual: Individual, generator: np.random.Generator) -> MeshColors:
    """The colours and the relief of an individual, drawn from its species' kinds of coat."""
    shares = np.array([coat.share for coat in species.coats])
    coat = species.coats[int(generator.choice(len(shares), p=shares / shares.sum()))]
    canvas = animal_canvas(species, individual, eye_radius=coat.skin.eye_radius, generator=generator)
    color = np.full((len(canvas.points), 3), 0.5, dtype=np.float32)
    for marking in coat.markings:
        color = marking.paint(canvas, color)
    color = paint_details(canvas, coat.skin, color)
    height = hair_height(canvas, coat.hair) + detail_height(canvas, coat.skin)
    return mesh_colors(canvas.grid, np.clip(color, DARKEST, BRIGHTEST), height)


def animal_canvas(
    species: Species, individual: Individual, *, eye_radius: float, generator: np.random.Generator
) -> Canvas:
    """The samples of an individual's surface; the eye's radius is in lengths of the head."""
    grid = sample_grid(individual.faces)
    normals = vertex_normals(individual.canonical, individual.faces)
    vertices = torch.cat([individual.canonical, normals, individual.membership], dim=1).numpy()
    samples = grid.spread(vertices.astype(np.float32))
    landmarks = {name: np.array(point) for name, point in species.landmarks.items()}
    length = float(np.linalg.norm(landmarks["muzzle"] - landmarks["poll"]))
    (eye, eye_over), (nostril, nostril_over) = species.face_marks.eye, species.face_marks.nostril
    return Canvas(
        grid,
        individual.faces.numpy(),
        points=samples[:, :3],
        normals=samples[:, 3:6],
        parts=dict(zip(body_parts(species), samples[:, 6:].T, strict=True)),
        landmarks=landmarks,
        eye=FacePlace(eye, eye_over / length, eye_radius),
        nostril=FacePlace(nostril, nostril_over / length, NOSTRIL_RADIUS),
        generator=generator,
    )

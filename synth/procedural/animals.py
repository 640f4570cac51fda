"""Individuals as they are drawn, and what is seen of their surface."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from farm3d.geometry.camera import Camera
from farm3d.ops.rasterize import interpolate

from .anatomy import Species
from .appearance import random_coat
from .features import individual_features
from .keypoints import keypoint_vertices
from .mesh_colors import MeshColors, SurfacePoints, look_up, relief_normals
from .proportions import random_traits
from .quadruped import Individual, make_individual


@dataclass(frozen=True)
class Animal:
    """An individual as it is drawn: shape, coat, features and keypoints of its vertices."""

    number: int
    species: Species
    shape: Individual
    coat: MeshColors
    features: Float[Tensor, "vertices channels"]
    keypoints: dict[str, int]


@dataclass(frozen=True)
class Surface:
    """The animal's surface in the finer pixels of one picture that it covers, one entry each.

    `albedo` is linear RGB, `normals` are unit vectors of the camera frame, `places` are in the object frame.
    """

    covered: Bool[Tensor, "fine fine"]
    albedo: Float[Tensor, "points 3"]
    normals: Float[Tensor, "points 3"]
    places: Float[Tensor, "points 3"]


def random_animal(
    species: Species, number: int, *, seed: int, mixture: Float[np.ndarray, "channels channels"]
) -> Animal:
    """Individual `number` of the data set with this seed."""
    generator = np.random.default_rng([seed, 2, number])
    shape = make_individual(species, random_traits(species, generator))
    coat = random_coat(species, shape, generator)
    features = individual_features(shape, mixture, generator)
    return Animal(number, species, shape, coat, features, keypoint_vertices(species, shape))


def seen_surface(
    animal: Animal,
    vertices: Float[Tensor, "1 vertices 3"],
    normals: Float[Tensor, "1 vertices 3"],
    *,
    camera: Camera,
    rasterized: Float[Tensor, "1 fine fine 4"],
) -> Surface:
    """What is seen of the posed animal (its vertices and normals) through each finer pixel that it covers."""
    faces = animal.shape.faces
    rotation = camera.world_to_camera[:, :3, :3]
    turned = normals @ rotation.transpose(-1, -2)
    covered = rasterized[0, ..., 3] > 0
    attributes = torch.cat([turned, vertices], dim=-1)
    seen = interpolate(attributes, rasterized, faces)[0][covered]
    pixels = rasterized[0][covered]
    points = SurfacePoints(pixels[:, 3].long() - 1, pixels[:, :2])
    albedo, slopes = look_up(animal.coat, points)
    smooth = torch.nn.functional.normalize(seen[:, :3], dim=-1)
    normal = relief_normals(smooth, slopes, points, faces=faces, vertices=vertices[0] @ rotation[0].T)
    return Surface(covered, albedo=albedo, normals=normal, places=seen[:, 3:])

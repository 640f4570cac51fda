"""Pairs of meshes to measure Chamfer distances of: animals of the farm in two poses, whole and damaged."""

from dataclasses import dataclass

import numpy as np
import torch
from farm3d.synth.procedural.poses import random_pose
from farm3d.synth.procedural.proportions import random_traits
from farm3d.synth.procedural.quadruped import make_individual, posed_vertices
from farm3d.synth.procedural.species import species_of

from farm3d.seeding import numpy_rng

from ..chamfer.voxels import Triangles


@dataclass(frozen=True)
class AnimalPair:
    """An individual of a species posed twice; the first, the reconstruction, is changed as told.

    It is turned by `turn_degrees` about y and scaled, and loses its faces in a share `cut` of its length at
    the front: then it is not watertight.
    """

    species: str
    number: int
    other_species: str | None = None
    scale: float = 1.0
    turn_degrees: float = 0.0
    cut: float = 0.0

    def __str__(self) -> str:
        return f"{self.species}-{self.number:04d}"


PAIRS = (
    AnimalPair("horse", 0),
    AnimalPair("cow", 1),
    AnimalPair("horse", 2, scale=0.25),
    AnimalPair("cow", 3, scale=9.0, turn_degrees=10.0),
    AnimalPair("horse", 4, turn_degrees=180.0),
    AnimalPair("cow", 5, cut=0.15),
    AnimalPair("horse", 6, cut=0.1, scale=3.0),
    AnimalPair("horse", 7, other_species="cow"),
    AnimalPair("cow", 8, other_species="horse", turn_degrees=170.0),
    AnimalPair("cow", 9, turn_degrees=-30.0),
)
"""Ten pairs: same and other species, right and wrong scale, facing the same and the other way, holes."""


def pair_triangles(pair: AnimalPair) -> tuple[Triangles, Triangles]:
    """The reconstruction and the target."""
    target = posed_animal(pair.species, pair.number, pose=0)
    found = posed_animal(pair.other_species or pair.species, pair.number, pose=1)
    if pair.cut:
        found = without_front(found, pair.cut)
    angle = np.radians(pair.turn_degrees)
    turn = np.array(
        [[np.cos(angle), 0.0, np.sin(angle)], [0.0, 1.0, 0.0], [-np.sin(angle), 0.0, np.cos(angle)]]
    )
    return np.ascontiguousarray(found @ turn.T * pair.scale), target


def posed_animal(species: str, number: int, *, pose: int) -> Triangles:
    """Individual `number` of a species in one of its random poses, as triangles."""
    kind = species_of(species)
    individual = make_individual(kind, random_traits(kind, numpy_rng(0, "chamfer pairs", species, number)))
    angles = random_pose(kind, individual, numpy_rng(0, "chamfer poses", species, number, pose))
    vertices = posed_vertices(individual, angles.joint_angles, torch.zeros(3))
    return np.ascontiguousarray(vertices.double().numpy()[individual.faces.numpy()])


def without_front(surface: Triangles, share: float) -> Triangles:
    """The surface without the faces that lie in this share of its length at the front (z)."""
    front = surface[:, :, 2].max() - share * (surface[:, :, 2].max() - surface[:, :, 2].min())
    return surface[surface[:, :, 2].max(axis=1) <= front]

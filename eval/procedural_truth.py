"""The truth of a procedural data set as meshes and cameras: what each picture really shows."""

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from farm3d.synth.procedural.features import feature_mixture
from farm3d.synth.procedural.images import Animal, random_animal
from farm3d.synth.procedural.mesh_colors import MeshColors
from farm3d.synth.procedural.species import species_of

from farm3d.data.image_folder import ImageDataSet, load_individual
from farm3d.errors import InputError
from farm3d.geometry.camera import Camera
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import Skeleton, bone_transforms
from farm3d.geometry.skinning import SkinningWeights, skin
from farm3d.types import DirectionalLight

SAME_ANIMAL = 0.05
"""The farthest (object units) that a vertex of an animal may lie from where its data set has it."""


@dataclass(frozen=True)
class TrueAnimal:
    """One picture's animal in its pose (object frame), the camera that sees it, and the light on it.

    `number` is the individual's; vertices of two individuals correspond where their meshes have as many.
    """

    number: int
    mesh: Mesh
    camera: Camera
    light: DirectionalLight


def true_animal(data: ImageDataSet, index: int) -> TrueAnimal:
    """The posed surface, camera and light of picture `index`; the camera's crop box is the whole picture.

    Raises InputError where the data set keeps no truth.
    """
    path = data.samples[index]
    record = json.loads(path.read_text(encoding="utf-8"))
    if not {"individual", "pose", "camera", "light"} <= set(record):
        raise InputError(
            f"{path}: no individual, pose, camera and light: only procedural sets know the truth"
        )
    size = float(data.description["size"])
    camera = Camera(
        torch.tensor(record["camera"]["world_to_camera"], dtype=torch.float32),
        math.radians(record["camera"]["field_of_view_degrees"]),
        (0.0, 0.0, size, size),
    )
    light = DirectionalLight(*(torch.tensor(record["light"][k]) for k in ("direction", "ambient", "diffuse")))
    number = int(record["individual"])
    return TrueAnimal(number, _posed_mesh(data, number, record["pose"]), camera, light)


def _posed_mesh(data: ImageDataSet, number: int, pose: dict[str, Any]) -> Mesh:
    animal = load_individual(data.folder, number)
    skeleton = Skeleton(animal.rest_joints, animal.parents, (), torch.zeros(len(animal.parents), 3))
    transforms = bone_transforms(skeleton, torch.tensor(pose["joint_angles"], dtype=torch.float32))
    weights = SkinningWeights(animal.skinning_indices, animal.skinning_weights)
    vertices = skin(animal.rest_vertices, transforms, weights) + torch.tensor(pose["root_offset"])
    with np.load(data.folder / "individuals" / f"{number}.npz") as arrays:
        faces = torch.from_numpy(arrays["faces"].astype(np.int64))
    return Mesh(vertices, faces)


def true_coat(data: ImageDataSet, number: int) -> MeshColors:
    """The colours of an individual's surface, drawn again from the data set's seed.

    Raises InputError where the farm of this version draws another animal than the data set keeps.
    """
    animal = _drawn_again(str(data.category), int(data.description["seed"]), number)
    kept = load_individual(data.folder, number).rest_vertices
    if animal.shape.vertices.shape != kept.shape or not torch.allclose(
        animal.shape.vertices, kept, atol=SAME_ANIMAL
    ):
        raise InputError(
            f"{data.folder}: individual {number} is not what this version of the farm draws;"
            " make the data set again with farm3d-synth"
        )
    return animal.coat


@lru_cache(maxsize=512)
def _drawn_again(category: str, seed: int, number: int) -> Animal:
    return random_animal(species_of(category), number, seed=seed, mixture=feature_mixture(seed))

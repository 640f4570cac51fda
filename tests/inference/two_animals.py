"""Two animals of one model from the picture that ships, and one whose measures are known."""

from functools import cache
from pathlib import Path

import numpy as np
import torch

import farm3d
from farm3d.geometry.camera import camera_from_rotation
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import bone_transforms
from farm3d.inference.animal import Animal
from farm3d.inference.reconstructor import Reconstructor
from farm3d.io.image import read_image, read_mask
from farm3d.types import AnimalPrediction, DirectionalLight, ShapePrior, ViewpointPrediction

PICTURES = Path(__file__).parents[2] / "docs/images"


@cache
def horse_model() -> Reconstructor:
    return farm3d.load_model("horse")


@cache
def horse() -> Animal:
    return farm3d.reconstruct(PICTURES / "horse.jpg", model=horse_model(), refine=0)


@cache
def mirrored_horse() -> Animal:
    """Its mirror image in another light: another pose, shape, coat and light."""
    pixels, mask = (array[:, ::-1] for array in (read_image(PICTURES / "horse.jpg").pixels, _mask()))
    dim = (0.5 * pixels).astype(np.uint8)
    return farm3d.reconstruct(dim, model=horse_model(), mask=np.ascontiguousarray(mask), refine=0)


def _mask() -> np.ndarray:
    return read_mask(PICTURES / "horse_mask.png")


def standing(prior: ShapePrior) -> AnimalPrediction:
    """The category's shape itself as a prediction: at rest, grey, seen from the front."""
    vertices, faces = prior.mesh.vertices.detach()[None], prior.mesh.faces
    skeleton = prior.skeleton.at(prior.skeleton.rest_joints[None])
    angles = torch.zeros(1, len(skeleton.parents), 3)
    one, zero = torch.ones(1), torch.zeros(1)
    return AnimalPrediction(
        rest_positions=vertices[0],
        rest_mesh=Mesh(vertices, faces),
        posed_mesh=Mesh(vertices, faces),
        skeleton=skeleton,
        skinning_weights=prior.skinning_weights,
        joint_angles=angles,
        bone_transforms=bone_transforms(skeleton, angles),
        camera=camera_from_rotation(torch.eye(3)[None], torch.zeros(1, 3)),
        light=DirectionalLight(torch.tensor([[0.0, 0.0, 1.0]]), 0.5 * one, 0.5 * one),
        albedo_fn=lambda points, index: torch.full_like(points, 0.5),
        viewpoint=ViewpointPrediction(zero[:, None], zero[:, None], zero, torch.zeros(1, 3)),
        hypothesis=torch.zeros(1, dtype=torch.long),
    )

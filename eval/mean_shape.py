"""The baseline that knows a category and no picture: its mean animal at rest, always seen alike.

The shape is the mean animal of a farm's set (`canonical.npz`) in its rest pose. Camera and colour are
constants of training pictures: the chordal mean of the true rotations, the mean of the true translations, and
the mean colour of the animals' pixels, shown without shading.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from farm3d.data.image_folder import ImageDataSet, canonical_mesh
from farm3d.geometry.camera import Camera, with_field_of_view
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.rotation import rigid_transform
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skeleton_estimation import estimate_skeleton
from farm3d.geometry.skinning import distance_skinning_weights
from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.ops.srgb import srgb_to_linear
from farm3d.types import AnimalPrediction, DirectionalLight, ViewpointPrediction

from .true_pictures import TruePicture
from .viewpoint import nearest_rotation

ANY_TEMPERATURE = 0.05
"""Of skinning, which does nothing to an animal at rest."""


def mean_shape(data: ImageDataSet, training: Sequence[TruePicture]) -> AnimalPrediction:
    """What the baseline says of every picture, from some training pictures of the set `data`.

    Raises InputError where the data set has no truth.
    """
    mesh = canonical_mesh(data)
    camera = _mean_camera(training)
    color = torch.stack([_mean_color(picture) for picture in training]).mean(dim=0)
    skeleton = estimate_skeleton(mesh.vertices)
    angles = torch.zeros(1, len(skeleton.parents), 3)
    batched = Mesh(mesh.vertices[None], mesh.faces)
    azimuth, elevation = azimuth_elevation(camera.world_to_camera[:, :3, :3])
    return AnimalPrediction(
        rest_positions=mesh.vertices,
        rest_mesh=batched,
        posed_mesh=batched,
        skeleton=skeleton.at(skeleton.rest_joints[None]),
        skinning_weights=distance_skinning_weights(mesh.vertices, skeleton.rest_joints, ANY_TEMPERATURE),
        joint_angles=angles,
        bone_transforms=bone_transforms(skeleton.at(skeleton.rest_joints[None]), angles),
        camera=camera,
        light=DirectionalLight(torch.tensor([[0.0, 0.0, 1.0]]), torch.ones(1), torch.zeros(1)),
        albedo_fn=lambda positions, index: color.expand(len(positions), 3),
        viewpoint=ViewpointPrediction(
            azimuth[:, None], torch.zeros(1, 1), elevation, camera.world_to_camera[:, :3, 3]
        ),
        hypothesis=torch.zeros(1, dtype=torch.long),
    )


def _mean_camera(training: Sequence[TruePicture]) -> Camera:
    """A batch of one, with the model's field of view."""
    cameras = [with_field_of_view(picture.animal.camera) for picture in training]
    matrices = torch.stack([camera.world_to_camera for camera in cameras])
    rotation = nearest_rotation(matrices[:, :3, :3].double().sum(dim=0)).float()
    return Camera(rigid_transform(rotation, matrices[:, :3, 3].mean(dim=0))[None])


def _mean_color(picture: TruePicture) -> Float[Tensor, "3"]:
    """Of the animal's pixels, linear RGB."""
    masks = picture.batch.masks
    return (srgb_to_linear(picture.batch.images) * masks).sum(dim=(0, 1, 2)) / masks.sum()

"""The model: from a crop and its mask to a posed, coloured, lit animal.

Source: Farm3D (arXiv 2304.10535) section 3 and MagicPony (arXiv 2211.12497) section 3.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from farm3d.fields.animal_fields import AlbedoField, DeformationField, FeatureField
from farm3d.fields.sdf_field import SDFField
from farm3d.geometry.camera import Camera, camera_from_rotation
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import Skeleton, bone_transforms
from farm3d.geometry.skeleton_estimation import BONE_NAMES
from farm3d.geometry.skinning import skin
from farm3d.geometry.tetrahedral_grid import shape_lattice
from farm3d.geometry.viewpoint import viewpoint_rotation
from farm3d.models.config import ModelConfig
from farm3d.models.shape_prior import extract_prior
from farm3d.predictors.articulation import ArticulationPredictor
from farm3d.predictors.dino_encoder import DinoEncoder
from farm3d.predictors.image_encoder import EncodedImages, ImageEncoder
from farm3d.predictors.joint_maps import JOINTS
from farm3d.predictors.light import LightPredictor
from farm3d.predictors.second_look import SecondLook
from farm3d.predictors.viewpoint import ViewpointPredictor
from farm3d.pretrained.dino import WIDTH, DinoBackbone
from farm3d.shapes import BoneTransforms, JointAngles
from farm3d.types import AnimalPrediction, DirectionalLight, ShapePrior, ViewpointPrediction


@dataclass(frozen=True)
class Phase:
    """In what an animal may differ from the category's rest shape: training begins with nothing."""

    articulated: bool = True
    deformed: bool = True


COMPLETE = Phase()


@dataclass(frozen=True)
class ImageReading:
    """What the networks read off a batch before any shape is involved."""

    masks: Float[Tensor, "images height width 1"]
    encoded: EncodedImages
    viewpoint: ViewpointPrediction
    light: DirectionalLight


@dataclass(frozen=True)
class InstancePose:
    """Bones of each animal, their angles and motion, and the camera that sees it.

    `rest_offsets` are what second looks add to the rest shape, `None` before the first.
    """

    skeleton: Skeleton
    joint_angles: JointAngles
    bone_transforms: BoneTransforms
    camera: Camera
    hypothesis: Int[Tensor, " images"]
    rest_offsets: Float[Tensor, "images vertices 3"] | None = None

    def reshaped(self, rest: Float[Tensor, "images vertices 3"]) -> Float[Tensor, "images vertices 3"]:
        """A rest shape with what second looks add to it."""
        return rest if self.rest_offsets is None else rest + self.rest_offsets

    def each(self, change: Callable[[Tensor], Tensor]) -> "InstancePose":
        """The same with a change of every tensor that has one entry an image."""
        return InstancePose(
            self.skeleton.at(change(self.skeleton.rest_joints)),
            change(self.joint_angles),
            change(self.bone_transforms),
            Camera(change(self.camera.world_to_camera), self.camera.field_of_view),
            change(self.hypothesis),
            None if self.rest_offsets is None else change(self.rest_offsets),
        )


class AnimalModel(nn.Module):
    """All networks of one category; `joint_places` are the joints of its joint maps in the rest shape."""

    joint_places: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width, features = config.width, config.features
        self.sdf = SDFField(
            width=width,
            layers=config.sdf_layers,
            harmonics=config.sdf_harmonics,
            initial_shape=config.initial_shape,
        )
        self.encoder = _encoder(config)
        self.viewpoint = ViewpointPredictor(
            features=features,
            width=width,
            translation_range=config.translation_range,
            hypotheses=config.viewpoint == "hypotheses",
        )
        self.articulation = ArticulationPredictor(
            features=features,
            patch_channels=self.encoder.patch_channels,
            width=width,
            depth=config.articulation_depth,
            heads=config.articulation_heads,
            gain=config.articulation_gain,
        )
        self.light = LightPredictor(features=features, width=width)
        self.deformation = DeformationField(
            width=width,
            layers=config.deformation_layers,
            harmonics=config.deformation_harmonics,
            condition_size=features,
        )
        self.albedo = AlbedoField(
            width=width,
            layers=config.albedo_layers,
            harmonics=config.albedo_harmonics,
            condition_size=features,
        )
        if config.joint_maps:
            self.register_buffer("joint_places", torch.zeros(JOINTS, 3))
        self.second_look = (
            SecondLook(image_size=config.image_size, bones=len(BONE_NAMES)) if config.second_looks else None
        )
        self.feature_field = (
            FeatureField(
                config.feature_channels,
                width=width,
                layers=config.feature_layers,
                harmonics=config.feature_harmonics,
            )
            if config.feature_channels
            else None
        )

    def prior(
        self,
        previous: ShapePrior | None = None,
        *,
        resolution: int | None = None,
        shift: tuple[float, float] = (0.0, 0.0),
        unfinished: bool = False,
    ) -> ShapePrior:
        """The category's shape from the signed distance field; see `extract_prior`.

        `resolution` is the configuration's unless given.
        """
        return extract_prior(
            self.sdf,
            shape_lattice(resolution or self.config.grid_resolution),
            skinning_temperature=self.config.skinning_temperature,
            previous=previous,
            shift=shift,
            unfinished=unfinished,
        )

    def read(
        self, images: Float[Tensor, "images height width 3"], masks: Float[Tensor, "images height width 1"]
    ) -> ImageReading:
        """Encode crops and read viewpoint and light."""
        encoded = self.encoder(images, masks)
        features = encoded.features
        return ImageReading(masks, encoded, self.viewpoint(features), self.light(features))

    def pose(
        self,
        reading: ImageReading,
        prior: ShapePrior,
        hypothesis: Int[Tensor, " images"] | None = None,
        *,
        phase: Phase = COMPLETE,
    ) -> InstancePose:
        """The pose under one azimuth hypothesis an image: the given ones, or the most probable."""
        viewpoint = reading.viewpoint
        if hypothesis is None:
            hypothesis = viewpoint.logits.argmax(dim=-1)
        azimuth = viewpoint.azimuths.gather(1, hypothesis[:, None]).squeeze(1)
        camera = camera_from_rotation(viewpoint_rotation(azimuth, viewpoint.elevation), viewpoint.translation)
        skeleton = self.skeleton(reading, prior, phase)
        if phase.articulated:
            angles = self.articulation(reading.encoded, skeleton, camera)
        else:
            angles = torch.zeros_like(skeleton.rest_joints[..., 0, :])
        return InstancePose(skeleton, angles, bone_transforms(skeleton, angles), camera, hypothesis)

    def skeleton(self, reading: ImageReading, prior: ShapePrior, phase: Phase = COMPLETE) -> Skeleton:
        """The bones of each animal: the deformation carries the joints along; no gradient goes through."""
        joints = prior.skeleton.rest_joints
        if not phase.deformed:
            return prior.skeleton.at(joints.expand(reading.encoded.features.shape[0], -1, -1, -1))
        with torch.no_grad():
            moved = self.offsets(joints.flatten(0, 1), reading).unflatten(1, joints.shape[:2])
        return prior.skeleton.at(joints + moved)

    def offsets(
        self, points: Float[Tensor, "points 3"], reading: ImageReading
    ) -> Float[Tensor, "images points 3"]:
        """The instance deformation of every image at the same rest positions."""
        return self.deformation(points, reading.encoded.features)

    def rest_shape(
        self, reading: ImageReading, pose: InstancePose, prior: ShapePrior, *, phase: Phase = COMPLETE
    ) -> Float[Tensor, "images vertices 3"]:
        """The vertices of each animal at rest, as its features and second looks deform the category's."""
        rest = prior.mesh.vertices.expand(reading.encoded.features.shape[0], -1, -1)
        if phase.deformed:
            rest = rest + self.offsets(prior.mesh.vertices, reading)
        return pose.reshaped(rest)

    def assemble(
        self, reading: ImageReading, pose: InstancePose, prior: ShapePrior, *, phase: Phase = COMPLETE
    ) -> AnimalPrediction:
        """The full prediction: meshes at rest and in pose, and the albedo as a function."""
        features = reading.encoded.features
        rest = self.rest_shape(reading, pose, prior, phase=phase)
        posed = skin(rest, pose.bone_transforms, prior.skinning_weights) if phase.articulated else rest

        def albedo_fn(
            positions: Float[Tensor, "points 3"], image_index: Int[Tensor, " points"]
        ) -> Float[Tensor, "points 3"]:
            return self.albedo(positions, features, image_index)

        return AnimalPrediction(
            rest_positions=prior.mesh.vertices,
            rest_mesh=Mesh(rest, prior.mesh.faces),
            posed_mesh=Mesh(posed, prior.mesh.faces),
            skeleton=pose.skeleton,
            skinning_weights=prior.skinning_weights,
            joint_angles=pose.joint_angles,
            bone_transforms=pose.bone_transforms,
            camera=pose.camera,
            light=reading.light,
            albedo_fn=albedo_fn,
            viewpoint=reading.viewpoint,
            hypothesis=pose.hypothesis,
        )

    def predict(
        self,
        images: Float[Tensor, "images height width 3"],
        masks: Float[Tensor, "images height width 1"],
        prior: ShapePrior,
    ) -> AnimalPrediction:
        """Crops to animals, each under its most probable hypothesis."""
        reading = self.read(images, masks)
        return self.assemble(reading, self.pose(reading, prior), prior)


def _encoder(config: ModelConfig) -> ImageEncoder | DinoEncoder:
    """The encoder that the configuration names, DINO's without its weights."""
    if config.backbone == "dino":
        backbone = DinoBackbone(config.image_size)
        return DinoEncoder(backbone, width=WIDTH, side=backbone.grid, features=config.features)
    return ImageEncoder(
        image_size=config.image_size,
        patch_size=config.patch_size,
        width=config.encoder_width,
        depth=config.encoder_depth,
        heads=config.encoder_heads,
        features=config.features,
        joints=config.joint_maps,
    )

"""The value types that pass from room to room and are not geometry (docs/conventions.md)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from farm3d.geometry.camera import Camera
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.skeleton import Skeleton
from farm3d.geometry.skinning import SkinningWeights
from farm3d.ops.sparse_isosurface import ActiveCells
from farm3d.shapes import BoneTransforms, JointAngles, Vectors

AlbedoFn = Callable[[Float[Tensor, "points 3"], Int[Tensor, " points"]], Float[Tensor, "points 3"]]
"""Linear RGB albedo at positions on the category's rest mesh; the second argument says of which image."""


"""Features at positions on the category's rest mesh, the same for all animals."""


@dataclass(frozen=True)
class DirectionalLight:
    """One distant light and a constant term, for one image or a batch.

    `direction` is the unit vector from the surface towards the light, in the camera frame;
    `ambient` and `diffuse` multiply linear albedo; `colour` (linear RGB) tints the distant light, which is
    white where it is `None`.
    """

    direction: Vectors
    ambient: Float[Tensor, "*batch"]
    diffuse: Float[Tensor, "*batch"]
    colour: Float[Tensor, "*batch 3"] | None = None


@dataclass(frozen=True)
class SDFSamples:
    """Points of the object frame with the prior's signed distance (negative inside) and its gradient."""

    points: Float[Tensor, "points 3"]
    values: Float[Tensor, " points"]
    gradients: Float[Tensor, "points 3"]


@dataclass(frozen=True)
class ShapePrior:
    """The category's shape: rest mesh, skeleton estimated from it, skinning weights.

    `samples` are for the SDF's regularisers; `None` where no gradient is asked for. `active_cells` are
    where the surface is, for the extraction after the next step of training. `lost_legs` names the legs that
    the shape lacks and whose bones were put where they would be.
    """

    mesh: Mesh
    skeleton: Skeleton
    skinning_weights: SkinningWeights
    samples: SDFSamples | None = None
    active_cells: ActiveCells | None = None
    lost_legs: tuple[str, ...] = ()


@dataclass(frozen=True)
class ViewpointPrediction:
    """Azimuth hypotheses, one shared elevation and translation, for a batch.

    `azimuths` and `elevation` are in radians; `logits` score the hypotheses: the probability of each
    is their softmax.
    """

    azimuths: Float[Tensor, "images hypotheses"]
    logits: Float[Tensor, "images hypotheses"]
    elevation: Float[Tensor, " images"]
    translation: Float[Tensor, "images 3"]

    @property
    def probabilities(self) -> Float[Tensor, "images hypotheses"]:
        """The probability of each hypothesis."""
        return torch.softmax(self.logits, dim=-1)


@dataclass(frozen=True)
class AnimalPrediction:
    """Everything that the model says of a batch of images.

    `rest_mesh` is the prior's mesh after the instance's deformation, `posed_mesh` the same in the pose
    of the photograph, both in the object frame; `rest_positions` are the prior's own vertices, at which
    `albedo_fn` is evaluated. `hypothesis` is the
    index of the azimuth that `camera` uses.
    """

    rest_positions: Float[Tensor, "vertices 3"]
    rest_mesh: Mesh
    posed_mesh: Mesh
    skeleton: Skeleton
    skinning_weights: SkinningWeights
    joint_angles: JointAngles
    bone_transforms: BoneTransforms
    camera: Camera
    light: DirectionalLight
    albedo_fn: AlbedoFn
    viewpoint: ViewpointPrediction
    hypothesis: Int[Tensor, " images"]


@dataclass(frozen=True)
class RenderBuffers:
    """What the renderer draws; `rgb` is sRGB over black, normals are in the camera frame.

    `rasterized` holds the triangle and barycentrics of each pixel. Entries that were not asked for are
    `None`. `depth` is the distance along the viewing axis (object units), 0 where nothing is drawn.
    """

    mask: Float[Tensor, "images height width 1"]
    rasterized: Float[Tensor, "images height width 4"]
    rgb: Float[Tensor, "images height width 3"] | None = None
    normals: Float[Tensor, "images height width 3"] | None = None
    depth: Float[Tensor, "images height width 1"] | None = None
    rest_positions: Float[Tensor, "images height width 3"] | None = None


@dataclass(frozen=True)
class GroundTruth:
    """The farm's truth for a batch of procedural images, at surface points shared by an individual.

    `canonical_points` are the points' places on the species' mean animal, `rest_points` on the
    individual at rest, `posed_points` in the pose of the image, all in the object frame, as are the posed
    ends of the farm's bones, `joints`.
    """

    world_to_camera: Float[Tensor, "images 4 4"]
    light: DirectionalLight
    canonical_points: Float[Tensor, "images points 3"]
    rest_points: Float[Tensor, "images points 3"]
    posed_points: Float[Tensor, "images points 3"]
    joints: Float[Tensor, "images joints 3"]


@dataclass(frozen=True)
class Batch:
    """Square crops with their masks; `valid` marks the pixels inside the source image.

    `inside_distance` is the distance of a pixel of the mask to the background, `outside_distance` of a
    background pixel to the mask, both as fractions of the image's side. `features` are of patches, 0 where a
    patch does not show the animal.
    """

    images: Float[Tensor, "images height width 3"]
    masks: Float[Tensor, "images height width 1"]
    valid: Float[Tensor, "images height width 1"]
    inside_distance: Float[Tensor, "images height width 1"]
    outside_distance: Float[Tensor, "images height width 1"]
    features: Float[Tensor, "images rows columns channels"] | None = None
    truth: GroundTruth | None = None


@dataclass(frozen=True)
class Segmentation:
    """A mask of the animal in the pixels of the source image, who made it, and what to doubt.

    `confidence`, in [0, 1], is its maker's own, 1 for a mask that was given; `rival_share` is the area of the
    largest other animal in the picture as a fraction of this one's, 0 where none was seen.
    """

    mask: Bool[Tensor, "height width"]
    source: str
    warnings: tuple[str, ...] = ()
    confidence: float = 1.0
    rival_share: float = 0.0

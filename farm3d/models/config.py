"""Sizes of the networks."""

from typing import Literal

from farm3d.config import StrictConfig
from farm3d.fields.sdf_field import InitialShape


class ModelConfig(StrictConfig):
    """Sizes of the networks and of the category's lattice."""

    image_size: int = 128
    backbone: Literal["small", "dino"] = "small"
    """What sees the image: a transformer of the sizes below that is trained, or a frozen DINO ViT-S/8."""
    patch_size: int = 16
    encoder_width: int = 192
    encoder_depth: int = 8
    encoder_heads: int = 6
    features: int = 128
    """Length of the feature vector that every head reads."""
    width: int = 128
    """Width of the heads and of the coordinate networks."""
    initial_shape: InitialShape = "ellipsoid"
    """What the category's shape starts from (`initial_sdf`)."""
    sdf_layers: int = 5
    sdf_harmonics: int = 8
    deformation_layers: int = 3
    deformation_harmonics: int = 4
    albedo_layers: int = 5
    albedo_harmonics: int = 8
    feature_channels: int = 0
    """Channels of the category's feature field; 0 for none, as where training never sees features."""
    feature_layers: int = 5
    feature_harmonics: int = 8
    articulation_depth: int = 3
    articulation_heads: int = 4
    articulation_gain: float = 0.5
    joint_maps: bool = False
    """Whether the small backbone also says where joints are seen, which it learns from the farm's truth."""
    second_looks: int = 0
    """How often the animal is drawn, held against the mask and corrected, which the truth teaches last."""
    translation_range: tuple[float, float, float] = (0.443, 0.443, 3.5)
    """Largest |translation| (object units); the public 1.108 in depth is too little for crops whose
    scale follows the mask (docs/method.md, "Viewpoint")."""
    grid_resolution: int = 128
    skinning_temperature: float = 0.05
    viewpoint: Literal["hypotheses", "direct"] = "hypotheses"
    """Four azimuths with scores, or one alone, to show what the four are good for."""

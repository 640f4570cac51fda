"""The configuration of a training run: composed here from the parts' own configs."""

from typing import Literal

from farm3d.config import StrictConfig
from farm3d.losses.objective import LossWeights
from farm3d.models.animal_model import ModelConfig
from farm3d.schedule import Constant, Schedule


class TrainConfig(StrictConfig):
    """A run of farm3d-train. Every step number counts optimiser steps from the start."""

    category: str
    shoulder_height_metres: float
    """Height at the withers of a typical adult, for exports in metres."""
    supervision: Literal["truth"] = "truth"
    """What training learns from: the procedural farm's truth (cameras, light, surface points)."""
    model: ModelConfig = ModelConfig()
    weights: LossWeights = LossWeights()
    steps: int = 8000
    prior_steps: int = 1500
    """The first steps fit the signed distance field alone; then the category's shape is fixed."""
    batch_size: int = 16
    sdf_points: int = 4096
    truth_points: int = 256
    render_images: int = 4
    """Images of each batch that are rendered for the mask and colour terms."""
    render_size: int = 64
    learning_rate: Schedule = Constant(3e-4)
    """Of the encoder and the heads."""
    field_learning_rate: Schedule = Constant(1e-3)
    """Of the coordinate networks: signed distance, deformation, albedo."""
    gradient_clip: float = 1.0
    """Largest norm of the gradient."""
    seed: int = 0
    checkpoint_every: int = 500
    keep_every: int = 5000
    """Checkpoints at multiples of this step are kept besides the last two."""
    log_every: int = 20
    picture_every: int = 1000

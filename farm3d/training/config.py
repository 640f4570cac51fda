"""The configuration of a training run: composed here from the parts' own configs."""

from typing import Literal

from farm3d.config import StrictConfig
from farm3d.losses.objective import LossWeights
from farm3d.models.config import ModelConfig
from farm3d.schedule import Constant, Schedule, Steps, ramp
from farm3d.training.guidance import GuidanceConfig
from farm3d.training.precision import Precision


class ImageTraining(StrictConfig):
    """What changes over the steps of training from images: MagicPony's values for horses (docs/method.md)."""

    sharpness: Schedule = ramp(1.0, 100.0, start=1000, end=100_000)
    """Of the softmax over hypotheses."""
    uniform_share: Schedule = ramp(1.0, 0.0, start=2000, end=4000)
    """Of equal chances for all hypotheses, mixed with that softmax."""
    best_share: Schedule = ramp(0.0, 0.8, start=6000, end=7600)
    """Of the images that are seen under their most probable hypothesis."""
    shape_from: int = 0
    """Until then the category's shape stays what it starts as, while viewpoints are learned."""
    articulation_from: int = 10_000
    deformation_from: int = 90_000
    grid_resolution: Schedule = Steps(steps=((0, 128.0), (100_000, 256.0)))
    score_size: int = 0
    """Pixels a side at which all hypotheses of an image are scored; 0 scores the one that is rendered."""
    feature_score_factor: Schedule = Constant(50.0)
    """How much more features count in the loss that hypotheses are scored by."""
    eikonal_points: int = 5000
    """Anywhere, and as many near the surface."""
    jitter: float = 0.5
    """Largest shift of the lattice at each step, in cells."""


class TrainConfig(StrictConfig):
    """A run of farm3d-train. Every step number counts optimiser steps from the start."""

    category: str
    shoulder_height_metres: float
    """Height at the withers of a typical adult, for exports in metres."""
    supervision: Literal["truth", "images"] = "truth"
    """What training learns from: the procedural farm's truth (cameras, light, surface points), or images,
    masks and features alone."""
    images: ImageTraining = ImageTraining()
    """Where training learns from images alone."""
    guidance: GuidanceConfig = GuidanceConfig()
    """There, too: virtual views, judged by a diffusion model; `weights.distillation` says how much."""
    model: ModelConfig = ModelConfig()
    dino_weights: str | None = None
    """Of the backbone `dino`, a file or a hub's repository: for a run's start, checkpoints hold them."""
    initial_checkpoint: str | None = None
    """A shipped category, a file or a run whose parameters a new run starts from."""
    weights: LossWeights = LossWeights()
    steps: int = 8000
    prior_steps: int = 1500
    """With truth, the first steps fit the signed distance field alone; then the category's shape is fixed."""
    joint_steps: int = 0
    """With truth, the steps before the last `look_steps` learn the joint maps alone and render nothing."""
    look_steps: int = 0
    """With truth, the last steps learn the model's second looks alone, on the images that are rendered."""
    batch_size: int = 16
    """Images of an optimiser step, over all processes and accumulated parts."""
    accumulate: int = 1
    """Parts that each process takes one after another, where its share of a batch does not fit its memory."""
    sdf_points: int = 4096
    truth_points: int = 256
    render_images: int = 4
    """With truth, images of each batch that are rendered for the mask and colour terms."""
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
    precision: Precision = "float32"
    """Of the encoder and the heads; geometry, fields and rendering are in single precision always."""
    ema_decay: float = 0.0
    """With a number below 1 checkpoints also hold the parameters' moving average, which is what is used."""
    load_workers: int = 1
    """Threads of each process that load what comes next."""
    cache_gigabytes: float = 1.0
    """Memory of each process for decoded samples."""

    @property
    def looks_from(self) -> int:
        """The first of the steps in which second looks learn."""
        return self.steps - self.look_steps

    @property
    def joints_from(self) -> int:
        """The first of the steps in which joint maps learn alone."""
        return self.looks_from - self.joint_steps

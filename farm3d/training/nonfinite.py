"""The batch of a step that came to no number, saved to be looked at."""

from pathlib import Path

from farm3d.data.image_folder import ImageDataSet
from farm3d.errors import InputError
from farm3d.io.checkpoint import write_checkpoint
from farm3d.training.batches import whole_batch
from farm3d.training.config import TrainConfig


def save_batch(config: TrainConfig, data: ImageDataSet, run: Path, *, step: int) -> str:
    """Write the step's whole batch to `run`; returns the words for the message, also where that fails.

    A safetensors file: images and masks, what the encoder saw of them, and features; the samples' ids are
    in its metadata. The batch is loaded again, for it is a function of seed and step.
    """
    if config.supervision == "truth" and step < config.prior_steps:
        return (
            "no images are involved yet, so the settings are to blame: a smaller field_learning_rate may do"
        )
    portion = whole_batch(config, data, step)
    images, masks = portion.inputs
    tensors = {
        "images": portion.batch.images,
        "masks": portion.batch.masks,
        "input_images": images,
        "input_masks": masks,
    }
    if portion.batch.features is not None:
        tensors["features"] = portion.batch.features
    path = run / f"nonfinite_step_{step:06d}.safetensors"
    try:
        write_checkpoint(path, tensors, {"step": step, "samples": list(portion.ids)})
    except InputError as error:
        return f"its batch is not saved: {error}"
    return f"its batch is in {path}"

"""farm3d from Python: `farm3d.load_model`, `farm3d.reconstruct` (docs/quickstart.md)."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, UInt8

from farm3d.errors import ConfigError, InputError
from farm3d.inference.animal import Animal
from farm3d.inference.any_species import AnySpecies
from farm3d.inference.reconstructor import Reconstructor, find_checkpoint
from farm3d.inference.refine import RefineConfig
from farm3d.io.image import SourceImage, read_image
from farm3d.models.build import load_trained
from farm3d.pretrained.segmentation import segment
from farm3d.types import Segmentation

Picture = str | Path | UInt8[np.ndarray, "height width 3"]
Mask = str | Path | Bool[np.ndarray, "height width"] | UInt8[np.ndarray, "height width"]


def load_model(name_or_path: str | Path | None = None) -> Reconstructor | AnySpecies:
    """A model by name: a category that ships (`"horse"`), a checkpoint's file, a run's folder or a hub id.

    Without a name it is all that ship: each photograph chooses its own. Raises CheckpointError where there is
    none.
    """
    if name_or_path is None:
        return AnySpecies()
    return Reconstructor(load_trained(find_checkpoint(str(name_or_path))))


def reconstruct(
    image: Picture,
    *,
    model: Reconstructor | AnySpecies | str | Path | None = None,
    mask: Mask | None = None,
    refine: int | None = None,
) -> Animal:
    """The animal in a photograph: a file, or sRGB pixels.

    `model` is a loaded one or what `load_model` takes. `mask` marks the animal; without one it is taken from
    the photograph's transparency, from `NAME_mask.png` beside it, or from the network that ships. `refine`
    is the number of steps of test-time optimisation (default: `RefineConfig`'s; 0: none). Raises a
    Farm3DError for an image or a mask that cannot be used.
    """
    if refine is not None and (not isinstance(refine, int) or refine < 0):
        raise ConfigError(f"refine={refine}: give a number of steps, 0 or more")
    reconstructor = model if isinstance(model, Reconstructor | AnySpecies) else _loaded(model)
    path = Path("image") if isinstance(image, np.ndarray) else Path(image)
    source = _of_pixels(image, path.stem) if isinstance(image, np.ndarray) else read_image(path)
    refinement = RefineConfig() if refine is None else RefineConfig(steps=refine)
    segmentation = _segmentation(source, path, mask, category=reconstructor.category)
    return reconstructor.animal(source, segmentation, name=source.stem, refinement=refinement)


@lru_cache(maxsize=1)
def _loaded(name: str | Path | None) -> Reconstructor | AnySpecies:
    """The model of the last call, so that a loop over photographs loads it once."""
    return load_model(name)


def _of_pixels(pixels: np.ndarray, name: str) -> SourceImage:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InputError(
            f"the image is {pixels.dtype}, {pixels.shape}; give sRGB pixels, uint8, height x width x 3"
        )
    return SourceImage(pixels, None, name)


def _segmentation(
    source: SourceImage, path: Path, mask: Mask | None, *, category: str | None
) -> Segmentation:
    if mask is None:
        return segment(source, path, category=category)
    if not isinstance(mask, np.ndarray):
        return segment(source, path, category=category, mask_path=mask)
    if mask.shape != source.pixels.shape[:2]:
        raise InputError(f"the mask is {mask.shape}, the image {source.pixels.shape[:2]} (height, width)")
    marked = mask > mask.max() / 2
    if not marked.any():
        raise InputError("the mask is empty: it marks no pixel as the animal's")
    return Segmentation(torch.from_numpy(marked), "file")

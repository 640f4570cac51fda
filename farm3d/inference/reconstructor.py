"""A category's model, ready to turn photographs into animals; on the hub, in a folder, or as it ships."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import ModelCard, ModelCardData, ModelHubMixin
from torch import Tensor

from farm3d.errors import CheckpointError, InputError
from farm3d.inference.animal import Animal
from farm3d.inference.reconstruct import agreement, reconstruct
from farm3d.inference.refine import RefineConfig
from farm3d.io.checkpoint import in_half_precision, write_checkpoint
from farm3d.io.image import SourceImage
from farm3d.io.texture_atlas import TextureAtlas, unwrap
from farm3d.models.build import TrainedModel, load_trained, shipped_categories, shipped_checkpoint
from farm3d.pretrained.hub import CHECKPOINT_FILE, fetch_checkpoint, is_hub_id
from farm3d.types import Segmentation

CARD = """---
{{ card_data }}
---

# farm3d: {{ category }}

A model of [farm3d](https://arxiv.org/abs/2304.10535): one photograph of a {{ category }} in, a rigged,
textured, animatable 3D model out.

```python
import farm3d

animal = farm3d.reconstruct("photo.jpg", model="OWNER/NAME")
animal.export("results/photo")
```
"""


class Reconstructor(
    ModelHubMixin, library_name="farm3d", pipeline_tag="image-to-3d", model_card_template=CARD
):
    """A trained model with its category's shape and atlas.

    `save_pretrained`, `from_pretrained` and `push_to_hub` are those of huggingface_hub's mixin; what they
    write and read is a farm3d checkpoint, `model.safetensors`.
    """

    _hub_mixin_config: dict[str, Any] = {}  # noqa: RUF012 (as the mixin declares it)
    """Set, so that the mixin does not copy the model into its config.json; `_save_pretrained` writes that."""

    def __init__(self, trained: TrainedModel) -> None:
        self.trained = trained
        with torch.no_grad():
            self.prior = trained.model.prior()

    @property
    def category(self) -> str:
        """The animal that it knows."""
        return self.trained.category

    @property
    def sha256s(self) -> Mapping[str, str]:
        """Its checkpoint's, by the animal that it knows."""
        return {self.category: self.trained.sha256}

    @cached_property
    def atlas(self) -> TextureAtlas:
        """The atlas that the textures of all animals of this model share."""
        return unwrap(self.prior.mesh)

    def animal(
        self, source: SourceImage, segmentation: Segmentation, *, name: str, refinement: RefineConfig
    ) -> Animal:
        """The animal in a photograph where `segmentation` says it is. Raises InputError for an empty mask."""
        fit = reconstruct(
            self.trained.model, self.prior, source.pixels, segmentation=segmentation, refinement=refinement
        )
        return Animal(name, source, self.trained, fit, fit.refined, fit.refined, self.atlas)

    def agreement(self, source: SourceImage, segmentation: Segmentation) -> float:
        """How well the animal that it reads fits the mask: an IoU. Raises InputError for an empty mask."""
        return agreement(self.trained.model, self.prior, source.pixels, segmentation=segmentation)

    def save_pretrained(self, save_directory: str | Path, **options: Any) -> str | None:
        """Write the model to a folder; see `ModelHubMixin.save_pretrained`.

        Raises InputError where a file has the folder's name.
        """
        if Path(save_directory).is_file():
            raise InputError(f"{save_directory}: a file; give a folder to write the model to")
        return super().save_pretrained(save_directory, **options)

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write the checkpoint, in half precision where that loses nothing, so that files stay small."""
        tensors = self.trained.model.state_dict()
        half = in_half_precision(tensors)
        kept = half if _equal(half, tensors) else tensors
        write_checkpoint(save_directory / CHECKPOINT_FILE, kept, self.trained.metadata)
        config = json.dumps({"category": self.trained.category}, indent=1)
        (save_directory / "config.json").write_text(f"{config}\n", encoding="utf-8")

    @classmethod
    def _from_pretrained(
        cls,
        *,
        model_id: str,
        revision: str | None,
        cache_dir: str | Path | None,
        force_download: bool,
        local_files_only: bool,
        token: str | bool | None,
        **model_kwargs: Any,
    ) -> "Reconstructor":
        """Read a folder that `save_pretrained` or training wrote, or a repository of the hub.

        `model_kwargs` are what config.json says; the checkpoint says it too.
        """
        if Path(model_id).exists():
            return cls(load_trained(Path(model_id)))
        file = fetch_checkpoint(
            model_id,
            revision=revision,
            cache_dir=cache_dir,
            force_download=force_download,
            local_files_only=local_files_only,
            token=token,
        )
        return cls(load_trained(file))

    def generate_model_card(self, *args: Any, **kwargs: Any) -> ModelCard:
        """The README of the model's repository."""
        data = ModelCardData(library_name="farm3d", pipeline_tag="image-to-3d", tags=[self.trained.category])
        return ModelCard.from_template(data, template_str=CARD, category=self.trained.category)


def find_checkpoint(checkpoint: str | None, category: str | None = None) -> Path:
    """The file or folder that `checkpoint` names, that of a hub's repository, or the category's shipped one.

    Raises CheckpointError where there is none, ConfigError for a category that does not ship.
    """
    if checkpoint is None or checkpoint in shipped_categories():
        return shipped_checkpoint(checkpoint or category)
    path = Path(checkpoint)
    if path.exists():
        return path
    if is_hub_id(checkpoint):
        return fetch_checkpoint(checkpoint)
    raise CheckpointError(
        f"{checkpoint}: no such file or folder, and not a repository of the hub (OWNER/NAME)"
    )


def _equal(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    return all(torch.equal(first[name].to(second[name].dtype), second[name]) for name in second)

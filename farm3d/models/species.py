"""Which species an animal is of: a small convolutional classifier of the crop and its mask. Ours.

It chooses the model where several ship; it learns from the procedural farm's pictures alone.
"""

from collections.abc import Mapping, Sequence
from importlib import resources
from itertools import pairwise
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from farm3d.errors import CheckpointError
from farm3d.io.checkpoint import load_into, read_checkpoint
from farm3d.ops.conv_block import conv_block

IMAGE_SIZE = 64
WIDTHS = (24, 48, 64, 96, 128)
SHIPPED_FILE = "any_species.safetensors"


class SpeciesClassifier(nn.Module):
    """Crops of `IMAGE_SIZE` pixels and their masks in, a score for each of `species` out; 207,000 parameters.

    What is outside the mask is grey, as for the encoder: a meadow says nothing of the animal.
    """

    def __init__(self, species: Sequence[str]) -> None:
        super().__init__()
        self.species = tuple(species)
        layers = [conv_block(*channels, stride=2) for channels in pairwise((4, *WIDTHS))]
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.scores = nn.Linear(WIDTHS[-1], len(self.species))

    def forward(
        self, images: Float[Tensor, "images height width 3"], masks: Float[Tensor, "images height width 1"]
    ) -> Float[Tensor, "images species"]:
        """The scores (logits) of sRGB crops in [0, 1]."""
        channels = torch.cat([(2.0 * images - 1.0) * masks, 2.0 * masks - 1.0], dim=-1).permute(0, 3, 1, 2)
        return self.scores(self.body(channels))

    def probabilities(
        self, images: Float[Tensor, "1 height width 3"], masks: Float[Tensor, "1 height width 1"]
    ) -> Mapping[str, float]:
        """How probable each species is in a picture, the mean over it and its mirror image; largest first."""
        both = torch.cat([images, images.flip(2)]), torch.cat([masks, masks.flip(2)])
        with torch.no_grad():
            found = torch.softmax(self(*both), dim=-1).mean(dim=0).tolist()
        named = zip(self.species, found, strict=True)
        return dict(sorted(named, key=lambda entry: -entry[1]))


def load_species_classifier(path: Path | None = None) -> SpeciesClassifier:
    """The classifier of a file that `farm3d-train --species` wrote; by default the one that ships.

    Raises CheckpointError where there is none or where it is something else.
    """
    file = path or Path(str(resources.files("farm3d.checkpoints") / SHIPPED_FILE))
    checkpoint = read_checkpoint(file)
    species = checkpoint.metadata.get("species")
    if not isinstance(species, list) or not species:
        raise CheckpointError(f"{file}: not a classifier of species; farm3d-train --species writes those")
    model = SpeciesClassifier([str(name) for name in species])
    load_into(model, checkpoint.tensors, source=file)
    return model.eval()

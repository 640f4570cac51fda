"""The network that says which pixels are an animal: what GrabCut cannot know. Ours.

It learns from the procedural farm's pictures alone (`training/masks.py`), and ships.
"""

from importlib import resources
from itertools import pairwise
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate, pixel_shuffle

from farm3d.errors import CheckpointError
from farm3d.io.checkpoint import load_into, read_checkpoint
from farm3d.ops.conv_block import ResidualBlock, conv_block

WIDTHS = (24, 48, 72, 96)
"""Channels at a half, a quarter, an eighth and a sixteenth of the picture's size."""

STRIDE = 2 ** len(WIDTHS)
SHIPPED_FILE = "animal_pixels.safetensors"
LEARNED = "animal pixels"
"""What a file's metadata say that it learned."""


class AnimalPixels(nn.Module):
    """Pictures in, a logit for each pixel out: is it an animal's? A U-Net (Ronneberger et al., MICCAI 2015).

    Maps are added on the way up instead of joined; 896,000 parameters. Pictures have sides of whole
    multiples of `STRIDE`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_block(3, WIDTHS[0], stride=2)
        self.down = nn.ModuleList(
            nn.Sequential(conv_block(before, after, stride=2), ResidualBlock(after))
            for before, after in pairwise(WIDTHS)
        )
        self.around = nn.Sequential(ResidualBlock(WIDTHS[-1], spread=2), ResidualBlock(WIDTHS[-1], spread=4))
        self.up = nn.ModuleList(nn.Conv2d(after, before, kernel_size=1) for before, after in pairwise(WIDTHS))
        self.within = nn.ModuleList(ResidualBlock(width) for width in WIDTHS[:-1])
        self.logits = nn.Conv2d(WIDTHS[0], 4, kernel_size=1)

    def forward(self, images: Float[Tensor, "images height width 3"]) -> Float[Tensor, "images height width"]:
        """Logits for sRGB pictures in [0, 1]."""
        maps = [self.stem(2.0 * images.permute(0, 3, 1, 2) - 1.0)]
        for block in self.down:
            maps.append(block(maps[-1]))
        found = self.around(maps.pop())
        for up, within in zip(reversed(self.up), reversed(self.within), strict=True):
            finer = maps.pop()
            found = interpolate(up(found), size=finer.shape[-2:], mode="bilinear", align_corners=False)
            found = within(found + finer)
        return pixel_shuffle(self.logits(found), 2)[:, 0]


def load_animal_pixels(path: Path | None = None) -> AnimalPixels:
    """The network of a file that `farm3d-train --masks` wrote; by default the one that ships.

    Raises CheckpointError where there is none or where it is something else.
    """
    file = path or Path(str(resources.files("farm3d.checkpoints") / SHIPPED_FILE))
    checkpoint = read_checkpoint(file)
    if checkpoint.metadata.get("learned") != LEARNED:
        raise CheckpointError(
            f"{file}: does not tell animals from what is round them; farm3d-train --masks does"
        )
    network = AnimalPixels()
    load_into(network, checkpoint.tensors, source=file)
    return network.eval().requires_grad_(False)

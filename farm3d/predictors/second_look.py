"""What to change of an animal once it is drawn beside the mask: its camera, its bones, its rest shape.

Networks that read an animal off a picture never see what they said; one that is shown the drawing corrects
it, as in iterative error feedback (Carreira et al. 2016, arXiv 1507.06550). It sees masks and geometry and no
colours: photographs differ from the farm's pictures in their colours most. Not part of Farm3D.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from farm3d.ops.conv_block import conv_block
from farm3d.ops.fourier_encoding import encoded_size, fourier_encode
from farm3d.ops.image_layout import sampled_at

PLANES = 8
"""What it is shown of each pixel: the mask; of the drawing the mask, the rest position, the normal."""

CHANNELS, WHOLE = 32, 64
"""Features of a pixel, at half the crop's side, and of the whole comparison."""

NARROW = 12
"""Channels of the coarsest map that the whole is read from."""

HARMONICS, FREQUENCY = 4, 1.5

CAMERA_SCALES = (0.1, 0.1, 0.1, 0.1, 1.0)
"""Of azimuth and elevation (radians), and of the translation (object units)."""

ANGLE_SCALES = (1.0, 0.3, 0.3)
"""Of flexion, and of side bending and twist, of which one view tells least; before tanh."""

OFFSET_SCALE = 0.1
"""Of the offsets of the rest shape (object units)."""


@dataclass(frozen=True)
class Comparison:
    """Drawing against mask: features of every pixel, and of the whole."""

    maps: Float[Tensor, "images channels _ _"]
    whole: Float[Tensor, "images whole"]

    def at(self, places: Float[Tensor, "images points 2"]) -> Float[Tensor, "images points channels"]:
        """The features at places in the image (normalised device coordinates)."""
        return sampled_at(self.maps, places)


class SecondLook(nn.Module):
    """A small U-Net over mask and drawing, and three heads that read it."""

    def __init__(self, *, image_size: int, bones: int) -> None:
        super().__init__()
        sizes = (PLANES, 16, 32, 48, 64, 64)
        self.down = nn.ModuleList(conv_block(before, after, stride=2) for before, after in pairwise(sizes))
        self.up = nn.ModuleList(
            [conv_block(128, 48), conv_block(96, 48), conv_block(80, 32), conv_block(48, CHANNELS)]
        )
        self.narrow = nn.Conv2d(64, NARROW, kernel_size=1)
        self.whole = nn.Sequential(nn.Linear(NARROW * math.ceil(image_size / 32) ** 2, WHOLE), nn.GELU())
        self.camera_head = nn.Linear(WHOLE, len(CAMERA_SCALES))
        self.bone_codes = nn.Parameter(0.1 * torch.randn(bones, 16))
        self.bone_head = _head(3 * CHANNELS + WHOLE + 16 + 8, 128, 3)
        self.surface_head = _head(CHANNELS + encoded_size(3, HARMONICS) + 4, 64, 4)
        for last in (self.camera_head, self.bone_head[-1], self.surface_head[-1]):
            assert isinstance(last, nn.Linear)
            # The first thing that it says is that all is well.
            nn.init.normal_(last.weight, std=1e-3)
            nn.init.zeros_(last.bias)

    def forward(self, planes: Float[Tensor, "images planes height width"]) -> Comparison:
        """Compare; `planes` are `PLANES` of each image."""
        fine = [planes]
        for block in self.down:
            fine.append(block(fine[-1]))
        *_, maps = fine
        whole = self.whole(self.narrow(maps).flatten(1))
        for block, beside in zip(self.up, reversed(fine[1:-1]), strict=True):
            larger = nn.functional.interpolate(
                maps, size=beside.shape[2:], mode="bilinear", align_corners=False
            )
            maps = block(torch.cat([larger, beside], dim=1))
        return Comparison(maps, whole)

    def camera(self, seen: Comparison) -> Float[Tensor, "images 5"]:
        """Changes of azimuth, elevation and translation."""
        change = self.camera_head(seen.whole)
        return change * change.new_tensor(CAMERA_SCALES)

    def bones(
        self,
        seen: Comparison,
        places: Float[Tensor, "images bones 3 2"],
        state: Float[Tensor, "images bones 6"],
    ) -> Float[Tensor, "images bones 3"]:
        """Changes of the angles before tanh.

        `places` are each bone's ends and middle in the image, `state` its direction in the camera frame and
        its angles.
        """
        images, bones = places.shape[:2]
        local = seen.at(places.flatten(1, 2)).unflatten(1, (bones, 3)).flatten(2)
        whole = seen.whole[:, None].expand(-1, bones, -1)
        codes = self.bone_codes.expand(images, -1, -1)
        change = self.bone_head(torch.cat([local, whole, codes, places[:, :, 2], state], dim=-1))
        return change * change.new_tensor(ANGLE_SCALES)

    def surface(
        self,
        seen: Comparison,
        places: Float[Tensor, "images points 2"],
        facing: Float[Tensor, "images points 4"],
        *,
        rest: Float[Tensor, "points 3"],
    ) -> tuple[Float[Tensor, "images points 3"], Float[Tensor, "images points"]]:
        """Offsets of points of the rest shape, and the logarithms of their weights beside mirrored points'.

        `places` are where the points are in the image, `facing` their normals in the camera frame and how far
        they lie behind what is seen there; `rest` are their places at rest, folded to the animal's left.
        """
        code = fourier_encode(rest, HARMONICS, FREQUENCY).expand(places.shape[0], -1, -1)
        said = self.surface_head(torch.cat([seen.at(places), code, facing], dim=-1))
        return OFFSET_SCALE * said[..., :3], said[..., 3]


def _head(before: int, width: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(before, width), nn.GELU(), nn.Linear(width, 64), nn.GELU(), nn.Linear(64, after)
    )

"""Where the joints are in the picture: a map of chances for each, from fine convolutions and patches.

A transformer's patch of 16 pixels is coarser than a leg is wide; maps that are learned pixel by pixel find
legs long before angles do. Not part of Farm3D.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from farm3d.ops.conv_block import ResidualBlock, conv_block

JOINTS = 32
"""Ends of the bones of the farm's animals, all species' alike."""

REACH = 2
"""Pixels around a map's maximum that say where exactly the joint is."""


@dataclass(frozen=True)
class JointReading:
    """Where each joint is seen (normalised device coordinates), and how sure that is, from 0 to 1."""

    places: Float[Tensor, "images joints 2"]
    confidence: Float[Tensor, "images joints"]


class JointMaps(nn.Module):
    """A decoder of the encoder's patches, with finer maps of the crop beside them at every scale."""

    def __init__(self, *, patch_channels: int) -> None:
        super().__init__()
        to_half, to_quarter, to_eighth = (conv_block(*sizes, stride=2) for sizes in pairwise((4, 16, 32, 64)))
        self.fine = nn.ModuleList([to_half, nn.Sequential(*to_quarter, ResidualBlock(32)), to_eighth])
        self.patches = nn.Conv2d(patch_channels, 64, kernel_size=1)
        self.at_eighth, self.at_quarter = _mixed_to(64, before=64 + 64), _mixed_to(64, before=64 + 32)
        self.maps = nn.Conv2d(64, JOINTS, kernel_size=1)

    def forward(
        self, planes: Float[Tensor, "images 4 height width"], patches: Float[Tensor, "images channels _ _"]
    ) -> Float[Tensor, "images joints rows columns"]:
        """Logits of every joint's place, at a quarter of the crop's side."""
        to_half, to_quarter, to_eighth = self.fine
        quarter = to_quarter(to_half(planes))
        eighth = to_eighth(quarter)
        mixed = self.at_eighth(torch.cat([eighth, _as_large_as(self.patches(patches), eighth)], dim=1))
        return self.maps(self.at_quarter(torch.cat([quarter, _as_large_as(mixed, quarter)], dim=1)))


def _mixed_to(after: int, *, before: int) -> nn.Sequential:
    """What mixes two maps: one convolution finds joints less well than several that see farther do."""
    return nn.Sequential(*conv_block(before, after), ResidualBlock(after), ResidualBlock(after, spread=2))


def read_joints(maps: Float[Tensor, "images joints rows columns"]) -> JointReading:
    """The mean place near each map's maximum: two legs that could be the one wanted are not averaged."""
    rows, columns = maps.shape[2:]
    chances = torch.softmax(maps.flatten(2), dim=-1)
    top = chances.argmax(dim=-1)
    grid = _grid(rows, columns).to(maps)
    centre = grid[top]
    near = ((grid[None, None] - centre[:, :, None]).abs() * grid.new_tensor([columns, rows]) / 2.0).amax(-1)
    share = chances * (near < REACH + 0.5)
    total = share.sum(dim=-1)
    return JointReading((share @ grid) / total[..., None], total)


def joint_loss(
    maps: Float[Tensor, "images joints rows columns"], places: Float[Tensor, "images joints 2"]
) -> Float[Tensor, ""]:
    """Cross-entropy with a Gaussian of one pixel about each true place; joints out of sight do not count."""
    rows, columns = maps.shape[2:]
    pixels = (_grid(rows, columns).to(maps) - places[:, :, None]) * maps.new_tensor([columns, rows]) / 2.0
    target = torch.softmax(-0.5 * pixels.square().sum(-1), dim=-1)
    errors = -(target * torch.log_softmax(maps.flatten(2), dim=-1)).sum(-1)
    inside = (places.abs() < 1.0).all(dim=-1)
    return (errors * inside).sum() / inside.sum().clamp_min(1)


def _grid(rows: int, columns: int) -> Float[Tensor, "places 2"]:
    """Centres of the pixels of a map, row by row (normalised device coordinates)."""
    down, right = ((torch.arange(count) + 0.5) * (2.0 / count) - 1.0 for count in (rows, columns))
    return torch.stack([right.expand(rows, -1), down[:, None].expand(-1, columns)], dim=-1).flatten(0, 1)


def _as_large_as(coarse: Tensor, fine: Tensor) -> Tensor:
    """The map enlarged to the size of a finer one."""
    return nn.functional.interpolate(coarse, size=fine.shape[2:], mode="bilinear", align_corners=False)

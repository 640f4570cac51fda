"""The convolution that joint maps, second looks and the classifier of species are built of."""

from torch import nn


def conv_block(before: int, after: int, *, stride: int = 1) -> nn.Sequential:
    """Three by three pixels without bias, group norm by eights, GELU; a stride of 2 halves the map."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.GroupNorm(after // 8, after),
        nn.GELU(),
    )

"""The convolutions that joint maps, second looks, masks and the classifier of species are built of."""

from jaxtyping import Float
from torch import Tensor, nn


def conv_block(before: int, after: int, *, stride: int = 1) -> nn.Sequential:
    """Three by three pixels without bias, group norm by eights, GELU; a stride of 2 halves the map."""
    return nn.Sequential(
        nn.Conv2d(before, after, kernel_size=3, stride=stride, padding=1, bias=False),
        nn.GroupNorm(after // 8, after),
        nn.GELU(),
    )


class ResidualBlock(nn.Module):
    """Two convolutions whose result is added to the map; at first it adds nothing.

    The first takes pixels `spread` apart, so that more of the surroundings is seen at no price.
    """

    def __init__(self, channels: int, *, spread: int = 1) -> None:
        super().__init__()
        self.within = nn.Sequential(
            nn.Conv2d(channels, channels, kernel_size=3, padding=spread, dilation=spread, bias=False),
            nn.GroupNorm(channels // 8, channels),
            nn.GELU(),
            nn.Conv2d(channels, channels, kernel_size=3, padding=1),
        )
        last = self.within[-1]
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, maps: Float[Tensor, "images channels _ _"]) -> Float[Tensor, "images channels _ _"]:
        """The map with what its surroundings add."""
        return maps + self.within(maps)

"""The parameters of Animodel's Chamfer protocol, and what it finds for a pair of meshes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from farm3d.seeding import numpy_rng

RandomStream = Callable[[str], np.random.Generator]
"""The random numbers of a purpose, from their start: every call with the same name gives them again."""


@dataclass(frozen=True)
class ChamferProtocol:
    """The choices that the protocol makes, with the values of the public evaluator's command line.

    `cubes` voxels span the smallest extent; `align_points` of each surface are aligned in at most
    `align_iterations`; distances are between `chamfer_points` of each.
    """

    cubes: int = 100
    align_points: int = 8000
    align_iterations: int = 200
    chamfer_points: int = 60000


@dataclass(frozen=True)
class Distances:
    """Mean distances (units of the target) from each point of one cloud to its nearest in the other."""

    to_reconstruction: float
    to_target: float

    @property
    def chamfer(self) -> float:
        """The mean of both ways; later papers sum them, or square first."""
        return (self.to_reconstruction + self.to_target) / 2.0


def random_stream(seed: int, name: str) -> RandomStream:
    """The random numbers of the pair `name`, whichever process measures it and whatever came before."""
    return lambda purpose: numpy_rng(seed, "chamfer", name, purpose)

"""The shape vocabulary: the axis names that signatures use (conventions: docs/conventions.md).

`*batch` is any number of leading axes. Images are N x H x W x C everywhere but inside the encoder.
"""

from jaxtyping import Float, Int
from torch import Tensor

Points = Float[Tensor, "*batch points 3"]
Vertices = Float[Tensor, "*batch vertices 3"]
Faces = Int[Tensor, "faces 3"]
Vectors = Float[Tensor, "*batch 3"]
Rotations = Float[Tensor, "*batch 3 3"]
Transforms = Float[Tensor, "*batch 4 4"]
Joints = Float[Tensor, "*batch bones 2 3"]
JointAngles = Float[Tensor, "*batch bones 3"]
BoneTransforms = Float[Tensor, "*batch bones 4 4"]
ClipPositions = Float[Tensor, "images vertices 4"]
Images = Float[Tensor, "images height width channels"]
Rasterized = Float[Tensor, "images height width 4"]

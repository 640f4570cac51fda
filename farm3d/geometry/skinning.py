"""Linear blend skinning.

Source: MagicPony (arXiv 2211.12497) section 3.2; docs/method.md, "Articulation".
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from farm3d.shapes import BoneTransforms, Joints, Vertices

MAX_INFLUENCES = 4
"""Bones that may move one vertex: glTF's one set of JOINTS_0 / WEIGHTS_0."""


@dataclass(frozen=True)
class SkinningWeights:
    """At most four bones a vertex; the weights of a vertex sum to one, unused ones are 0 of bone 0."""

    indices: Int[Tensor, "vertices 4"]
    weights: Float[Tensor, "vertices 4"]

    def dense(self, bone_count: int) -> Float[Tensor, "vertices bones"]:
        """The same weights as a vertices x bones matrix."""
        full = self.weights.new_zeros(self.weights.shape[0], bone_count)
        return full.scatter_add_(1, self.indices, self.weights)


def segment_distances(points: Float[Tensor, "points 3"], joints: Joints) -> Float[Tensor, "points bones"]:
    """Distance from every point to every bone segment."""
    start, along = joints[:, 0], joints[:, 1] - joints[:, 0]
    offset = points[:, None] - start
    length_squared = along.square().sum(-1).clamp_min(1e-12)
    fraction = ((offset * along).sum(-1) / length_squared).clamp(0.0, 1.0)
    return (offset - fraction[..., None] * along).norm(dim=-1)


def distance_skinning_weights(
    vertices: Float[Tensor, "vertices 3"],
    joints: Joints,
    temperature: float,
    *,
    farther: Float[Tensor, "vertices bones"] | float = 0.0,
) -> SkinningWeights:
    """`softmax(-distance / temperature)` over the bones, the four largest kept and normalised.

    `farther` is added to the distances.
    """
    logits = -(segment_distances(vertices, joints) + farther) / temperature
    count = min(MAX_INFLUENCES, joints.shape[0])
    values, indices = torch.topk(logits, count, dim=-1)
    weights = torch.softmax(values, dim=-1)
    padding = (0, MAX_INFLUENCES - count)
    return SkinningWeights(
        torch.nn.functional.pad(indices, padding), torch.nn.functional.pad(weights, padding)
    )


def skin(vertices: Vertices, transforms: BoneTransforms, weights: SkinningWeights) -> Vertices:
    """Move vertices with the weighted mean of their bones' transforms: `v' = sum_b w_b G_b v`."""
    bone_count = transforms.shape[-3]
    blended = weights.dense(bone_count) @ transforms[..., :3, :].flatten(-2)
    matrix = blended.unflatten(-1, (3, 4))
    return (matrix[..., :3] @ vertices.unsqueeze(-1)).squeeze(-1) + matrix[..., 3]

"""Articulation: the angles of every bone, from the image where the bone is seen.

Source: MagicPony (arXiv 2211.12497) section 3.2 and supplementary; docs/method.md, "Articulation".
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from farm3d.geometry.camera import CAMERA_DISTANCE, Camera, project_to_ndc, to_camera
from farm3d.geometry.skeleton import Skeleton
from farm3d.ops.fourier_encoding import encoded_size, fourier_encode
from farm3d.ops.image_layout import sampled_at
from farm3d.predictors.image_encoder import EncodedImages
from farm3d.shapes import JointAngles, Joints

CODE_HARMONICS, CODE_FREQUENCY = 8, 0.9 * math.pi
CODE_SIZE = 9


class ArticulationPredictor(nn.Module):
    """A small transformer over the bones of one image.

    A bone's token holds the image's feature vector, the patch feature at its projected midpoint and a
    code of where it is. Angles are `tanh(gain * out) * limit`.
    """

    def __init__(
        self, *, features: int, patch_channels: int, width: int, depth: int, heads: int, gain: float
    ) -> None:
        super().__init__()
        self.gain = gain
        inputs = features + patch_channels + encoded_size(CODE_SIZE, CODE_HARMONICS)
        self.embed = nn.Sequential(nn.Linear(inputs, width), nn.GELU(), nn.LayerNorm(width))
        self.blocks = nn.Sequential(
            *(
                nn.TransformerEncoderLayer(
                    width, heads, 2 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
                )
                for _ in range(depth)
            )
        )
        self.angles = nn.Linear(width, 3)
        # Training starts at the rest pose: a random pose would bend the first gradients of every other part.
        nn.init.normal_(self.angles.weight, std=1e-3)
        nn.init.zeros_(self.angles.bias)

    def forward(self, encoded: EncodedImages, skeleton: Skeleton, camera: Camera) -> JointAngles:
        """Angles (radians) of the bones of a batch; no gradient reaches the camera or the bones' places."""
        joints = skeleton.rest_joints.detach()
        seen = Camera(camera.world_to_camera.detach(), camera.field_of_view)
        midpoints = project_to_ndc(seen, joints.mean(dim=-2))
        # Of places that are no numbers the codes below tell; here torch's backward pass would read anywhere.
        local = sampled_at(encoded.patches, midpoints.nan_to_num(nan=0.0))
        whole = encoded.features[:, None].expand(-1, joints.shape[1], -1)
        code = fourier_encode(_bone_codes(joints, midpoints, seen), CODE_HARMONICS, CODE_FREQUENCY)
        tokens = self.blocks(self.embed(torch.cat([whole, local, code], dim=-1)))
        return torch.tanh(self.gain * self.angles(tokens)) * skeleton.angle_limits


def _bone_codes(
    joints: Joints, midpoints: Float[Tensor, "images bones 2"], camera: Camera
) -> Float[Tensor, "images bones 9"]:
    """Where each bone is: midpoint in the image, ends in the camera frame scaled to about +-1, its number."""
    ends = to_camera(camera, joints.flatten(1, 2))
    ends = (ends + ends.new_tensor([0.0, 0.0, CAMERA_DISTANCE])) * (2.0 / 7.0)
    bone_count = joints.shape[1]
    number = (torch.arange(bone_count, device=joints.device) + 0.5) / bone_count * 2.0 - 1.0
    number = number.to(joints.dtype)[None, :, None].expand(joints.shape[0], -1, -1)
    return torch.cat([midpoints, ends.unflatten(1, (bone_count, 2)).flatten(2), number], dim=-1)

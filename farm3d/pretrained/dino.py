"""DINO: what each patch of a picture shows, as the keys of a vision transformer that no label has taught.

Sources: Caron et al., "Emerging Properties in Self-Supervised Vision Transformers" (ICCV 2021, arXiv
2104.14294) for network and weights; Amir et al., "Deep ViT Features as Dense Visual Descriptors" (arXiv
2112.05814) for the keys of the last layer and overlapping patches; timm's implementation.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from farm3d.errors import CheckpointError, ConfigError, MissingDependencyError
from farm3d.io.checkpoint import load_into
from farm3d.pretrained.hub import fetch_checkpoint, is_hub_id
from farm3d.pretrained.network_weights import read_tensors
from farm3d.shapes import Images

ARCHITECTURE = "vit_small_patch8_224"
PATCH = 8
WIDTH = 384
TRAINED_TOKENS = 1 + 28 * 28
STRIDES = (8, 4)
IMAGE_SIZE = 256
"""Pixels a side that a crop is brought to: 32 x 32 patches."""

ADVICE = (
    "give --dino-weights FILE (dino_deitsmall8_pretrain.pth from github.com/facebookresearch/dino),"
    " or --dino-weights timm/vit_small_patch8_224.dino for the hub"
)

PatchMap = Float[Tensor, "images features rows columns"]

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""ImageNet's, with which DINO was trained. MagicPony's encoder feeds the same network colours in [-1, 1];
its keys are compared with each other, or read by what learned to, so what the weights know best is right."""


class DinoBackbone(nn.Module):
    """The frozen transformer for pictures of one size: what every patch shows, as tokens and as keys.

    Whoever makes it fills it with weights. Raises ConfigError for a size that is no multiple of 8.
    """

    def __init__(self, image_size: int, stride: int = PATCH) -> None:
        super().__init__()
        import timm

        if image_size % PATCH or image_size <= 0:
            raise ConfigError(f"DINO reads pictures of a multiple of {PATCH} pixels a side, not {image_size}")
        self.image_size = image_size
        self.grid = (image_size - PATCH) // stride + 1
        network: Any = timm.create_model(ARCHITECTURE, pretrained=False, num_classes=0, img_size=image_size)
        network.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.grid**2, WIDTH))
        network.patch_embed.proj.stride = (stride, stride)
        self.network = network
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "DinoBackbone":
        """Stay as it is: nothing in it is trained."""
        return super().train(False)

    def forward(self, images: Images) -> tuple[PatchMap, PatchMap]:
        """Tokens after the final norm and keys of the last layer, one map each, without the class token.

        `images` are square sRGB in [0, 1]. The keys are the heads' one after the other. Both come from one
        pass; no gradients.
        """
        taken: list[Tensor] = []
        qkv = self.network.blocks[-1].attn.qkv
        hook = qkv.register_forward_hook(lambda _, inputs, output: taken.append(output))
        try:
            with torch.no_grad():
                tokens = self.network.forward_features(_normalised(images, self.image_size))
        finally:
            hook.remove()
        (queries_keys_values,) = taken
        return self._map(tokens), self._map(queries_keys_values[..., WIDTH : 2 * WIDTH])

    def _map(self, tokens: Float[Tensor, "images tokens features"]) -> PatchMap:
        return tokens[:, 1:].transpose(1, 2).unflatten(2, (self.grid, self.grid))


@dataclass(frozen=True)
class DinoKeys:
    """DINO ViT-S/8 with its weights, which gives keys every `stride` pixels of a picture."""

    backbone: DinoBackbone
    stride: int
    weights_hash: str
    device: torch.device

    @property
    def grid(self) -> int:
        """Patches a side."""
        return self.backbone.grid

    def keys(self, images: Images) -> Float[Tensor, "images rows columns key"]:
        """Unit vectors of length 384, without the class token's.

        `images` are sRGB in [0, 1], square, of any size. Patch (i, j) is centred on pixel (stride * i + 4,
        stride * j + 4) of the picture brought to the backbone's size. On the CPU pictures go through one by
        one, so that none depends on its neighbours. Not differentiable.
        """
        batch = 1 if self.device.type == "cpu" else len(images)
        with torch.inference_mode():
            parts = [self.backbone(part.to(self.device))[1] for part in images.split(max(1, batch))]
        return functional.normalize(torch.cat(parts).float(), dim=1).permute(0, 2, 3, 1).cpu()


def load_dino(
    weights: Path | str | None, device: torch.device, *, stride: int = PATCH, image_size: int = IMAGE_SIZE
) -> DinoKeys:
    """DINO ViT-S/8 with the weights of a file (DINO's own .pth or safetensors) or a hub's repository.

    Raises MissingDependencyError where none are given, CheckpointError where they cannot be had or do not
    fit, ConfigError for a stride other than 8 and 4 or a size that is no multiple of 8.
    """
    if stride not in STRIDES:
        raise ConfigError(f"DINO's stride is 8 pixels, or 4 with overlapping patches, not {stride}")
    backbone, file = DinoBackbone(image_size, stride), _weights_file(weights)
    _fill(backbone, read_tensors(file), file=file, stride=stride)
    with file.open("rb") as stream:
        weights_hash = hashlib.file_digest(stream, "sha256").hexdigest()
    return DinoKeys(backbone.to(device), stride, weights_hash, device)


def _weights_file(weights: Path | str | None) -> Path:
    if weights is None:
        raise MissingDependencyError(f"DINO's weights are not here; {ADVICE}")
    if Path(weights).exists():
        return Path(weights)
    if not is_hub_id(str(weights)):
        raise CheckpointError(f"{weights}: no such weights file; {ADVICE}")
    try:
        return fetch_checkpoint(str(weights))
    except CheckpointError as error:
        raise CheckpointError(f"{error}; {ADVICE}") from None


def _fill(backbone: DinoBackbone, tensors: dict[str, Tensor], *, file: Path, stride: int) -> None:
    """Copy the weights of a file, its positions brought to the backbone's patches."""
    positions = tensors.get("pos_embed")
    if positions is None or positions.shape != (1, TRAINED_TOKENS, WIDTH):
        raise CheckpointError(f"{file}: not the weights of DINO ViT-S/8 (pos_embed is missing or another's)")
    resampled = resample_positions(positions, stride=stride, image_size=backbone.image_size)
    load_into(backbone.network, tensors | {"pos_embed": resampled}, source=file)


def resample_positions(
    positions: Float[Tensor, "1 tokens width"], *, stride: int, image_size: int
) -> Float[Tensor, "1 new_tokens width"]:
    """Position embeddings (class token first) at the centres of patches every `stride` pixels, bicubic.

    The picture of any size fills the square that the weights were trained on, so a patch that stands at
    the same place for two strides has the same embedding for both.
    """
    side = round((positions.shape[1] - 1) ** 0.5)
    centres = torch.arange(0, image_size - PATCH + 1, stride) + PATCH / 2
    places = 2.0 * centres / image_size - 1.0
    grid = torch.stack(torch.meshgrid(places, places, indexing="xy"), dim=-1)[None]
    table = positions[:, 1:].transpose(1, 2).unflatten(2, (side, side))
    sampled = functional.grid_sample(
        table, grid.to(table), mode="bicubic", padding_mode="border", align_corners=False
    )
    return torch.cat([positions[:, :1], sampled.flatten(2).transpose(1, 2)], dim=1)


def _normalised(images: Images, size: int) -> Float[Tensor, "images 3 size size"]:
    channels_first = images.permute(0, 3, 1, 2)
    if channels_first.shape[-2:] != (size, size):
        channels_first = functional.interpolate(
            channels_first, (size, size), mode="bilinear", align_corners=False, antialias=True
        )
    mean, deviation = (images.new_tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
    return (channels_first - mean) / deviation

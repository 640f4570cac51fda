"""The encoder over a frozen DINO: its head alone learns, and the background counts for nothing."""

import pytest
import torch
from torch import Tensor

from farm3d.errors import ConfigError
from farm3d.models.animal_model import AnimalModel
from farm3d.models.config import ModelConfig
from farm3d.predictors.dino_encoder import DinoEncoder
from farm3d.pretrained.dino import WIDTH, DinoBackbone

SIZE, FEATURES = 64, 16


@pytest.fixture(scope="module")
def encoder() -> DinoEncoder:
    torch.manual_seed(0)
    backbone = DinoBackbone(SIZE)
    return DinoEncoder(backbone, width=WIDTH, side=backbone.grid, features=FEATURES)


def crops(images: int = 2) -> tuple[Tensor, Tensor]:
    colors = torch.rand(images, SIZE, SIZE, 3, generator=torch.Generator().manual_seed(1))
    masks = torch.zeros(images, SIZE, SIZE, 1)
    masks[:, 16:48, 8:56] = 1.0
    return colors, masks


def test_one_feature_vector_an_image_and_the_keys_of_its_patches(encoder: DinoEncoder) -> None:
    colors, masks = crops()
    encoded = encoder(colors, masks)
    assert encoded.features.shape == (2, FEATURES)
    assert encoded.patches.shape == (2, WIDTH, SIZE // 8, SIZE // 8)
    _, keys = encoder.backbone(torch.where(masks > 0, colors, torch.tensor(0.5)))
    torch.testing.assert_close(encoded.patches, keys)


def test_the_background_changes_nothing_and_the_animal_does(encoder: DinoEncoder) -> None:
    colors, masks = crops()
    base = encoder(colors, masks).features
    other = torch.where(masks > 0, colors, torch.rand_like(colors))
    assert torch.equal(encoder(other, masks).features, base)
    assert not torch.allclose(encoder(1.0 - colors, masks).features, base, atol=1e-3)


def test_the_head_reads_tokens_and_keys(encoder: DinoEncoder) -> None:
    first = encoder.head[0]
    assert isinstance(first, torch.nn.Conv2d) and first.in_channels == 2 * WIDTH
    encoder(*crops()).features.sum().backward()
    assert first.weight.grad is not None
    tokens, keys = first.weight.grad[:, :WIDTH], first.weight.grad[:, WIDTH:]
    assert bool(tokens.any()) and bool(keys.any())


def test_the_backbone_is_frozen(encoder: DinoEncoder) -> None:
    encoder.train()
    assert not encoder.backbone.training and encoder.head.training
    colors, masks = crops()
    encoded = encoder(colors.requires_grad_(), masks)
    encoded.features.sum().backward()
    assert colors.grad is None and not encoded.patches.requires_grad
    assert not any(p.requires_grad or p.grad is not None for p in encoder.backbone.parameters())
    encoder.eval()


def test_the_paper_s_head_halves_the_map_three_times() -> None:
    """384 + 384 channels at 32 x 32 patches, 256 from then on; the weights of the four convolutions."""
    with torch.device("meta"):
        model = AnimalModel(ModelConfig(image_size=256, backbone="dino", features=256, width=256))
    assert isinstance(model.encoder, DinoEncoder)
    shapes = [tuple(p.shape) for p in model.encoder.head.parameters() if p.dim() == 4]
    assert shapes == [(256, 768, 4, 4)] + [(256, 256, 4, 4)] * 3
    assert model.articulation.embed[0].in_features == 256 + WIDTH + 153  # type: ignore[union-attr]


@pytest.mark.parametrize("size", [100, 96, 260])
def test_sizes_that_no_head_fits_are_refused(size: int) -> None:
    with pytest.raises(ConfigError, match=r"patches a side|multiple of 8"):
        AnimalModel(ModelConfig(image_size=size, backbone="dino"))

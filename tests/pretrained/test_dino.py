"""DINO's keys are the transformer's own, for both strides, whatever file the weights come in."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from farm3d.errors import CheckpointError, ConfigError, Farm3DError, MissingDependencyError
from farm3d.pretrained.dino import ARCHITECTURE, DinoKeys, load_dino, resample_positions
from farm3d.seeding import torch_generator

CPU = torch.device("cpu")
SIZE, HEADS = 64, 6


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """Random weights that are large enough for attention to differ from patch to patch."""
    network = timm.create_model(ARCHITECTURE, pretrained=False, num_classes=0)
    generator = torch_generator(0, "dino")
    return {
        name: value + 0.05 * torch.randn(value.shape, generator=generator)
        for name, value in network.state_dict().items()
    }


@pytest.fixture(scope="module")
def file(weights: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dino") / "dino.safetensors"
    save_file(weights, path)
    return path


@pytest.fixture(scope="module")
def dino(file: Path) -> DinoKeys:
    return load_dino(file, CPU, image_size=SIZE)


def pictures(count: int, size: int = SIZE) -> Tensor:
    return torch.rand(count, size, size, 3, generator=torch_generator(1))


def keys_by_hand(weights: dict[str, Tensor], picture: Tensor, positions: Tensor) -> Tensor:
    """The last block's keys of one picture, from the weights and the formulae of the paper alone."""

    def linear(tokens: Tensor, name: str) -> Tensor:
        return tokens @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(tokens: Tensor, name: str) -> Tensor:
        centred = tokens - tokens.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt()
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    colors = (picture - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    filters = weights["patch_embed.proj.weight"].flatten(1)
    patches = [
        colors[row : row + 8, column : column + 8].permute(2, 0, 1).flatten() @ filters.T
        for row in range(0, SIZE, 8)
        for column in range(0, SIZE, 8)
    ]
    tokens = torch.stack(patches) + weights["patch_embed.proj.bias"]
    tokens = torch.cat([weights["cls_token"][0], tokens]) + positions
    for block in (f"blocks.{k}" for k in range(12)):
        queries, keys, values = linear(norm(tokens, f"{block}.norm1"), f"{block}.attn.qkv").chunk(3, dim=-1)
        if block == "blocks.11":
            break
        mixed = []
        for head in range(HEADS):
            part = slice(64 * head, 64 * head + 64)
            attention = (queries[:, part] @ keys[:, part].T / 8.0).softmax(-1)
            mixed.append(attention @ values[:, part])
        tokens = tokens + linear(torch.cat(mixed, dim=-1), f"{block}.attn.proj")
        hidden = functional.gelu(linear(norm(tokens, f"{block}.norm2"), f"{block}.mlp.fc1"))
        tokens = tokens + linear(hidden, f"{block}.mlp.fc2")
    return (keys[1:] / keys[1:].norm(dim=-1, keepdim=True)).unflatten(0, (SIZE // 8, SIZE // 8))


def test_keys_are_those_of_attention_written_out(dino: DinoKeys, weights: dict[str, Tensor]) -> None:
    (picture,) = pictures(1)
    positions = resample_positions(weights["pos_embed"], stride=8, image_size=SIZE)[0]
    by_hand = keys_by_hand(weights, picture, positions)
    found = dino.keys(picture[None])[0]
    assert found.shape == (8, 8, 384)
    torch.testing.assert_close(found, by_hand, atol=1e-4, rtol=0.0)
    assert found.flatten(0, 1).std(dim=0).max() > 0.01, "patches differ"


def test_strides_agree_where_their_patches_are_the_same(dino: DinoKeys, file: Path) -> None:
    """Until attention mixes them with patches that only the smaller stride has."""
    overlapping = load_dino(file, CPU, stride=4, image_size=SIZE)
    assert (dino.grid, overlapping.grid) == (8, 15)
    assert overlapping.keys(pictures(1)).shape == (1, 15, 15, 384)
    channels_first = pictures(2).permute(0, 3, 1, 2)
    coarse, fine = (
        (
            model.backbone.network.patch_embed(channels_first) + model.backbone.network.pos_embed[:, 1:]
        ).unflatten(1, (model.grid, model.grid))
        for model in (dino, overlapping)
    )
    torch.testing.assert_close(fine[:, ::2, ::2], coarse, atol=1e-5, rtol=0.0)


def test_positions_at_the_size_of_training_stay() -> None:
    positions = torch.randn(1, 1 + 28 * 28, 3, generator=torch_generator(2))
    same = resample_positions(positions, stride=8, image_size=224)
    torch.testing.assert_close(same, positions, atol=1e-5, rtol=0.0)


def test_positions_of_a_plane_stay_a_plane() -> None:
    """Away from the border, to a twentieth of a patch: the bicubic weights are those of DINO's own code."""
    axis = (torch.arange(28) + 0.5) / 28
    rows, columns = torch.meshgrid(axis, axis, indexing="ij")
    positions = torch.cat([torch.zeros(1, 1, 2), torch.stack([rows, columns], -1).reshape(1, -1, 2)], dim=1)
    found = resample_positions(positions, stride=4, image_size=256)[0, 1:].reshape(63, 63, 2)
    centres = (torch.arange(63) * 4 + 4) / 256
    inner = slice(5, -5)
    torch.testing.assert_close(
        found[inner, inner, 0], centres[inner, None].expand(53, 53), atol=2e-3, rtol=0.0
    )
    torch.testing.assert_close(
        found[inner, inner, 1], centres[None, inner].expand(53, 53), atol=2e-3, rtol=0.0
    )


def test_a_picture_does_not_depend_on_its_neighbours(dino: DinoKeys) -> None:
    images = pictures(3)
    together = dino.keys(images)
    assert torch.equal(together[1], dino.keys(images[1:2])[0])
    torch.testing.assert_close(together.norm(dim=-1), torch.ones(3, 8, 8))


def test_pictures_of_another_size_are_brought_to_the_network_s(dino: DinoKeys) -> None:
    large = pictures(1).repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
    cosine = (dino.keys(large) * dino.keys(pictures(1))).sum(-1)
    assert dino.keys(large).shape == (1, 8, 8, 384)
    assert cosine.mean() > 0.7


def test_dino_s_own_file_gives_the_same_keys(
    dino: DinoKeys, weights: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save(weights, tmp_path / "dino_deitsmall8_pretrain.pth")
    other = load_dino(tmp_path / "dino_deitsmall8_pretrain.pth", CPU, image_size=SIZE)
    assert torch.equal(other.keys(pictures(1)), dino.keys(pictures(1)))
    assert other.weights_hash != dino.weights_hash, "the hash is the file's"


class Malice:
    """Runs a command when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("__import__('pathlib').Path('pwned').touch()",)


def test_files_that_do_not_fit_are_one_line(
    weights: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    torch.save({"teacher": Malice()}, tmp_path / "malice.pth")
    (tmp_path / "noise.pth").write_bytes(bytes(range(256)) * 40)
    save_file({name: weights[name] for name in list(weights)[:-1]}, tmp_path / "short.safetensors")
    save_file(weights | {"pos_embed": torch.zeros(1, 197, 384)}, tmp_path / "patch16.safetensors")
    for name, part in (
        ("missing.pth", "no such weights file"),
        ("malice.pth", "damaged"),
        ("noise.pth", "damaged"),
        ("short.safetensors", "missing norm."),
        ("patch16.safetensors", "not the weights of DINO ViT-S/8"),
        ("nobody/no-such-dino", "hub"),
    ):
        with pytest.raises(CheckpointError) as caught:
            load_dino(name, CPU)
        assert name in str(caught.value) and part in str(caught.value)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "pwned").exists()


def test_no_weights_and_wrong_settings_say_what_to_do(file: Path) -> None:
    with pytest.raises(MissingDependencyError, match="--dino-weights FILE"):
        load_dino(None, CPU)
    wrong: list[tuple[dict[str, int], type[Farm3DError]]] = [
        ({"stride": 5}, ConfigError),
        ({"image_size": 100}, ConfigError),
    ]
    for options, error in wrong:
        with pytest.raises(error):
            load_dino(file, CPU, **options)

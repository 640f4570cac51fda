"""The encoder sees the animal and its outline, nothing of the background, one image at a time."""

import torch

from farm3d.predictors.image_encoder import EncodedImages, ImageEncoder

SIZE, PATCH, FEATURES, WIDTH = 64, 16, 8, 24


def encoder() -> ImageEncoder:
    torch.manual_seed(0)
    return ImageEncoder(
        image_size=SIZE, patch_size=PATCH, width=WIDTH, depth=2, heads=2, features=FEATURES
    ).eval()


def crops(images: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    colors = torch.rand(images, SIZE, SIZE, 3, generator=torch.Generator().manual_seed(1))
    masks = torch.zeros(images, SIZE, SIZE, 1)
    masks[:, 16:48, 8:56] = 1.0
    return colors, masks


def encode(colors: torch.Tensor, masks: torch.Tensor) -> EncodedImages:
    with torch.no_grad():
        return encoder()(colors, masks)


def test_one_feature_vector_an_image_and_a_square_map_of_patches() -> None:
    encoded = encode(*crops())
    assert encoded.features.shape == (2, FEATURES)
    assert encoded.patches.shape == (2, WIDTH, SIZE // PATCH, SIZE // PATCH)


def test_the_background_changes_nothing_and_the_animal_does() -> None:
    colors, masks = crops()
    base = encode(colors, masks).features
    other = torch.where(masks > 0, colors, torch.rand_like(colors))
    assert torch.equal(encode(other, masks).features, base)
    assert not torch.allclose(encode(1.0 - colors, masks).features, base, atol=1e-3)


def test_the_outline_counts() -> None:
    colors, masks = crops()
    grey = torch.full_like(colors, 0.5)
    smaller = masks.clone()
    smaller[:, 16:32] = 0.0
    assert not torch.allclose(encode(grey, masks).features, encode(grey, smaller).features, atol=1e-3)


def test_images_do_not_see_each_other() -> None:
    colors, masks = crops()
    together, alone = encode(colors, masks), encode(colors[1:], masks[1:])
    torch.testing.assert_close(together.features[1:], alone.features, rtol=1e-4, atol=1e-5)


def test_patch_tokens_lie_where_the_image_shows_them() -> None:
    """A spot in the lower left corner changes the lower left token most: rows go down, columns right."""
    colors, masks = crops(1)
    masks[:] = 1.0
    spotted = colors.clone()
    spotted[:, -PATCH:, :PATCH] = 1.0 - spotted[:, -PATCH:, :PATCH]
    change = (encode(colors, masks).patches - encode(spotted, masks).patches).norm(dim=1)[0]
    assert divmod(int(change.argmax()), SIZE // PATCH) == (SIZE // PATCH - 1, 0)

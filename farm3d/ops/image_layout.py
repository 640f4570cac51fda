"""Images, channels last, as torch's operators on images take them, and maps looked up at places."""

import torch
from jaxtyping import Float
from torch import Tensor


def channels_first(
    images: Float[Tensor, "images height width channels"],
) -> Float[Tensor, "images channels height width"]:
    """The same memory with the channels' axis moved; masks so that torch takes them for contiguous.

    With one channel both layouts are the same memory. Told by strides that the channels are last, torch's
    pooling picks kernels that work through channels at once, three times slower for one.
    """
    if images.shape[-1] == 1:
        return images.squeeze(-1).unsqueeze(1)
    return images.permute(0, 3, 1, 2)


def sampled_at(
    maps: Float[Tensor, "images channels height width"], places: Float[Tensor, "images points 2"]
) -> Float[Tensor, "images points channels"]:
    """Each image's maps at places in it (normalised device coordinates); beyond the border as on it."""
    found = torch.nn.functional.grid_sample(
        maps, places[:, :, None], align_corners=False, padding_mode="border"
    )
    return found[..., 0].transpose(1, 2)

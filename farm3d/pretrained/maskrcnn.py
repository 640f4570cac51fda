"""Mask R-CNN: torchvision's network and its weights for COCO.

*Source:* He et al., "Mask R-CNN" (ICCV 2017), in torchvision's second version (Li et al. 2021).
"""

import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor, nn

from farm3d.errors import MissingDependencyError
from farm3d.io.checkpoint import load_into
from farm3d.pretrained.instances import Instance
from farm3d.pretrained.network_weights import NetworkWeights
from farm3d.pretrained.segmenter import LONGEST_SIDE, MIN_SCORE, Pixels, resize_to, seen_instance

SHORT_SIDE = 800
"""Shorter side (pixels) to which torchvision brings pictures, in training as here."""

MOST_INSTANCES = 30
TIMEOUT = 20.0
"""Seconds without an answer after which a download is given up."""


@dataclass(frozen=True)
class MaskRCNN:
    """The segmenter with torchvision's Mask R-CNN; `classes` are its labels' names."""

    network: nn.Module
    classes: tuple[str, ...]
    device: torch.device
    name: str = "maskrcnn"

    def instances(self, pixels: Pixels) -> tuple[Instance, ...]:
        """The things in a picture that score at least 0.3, the best first."""
        shown = resize_to(pixels, LONGEST_SIDE, enlarge=False)
        image = torch.from_numpy(shown).to(self.device).permute(2, 0, 1).float() / 255.0
        with torch.inference_mode():
            found: dict[str, Tensor] = self.network([image])[0]
        masks, labels, scores = (found[key].cpu() for key in ("masks", "labels", "scores"))
        return tuple(
            seen_instance(mask[0].numpy(), self.classes[label], score, image_shape=pixels.shape[:2])
            for mask, label, score in zip(masks, labels.tolist(), scores.tolist(), strict=True)
        )


def load_mask_rcnn(
    weights: NetworkWeights, *, device: torch.device, short_side: int = SHORT_SIDE
) -> MaskRCNN:
    """The network with these weights; pictures are shown with their shorter side made `short_side`.

    Raises CheckpointError where the weights do not fit `maskrcnn_resnet50_fpn_v2`.
    """
    from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

    network = maskrcnn_resnet50_fpn_v2(
        weights=None,
        weights_backbone=None,
        min_size=short_side,
        max_size=LONGEST_SIDE,
        box_score_thresh=MIN_SCORE,
        box_detections_per_img=MOST_INSTANCES,
    )
    load_into(network, weights.tensors, source=weights.file)
    classes = tuple(_published().meta["categories"])
    return MaskRCNN(network.eval().to(device), classes, device)


def cached_weights() -> Path:
    """Where torchvision keeps its weights for COCO once they are downloaded; the file need not be there."""
    return Path(torch.hub.get_dir()) / "checkpoints" / _published().url.rpartition("/")[2]


def download_weights() -> Path:
    """torchvision's weights for COCO, from its cache or downloaded into it (177 MB).

    Raises MissingDependencyError where there is no connection.
    """
    file = cached_weights()
    if file.is_file():
        return file
    digest = file.stem.rpartition("-")[2]
    previous = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            _published().url, str(file), hash_prefix=digest, progress=sys.stderr.isatty()
        )
    except (URLError, OSError, RuntimeError) as error:
        raise MissingDependencyError(
            f"Mask R-CNN's weights do not come ({error}); download {_published().url} yourself and give it"
            " as --segmenter-weights FILE, or use --segmenter farm"
        ) from None
    finally:
        socket.setdefaulttimeout(previous)
    return file


def _published() -> Any:
    """torchvision's entry for its weights: where they are and what the labels mean."""
    from torchvision.models.detection import MaskRCNN_ResNet50_FPN_V2_Weights

    return MaskRCNN_ResNet50_FPN_V2_Weights.COCO_V1

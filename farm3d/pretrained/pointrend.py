"""PointRend: detectron2's network with our R50-FPN configuration.

*Source:* Kirillov et al., "PointRend: Image Segmentation as Rendering" (CVPR 2020).
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources, util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from farm3d.errors import MissingDependencyError
from farm3d.io.checkpoint import load_into
from farm3d.pretrained.instances import Instance
from farm3d.pretrained.network_weights import NetworkWeights
from farm3d.pretrained.segmenter import LONGEST_SIDE, MIN_SCORE, Pixels, resize_to, seen_instance

CONFIG = "pointrend_r50_fpn.yaml"
MODEL_ZOO = "https://github.com/facebookresearch/detectron2/tree/main/projects/PointRend"
INSTALL = "pip install --no-build-isolation git+https://github.com/facebookresearch/detectron2.git"
PUBLISHED = (
    "detectron2/PointRend/InstanceSegmentation/pointrend_rcnn_R_50_FPN_3x_coco/164955410/"
    "model_final_edd263.pkl"
)
"""The model zoo's R50-FPN weights, 3x schedule, below its server's root and below detectron2's cache."""

_OLD_NAMES = (
    ("roi_heads.mask_point_head.", "roi_heads.mask_head.point_head."),
    ("roi_heads.mask_coarse_head.", "roi_heads.mask_head.coarse_head."),
    ("coarse_head.coarse_mask_fc", "coarse_head.fc"),
)
_NOT_WEIGHTS = ("pixel_mean", "pixel_std", "proposal_generator.anchor_generator.cell_anchors")
"""Constants that older versions saved, and newer ones take from the configuration."""


@dataclass(frozen=True)
class PointRend:
    """The segmenter with detectron2's PointRend; `classes` are its labels' names."""

    network: nn.Module
    classes: tuple[str, ...]
    short_side: int
    name: str = "pointrend"

    def instances(self, pixels: Pixels) -> tuple[Instance, ...]:
        """The things in a picture that score at least 0.3, the best first."""
        from detectron2.data.transforms import ResizeShortestEdge

        shown = resize_to(pixels, LONGEST_SIDE, enlarge=False)
        blue_first = shown[:, :, ::-1]
        resized = ResizeShortestEdge(self.short_side, LONGEST_SIDE).get_transform(blue_first)
        image = torch.as_tensor(resized.apply_image(blue_first).astype("float32").transpose(2, 0, 1))
        height, width = shown.shape[:2]
        with torch.inference_mode(), _without_notices():
            found = self.network([{"image": image, "height": height, "width": width}])[0]["instances"]
        masks, labels, scores = (
            tensor.cpu() for tensor in (found.pred_masks, found.pred_classes, found.scores)
        )
        return tuple(
            seen_instance(mask.numpy(), self.classes[label], score, image_shape=pixels.shape[:2])
            for mask, label, score in zip(masks, labels.tolist(), scores.tolist(), strict=True)
        )


def is_installed() -> bool:
    """Whether detectron2 is in this environment."""
    return util.find_spec("detectron2") is not None


def load_point_rend(
    weights: NetworkWeights, *, device: torch.device, short_side: int | None = None
) -> PointRend:
    """The network with these weights; pictures are shown with their shorter side made `short_side`.

    Raises MissingDependencyError without detectron2, CheckpointError where the weights do not fit.
    """
    with _without_notices():
        config = _configuration(device)
        from detectron2.data import MetadataCatalog
        from detectron2.modeling import build_model

        network = build_model(config)
        load_into(network, _in_new_names(weights), source=weights.file)
    classes = tuple(MetadataCatalog.get(config.DATASETS.TEST[0]).thing_classes)
    return PointRend(network.eval(), classes, short_side or config.INPUT.MIN_SIZE_TEST)


def cached_weights() -> Path:
    """Where detectron2 keeps the model zoo's weights once they are downloaded; the file need not be there."""
    from iopath.common.file_io import get_cache_dir

    return Path(get_cache_dir()) / PUBLISHED


def missing_library(reason: str = "") -> MissingDependencyError:
    """What to tell somebody who wants PointRend where detectron2 is not installed, or fails to load."""
    state = f"does not load ({reason})" if is_installed() else "is not installed"
    return MissingDependencyError(
        f"--segmenter pointrend: detectron2 {state}; install it from its repository, for PyPI has none"
        f" ({INSTALL}), or use --segmenter maskrcnn"
    )


def missing_weights() -> MissingDependencyError:
    """What to tell somebody who wants PointRend and has no weights."""
    return MissingDependencyError(
        f"--segmenter pointrend needs weights: download an R50-FPN model of {MODEL_ZOO} and give it as"
        " --segmenter-weights FILE"
    )


def _configuration(device: torch.device) -> Any:
    """detectron2's defaults, PointRend's, and ours."""
    try:
        from detectron2.config import get_cfg
        from detectron2.projects.point_rend import add_pointrend_config
    except ImportError as error:
        raise missing_library(str(error)) from None
    config = get_cfg()
    add_pointrend_config(config)
    with resources.as_file(resources.files("farm3d.pretrained") / CONFIG) as file:
        config.merge_from_file(str(file))
    config.MODEL.DEVICE = str(device)
    config.MODEL.ROI_HEADS.SCORE_THRESH_TEST = MIN_SCORE
    return config


@contextmanager
def _without_notices() -> Iterator[None]:
    """Silence on what is no user's business: detectron2's deprecations and its conversion of old names."""
    for name in ("detectron2.projects.point_rend.mask_head", "torch.fx._symbolic_trace"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _in_new_names(weights: NetworkWeights) -> dict[str, Tensor]:
    """The tensors as today's detectron2 names them; the model zoo's oldest files have other names."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in weights.tensors.items():
        for old, new in _OLD_NAMES:
            name = name.replace(old, new)
        if not name.startswith(_NOT_WEIGHTS):
            renamed[name] = tensor
    return renamed

"""Mask R-CNN with random weights on disk: found in torchvision's cache, named by a file, or out of reach."""

import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from farm3d.errors import CheckpointError, ConfigError, MissingDependencyError
from farm3d.io.image import SourceImage, read_image
from farm3d.pretrained import maskrcnn
from farm3d.pretrained.network_weights import read_network_weights
from farm3d.pretrained.segmentation import make_segmenter, segment
from farm3d.pretrained.segmenter import Segmenter, resize_to

HORSE = Path(__file__).parents[2] / "docs/images/horse.jpg"
HORSE_LABEL = 19
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """torchvision's cache with random weights that see horses everywhere, as TORCH_HOME names it."""
    from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

    torch.manual_seed(0)
    network = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None)
    with torch.no_grad():
        classifier = network.roi_heads.box_predictor.cls_score
        classifier.weight.zero_()
        classifier.bias.zero_()[HORSE_LABEL] = 8.0
        # Boxes stay the anchors, and masks fill them: what random heads draw is speckles.
        network.rpn.head.bbox_pred.weight.zero_()
        network.roi_heads.box_predictor.bbox_pred.weight.zero_()
        network.roi_heads.mask_predictor.mask_fcn_logits.weight.zero_()
        network.roi_heads.mask_predictor.mask_fcn_logits.bias.fill_(5.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(tmp_path_factory.mktemp("torch")))
        file = maskrcnn.cached_weights()
        file.parent.mkdir(parents=True)
        torch.save(network.state_dict(), file)
        yield file


@pytest.fixture(scope="module")
def small(cache: Path) -> maskrcnn.MaskRCNN:
    """The network with the cached weights, for pictures of 64 pixels."""
    return maskrcnn.load_mask_rcnn(read_network_weights(cache), device=CPU, short_side=64)


def test_a_real_forward_gives_instances_of_the_pictures_size(small: maskrcnn.MaskRCNN) -> None:
    assert isinstance(small, Segmenter)
    pixels = np.ascontiguousarray(resize_to(read_image(HORSE).pixels, 150, enlarge=False)[:100])
    instances = small.instances(pixels)
    assert 0 < len(instances) <= maskrcnn.MOST_INSTANCES
    for one in instances:
        assert one.mask.shape == pixels.shape[:2]
        assert one.mask.dtype == bool
        assert one.label == "horse"
        assert 0.9 < one.score <= 1.0
    boxes = [np.ptp(np.nonzero(one.mask), axis=1) + 1 for one in instances]
    for one, (height, width) in zip(instances, boxes, strict=True):
        assert one.mask.sum() == pytest.approx(height * width, rel=0.1), "a mask does not fill its box"
    again = small.instances(pixels.copy())
    np.testing.assert_array_equal(np.stack([one.mask for one in again]), [one.mask for one in instances])


def test_masks_of_a_large_picture_are_at_its_own_size(small: maskrcnn.MaskRCNN) -> None:
    pixels = resize_to(read_image(HORSE).pixels, 1500, enlarge=True)
    assert all(one.mask.shape == pixels.shape[:2] for one in small.instances(pixels))


def test_the_category_chooses_and_the_rest_is_named(small: maskrcnn.MaskRCNN) -> None:
    from farm3d.errors import InputError
    from farm3d.pretrained.segmentation import MaskSource

    source = SourceImage(resize_to(read_image(HORSE).pixels, 150, enlarge=False), None, "horse")
    masks = MaskSource("maskrcnn", takes_alpha=False, takes_files=False, maker=small)
    found = segment(source, HORSE, segmenter=masks, category="horse")
    assert found.source == "maskrcnn"
    assert 0.9 < found.confidence <= 1.0
    assert found.mask.any()
    with pytest.raises(InputError, match=r"horse\.jpg: no cow found, but horse; give a mask"):
        segment(source, HORSE, segmenter=masks, category="cow")


def test_auto_takes_what_is_in_the_cache_and_says_so(cache: Path) -> None:
    masks = make_segmenter("auto", device=CPU)
    assert masks.maker is not None and masks.maker.name == "maskrcnn"
    assert masks.notice.endswith(f"maskrcnn (its weights are here: {cache})")
    assert make_segmenter("maskrcnn").maker is not None


def test_weights_by_file_decide_for_auto_and_must_fit_what_is_asked_for(cache: Path, tmp_path: Path) -> None:
    masks = make_segmenter("auto", weights=cache)
    assert masks.maker is not None and masks.maker.name == "maskrcnn"
    with pytest.raises(CheckpointError, match=r"\.pth: weights of maskrcnn; give --segmenter maskrcnn"):
        make_segmenter("pointrend", weights=cache)
    with pytest.raises(ConfigError, match="--segmenter grabcut has no weights"):
        make_segmenter("grabcut", weights=cache)
    tensors = read_network_weights(cache).tensors
    narrow = {name: value for name, value in tensors.items() if not name.startswith("backbone.fpn")}
    torch.save(narrow, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"other\.pth: does not fit the model: missing backbone\.fpn"):
        make_segmenter("maskrcnn", weights=tmp_path / "other.pth")


def test_without_weights_auto_is_what_ships_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("FVCORE_CACHE", str(tmp_path))
    masks = make_segmenter("auto")
    assert masks.notice.endswith("farm (no weights of PointRend or Mask R-CNN are here)")
    assert not list(tmp_path.rglob("*.pth"))


def test_a_download_that_fails_or_hangs_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(maskrcnn, "TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (silent.getsockname()[1], 9):
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
            with pytest.raises(MissingDependencyError, match=r"do not come \(.*--segmenter-weights FILE"):
                make_segmenter("maskrcnn")
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]

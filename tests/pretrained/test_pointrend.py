"""PointRend with random weights, where detectron2 is installed; what is said where it is not."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from farm3d.errors import CheckpointError, MissingDependencyError
from farm3d.io.image import SourceImage, read_image
from farm3d.pretrained import pointrend
from farm3d.pretrained.network_weights import read_network_weights
from farm3d.pretrained.segmentation import MaskSource, make_segmenter, segment
from farm3d.pretrained.segmenter import Segmenter, resize_to

HORSE = Path(__file__).parents[2] / "docs/images/horse.jpg"
HORSE_CLASS = 17
CPU = torch.device("cpu")

needs_detectron2 = pytest.mark.skipif(
    not pointrend.is_installed(), reason="needs detectron2: the PointRend adapter is not run"
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Random weights that see horses everywhere, as detectron2's trainer writes them."""
    from detectron2.modeling import build_model

    torch.manual_seed(0)
    network = build_model(pointrend._configuration(CPU))
    with torch.no_grad():
        classifier = network.roi_heads.box_predictor.cls_score
        classifier.weight.zero_()
        classifier.bias.zero_()[HORSE_CLASS] = 8.0
        # Boxes stay the anchors, and masks fill them: what random heads draw is next to nothing.
        network.proposal_generator.rpn_head.anchor_deltas.weight.zero_()
        network.roi_heads.box_predictor.bbox_pred.weight.zero_()
        for layer in (
            network.roi_heads.mask_head.point_head.predictor,
            network.roi_heads.mask_head.coarse_head.prediction,
        ):
            layer.weight.zero_()
            layer.bias.fill_(5.0)
    file = tmp_path_factory.mktemp("weights") / "model_final.pth"
    torch.save({"model": network.state_dict(), "iteration": 1}, file)
    yield file
    file.unlink()


@needs_detectron2
def test_a_real_forward_gives_instances_of_the_pictures_size(
    weights: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network = pointrend.load_point_rend(read_network_weights(weights), device=CPU, short_side=192)
    assert isinstance(network, Segmenter)
    pixels = np.ascontiguousarray(resize_to(read_image(HORSE).pixels, 300, enlarge=False)[:200])
    instances = network.instances(pixels)
    assert 0 < len(instances) <= 30
    for one in instances:
        assert one.mask.shape == pixels.shape[:2]
        assert one.mask.dtype == bool
        assert one.label == "horse"
        assert 0.9 < one.score <= 1.0
    assert capfd.readouterr().err == "", "other libraries' notices"
    boxes = [np.ptp(np.nonzero(one.mask), axis=1) + 1 for one in instances]
    for one, (height, width) in zip(instances, boxes, strict=True):
        assert one.mask.sum() == pytest.approx(height * width, rel=0.1), "a mask does not fill its box"
    again = network.instances(pixels.copy())
    np.testing.assert_array_equal(np.stack([one.mask for one in again]), [one.mask for one in instances])
    masks = MaskSource("pointrend", takes_alpha=False, takes_files=False, maker=network)
    found = segment(SourceImage(pixels, None, "horse"), HORSE, segmenter=masks, category="horse")
    assert found.source == "pointrend"
    assert found.mask.any()
    assert found.confidence > 0.9


@needs_detectron2
def test_files_of_the_model_zoo_old_and_new_are_the_same_network(weights: Path, tmp_path: Path) -> None:
    """Its `.pkl` hold NumPy arrays; the oldest have other names, and constants that are no weights."""
    tensors = read_network_weights(weights).tensors
    old = {name: tensor.numpy() for name, tensor in tensors.items()}
    for new, former in (
        ("roi_heads.mask_head.point_head.", "roi_heads.mask_point_head."),
        ("roi_heads.mask_head.coarse_head.fc", "roi_heads.mask_head.coarse_head.coarse_mask_fc"),
        ("roi_heads.mask_head.coarse_head.", "roi_heads.mask_coarse_head."),
    ):
        old = {name.replace(new, former): value for name, value in old.items()}
    assert old.keys() != tensors.keys()
    old["pixel_mean"] = np.zeros((3, 1, 1), np.float32)
    old["proposal_generator.anchor_generator.cell_anchors.0"] = np.zeros((3, 4), np.float32)
    with (tmp_path / "zoo.pkl").open("wb") as stream:
        pickle.dump({"model": old, "__author__": "Detectron2 Model Zoo"}, stream)
    network = pointrend.load_point_rend(read_network_weights(tmp_path / "zoo.pkl"), device=CPU).network
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, tensors[name]), name


@needs_detectron2
def test_auto_takes_weights_of_its_kind_and_foreign_ones_are_refused(weights: Path, tmp_path: Path) -> None:
    masks = make_segmenter("auto", weights=weights, device=CPU)
    assert masks.notice.endswith(f"pointrend (by the weights {weights})")
    with pytest.raises(CheckpointError, match=r"\.pth: weights of pointrend; give --segmenter pointrend"):
        make_segmenter("maskrcnn", weights=weights)
    tensors = read_network_weights(weights).tensors
    fewer = {name: tensor for name, tensor in tensors.items() if not name.startswith("backbone.bottom_up")}
    torch.save(fewer, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"other\.pth: does not fit the model: missing backbone"):
        make_segmenter("pointrend", weights=tmp_path / "other.pth")


@needs_detectron2
def test_auto_takes_what_is_in_detectron2s_cache(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FVCORE_CACHE", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="needs weights: download an R50-FPN model"):
        make_segmenter("pointrend")
    file = pointrend.cached_weights()
    file.parent.mkdir(parents=True)
    with file.open("wb") as stream:
        arrays = {name: value.numpy() for name, value in read_network_weights(weights).tensors.items()}
        pickle.dump({"model": arrays, "__author__": "somebody"}, stream)
    assert make_segmenter("auto").notice.endswith(f"pointrend (detectron2 and {file} are here)")
    assert make_segmenter("pointrend").maker is not None


@pytest.mark.skipif(pointrend.is_installed(), reason="detectron2 is installed")
def test_without_detectron2_one_line_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MissingDependencyError, match=r"detectron2 is not installed.*no-build-isolation"):
        make_segmenter("pointrend")
    torch.save({"roi_heads.mask_head.point_head.fc1.weight": torch.zeros(2)}, tmp_path / "p.pth")
    for name in ("pointrend", "auto"):
        with pytest.raises(MissingDependencyError, match="detectron2 is not installed"):
            make_segmenter(name, weights=tmp_path / "p.pth")

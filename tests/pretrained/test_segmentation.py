"""Where a mask comes from, which masks are refused, and what is doubted."""

from pathlib import Path

import numpy as np
import pytest

from farm3d.cli import evaluate_masks, infer
from farm3d.errors import ConfigError, InputError
from farm3d.io.image import SourceImage, read_image, write_png
from farm3d.pretrained.grabcut import MIN_COLOR_SEPARATION, MIN_MAIN_SHARE, Cut, judge
from farm3d.pretrained.segmentation import SEGMENTERS, make_segmenter, segment

HEIGHT, WIDTH = 120, 160


def ellipse(x: float = 80.0, y: float = 60.0, radius_x: float = 45.0, radius_y: float = 25.0) -> np.ndarray:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    return ((columns - x) / radius_x) ** 2 + ((rows - y) / radius_y) ** 2 < 1.0


def photograph(mask: np.ndarray, noise: float = 6.0) -> np.ndarray:
    """A brown thing on a green field with some noise."""
    colors = np.where(mask[..., None], (150.0, 90.0, 50.0), (80.0, 140.0, 60.0))
    noisy = colors + np.random.default_rng(0).normal(0.0, noise, colors.shape)
    return noisy.clip(0, 255).astype(np.uint8)


def saved(folder: Path, mask: np.ndarray, *, alpha: np.ndarray | None = None) -> tuple[SourceImage, Path]:
    pixels = photograph(mask)
    path = folder / "cow.png"
    write_png(path, pixels if alpha is None else np.dstack([pixels, alpha]))
    return read_image(path), path


def iou(mask: np.ndarray, other: np.ndarray) -> float:
    return float((mask & other).sum() / (mask | other).sum())


def test_grabcut_finds_the_thing_on_the_field_and_doubts_nothing(tmp_path: Path) -> None:
    source, path = saved(tmp_path, ellipse())
    segmentation = segment(source, path, segmenter=make_segmenter("grabcut"))
    assert segmentation.source == "grabcut"
    assert segmentation.warnings == ()
    assert iou(segmentation.mask.numpy(), ellipse()) > 0.9


def test_auto_prefers_the_named_file_then_alpha_then_the_file_beside(tmp_path: Path) -> None:
    left, middle, right = (ellipse(x, radius_x=20.0) for x in (40.0, 80.0, 120.0))
    source, path = saved(tmp_path, middle, alpha=(middle * 255).astype(np.uint8))
    opaque = SourceImage(source.pixels, None, source.stem)
    named, beside = tmp_path / "named.png", tmp_path / "cow_mask.png"
    write_png(named, (left * 255).astype(np.uint8))
    write_png(beside, (right * 255).astype(np.uint8))
    for image, mask_path, expected, origin in [
        (source, named, left, "file"),
        (source, None, middle, "alpha"),
        (opaque, None, right, "file"),
    ]:
        segmentation = segment(image, path, mask_path=mask_path)
        np.testing.assert_array_equal(segmentation.mask.numpy(), expected)
        assert segmentation.source == origin
    assert segment(opaque, path, segmenter=make_segmenter("grabcut")).source == "grabcut"
    np.testing.assert_array_equal(segment(source, path, segmenter=make_segmenter("file")).mask.numpy(), right)


def test_what_was_asked_for_and_is_not_there_is_an_input_error(tmp_path: Path) -> None:
    source, path = saved(tmp_path, ellipse())
    with pytest.raises(InputError, match=r"cow\.png: no mask file.*cow_mask\.png"):
        segment(source, path, segmenter=make_segmenter("file"))
    with pytest.raises(InputError, match=r"cow\.png: no transparent pixels"):
        segment(source, path, segmenter=make_segmenter("alpha"))
    with pytest.raises(InputError, match=r"nothing\.png: No such file"):
        segment(source, path, mask_path=tmp_path / "nothing.png")


def test_the_commands_offer_the_segmenters_that_there_are() -> None:
    assert infer.SEGMENTERS == SEGMENTERS
    assert set(evaluate_masks.SEGMENTERS) == set(SEGMENTERS) - {"alpha", "file"}


def test_an_unknown_segmenter_and_a_mask_that_would_not_be_used_are_mistakes(tmp_path: Path) -> None:
    source, path = saved(tmp_path, ellipse())
    with pytest.raises(ConfigError, match="scissors: unknown; use auto, alpha"):
        make_segmenter("scissors")
    with pytest.raises(ConfigError, match=r"cow\.png: --segmenter grabcut uses no mask file"):
        segment(source, path, segmenter=make_segmenter("grabcut"), mask_path=path)


def test_an_empty_mask_and_one_of_another_size_are_refused(tmp_path: Path) -> None:
    source, path = saved(tmp_path, ellipse())
    write_png(tmp_path / "cow_mask.png", np.zeros((HEIGHT, WIDTH), dtype=np.uint8))
    with pytest.raises(InputError, match=r"cow_mask\.png: the mask is empty"):
        segment(source, path)
    write_png(tmp_path / "cow_mask.png", np.full((HEIGHT, WIDTH + 1), 255, dtype=np.uint8))
    with pytest.raises(InputError, match=r"cow_mask\.png: the mask is 161 x 120, its photograph 160 x 120"):
        segment(source, path)


def test_a_picture_in_which_nothing_stands_out_is_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "fog.png", np.full((HEIGHT, WIDTH, 3), 128, dtype=np.uint8))
    for name in ("farm", "grabcut"):
        with pytest.raises(InputError, match=r"fog\.png: no animal found \(nothing (stands out|looks)"):
            segment(read_image(tmp_path / "fog.png"), tmp_path / "fog.png", segmenter=make_segmenter(name))


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (ellipse(radius_x=5.0, radius_y=5.0), "nothing stands out"),
        (ellipse(radius_x=200.0, radius_y=100.0), "covers 100% of the picture"),
        (ellipse(80.0, 100.0, 90.0, 60.0), "touches three borders"),
    ],
)
def test_a_cut_that_is_no_animal_is_refused(mask: np.ndarray, reason: str) -> None:
    with pytest.raises(InputError, match=rf"no animal found \(.*{reason}.*--mask FILE"):
        judge(Cut(mask, color_separation=1.0, main_share=1.0))


@pytest.mark.parametrize(
    ("separation", "main_share", "confidence"),
    [
        (1.0, 1.0, 1.0),
        (0.7, 1.0, 1.0),
        (MIN_COLOR_SEPARATION, 1.0, 0.5),
        (1.0, MIN_MAIN_SHARE, 0.5),
        (0.14, 0.85, 0.2),
        (1.0, 0.2, 0.0),
        (0.0, 1.0, 0.0),
    ],
)
def test_a_cuts_confidence_is_one_half_where_doubts_begin(
    separation: float, main_share: float, confidence: float
) -> None:
    judged = judge(Cut(ellipse(), separation, main_share, rival_share=0.3))
    assert judged.score == pytest.approx(confidence)
    assert (judged.score < 0.5) == bool(judged.doubts) or confidence == 0.5
    assert (judged.label, judged.rival_share) == (None, 0.3)


def test_a_second_thing_on_the_field_is_a_rival(tmp_path: Path) -> None:
    """Two alike, one nearer to the middle: that one is cut out, and the other one's size is told."""
    source, path = saved(tmp_path, ellipse(95.0, radius_x=25.0) | ellipse(28.0, radius_x=20.0))
    segmentation = segment(source, path, segmenter=make_segmenter("grabcut"))
    assert iou(segmentation.mask.numpy(), ellipse(95.0, radius_x=25.0)) > 0.9
    assert segmentation.rival_share == pytest.approx(20 / 25, abs=0.15)
    assert segmentation.confidence < 0.5


def test_of_a_mask_with_several_pieces_a_number_takes_one(tmp_path: Path) -> None:
    small, large = ellipse(30.0, radius_x=15.0), ellipse(110.0, radius_x=35.0)
    source, path = saved(tmp_path, small | large)
    write_png(tmp_path / "cow_mask.png", ((small | large) * 255).astype(np.uint8))
    whole = segment(source, path)
    np.testing.assert_array_equal(whole.mask.numpy(), small | large)
    assert (whole.confidence, whole.rival_share) == (1.0, 0.0)
    second = segment(source, path, number=2)
    np.testing.assert_array_equal(second.mask.numpy(), small)
    assert second.rival_share == pytest.approx(large.sum() / small.sum())
    with pytest.raises(InputError, match=r"cow\.png: --instance 3: the picture has 2 animals"):
        segment(source, path, number=3)


def test_a_doubtful_cut_is_a_warning() -> None:
    mask = ellipse()
    assert judge(Cut(mask, 1.0, 1.0)).doubts == ()
    (blurred,) = judge(Cut(mask, 0.1, 1.0)).doubts
    (scattered,) = judge(Cut(mask, 1.0, 0.5)).doubts
    assert "much like its surroundings'" in blurred
    assert "50% of what stands out lies apart" in scattered


@pytest.mark.parametrize(
    ("mask", "sides"), [(ellipse(20.0), "left"), (ellipse(140.0, 100.0), "right and bottom")]
)
def test_an_animal_that_the_border_cuts_off_is_a_warning(
    tmp_path: Path, mask: np.ndarray, sides: str
) -> None:
    source, path = saved(tmp_path, mask)
    write_png(tmp_path / "cow_mask.png", (mask * 255).astype(np.uint8))
    assert segment(source, path).warnings == (f"the animal is cut off at the {sides} of the picture",)

"""The report of the procedural benchmark: the table, histograms, and pictures from best to worst."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.io.html_report import Table
from farm3d.io.image import read_image, read_mask
from farm3d.io.inputs import mask_beside

from .bootstrap import RelativeDifference
from .keypoint_report import transfer_metrics
from .photograph_pictures import draw_photograph, enlarged
from .procedural import ProceduralScore, Reading, ReadingSummary
from .report import Case, Plot, Provenance, Report, best_median_worst
from .report_figures import histogram, pck_curve, scatter
from .texture_fidelity import SideScore
from .viewpoint import GlobalAlignment, ViewpointScore, align_rotations, rotation_errors_degrees

READINGS = ("predicted", "refined")


@dataclass(frozen=True)
class ProceduralFigures:
    """All that was measured: every picture, the alignment, and the summaries of both readings."""

    scores: Sequence[ProceduralScore]
    alignment: GlobalAlignment
    predicted: ReadingSummary
    refined: ReadingSummary


def procedural_rows(figures: ProceduralFigures) -> Iterator[tuple[str, str, str]]:
    """The table's rows: what is measured, of the networks' readings, and after refinement."""
    pair = (figures.predicted, figures.refined)
    raw, aligned = ([getattr(s, name) for s in pair] for name in ("viewpoint", "aligned_viewpoint"))
    lines: tuple[tuple[str, list[str]], ...] = (
        ("mask IoU", [_decimals(s.iou, 3) for s in pair]),
        ("boundary F-score (0.8 % of the diagonal)", [_decimals(s.boundary_f, 3) for s in pair]),
        *_viewpoint_rows("viewpoint", raw),
        *_viewpoint_rows("aligned viewpoint", aligned),
        ("light's direction, median error (degrees)", [_decimals(s.light_error_degrees, 1) for s in pair]),
        ("size error, median (%)", [_percent(s.size_error) for s in pair]),
        ("aligned size error, median (%)", [_percent(s.aligned_size_error) for s in pair]),
        (
            "keypoint transfer, PCK@0.1, pad 0 (%)",
            [_percent(None if s.keypoints is None else s.keypoints.pck) for s in pair],
        ),
        ("novel views, PSNR (dB, range 1)", [_decimals(s.psnr, 2) for s in pair]),
        ("novel views, SSIM", [_decimals(s.ssim, 3) for s in pair]),
        ("novel views, L1 on the animals", [_decimals(s.masked_l1, 3) for s in pair]),
        ("novel views, mask IoU", [_decimals(s.unseen_iou, 3) for s in pair]),
        ("aligned Chamfer distance, scaled", [_decimals(s.chamfer, 4) for s in pair]),
        ("the same of the unseen side", [_decimals(s.unseen_side, 4) for s in pair]),
        ("Chamfer less the mean shape's (%)", [_difference(s.against_mean_shape) for s in pair]),
        ("its 95 % interval (%)", [_interval(s.against_mean_shape) for s in pair]),
    )
    yield from ((label, values[0], values[1]) for label, values in lines)
    yield from _measure_rows(figures.predicted, figures.refined)
    yield from _texture_rows(figures.scores)


def _measure_rows(predicted: ReadingSummary, refined: ReadingSummary) -> Iterator[tuple[str, str, str]]:
    """Errors of the ratios of measures."""
    for name, after in refined.measures.items():
        before = predicted.measures.get(name)
        label = f"{name.replace('_', ' ')} over shoulder height"
        medians = [None if error is None else error.median for error in (before, after)]
        biases = [None if error is None else error.bias for error in (before, after)]
        yield f"{label}, median error (%)", _percent(medians[0]), _percent(medians[1])
        yield f"{label}, median too much (%)", _percent(biases[0]), _percent(biases[1])


def _texture_rows(scores: Sequence[ProceduralScore]) -> Iterator[tuple[str, str, str]]:
    """Means over the pictures of what each way to colour the refined animal comes to."""
    possible = [score.picture_on_truth for score in scores if score.picture_on_truth is not None]
    if possible:
        yield from _side_rows("picture on the true surface in the true light", possible)
    for name in scores[0].textures:
        found = [score.textures[name] for score in scores]
        for side in ("seen", "unseen"):
            yield from _side_rows(f"{name}: {side} side", [getattr(texture, side) for texture in found])
        yield f"{name}: novel views, PSNR", "-", _decimals(fmean(t.psnr for t in found), 2)


def _side_rows(label: str, sides: Sequence[SideScore]) -> Iterator[tuple[str, str, str]]:
    yield f"{label}, L1", "-", _decimals(fmean(s.l1 for s in sides), 3)
    yield f"{label}, L1, brightness balanced", "-", _decimals(fmean(s.balanced_l1 for s in sides), 3)
    yield f"{label}, SSIM", "-", _decimals(fmean(s.ssim for s in sides), 3)


def procedural_report(figures: ProceduralFigures, *, provenance: Provenance) -> Report:
    """The report of one checkpoint; the pictures must still be there."""
    alignment = figures.alignment
    return Report(
        benchmark="procedural",
        title="Procedural pictures, whose truth is known",
        provenance=provenance,
        metrics={
            "pictures": len(figures.scores),
            "alignment": {"rotation": alignment.rotation.tolist(), "scale": alignment.scale},
            "predicted": _summary_values(figures.predicted),
            "refined": _summary_values(figures.refined),
        },
        rows=_rows(figures),
        tables=(Table("Figures", ("", *READINGS), tuple(procedural_rows(figures))),),
        plots=_plots(figures),
        cases=_cases(figures.scores),
    )


def _summary_values(summary: ReadingSummary) -> dict[str, Any]:
    keypoints = None if summary.keypoints is None else transfer_metrics(summary.keypoints)
    apart = ("keypoints", "measures")
    values = {name: _plain(value) for name, value in vars(summary).items() if name not in apart}
    measures = {name: asdict(error) for name, error in summary.measures.items()}
    return values | {"measures": measures, "keypoint_transfer": keypoints}


def _plain(value: ViewpointScore | RelativeDifference | float | None) -> Any:
    return asdict(value) if isinstance(value, ViewpointScore | RelativeDifference) else value


def _rows(figures: ProceduralFigures) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {
            "name": score.name,
            "true_measures": None if score.measures is None else asdict(score.measures),
            "picture_on_truth": None if score.picture_on_truth is None else asdict(score.picture_on_truth),
            "textures": {name: asdict(t) for name, t in score.textures.items()},
        }
        for score in figures.scores
    ]
    for name in READINGS:
        raw, aligned = (_viewpoint_errors(figures, name, aligned=flag) for flag in (False, True))
        for k, score in enumerate(figures.scores):
            reading: Reading = getattr(score, name)
            rows[k][name] = {
                "iou": reading.mask.iou,
                "boundary_f": reading.mask.boundary_f,
                "viewpoint_error_degrees": raw[k],
                "aligned_viewpoint_error_degrees": aligned[k],
                "light_error_degrees": reading.light_error_degrees,
                "relative_size": reading.size / score.true_size,
                "novel_views": [asdict(view) for view in reading.views],
                "aligned_chamfer_scaled": None if reading.surface is None else reading.surface.chamfer,
                "unseen_side_scaled": None if reading.surface is None else reading.surface.unseen_side,
                "measures": None if reading.measures is None else asdict(reading.measures),
            }
    return rows


def _viewpoint_errors(figures: ProceduralFigures, name: str, *, aligned: bool) -> list[float]:
    rotations = torch.stack([getattr(score, name).rotation for score in figures.scores])
    true = torch.stack([score.true_rotation for score in figures.scores])
    turned = align_rotations(rotations, figures.alignment) if aligned else rotations
    return rotation_errors_degrees(turned, true).tolist()


def _plots(figures: ProceduralFigures) -> tuple[Plot, ...]:
    overlaps = {name: [getattr(s, name).mask.iou for s in figures.scores] for name in READINGS}
    errors = {name: _viewpoint_errors(figures, name, aligned=True) for name in READINGS}
    azimuths, _ = azimuth_elevation(torch.stack([score.true_rotation for score in figures.scores]))
    plots = [
        Plot("iou", "Mask IoU", "Histograms of the mask IoU", histogram(overlaps, label="mask IoU")),
        Plot(
            "viewpoint_errors",
            "Errors of the viewpoint, aligned",
            "Histograms of the aligned viewpoint errors in degrees",
            histogram(errors, label="aligned viewpoint error, degrees"),
        ),
        Plot(
            "error_against_azimuth",
            "Errors of the viewpoint by where the head points (0: into the camera)",
            "The predicted viewpoint's error against the true azimuth",
            _against_azimuth(azimuths, errors["predicted"], "aligned viewpoint error, degrees"),
        ),
    ]
    distances = {
        k: score.refined.surface.chamfer
        for k, score in enumerate(figures.scores)
        if score.refined.surface is not None
    }
    if distances:
        plots.append(
            Plot(
                "chamfer_against_azimuth",
                "Chamfer distance of the refined surfaces by where the head points (0: into the camera)",
                "The scaled Chamfer distance against the true azimuth",
                _against_azimuth(
                    azimuths[list(distances)],
                    list(distances.values()),
                    "aligned Chamfer distance, scaled",
                ),
            )
        )
    curves: Mapping[str, Any] = {
        name: score.keypoints.curve
        for name, score in zip(READINGS, (figures.predicted, figures.refined), strict=True)
        if score.keypoints is not None
    }
    if curves:
        plots.append(Plot("pck", "PCK of keypoint transfer", "PCK against its threshold", pck_curve(curves)))
    return tuple(plots)


def _against_azimuth(azimuths: Tensor, values: Sequence[Any], label: str) -> bytes:
    return scatter(
        torch.rad2deg(azimuths).tolist(),
        values,
        labels=("true azimuth, degrees", label),
        ticks=(-180.0, -90.0, 0.0, 90.0, 180.0),
    )


def _cases(scores: Sequence[ProceduralScore]) -> dict[str, list[Case]]:
    chosen = best_median_worst([score.refined.mask.iou for score in scores], largest_is_best=True)
    return {
        f"The {heading} pictures by refined IoU": [_case(scores[index]) for index in indices]
        for heading, indices in chosen.items()
    }


def _case(score: ProceduralScore) -> Case:
    pixels, _ = enlarged(read_image(score.image).pixels)
    file = mask_beside(score.image)
    mask = None if file is None else _resized(read_mask(file), pixels)
    return Case(
        f"{score.name}: IoU {score.predicted.mask.iou:.3f}, refined {score.refined.mask.iou:.3f}",
        f"{score.name} with the refined silhouette's outline in orange, the mask's in white",
        draw_photograph(pixels, silhouette=_resized(score.refined.silhouette, pixels), mask=mask),
    )


def _resized(mask: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """A mask at the size of the picture."""
    return cv2.resize(mask.astype(np.uint8), pixels.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0


def _viewpoint_rows(name: str, scores: Sequence[ViewpointScore | None]) -> Iterator[tuple[str, list[str]]]:
    yield (
        f"{name}, median error (degrees)",
        [_decimals(None if s is None else s.median_degrees, 1) for s in scores],
    )
    yield (
        f"{name}, within 30 degrees (%)",
        [_percent(None if s is None else s.within_30_degrees) for s in scores],
    )
    yield (
        f"{name}, front/back confused (%)",
        [_percent(None if s is None else s.front_back_confused) for s in scores],
    )


def _difference(found: RelativeDifference | None) -> str:
    return "-" if found is None else f"{100 * found.share:+.1f}"


def _interval(found: RelativeDifference | None) -> str:
    return "-" if found is None else f"{100 * found.interval.low:+.1f} to {100 * found.interval.high:+.1f}"


def _decimals(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"

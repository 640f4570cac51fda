"""A reconstruction as files: the result folder of docs/results.md."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from farm3d.errors import ConfigError
from farm3d.geometry.clip import Clip
from farm3d.geometry.mesh import Mesh
from farm3d.inference.clips import standard_clips
from farm3d.inference.description import describe, facts
from farm3d.inference.reconstruct import Reconstruction
from farm3d.inference.rig import rigged_glb, single_skeleton, world_scale
from farm3d.inference.texture import bake
from farm3d.inference.videos import FRAMES_PER_SECOND, clip_frames, relight_frames, turntable_frames
from farm3d.io.gltf import WorldScale
from farm3d.io.html_report import Figure, ReportContent, report_html
from farm3d.io.image import encode_png, write_png
from farm3d.io.mesh_files import write_obj
from farm3d.io.video import write_mp4
from farm3d.models.build import TrainedModel

Pixels = UInt8[np.ndarray, "height width 3"]

REPORT_SIDE = 640
"""Longest side (pixels) of the pictures inside the report."""


@dataclass(frozen=True)
class ExportOptions:
    """What is written beside the files that every result has; `clip` is a clip of the result or one's own."""

    relight: bool = False
    animate: bool = False
    clip: str | Clip = "walk"


@dataclass(frozen=True)
class Stopwatch:
    """Seconds per named stage, in the order in which they began."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to the stage's."""
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started


@dataclass(frozen=True)
class _Parts:
    """What several files of one result share."""

    glb: bytes
    overlay: Pixels
    clips: tuple[Clip, ...]
    scale: WorldScale
    videos: tuple[str, ...]


def write_result(
    folder: Path,
    name: str,
    result: Reconstruction,
    *,
    pixels: Pixels,
    trained: TrainedModel,
    options: ExportOptions,
    stopwatch: Stopwatch,
) -> None:
    """Write all files of the result called `name` into the empty `folder`."""
    parts = _write_model(folder, result, pixels, trained=trained, options=options, stopwatch=stopwatch)
    with stopwatch.stage("pictures"):
        write_png(folder / "mask.png", result.segmentation.mask.numpy().astype(np.uint8) * 255)
        write_png(folder / "silhouette.png", result.silhouette.astype(np.uint8) * 255)
        write_png(folder / "overlay.png", parts.overlay)
    with stopwatch.stage("report"):
        description = describe(result, trained=trained, scale=parts.scale, clips=parts.clips)
        _write_json(folder / "prediction.json", description)
        page = _report(name, result, pixels, parts=parts, description=description)
        (folder / "report.html").write_text(page, encoding="utf-8")
    _write_json(folder / "timings.json", {k: round(v, 3) for k, v in stopwatch.seconds.items()})


def chosen_clip(clip: str | Clip, clips: tuple[Clip, ...]) -> Clip:
    """The clip of that name; raises ConfigError naming those that there are."""
    if isinstance(clip, Clip):
        return clip
    named = {candidate.name: candidate for candidate in clips}
    if clip not in named:
        raise ConfigError(f"--clip {clip}: no such clip; there are {', '.join(named)}, or give a .json file")
    return named[clip]


def _write_model(
    folder: Path,
    result: Reconstruction,
    pixels: Pixels,
    *,
    trained: TrainedModel,
    options: ExportOptions,
    stopwatch: Stopwatch,
) -> _Parts:
    """The meshes and videos."""
    prediction = result.refined
    clips: tuple[Clip, ...] = standard_clips(single_skeleton(prediction))
    played = chosen_clip(options.clip, clips)
    if isinstance(options.clip, Clip):
        clips = (*clips, played)
    with stopwatch.stage("texture"):
        texture = bake(prediction)
    with stopwatch.stage("rig"):
        scale = world_scale(prediction, trained.shoulder_height_metres)
        glb = rigged_glb(prediction, texture, clips=clips, scale=scale)
        (folder / "animal.glb").write_bytes(glb)
        write_obj(folder / "posed.obj", Mesh(prediction.posed_mesh.vertices[0], prediction.posed_mesh.faces))
    sources = {"turntable.mp4": turntable_frames(prediction, texture)}
    if options.relight:
        sources["relight.mp4"] = relight_frames(prediction, texture)
    if options.animate:
        sources["animate.mp4"] = clip_frames(prediction, texture, played)
    for name, frames in sources.items():
        with stopwatch.stage(name):
            write_mp4(folder / name, frames, frames_per_second=FRAMES_PER_SECOND)
    return _Parts(glb, draw_overlay(pixels, result), clips, scale, tuple(sources))


def draw_overlay(pixels: Pixels, result: Reconstruction) -> Pixels:
    """The photograph with the rendered silhouette tinted and both outlines: mask white, silhouette orange."""
    tinted = pixels.astype(np.float32)
    tinted[result.silhouette] = 0.55 * tinted[result.silhouette] + 0.45 * np.array([240.0, 140.0, 40.0])
    canvas = np.ascontiguousarray(tinted.round().astype(np.uint8))
    width = max(1, round(max(pixels.shape) / 400))
    outlined = ((result.segmentation.mask.numpy(), (255, 255, 255)), (result.silhouette, (240, 140, 40)))
    for mask, color in outlined:
        contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(canvas, contours, -1, color, width, cv2.LINE_AA)
    return canvas


def _report(
    name: str, result: Reconstruction, pixels: Pixels, *, parts: _Parts, description: dict[str, Any]
) -> str:
    mask = np.repeat(result.segmentation.mask.numpy().astype(np.uint8)[..., None] * 255, 3, axis=-1)
    figures = (
        Figure("Photograph", f"The photograph of the {description['category']}", _small_png(pixels)),
        Figure("Mask", "White where the animal was found, black elsewhere", _small_png(mask)),
        Figure(
            "Overlay",
            "The photograph, the reconstruction's silhouette in orange over it, the mask outlined in white",
            _small_png(parts.overlay),
        ),
    )
    files = ("animal.glb", "posed.obj", "prediction.json", *parts.videos)
    return report_html(
        ReportContent(
            title=name,
            figures=figures,
            glb=parts.glb,
            hypothesis_probabilities=tuple(description["hypotheses"]["probabilities"]),
            hypothesis_azimuths_degrees=tuple(description["hypotheses"]["azimuths_degrees"]),
            facts=facts(result, description),
            downloads=tuple((file, file) for file in files),
            warnings=result.segmentation.warnings,
        )
    )


def _small_png(pixels: Pixels) -> bytes:
    factor = min(1.0, REPORT_SIDE / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
    return encode_png(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if factor < 1.0 else pixels)


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", encoding="utf-8")

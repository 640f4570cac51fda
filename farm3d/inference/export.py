"""A reconstruction as files: the result folder of docs/results.md."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from farm3d.geometry.clip import Clip
from farm3d.inference.animal import Animal
from farm3d.inference.blend_videos import blend_frames
from farm3d.inference.description import describe, facts
from farm3d.inference.edit import PARTS
from farm3d.inference.film import Film, film_frames
from farm3d.inference.other_files import FILES as OTHER_FILES
from farm3d.inference.other_files import write_other_files
from farm3d.inference.reconstruct import Reconstruction
from farm3d.inference.relight import ChosenLight
from farm3d.inference.rig import rigged_glb
from farm3d.inference.stopwatch import Stopwatch
from farm3d.inference.videos import (
    FRAMES_PER_SECOND,
    FrameSource,
    clip_frames,
    relight_frames,
    turntable_frames,
)
from farm3d.io.html_report import Figure, PhotographView, ReportContent, report_html
from farm3d.io.image import encode_png, write_png
from farm3d.io.video import write_mp4
from farm3d.types import AnimalPrediction

Pixels = UInt8[np.ndarray, "height width 3"]

FILM_VIDEO, STRIP = "film.mp4", "relight.png"
REPORT_SIDE = 640
"""Longest side (pixels) of the pictures inside the report."""


@dataclass(frozen=True)
class ExportOptions:
    """What is written beside the files that every result has; `clip` is a clip of the result or one's own.

    With `blend_with` there are videos of the way from the animal to that one, part by part. `relight` is a
    video and a strip, in which `lights` take the place of a day's. `keep_photograph` is for pictures that
    were drawn, so that nobody has them yet.
    """

    turntable: bool = True
    relight: bool = False
    lights: tuple[ChosenLight, ...] = ()
    animate: bool = False
    clip: str | Clip = "walk"
    blend_with: Animal | None = None
    keep_photograph: bool = False


@dataclass(frozen=True)
class _Parts:
    """What several files of one result share."""

    glb: bytes
    overlay: Pixels
    clips: tuple[Clip, ...]
    videos: tuple[str, ...]


def write_result(
    folder: Path, animal: Animal, *, options: ExportOptions, stopwatch: Stopwatch, film: Film | None = None
) -> None:
    """Write all files of an animal, and those of its `film`, into the empty `folder`."""
    parts = _write_model(folder, animal, options=options, stopwatch=stopwatch, film=film)
    with stopwatch.stage("pictures"):
        write_png(folder / "mask.png", animal.fit.segmentation.mask.numpy().astype(np.uint8) * 255)
        write_png(folder / "silhouette.png", animal.fit.silhouette.astype(np.uint8) * 255)
        write_png(folder / "overlay.png", parts.overlay)
        if options.relight or options.lights:
            animal.relight(folder / STRIP, *options.lights)
        if options.keep_photograph:
            write_png(folder / "photograph.png", animal.source.pixels)
    with stopwatch.stage("report"):
        description = describe(animal, parts.clips, film)
        _write_json(folder / "prediction.json", description)
        (folder / "report.html").write_text(_report(animal, parts, description), encoding="utf-8")
    _write_json(folder / "timings.json", {k: round(v, 3) for k, v in stopwatch.seconds.items()})


def _write_model(
    folder: Path, animal: Animal, *, options: ExportOptions, stopwatch: Stopwatch, film: Film | None
) -> _Parts:
    """The meshes and videos."""
    prediction, scale = animal.prediction, animal.scale
    clips = animal.all_clips
    played = animal.clip_called(options.clip)
    if played.name not in {clip.name for clip in clips}:
        clips = (*clips, played)
    with stopwatch.stage("texture"):
        texture = animal.texture
    with stopwatch.stage("rig"):
        glb = rigged_glb(prediction, texture, clips=clips, scale=scale)
        (folder / "animal.glb").write_bytes(glb)
        write_other_files(folder, prediction, texture)
    videos = _videos(animal, options, played)
    for name, frames in videos.items():
        with stopwatch.stage(name):
            write_mp4(folder / name, frames, frames_per_second=FRAMES_PER_SECOND)
    if film is not None:
        with stopwatch.stage(FILM_VIDEO):
            write_mp4(folder / FILM_VIDEO, film_frames(film), frames_per_second=film.frame_rate)
    names = (*videos, *([FILM_VIDEO] if film is not None else []))
    return _Parts(glb, draw_overlay(animal.source.pixels, animal.fit), clips, names)


def _videos(animal: Animal, options: ExportOptions, played: Clip) -> dict[str, FrameSource]:
    """The videos that are wanted, by their files' names."""
    prediction, texture = animal.prediction, animal.texture
    videos = {}
    if options.turntable:
        videos["turntable.mp4"] = turntable_frames(prediction, texture)
    if options.relight:
        videos["relight.mp4"] = relight_frames(prediction, texture)
    if options.animate:
        videos["animate.mp4"] = clip_frames(prediction, texture, played)
    if options.blend_with is not None:
        videos |= {f"blend_{part}.mp4": blend_frames(animal, options.blend_with, part) for part in PARTS}
    return videos


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


def _report(animal: Animal, parts: _Parts, description: dict[str, Any]) -> str:
    mask = np.repeat(animal.fit.segmentation.mask.numpy().astype(np.uint8)[..., None] * 255, 3, axis=-1)
    figures = (
        Figure(
            "Photograph", f"The photograph of the {description['category']}", _small_png(animal.source.pixels)
        ),
        Figure("Mask", "White where the animal was found, black elsewhere", _small_png(mask)),
        Figure(
            "Overlay",
            "The photograph, the reconstruction's silhouette in orange over it, the mask outlined in white",
            _small_png(parts.overlay),
        ),
    )
    files = ("animal.glb", *OTHER_FILES, "prediction.json", *parts.videos)
    return report_html(
        ReportContent(
            title=animal.name,
            figures=figures,
            glb=parts.glb,
            hypothesis_probabilities=tuple(description["hypotheses"]["probabilities"]),
            hypothesis_azimuths_degrees=tuple(description["hypotheses"]["azimuths_degrees"]),
            chosen_hypothesis=description["hypotheses"]["chosen"],
            facts=facts(animal, description),
            downloads=tuple((file, file) for file in files),
            warnings=animal.fit.segmentation.warnings,
            photograph_view=_photograph_view(animal.prediction),
        )
    )


def _photograph_view(prediction: AnimalPrediction) -> PhotographView:
    """Where the photograph's camera and light stand about the animal, for the report's 3D view."""
    camera = prediction.camera.world_to_camera[0].double()
    rotation, light = camera[:3, :3], prediction.light
    return PhotographView(
        *_azimuth_elevation(-rotation.T @ camera[:3, 3]),
        *_azimuth_elevation(rotation.T @ light.direction[0].double()),
        ambience=round(float(light.ambient[0]), 4),
        strength=round(float(light.diffuse[0]), 4),
    )


def _azimuth_elevation(direction: Float[Tensor, "3"]) -> tuple[float, float]:
    """Degrees about the vertical axis from +z towards +x, and above the ground."""
    x, y, z = direction.tolist()
    return round(math.degrees(math.atan2(x, z)), 2), round(math.degrees(math.atan2(y, math.hypot(x, z))), 2)


def _small_png(pixels: Pixels) -> bytes:
    factor = min(1.0, REPORT_SIDE / max(pixels.shape[:2]))
    size = (max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor)))
    return encode_png(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if factor < 1.0 else pixels)


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", encoding="utf-8")

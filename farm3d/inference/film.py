"""A film of one animal: one shape and one coat for all frames, and the motion as a clip."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from farm3d.data.transforms import batch_of_crops, crop_box, crop_image, place_in_image
from farm3d.errors import InputError
from farm3d.geometry.camera import Camera
from farm3d.geometry.clip import Clip
from farm3d.geometry.mesh import Mesh
from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.inference.animal import Animal
from farm3d.inference.any_species import AnySpecies
from farm3d.inference.film_tracking import CHUNK, Track, track
from farm3d.inference.reconstruct import intersection_over_union
from farm3d.inference.reconstructor import Reconstructor
from farm3d.inference.refine import RefineConfig
from farm3d.inference.videos import SIZE, FrameSource, draw_frames
from farm3d.io.image import SourceImage
from farm3d.io.inputs import list_input_images
from farm3d.io.video_frames import folder_frames, video_frames
from farm3d.render.mesh_renderer import render_mask
from farm3d.render.shading import light_of
from farm3d.types import Segmentation

FRAME_RATE = 12.0
"""Frames a second that are taken from a video, and that a folder's frames are held to have."""

CLIP_NAME = "film"
ORANGE = np.array([240.0, 140.0, 40.0])

Watch = Callable[[Iterable[Any], str], Any]
"""Passes on what it is given, telling someone how far it is; the text says what is being done."""


def unwatched(things: Iterable[Any], doing: str) -> Iterable[Any]:
    """The things, with nobody told."""
    return things


@dataclass(frozen=True)
class Frame:
    """One frame of a film, its place in its second, and where the animal is."""

    path: Path
    number: int
    source: SourceImage
    segmentation: Segmentation
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class Film:
    """An animal with its motion through the frames in which it was found.

    `animal` is that of frame `reference`, whose clip `film` holds the track's angles.
    """

    animal: Animal
    frames: tuple[Frame, ...]
    reference: int
    frame_rate: float
    track: Track


def read_frames(path: Path, frame_rate: float) -> Iterator[tuple[Path, SourceImage]]:
    """The frames of a video file, or of a folder, with what names each in messages.

    Raises InputError for what is no film, and for one that is too long.
    """
    if path.is_dir():
        files = [image.path for image in list_input_images([path])]
        yield from zip(files, folder_frames(files, path), strict=True)
    else:
        for source in video_frames(path, frame_rate):
            yield path.with_name(f"{path.stem}_{source.stem}"), source


def find_animal(
    frames: Iterator[tuple[Path, SourceImage]],
    find: Callable[[SourceImage, Path], Segmentation],
    *,
    film: Path,
) -> tuple[list[Frame], list[str]]:
    """The frames of `film` in which `find` sees the animal, and what it says of the others.

    Raises InputError where there are fewer than two.
    """
    found, problems = [], []
    for number, (path, source) in enumerate(frames):
        try:
            segmentation = find(source, path)
        except InputError as error:
            problems.append(str(error))
            continue
        box = crop_box(segmentation.mask.numpy())
        found.append(Frame(path, number, source, segmentation, box))
    if len(found) < 2:
        why = f" ({problems[0]})" if problems else ""
        raise InputError(
            f"{film}: a film needs two frames or more that show the animal, and this has"
            f" {('none', 'one')[len(found)]}{why}; give a photograph as an image"
        )
    return found, problems


def recover(
    reconstructor: Reconstructor | AnySpecies,
    frames: list[Frame],
    *,
    name: str,
    refinement: RefineConfig,
    frame_rate: float,
    watch: Watch = unwatched,
) -> Film:
    """The animal of a film: shape and coat from its clearest frame, camera and pose from all of them."""
    reference = clearest(frames)
    best = frames[reference]
    animal = reconstructor.animal(best.source, best.segmentation, name=name, refinement=refinement)
    model = animal.trained.model
    with torch.no_grad():
        prior = model.prior()
    crops = [batch_of_crops([_crop(frame, model.config.image_size)]) for frame in frames]
    found = track(
        model,
        prior,
        animal.fit.refined,
        crops=crops,
        reference=reference,
        frame_rate=frame_rate,
        steps=watch(range(refinement.steps * 3 // 10), "motion"),
    )
    clip = film_clip(animal, frames, found, frame_rate=frame_rate)
    return Film(replace(animal, clips=(clip,)), tuple(frames), reference, frame_rate, found)


def clearest(frames: list[Frame]) -> int:
    """The frame from which shape and coat are taken: the animal whole, unhidden and large.

    Of frames about whose masks nothing is to be doubted (of all, where there is none) the one with most
    pixels of the animal.
    """
    sure = [k for k, frame in enumerate(frames) if not frame.segmentation.warnings] or range(len(frames))
    return max(sure, key=lambda k: int(frames[k].segmentation.mask.sum()))


def describe_film(film: Film) -> dict[str, Any]:
    """What prediction.json says of the frames."""
    azimuths, elevations = azimuth_elevation(film.track.cameras[:, :3, :3])
    ious = frame_ious(film)
    return {
        "frame_rate": film.frame_rate,
        "reference": film.reference,
        "frames": [
            {
                "number": frame.number,
                "crop_box": [round(value, 3) for value in frame.box],
                "world_to_camera": np.round(film.track.cameras[k].double().numpy(), 6).tolist(),
                "azimuth_degrees": round(float(torch.rad2deg(azimuths[k])), 3),
                "elevation_degrees": round(float(torch.rad2deg(elevations[k])), 3),
                "mask_iou": round(ious[k], 4),
            }
            for k, frame in enumerate(film.frames)
        ],
    }


def frame_ious(film: Film) -> list[float]:
    """IoU of the animal's silhouette with the mask of every frame."""
    ious = []
    for k, frame in enumerate(film.frames):
        mask = frame.segmentation.mask.numpy()
        alpha = _silhouette(film, k)
        placed = place_in_image(alpha, frame.box, height=mask.shape[0], width=mask.shape[1])
        ious.append(intersection_over_union(placed > 0.5, mask))
    return ious


def film_frames(film: Film) -> FrameSource:
    """Each frame's crop with the silhouette over it, beside the model seen by the same camera."""
    animal = film.animal
    for k, frame in enumerate(film.frames):
        crop = _crop(frame, SIZE).image * 255.0
        tint = cv2.resize(_silhouette(film, k), (SIZE, SIZE))[..., None] > 0.5
        left = np.where(tint, 0.55 * crop + 0.45 * ORANGE, crop).round().astype(np.uint8)
        yield np.concatenate([left, _drawn(animal, film.track, k)], axis=1)


def _drawn(animal: Animal, found: Track, frame: int) -> UInt8[np.ndarray, "size size 3"]:
    """The model as the camera of one frame sees it."""
    vertices, camera = found.posed(animal.prediction, slice(frame, frame + 1)), found.camera(frame)

    def scene(part: Tensor) -> tuple[Float[Tensor, "1 vertices 3"], Camera]:
        return vertices, camera

    light = light_of(animal.prediction.light, torch.zeros(1, dtype=torch.long))
    return next(draw_frames(animal.prediction, animal.texture, scene, lights=light))


def _silhouette(film: Film, frame: int) -> np.ndarray:
    prediction = film.animal.fit.refined
    posed = film.track.posed(prediction, slice(frame, frame + 1))
    with torch.no_grad():
        mesh = Mesh(posed, prediction.posed_mesh.faces)
        return render_mask(mesh, film.track.camera(frame), SIZE)[0, ..., 0].numpy()


def _crop(frame: Frame, size: int) -> Any:
    return crop_image(frame.source.pixels, frame.segmentation.mask.numpy(), frame.box, size=size)


def film_clip(animal: Animal, frames: list[Frame], found: Track, *, frame_rate: float) -> Clip:
    """The motion on the spot: in every frame the lowest point of the animal is on the ground.

    The root turns from the first frame on as the film's camera sees the body turn.
    """
    prediction = animal.fit.refined
    count = len(frames)
    ground = float(prediction.rest_mesh.vertices[0, :, 1].min())
    parts = torch.arange(count).split(CHUNK)
    lowest = torch.cat(
        [found.posed(prediction, slice(int(p[0]), int(p[-1]) + 1))[..., 1].amin(dim=1) for p in parts]
    )
    offsets = torch.zeros(count, 3)
    offsets[:, 1] = ground - lowest
    azimuths = np.unwrap(azimuth_elevation(found.cameras[:, :3, :3])[0].double().numpy())
    turns = torch.from_numpy(azimuths - azimuths[0]).float()
    numbers = torch.tensor([frame.number - frames[0].number for frame in frames])
    times = numbers.float() / frame_rate
    return Clip(CLIP_NAME, times, found.joint_angles, offsets, root_turns=turns)

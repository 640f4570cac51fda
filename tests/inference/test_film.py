"""Films: the path through hypotheses that turns least, frames in, one animal with its motion out."""

import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from farm3d.errors import InputError
from farm3d.geometry.clip import root_transforms
from farm3d.geometry.skeleton import bone_transforms
from farm3d.geometry.skinning import skin
from farm3d.geometry.viewpoint import azimuth_elevation, viewpoint_rotation
from farm3d.inference.film import (
    Film,
    Frame,
    clearest,
    describe_film,
    film_clip,
    film_frames,
    find_animal,
    read_frames,
    recover,
)
from farm3d.inference.film_tracking import TURN_COST, steadiest
from farm3d.inference.refine import RefineConfig
from farm3d.io.image import SourceImage, read_image, read_mask, write_png
from farm3d.io.video import write_mp4
from farm3d.types import Segmentation

from .two_animals import PICTURES, horse_model

SHIFTS = (0, 6, 12)
"""Pixels by which the animal has moved in each frame."""


def test_the_steadiest_path_is_the_best_of_all() -> None:
    generator = torch.Generator().manual_seed(0)
    azimuths = 6.0 * torch.rand(5, 3, generator=generator) - 3.0
    costs = torch.rand(5, 3, generator=generator)

    def price(path: tuple[int, ...]) -> float:
        turned = 0.0
        for frame, (before, after) in enumerate(itertools.pairwise(path)):
            turn = float(azimuths[frame + 1, after] - azimuths[frame, before])
            turned += TURN_COST * ((turn + np.pi) % (2.0 * np.pi) - np.pi) ** 2
        return turned + sum(float(costs[frame, k]) for frame, k in enumerate(path))

    best = min(itertools.product(range(3), repeat=5), key=price)
    assert tuple(steadiest(azimuths, costs).tolist()) == best


def picture(shift: int) -> tuple[SourceImage, Segmentation]:
    pixels, mask = read_image(PICTURES / "horse.jpg").pixels, read_mask(PICTURES / "horse_mask.png")
    moved = torch.from_numpy(np.roll(mask, shift, axis=1))
    return SourceImage(np.roll(pixels, shift, axis=1), None, "frame"), Segmentation(moved, "file")


@pytest.fixture(scope="module")
def film() -> Film:
    sources = {f"{shift:02d}": picture(shift) for shift in SHIFTS}
    frames, problems = find_animal(
        iter([(Path(name), source) for name, (source, _) in sources.items()]),
        lambda source, path: sources[path.name][1],
        film=Path("film"),
    )
    assert not problems
    config = RefineConfig(steps=6)
    return recover(horse_model(), frames, name="film", refinement=config, frame_rate=4.0)


def test_the_clip_has_a_key_a_frame_and_stays_on_the_ground(film: Film) -> None:
    (clip,) = film.animal.clips
    assert clip.name == "film"
    assert clip.times.tolist() == [0.0, 0.25, 0.5]
    prediction = film.animal.prediction
    skeleton = prediction.skeleton.at(prediction.skeleton.rest_joints[0])
    transforms = bone_transforms(skeleton, clip.joint_angles)
    rest = prediction.rest_mesh.vertices.expand(3, -1, -1)
    moved = skin(rest, transforms, prediction.skinning_weights) + clip.root_offsets[:, None]
    ground = rest[0, :, 1].min()
    torch.testing.assert_close(moved[..., 1].amin(dim=1), ground.expand(3), atol=1e-4, rtol=0.0)


def test_the_root_turns_as_the_film_sees_the_animal_turn(film: Film) -> None:
    cameras = film.track.cameras.clone()
    elevation = azimuth_elevation(cameras[:, :3, :3])[1]
    azimuths = torch.tensor([3.0, 3.3, 3.6])
    cameras[:, :3, :3] = viewpoint_rotation(azimuths, elevation[:1].expand(3))
    clip = film_clip(film.animal, list(film.frames), replace(film.track, cameras=cameras), frame_rate=4.0)
    turned = root_transforms(clip, clip.times)[:, :3, :3]
    torch.testing.assert_close(cameras[0, :3, :3] @ turned, cameras[:, :3, :3], atol=1e-5, rtol=0.0)


def test_a_still_animal_stands_still(film: Film) -> None:
    (clip,) = film.animal.clips
    assert clip.root_turns is not None and clip.root_turns[0] == 0.0
    assert clip.root_turns.abs().max() < math.radians(5.0)
    assert clip.joint_angles.diff(dim=0).abs().max() < 0.1
    frames = describe_film(film)["frames"]
    assert max(f["azimuth_degrees"] for f in frames) - min(f["azimuth_degrees"] for f in frames) < 5.0
    assert all(frame["mask_iou"] > 0.6 for frame in frames)
    boxes = [frame["crop_box"][0] for frame in frames]
    assert np.diff(boxes).tolist() == pytest.approx([6.0, 6.0], abs=0.01)


def test_the_films_video_has_a_picture_a_frame(film: Film) -> None:
    pictures = list(film_frames(film))
    assert [picture.shape for picture in pictures] == [(512, 1024, 3)] * 3


def test_shape_and_coat_come_from_the_largest_mask_that_nothing_is_wrong_with() -> None:
    source, segmentation = picture(0)
    small = segmentation.mask.clone()
    small[:, : small.shape[1] // 2] = False
    masks = [Segmentation(small, "a"), segmentation, Segmentation(segmentation.mask, "c", ("cut off",))]
    frames = [Frame(Path("x"), k, source, mask, (0.0, 0.0, 1.0, 1.0)) for k, mask in enumerate(masks)]
    assert clearest(frames) == 1
    assert clearest(frames[2:]) == 0


def test_frames_without_the_animal_are_told_and_left_out() -> None:
    def find(source: SourceImage, path: Path) -> Segmentation:
        if path.name == "1":
            raise InputError("1: no animal found")
        return picture(0)[1]

    source = picture(0)[0]
    frames, problems = find_animal(iter([(Path(str(k)), source) for k in range(3)]), find, film=Path("film"))
    assert [frame.number for frame in frames] == [0, 2]
    assert problems == ["1: no animal found"]
    with pytest.raises(
        InputError, match="film: a film needs two frames or more that show the animal, and this has one"
    ):
        find_animal(iter([(Path(str(k)), source) for k in range(2)]), find, film=Path("film"))


def test_videos_are_read_at_the_rate_asked_for(tmp_path: Path) -> None:
    colors = [np.full((48, 64, 3), 20 * k, np.uint8) for k in range(12)]
    write_mp4(tmp_path / "film.mp4", colors, frames_per_second=12.0)
    read = list(read_frames(tmp_path / "film.mp4", 4.0))
    assert [path.name for path, _ in read] == ["film_00000", "film_00001", "film_00002", "film_00003"]
    levels = [float(source.pixels.mean()) for _, source in read]
    assert levels == pytest.approx([0.0, 60.0, 120.0, 180.0], abs=6.0)
    assert len(list(read_frames(tmp_path / "film.mp4", 50.0))) == 12


def test_folders_give_their_pictures_without_masks(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "a_mask.png"):
        write_png(tmp_path / name, np.zeros((40, 40, 3), np.uint8))
    assert [path.name for path, _ in read_frames(tmp_path, 12.0)] == ["a.png", "b.png"]


def test_what_is_no_video_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "film.mp4"
    file.write_text("Dear diary")
    with pytest.raises(InputError, match="not a video that OpenCV reads"):
        list(read_frames(file, 12.0))

"""Clips loop, gaits have their animals' order of feet, and feet neither slide nor sink, whatever the body."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
import torch
from farm3d.eval.clip_limits import DOWN, clip_score, moments, soles
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from farm3d.errors import InputError
from farm3d.geometry.clip import Clip
from farm3d.geometry.skeleton_estimation import estimate_skeleton
from farm3d.geometry.skinning import distance_skinning_weights
from farm3d.inference.clips import (
    CLIP_NAMES,
    GRAZE_SECONDS,
    MUZZLE_CLEARANCE,
    body_clips,
    gait_clip,
    graze_clip,
    idle_clip,
    look_around_clip,
    prediction_body,
    standard_clips,
)
from farm3d.inference.gaits import GALLOP, TROT, WALK, Gait, shortest_leg
from farm3d.inference.legs import Body, body_of, skinned_places

from .two_animals import horse, horse_model, standing

DEEPEST, LONGEST_SLIDE = 0.02, 0.02
"""Heights of the withers that a foot may be under the ground and may slide in a stance."""


def quadruped(leg_length: float = 1.3, fore_place: float = 0.65, seed: int = 0) -> Body:
    """Points on a trunk, a neck with a head, a tail and four legs, on the skeleton that they suggest."""
    generator = torch.Generator().manual_seed(seed)

    def tube(start: list[float], end: list[float], radius: float, count: int) -> Tensor:
        along = torch.rand(count, 1, generator=generator)
        around = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=-1)
        return torch.tensor(start) * (1 - along) + torch.tensor(end) * along + radius * around

    parts = [
        tube([0.0, 0.3, -0.7], [0.0, 0.3, 0.7], 0.4, 1000),
        tube([0.0, 0.4, 0.7], [0.0, 1.2, 1.3], 0.15, 500),
        tube([0.0, 1.2, 1.3], [0.0, 1.1, 1.7], 0.12, 300),
        tube([0.0, 0.5, -1.0], [0.0, 0.2, -1.3], 0.06, 200),
    ]
    for side in (0.2, -0.2):
        for place in (fore_place, -0.65):
            parts.append(tube([side, 0.1, place], [side, 0.1 - leg_length, place], 0.07, 500))
    vertices = torch.cat(parts)
    skeleton = estimate_skeleton(vertices)
    weights = distance_skinning_weights(vertices, skeleton.rest_joints, temperature=0.05)
    return body_of(skeleton, vertices, weights, height=float(0.7 - vertices[:, 1].min()))


@cache
def shipped_horse() -> Body:
    """The mean horse of the checkpoint that ships."""
    return prediction_body(standing(horse_model().prior))


@cache
def made_up() -> Body:
    """The quadruped of average proportions."""
    return quadruped()


@cache
def all_clips(body: Body) -> tuple[Clip, ...]:
    return body_clips(body)


def assert_feet_hold(body: Body, clip: Clip) -> None:
    score = clip_score(body, clip)
    assert score.deepest < DEEPEST and score.slide < LONGEST_SLIDE, score
    assert all((place[:, 1] < DOWN).sum() > 1 for place in soles(body, clip).values())


@pytest.mark.parametrize("name", CLIP_NAMES[:-1])
def test_clips_loop(name: str) -> None:
    clip = next(clip for clip in all_clips(made_up()) if clip.name == name)
    assert torch.equal(clip.joint_angles[0], clip.joint_angles[-1])
    assert torch.equal(clip.root_offsets[0], clip.root_offsets[-1])
    assert clip.times[0] == 0.0 and (clip.times.diff() > 0.0).all()
    score = clip_score(made_up(), clip)
    assert score.gap == 0.0
    assert score.jolt < 1.1, "the loop's seam is no jerkier than the rest"


@settings(max_examples=4, deadline=None)
@given(leg=st.floats(1.0, 1.7), place=st.floats(0.5, 0.75), seed=st.integers(0, 3))
def test_feet_neither_sink_nor_slide_whatever_the_proportions(leg: float, place: float, seed: int) -> None:
    body = quadruped(leg, place, seed)
    for clip in all_clips(body):
        assert_feet_hold(body, clip)


def test_nothing_of_the_shipped_horse_sinks_and_no_foot_slides() -> None:
    for clip in all_clips(shipped_horse()):
        assert_feet_hold(shipped_horse(), clip)


@pytest.mark.parametrize("gait", [WALK, TROT, GALLOP], ids=lambda gait: gait.name)
def test_feet_land_and_stand_as_the_gait_says(gait: Gait) -> None:
    body = made_up()
    clip = gait_clip(body, gait)
    times, places = moments(clip), soles(body, clip)
    for name, place in places.items():
        down = place[:-1, 1] < DOWN
        landings = torch.nonzero(down & ~down.roll(1)).squeeze(1)
        assert len(landings) == 1
        late = float(times[landings[0]] / times[-1]) - gait.touchdown[name]
        assert abs((late + 0.5) % 1.0 - 0.5) < 0.04
        assert abs(float(down.double().mean()) - gait.duty) < 0.06
        assert place[:, 1].max() > 0.03


def test_a_walk_always_stands_on_two_feet_and_trot_and_gallop_leave_the_ground() -> None:
    body = made_up()
    least = {}
    for gait in (WALK, TROT, GALLOP):
        places = soles(body, gait_clip(body, gait))
        least[gait.name] = int(torch.stack([place[:, 1] < DOWN for place in places.values()]).sum(0).min())
    assert least["walk"] >= 2
    assert least["trot"] == least["gallop"] == 0


def test_a_small_animal_takes_quicker_steps() -> None:
    body = made_up()
    slow, quick = gait_clip(body, TROT), gait_clip(body, TROT, pace=0.5)
    assert quick.times[-1] == slow.times[-1] / 2.0
    assert math.isclose(quick.speed, 2.0 * slow.speed)


def test_idle_feet_are_planted_while_body_and_head_move() -> None:
    body = made_up()
    clip = idle_clip(body)
    for place in soles(body, clip).values():
        assert (place.amax(0) - place.amin(0)).max() < 0.002
    assert (clip.root_offsets.amax(0) - clip.root_offsets.amin(0))[[0, 1]].min() > 0.001 * body.height
    for bone in ("head", "tail"):
        assert clip.joint_angles[:, body.bone(bone)].abs().max() > 0.05


def lowest_of_head(body: Body, clip: Clip) -> float:
    head = body.weights.dense(len(body.skeleton.names))[:, body.bone("head")] > 0.5
    members = torch.nonzero(head).squeeze(1)
    moved = skinned_places(
        body, members, angles=clip.joint_angles.double(), offsets=clip.root_offsets.double()
    )
    return (float(moved[..., 1].min()) - body.ground) / body.height


@pytest.mark.parametrize(
    "animal", [lambda: quadruped(leg_length=1.0), lambda: shipped_horse()], ids=["long", "short"]
)
def test_grazing_brings_the_muzzle_down_to_the_ground_and_not_into_it(animal: Callable[[], Body]) -> None:
    body = animal()
    clip = graze_clip(body)
    assert clip.times[-1] == GRAZE_SECONDS
    assert MUZZLE_CLEARANCE - 1e-6 <= lowest_of_head(body, clip) < MUZZLE_CLEARANCE + 0.01
    assert lowest_of_head(body, idle_clip(body)) > 0.5


def test_fore_feet_part_further_where_the_neck_is_too_short() -> None:
    parted = {}
    for name, body in (("long", quadruped(leg_length=1.0)), ("short", shipped_horse())):
        places = soles(body, graze_clip(body))
        rest = {leg.name: float(leg.stand[2]) / body.height for leg in body.legs}
        left, right = (float(places[leg][0, 2]) - rest[leg] for leg in ("fore_left", "fore_right"))
        parted[name] = (left - right) / (shortest_leg(body) / body.height)
    assert 0.3 < parted["long"] < 0.45 < parted["short"] < 0.8


def test_looking_around_turns_the_head_to_both_sides() -> None:
    body = shipped_horse()
    clip = look_around_clip(body)
    muzzle = body.vertices[:, 2].argmax()[None]
    moved = skinned_places(
        body, muzzle, angles=clip.joint_angles.double(), offsets=clip.root_offsets.double()
    )[:, 0, 0]
    assert moved.max() > 0.25 * body.height and moved.min() < -0.25 * body.height


def test_joints_keep_within_their_limits_and_legs_are_not_cut_by_them() -> None:
    body = made_up()
    legs = [bone for leg in body.legs for bone in leg.bones]
    for clip in all_clips(body):
        assert (clip.joint_angles.abs() <= body.limits + 1e-6).all()
        assert (clip.joint_angles.abs() < body.limits - 1e-4)[:, legs].all(), clip.name


def test_a_prediction_has_all_clips_and_its_photograph_s_pose_on_the_ground() -> None:
    prediction = horse().prediction
    clips = standard_clips(prediction, metres_per_unit=0.6)
    assert tuple(clip.name for clip in clips) == CLIP_NAMES
    held = clips[-1]
    torch.testing.assert_close(held.joint_angles[0], prediction.joint_angles[0])
    lowest = prediction.posed_mesh.vertices[0, :, 1].min() + held.root_offsets[0, 1]
    torch.testing.assert_close(lowest, prediction.rest_mesh.vertices[0, :, 1].min())


def test_another_skeleton_is_refused() -> None:
    body = made_up()
    names = tuple(f"bone_{index}" for index in range(len(body.skeleton.names)))
    with pytest.raises(InputError, match="need a quadruped's skeleton"):
        body_of(replace(body.skeleton, names=names), body.vertices, body.weights, height=1.0)
